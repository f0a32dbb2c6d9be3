"""The kinds of value that params.yaml holds."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from konkyo.errors import split_login

RULES = ConfigDict(extra="forbid", strict=True)
"""No unknown key, no value of another type."""


def plain_login(address: str) -> str:
    """Return an address whose user and password, if it has any, can be told from the rest.

    Raises
    ------
    ValueError
        They cannot: a part of the password would be taken for the host and be shown in messages.
    """
    login, _ = split_login(address)
    if set(login) & set("@/?# "):
        raise ValueError(
            "the user or the password in track.uri, tune.storage or MLFLOW_TRACKING_URI has one of "
            "the characters @ / ? # or a blank: write them as %40 %2F %3F %23 %20"
        )
    return address


def without_login(address: str) -> str:
    """Return an address that holds no password.

    Raises
    ------
    ValueError
        It holds one, which would be kept with every run's params.
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
Place = Annotated[str, AfterValidator(without_login)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
