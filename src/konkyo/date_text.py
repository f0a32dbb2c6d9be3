"""One reading of each text that says a day or a month.

A text is a day or a month in exactly one way or an error: ambiguous ones, such as 05.04.2010 or
2020-1-3, are not guessed. `DAYS` and `MONTHS` are the accepted formats for Python and for SQL.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from konkyo.dates import month_end

_TIME = (
    r"(?:[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)?"
)
DAYS = (
    rf"(\d{{4}})-(\d{{2}})-(\d{{2}}){_TIME}",
    rf"(\d{{4}})/(\d{{2}})/(\d{{2}}){_TIME}",
    r"(\d{4})(\d{2})(\d{2})",
)
"""How a day may be written: year, month, day. A time of day is that of its own clock: an offset
from Greenwich does not move it to another day."""
MONTHS = (r"(\d{4})-(\d{2})", r"(\d{4})(\d{2})")
"""How a month may be written: year, month."""
YEARS = (1800, 2199)
"""The first and the last year that a day or a month of records may be in."""


FORMS = "YYYY-MM, YYYY-MM-DD, YYYYMM, YYYYMMDD or YYYY/MM/DD"
"""How messages name `MONTHS` and `DAYS`."""


def period_end(value: object) -> pd.Timestamp:
    """Return the end of the month that a text or a date lies in.

    Parameters
    ----------
    value : object
        Text in one of the forms `DAYS` and `MONTHS`, or a date, or a moment (the month is that of
        its own clock, whatever its time zone).

    Raises
    ------
    ValueError
        It is neither, or a number, or lies outside `YEARS`.
    """
    day = _date(value, (*DAYS, *MONTHS))
    if day is None:
        raise ValueError(f"{value!r} is no month: write {FORMS}")
    return month_end((day.year - 1970) * 12 + day.month - 1)[0]


def period_ends(values: Iterable[object]) -> pd.DatetimeIndex:
    """Return `period_end` of each value."""
    values = list(values)
    ends = {value: period_end(value) for value in dict.fromkeys(values)}
    return pd.DatetimeIndex([ends[value] for value in values]).astype("datetime64[ns]")


def days(values: Iterable[object]) -> pd.DatetimeIndex:
    """Return the day of each text or date in one of the forms `DAYS`, NaT for an empty one.

    Raises
    ------
    ValueError
        One is none, or lies outside `YEARS`.
    """
    values = list(values)
    dates: dict[object, dt.date | None] = {}
    for value in dict.fromkeys(values):
        empty = value == "" or pd.isna(value)  # type: ignore[call-overload]
        dates[value] = None if empty else _date(value, DAYS)
        if dates[value] is None and not empty:
            raise ValueError(f"{value!r} is no day: write YYYY-MM-DD, YYYYMMDD or YYYY/MM/DD")
    return pd.DatetimeIndex([dates[value] for value in values], dtype="datetime64[ns]")


def _date(value: object, forms: Sequence[str]) -> dt.date | None:
    """Return the day of a value, of a month its first; None if it has no one reading."""
    day: dt.date | None = None
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, dt.date) and not pd.isna(value):
        day = dt.date(value.year, value.month, value.day)
    elif isinstance(value, str):
        for form in forms:
            match = re.fullmatch(form, value.strip(), re.ASCII)
            if match:
                year, month, *of_month = map(int, match.groups())
                try:
                    day = dt.date(year, month, *(of_month or (1,)))
                except ValueError:
                    return None
    return day if day is not None and YEARS[0] <= day.year <= YEARS[1] else None
