"""The rules of the record tables, one function each: a table in, its faults out.

Every rule passes over the values that another rule reports, so that one mistake is one line.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from konkyo.months import label, month_end, ordinal
from konkyo.sources.convert import Converted
from konkyo.sources.faults import Fault, count_of, list_of, rows_of
from konkyo.sources.reading import Found

Unit = Literal["fraction", "percent"]

RESERVED = ("ret", "label", "score", "absorbed")
"""Names that later tables give to the future return and to results: never a characteristic's."""

LARGEST_FRACTION = 1.0
SMALLEST_PERCENT = 0.5
"""The middle size of a month's return: above the first in fractions, or below the second in per
cent, the unit is mistaken (the 2000-2021 records of the United States have 6 per cent)."""

_LEAVE_EMPTY = "correct them, or leave them empty to say that they are missing"


def missing_columns(found: Found, required: Sequence[str]) -> Iterator[Fault]:
    """Every required column is there."""
    missing = [name for name in required if name not in found.frame]
    if missing:
        there = [found.names.get(name, name) for name in found.frame.columns]
        yield Fault(
            "columns",
            f"{', '.join(map(repr, missing))} missing; the file has {there}",
            "add them, or map your own names to these in ingest.tables.columns "
            "(sector may be empty, but its column must be there)",
        )


def reserved(found: Found, name: str) -> Iterator[Fault]:
    """No column has the name of a future return or of a result."""
    if name in RESERVED:
        yield Fault(
            found.name(name),
            f"{name!r} is the name of a future return or of a result in later tables",
            "remove the column, or rename it if its values are known at the end of the month",
        )


def unreadable(
    found: Found, name: str, converted: Converted, what: str, remedy: str
) -> Iterator[Fault]:
    """Every value is what its column holds."""
    if converted.bad.any():
        shown = rows_of(converted.bad, found.frame[name])
        yield Fault(found.name(name), f"not {what} in {shown}", remedy)


def absent(
    found: Found, name: str, missing: np.ndarray, months: pd.Series | None = None
) -> Iterator[Fault]:
    """No value is missing in a column, or in those rows of it, that must be complete."""
    if missing.any():
        shown = None if months is None else months.dt.strftime("%Y-%m")
        yield Fault(
            found.name(name),
            f"missing in {rows_of(missing, shown)}",
            "fill them in, or remove these rows",
        )


def infinite(found: Found, name: str, values: pd.Series) -> Iterator[Fault]:
    """Every number is finite."""
    bad = np.isinf(values.to_numpy())
    if bad.any():
        yield Fault(
            found.name(name), f"infinite in {rows_of(bad, found.frame[name])}", _LEAVE_EMPTY
        )


def returns(found: Found, values: pd.Series, unit: Unit) -> Iterator[Fault]:
    """See that returns are in the unit that params.yaml says, and that none loses more than all.

    Parameters
    ----------
    found : Found
        The stocks as found.
    values : Series, shape [rows]
        Their returns as numbers, in the file's own unit.
    unit : {'fraction', 'percent'}
        What that unit is said to be.
    """
    column = found.name("return")
    finite = values[np.isfinite(values)]
    if finite.empty:
        yield Fault(column, "no value in any row", "fill in the returns")
        return
    # Rows of no trade say nothing about the unit.
    middle = float(finite[finite != 0].abs().median())
    if unit == "fraction" and middle > LARGEST_FRACTION:
        yield Fault(
            column,
            f"the median size of a return is {middle:.3g} (limit {LARGEST_FRACTION:g}), "
            "which looks like per cent while the unit says fraction",
            "set ingest.tables.return_unit to percent, or divide the column by 100",
        )
        return
    if unit == "percent" and middle < SMALLEST_PERCENT:
        yield Fault(
            column,
            f"the median size of a return is {middle:.3g} per cent (at least "
            f"{SMALLEST_PERCENT:g} is expected), which looks like fractions while the unit says "
            "percent",
            "set ingest.tables.return_unit to fraction, or multiply the column by 100",
        )
        return
    least = -100.0 if unit == "percent" else -1.0
    below = ((values < least) & np.isfinite(values)).to_numpy()
    if below.any():
        yield Fault(
            column,
            f"below {least:g} (the unit is {unit}) in {rows_of(below, found.frame['return'])}",
            _LEAVE_EMPTY,
        )


