"""Types of values that several sections of params.yaml share."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from konkyo.errors import split_login

RULES = ConfigDict(extra="forbid", strict=True)
"""Unknown keys and values of another type are errors."""


def plain_login(address: str) -> str:
    """Return an address unchanged if its login can be separated from its host.

    Raises
    ------
    ValueError
        The login has a reserved character: part of the password would be taken for the host, and
        be shown in messages.
    """
    login, _ = split_login(address)
    if set(login) & set("@/?# "):
        raise ValueError(
            "the user or the password in track.uri, tune.storage or MLFLOW_TRACKING_URI has one of "
            "the characters @ / ? # or a blank: write them as %40 %2F %3F %23 %20"
        )
    return address


def without_login(address: str) -> str:
    """Return an address unchanged if it has no password.

    Raises
    ------
    ValueError
        It has one, which would be logged with the params of every run.
    """
    login, _ = split_login(address)
    if ":" in login:
        raise ValueError(
            "train.scheduler_address and train.panel_cache_url may hold no password: "
            "give it to each machine by the environment variables of its client"
        )
    return address


MonthName = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="YYYY-MM")]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Address = Annotated[str, Field(min_length=1), AfterValidator(plain_login)]
PublicAddress = Annotated[str, AfterValidator(without_login)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
