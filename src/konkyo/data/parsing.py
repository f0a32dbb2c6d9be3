"""Values as found to values as used: months, numbers and text, with the rows that resist."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from konkyo.dates import month_end, ordinal

YEARS = (1800, 2199)
"""The first and the last year that a day or a month of records may be in."""

MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none", "<na>")
"""What a field may hold, in small or capital letters, to say that its number is missing."""


@dataclass(frozen=True, eq=False)
class ParsedColumn:
    """A column after conversion.

    Attributes
    ----------
    column : Series, shape [rows]
        The converted values; missing where there was none and where it could not be converted.
    bad : ndarray of bool, shape [rows]
        Where there was a value that could not be converted.
    """

    column: pd.Series
    bad: np.ndarray

    @property
    def missing(self) -> np.ndarray:
        """Return where there was no value, bool, shape [rows]."""
        return self.column.isna().to_numpy() & ~self.bad


def to_months(values: pd.Series) -> ParsedColumn:
    """Read months and return the end of each.

    Parameters
    ----------
    values : Series, shape [rows]
        `YYYY-MM`, `YYYY-MM-DD` (a time may follow) or `YYYYMM`, as text or numbers; or dates. A
        month outside `YEARS` cannot be read.

    Returns
    -------
    Converted
        Period ends, datetime64: midnight of the last day of the month that the value lies in.
    """
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    found = pd.Series(distinct)
    days = _days(found)
    days = days.where(days.dt.year.between(*YEARS))
    known = days.notna().to_numpy()
    ends = month_end(ordinal(days.where(known, pd.Timestamp(1970, 1, 1)))).where(known)
    bad = ~known & text_of(found).notna().to_numpy()
    return ParsedColumn(pd.Series(ends.take(codes), index=values.index), bad[codes])


def to_dates(values: pd.Series) -> ParsedColumn:
    """Read days.

    Parameters
    ----------
    values : Series, shape [rows]
        `YYYY-MM-DD` (a time may follow, and is passed over) or `YYYYMMDD`, as text or numbers; or
        dates. Any of `MISSING` is a missing day; a day outside `YEARS` cannot be read.

    Returns
    -------
    Converted
        Midnight of each day, datetime64.
    """
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    found = pd.Series(distinct)
    if isinstance(found.dtype, pd.DatetimeTZDtype):
        found = found.dt.tz_localize(None)
    if pd.api.types.is_datetime64_any_dtype(found):
        days = found.dt.normalize()
        text = found
    else:
        text = text_of(found, MISSING)
        dashed = text.str[:4] + "-" + text.str[4:6] + "-" + text.str[6:]
        written = text.str[:10].where(_matches(text, r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}.*)?"))
        written = written.mask(_matches(text, r"\d{8}"), dashed)
        days = pd.to_datetime(written, format="%Y-%m-%d", errors="coerce")
    days = days.where(days.dt.year.between(*YEARS))
    bad = days.isna().to_numpy() & text.notna().to_numpy()
    return ParsedColumn(pd.Series(days.array.take(codes), index=values.index), bad[codes])


def _matches(text: pd.Series, pattern: str) -> pd.Series:
    return text.str.fullmatch(pattern).fillna(False).astype(bool)


def _days(values: pd.Series) -> pd.Series:
    """Return a day of each month as datetime64, NaT where the value is no month."""
    if isinstance(values.dtype, pd.PeriodDtype):
        return values.dt.to_timestamp()
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.dt.tz_localize(None)
    if pd.api.types.is_datetime64_any_dtype(values):
        return values
    text = text_of(values)
    days = pd.Series(None, index=values.index, dtype="str")
    for pattern, day in (
        (r"\d{4}-\d{2}", text + "-01"),
        (r"\d{6}", text.str[:4] + "-" + text.str[4:] + "-01"),
        (r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}.*)?", text.str[:10]),
    ):
        days = days.mask(_matches(text, pattern), day)
    return pd.to_datetime(days, format="%Y-%m-%d", errors="coerce")


def to_numbers(values: pd.Series) -> ParsedColumn:
    """Read numbers.

    Parameters
    ----------
    values : Series, shape [rows]
        Numbers, or text of numbers with a decimal point and no other mark, such as `-0.5` or
        `1e-3`. Any of `MISSING` is a missing number.

    Returns
    -------
    Converted
        float64, infinite where the value says so: whether that is allowed is a rule of the schema.
    """
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.astype("float64")
        return ParsedColumn(numbers, np.zeros(len(values), dtype=bool))
    text = values.astype("str")
    missing = (values.isna() | text.str.strip().str.lower().isin(MISSING)).to_numpy()
    if pd.api.types.is_datetime64_any_dtype(values) or pd.api.types.is_timedelta64_dtype(values):
        return ParsedColumn(pd.Series(np.nan, index=values.index), ~missing)
    text = text.mask(missing)
    try:
        parsed = pa.compute.cast(pa.array(text, type=pa.string()), pa.float64())
        numbers = pd.Series(parsed.to_numpy(zero_copy_only=False), index=values.index)
    except pa.ArrowInvalid:
        # The quick reader stops at the first field that it cannot read; this one marks them all.
        numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    return ParsedColumn(numbers, numbers.isna().to_numpy() & ~missing)


def text_of(values: pd.Series, missing: tuple[str, ...] = ("",)) -> pd.Series:
    """Return values as text without blanks around it.

    Parameters
    ----------
    values : Series, shape [rows]
        Text or numbers; whole numbers lose a decimal point that they have only because other
        rows of the column are missing (10001.0 is `10001`).
    missing : tuple of str, optional
        Text, in small letters, that says that there is no value. A stock may well be called NA.

    Returns
    -------
    Series of str, shape [rows]
        Missing where there is no value.
    """
    if pd.api.types.is_float_dtype(values):
        whole = values.notna() & (values == values.round()) & (values.abs() < 2.0**53)
        numbers = values.where(whole).astype("Int64").astype("str")
        text = numbers.where(whole, values.astype("str"))
    else:
        text = values.astype("str")
    text = text.where(values.notna()).str.strip()
    return text.mask(text.str.lower().isin(missing))