def sizes(found: Found, values: pd.Series) -> Iterator[Fault]:
    """Market values are above zero."""
    if not np.isfinite(values).any():
        yield Fault(found.name("size"), "no value in any row", "fill in the market values")
    wrong = ((values <= 0) & np.isfinite(values)).to_numpy()
    if wrong.any():
        yield Fault(
            found.name("size"),
            f"not above 0 in {rows_of(wrong, found.frame['size'])}",
            _LEAVE_EMPTY,
        )


def duplicates(found: Found, table: pd.DataFrame, keys: Sequence[str]) -> Iterator[Fault]:
    """No two rows have the same keys: `month` of a market table, `month` and `stock` of stocks."""
    known = table[list(keys)].notna().all(axis=1).to_numpy()
    parts = pd.DataFrame({name: codes_of(table[name]) for name in keys})
    repeated = parts.duplicated(keep="first").to_numpy() & known
    if repeated.any():
        shown = table["month"].dt.strftime("%Y-%m")
        if "stock" in keys:
            shown = shown + " " + table["stock"]
        yield Fault(
            " and ".join(found.name(name) for name in keys),
            f"repeated in {rows_of(repeated, shown)}",
            f"keep one row a {' and '.join(keys)}",
        )


def thin_months(found: Found, table: pd.DataFrame, portfolios: int) -> Iterator[Fault]:
    """Every month has at least one stock a portfolio."""
    counts = table.dropna(subset=["month", "stock"]).groupby("month")["stock"].nunique()
    thin = counts[counts < portfolios]
    if len(thin):
        named = [f"{label(month)}: {count}" for month, count in thin.items()]
        yield Fault(
            found.name("stock"),
            f"fewer than {portfolios} stocks, one a portfolio, in "
            f"{count_of(len(thin), 'month')} ({list_of(named)})",
            "add stocks, leave out the first or last months, or lower backtest.portfolios",
        )


def gaps(found: Found, months: pd.Series) -> Iterator[Fault]:
    """Every month between the first and the last has a row."""
    there = distinct(months)
    if not len(there):
        return
    missing = np.setdiff1d(np.arange(there[0], there[-1] + 1), there)
    if len(missing):
        first, last = _labels(there[[0, -1]])
        yield Fault(
            found.name("month"),
            f"{count_of(len(missing), 'month')} without a row between {first} and {last} "
            f"({list_of(_labels(missing))})",
            "add these months, or cut the file so that its months follow one another",
        )


def coverage(found: Found, months: pd.Series, stock_months: np.ndarray) -> Iterator[Fault]:
    """Every month of the stocks lies in the market table's span."""
    there = distinct(months)
    outside = np.setdiff1d(stock_months, there)
    if len(there):
        outside = outside[(outside < there[0]) | (outside > there[-1])]
    if len(outside):
        yield Fault(
            found.name("month"),
            f"{count_of(len(outside), 'month')} of the stocks without a row here "
            f"({list_of(_labels(outside))})",
            "add these months, or cut the stocks to the months that both files have",
        )


def distinct(months: pd.Series) -> np.ndarray:
    """Return the distinct months, counted from 1970-01 and sorted, shape [months]."""
    return np.unique(ordinal(months.dropna()))


def codes_of(values: pd.Series) -> np.ndarray:
    """Return each value's place among the sorted distinct ones, -1 where missing, shape [rows]."""
    return pd.factorize(values, sort=True)[0].astype("int64")


def _labels(ordinals: np.ndarray) -> list[str]:
    return [label(month) for month in month_end(ordinals)]
