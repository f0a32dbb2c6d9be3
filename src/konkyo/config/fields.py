"""Types of values that several sections of params.yaml share."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from konkyo import date_text, dates
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


def month_or(word: str = "") -> BeforeValidator:
    """Return what reads a month in any form of `date_text` as YYYY-MM, and lets a word be."""

    def read(value: object) -> str:
        if word and value == word:
            return word
        try:
            # YAML reads 201012 as a number.
            whole = isinstance(value, int) and not isinstance(value, bool)
            return dates.label(date_text.period_end(str(value) if whole else value))
        except ValueError:
            words = f"{word}, or a month" if word else "a month"
            raise PydanticCustomError("month", f"{words} as {date_text.FORMS}") from None

    return BeforeValidator(read)


MonthName = Annotated[str, month_or()]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Address = Annotated[str, Field(min_length=1), AfterValidator(plain_login)]
PublicAddress = Annotated[str, AfterValidator(without_login)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
