"""A user's dated reports: rows checked, then made statements of what was known when."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from konkyo.config import Reports
from konkyo.data.columns import table_of
from konkyo.data.parsing import ParsedTable
from konkyo.data.plausibility import UNSTEADY, changes
from konkyo.data.point_in_time import NO_YEAR
from konkyo.data.ratios import BALANCES, FLOWS, FORECASTS, PAID, UNSCALED
from konkyo.data.rules import broken
from konkyo.data.violations import Violation, violation
from konkyo.dates import ordinal

DATES = ("period_end", "published", "forecast_end")
"""Days: the last of the report's period, of its publication, the last of its forecasts' year."""

_EARLIEST, _LATEST = pd.Timestamp("1900-01-01"), pd.Timestamp("2199-12-31")
_ENOUGH = 3
"""Changes within a year, to tell sums since its beginning."""


def check(table: ParsedTable) -> list[Violation]:
    """Return what breaks the rules of a table of reports.

    The rules are those of `konkyo.data.columns`; what is summed up since the year's beginning says
    of how many months it is; and no rows of one period and moment contradict each other.

    Parameters
    ----------
    table : ParsedTable
        stock, period_end or published or both, optionally months (length of the period, 12 where
        missing) and forecast_end (the last day of the year that the forecasts are about), and
        columns of numbers. `published` has its time where there is one, so that the later of two
        on one day counts.
    """
    violations = broken(table_of("reports"), table)
    return violations or [*_far(table), *_sums(table), *_contradictions(table, table.frame)]


def _far(table: ParsedTable) -> Iterator[Violation]:
    """See that days are of an age that records have."""
    for name in table.frame.columns.intersection(list(DATES)):
        days = table.frame[name]
        bad = (days.notna() & ~days.between(_EARLIEST, _LATEST)).to_numpy()
        if bad.any():
            found = f"not between {_EARLIEST:%Y-%m-%d} and {_LATEST:%Y-%m-%d}"
            yield violation(table, [name], "range", found, "correct these days", bad, days)


def _sums(table: ParsedTable) -> Iterator[Violation]:
    """See that what is summed up over a year says of how many months it is."""
    flow, change, apart = changes(table.frame)
    if len(change) >= _ENOUGH and change.median() > UNSTEADY:
        bad = np.isin(np.arange(len(table.frame)), change.index)
        found = (
            f"{flow} of periods that end {apart.median():.0f} months apart rise and fall as sums "
            "since the year's beginning do, or quarters beside years, while all are of one length"
        )
        remedy = (
            "give `months`, such as 3, 6, 9, 12, or make it of a column of text: columns: "
            "{quarter: months}, values: {quarter: {Q1: 3, Q2: 6, Q3: 9, FY: 12}}"
        )
        yield violation(table, ["period_end"], "length", found, remedy, bad, table.frame["stock"])


def _contradictions(table: ParsedTable, frame: pd.DataFrame) -> Iterator[Violation]:
    """See that rows of one stock, period and moment do not say different things."""
    keys = [name for name in ("stock", "months", *DATES) if name in frame]
    again = frame[frame.duplicated(keys, keep=False)]
    values = again.groupby(keys, dropna=False)[_numbers_in(frame)].transform("nunique")
    bad = frame.index.isin(again.index[(values > 1).any(axis=1)])
    if bad.any():
        remedy = (
            "keep one row a stock, period_end and published; add `months` where a year and its "
            "last quarter end on one day; with two kinds of reports in the file (consolidated or "
            "not), choose one by `where`"
        )
        found = "different values for one stock, period and day"
        names = [name for name in keys if name != "months"]
        yield violation(table, names, "one report", found, remedy, bad, frame["stock"])


def to_statements(
    table: pd.DataFrame, spec: Reports, codes: pd.Index
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what a table's rows say, of the stocks in `codes` alone.

    Parameters
    ----------
    table : DataFrame
        As `read` returns it.
    spec : Reports
        `lag` and `unit` of the table.
    codes : Index
        The stocks.

    Returns
    -------
    figures, forecasts : DataFrame
        As `konkyo.data.point_in_time.as_known` takes them, `stock` the place in `codes`; amounts
        and shares in thousands.
    """
    table_codes = pd.Index(table["stock"].unique())
    place = match(codes, table_codes)[0][table_codes.get_indexer(table["stock"])]
    table, stock = table[place >= 0], place[place >= 0].astype("int64")
    missing = pd.Series(pd.NaT, index=table.index, dtype="datetime64[s]")
    end = table.get("period_end", missing)
    published = table.get("published", missing)
    day = published.fillna(end + pd.Timedelta(days=spec.lag))
    known = ordinal(day)
    dated = end.notna().to_numpy()
    period = np.where(dated, _period(end), known)
    length = np.full(len(table), 12)
    if "months" in table:
        length = table["months"].fillna(12).to_numpy().astype("int64")
    # A forecast that does not say its year is about the one after the report's, or the one that an
    # interim report is part of; one published before its period ended is about that.
    late = (end - published).dt.days.fillna(-1).to_numpy() > 0
    year = period + np.where(late, 0, np.where(length >= 12, 12, 12 - length))
    year = np.where(dated, year, NO_YEAR)
    if "forecast_end" in table:
        stated = table["forecast_end"].notna().to_numpy()
        year = np.where(stated, _period(table["forecast_end"]), year)

    order = np.argsort(day.to_numpy(), kind="stable")
    keys = pd.DataFrame({"stock": stock, "known": known})
    numbers = {name: _amounts(table[name], name, spec.unit) for name in _numbers_in(table)}
    figures = keys.assign(period=period, months=np.where(dated, length, 0))
    frames = []
    for frame, ahead in ((figures, False), (keys.assign(period=year, months=0), True)):
        items = {n: values for n, values in numbers.items() if (n in FORECASTS) == ahead}
        rows = frame.assign(**items).iloc[order]
        frames.append(rows[rows[list(items)].notna().any(axis=1)])
    return frames[0], frames[1]


def _amounts(values: pd.Series, name: str, unit: int) -> np.ndarray:
    """Return an ingredient in thousands; a vendor's further numbers as they are."""
    numbers = values.to_numpy("float64")
    bare = name.removesuffix("_forecast")
    if bare in PAID:
        numbers = np.abs(numbers)
    if name == "shares":
        return numbers / 1000
    if name in UNSCALED or name not in (*FLOWS, *BALANCES, *FORECASTS):
        return numbers
    return numbers * (unit / 1000)


def _period(days: pd.Series) -> np.ndarray:
    """Return the month at whose end, to the nearest, a period ends: some years end on a weekday."""
    return ordinal((days - pd.Timedelta(days=15)).fillna(pd.Timestamp(1970, 1, 1)))


def _numbers_in(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame if name not in ("stock", "months", *DATES)]


def match(codes: pd.Index, own: pd.Index) -> tuple[np.ndarray, bool]:
    """Return the place of each of a table's codes among the stocks', -1 where there is none.

    A code that no stock has as it is written is compared in capital letters with the stocks that no
    code has as they are written, and then only if one code and one stock stay alike.

    Returns
    -------
    places : ndarray of int64, shape [own]
    capitals : bool
        Whether codes were found in capital letters.
    """
    place = codes.get_indexer(own)
    free = np.setdiff1d(np.arange(len(codes)), place)
    left = np.flatnonzero(place < 0)
    large, wanted = codes[free].str.upper(), own[left].str.upper()
    once = ~large.duplicated(keep=False)
    among = large[once].get_indexer(wanted)
    among[wanted.duplicated(keep=False)] = -1
    place[left[among >= 0]] = free[once][among[among >= 0]]
    return place, bool((among >= 0).any())
