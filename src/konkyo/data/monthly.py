"""The rules of whole monthly tables: months that follow one another, enough stocks, the unit."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from konkyo.data.columns import Unit
from konkyo.data.reader import ParsedTable
from konkyo.data.validate import absent, column_of, unread_in
from konkyo.data.violations import SHOWN, Violation
from konkyo.dates import label, month_end, ordinal

LARGEST_FRACTION = 1.0
"""The median size of a month's return in fractions above which the unit is mistaken (the 2000-2021
records of the United States have 0.06). Small ones in per cent may be those of bonds."""


def filled(table: ParsedTable, name: str, values: pd.Series) -> Iterator[Violation]:
    """See that a column has a finite value in some row."""
    if not np.isfinite(values).any():
        yield _whole(table, name, "filled", "no value in any row", "fill in the values")


def unit_of(table: ParsedTable, values: pd.Series, unit: Unit) -> Iterator[Violation]:
    """See that returns are in the unit that params.yaml says.

    Parameters
    ----------
    table : ParsedTable
        The stocks as found.
    values : Series, shape [rows]
        Their returns as numbers, in the file's own unit.
    unit : {'fraction', 'percent'}
        What that unit is said to be.
    """
    # Rows of no trade say nothing about the unit.
    middle = values[np.isfinite(values) & (values != 0)].abs().median()
    if unit == "fraction" and middle > LARGEST_FRACTION:
        yield _whole(
            table,
            "return",
            "unit",
            f"the median size of a return is {middle:.3g} (limit {LARGEST_FRACTION:g}), "
            "which looks like per cent while the unit says fraction",
            "set ingest.tables.stocks.return_unit to percent, or divide the column by 100",
        )


def gaps(table: ParsedTable, months: pd.Series) -> Iterator[Violation]:
    """See that every month between the first and the last has a row."""
    there = distinct(months)
    if not len(there):
        return
    lacking = np.setdiff1d(np.arange(there[0], there[-1] + 1), there)
    if len(lacking):
        first, last = _labels(there[[0, -1]])
        shut = ", or name those in which the market was shut in ingest.tables.stocks.closed_months"
        yield _in_months(
            table,
            "month",
            "gap",
            f"no row between {first} and {last}",
            _labels(lacking),
            "add these months, or cut the file so that its months follow one another"
            + (shut if "stock" in table.frame else ""),
        )


def thin(table: ParsedTable, portfolios: int) -> Iterator[Violation]:
    """See that every month has at least one stock a portfolio."""
    counts = table.frame.dropna(subset=["month", "stock"]).groupby("month")["stock"].nunique()
    few = counts[counts < portfolios]
    if len(few):
        yield _in_months(
            table,
            "stock",
            "thin month",
            f"fewer than {portfolios} stocks, one a portfolio,",
            [f"{label(month)}: {count}" for month, count in few.items()],
            "add stocks, leave out the first or last months, or lower backtest.n_quantiles",
        )


def coverage(
    table: ParsedTable, months: pd.Series, stock_months: np.ndarray
) -> Iterator[Violation]:
    """See that every month of the stocks lies in the market table's span."""
    there = distinct(months)
    outside = np.setdiff1d(stock_months, there)
    if len(there):
        outside = outside[(outside < there[0]) | (outside > there[-1])]
    if len(outside):
        yield _in_months(
            table,
            "month",
            "coverage",
            "no row for the stocks",
            _labels(outside),
            "add these months, or cut the stocks to the months that both files have",
        )


def complete(table: ParsedTable, stock_months: np.ndarray) -> Iterator[Violation]:
    """See that every series has a value in the months of the stocks; it may begin before them.

    Parameters
    ----------
    table : ParsedTable
        month and the series.
    stock_months : ndarray of int
        The months of the stocks, counted from 1970-01.
    """
    frame = table.frame
    needed = np.isin(ordinal(frame["month"]), stock_months)
    months = frame["month"].dt.strftime("%Y-%m")
    for name in frame.columns.drop("month"):
        # A cell that could not be read is reported by another rule.
        lacking = frame[name].isna().to_numpy() & needed & ~unread_in(table, [name])
        if lacking.any():
            yield absent(table, name, lacking, shown=months)


def distinct(months: pd.Series) -> np.ndarray:
    """Return the distinct months, counted from 1970-01 and sorted, shape [months]."""
    return np.unique(ordinal(months.dropna()))


def _whole(table: ParsedTable, name: str, rule: str, said: str, remedy: str) -> Violation:
    return Violation(
        file=table.file,
        **column_of(name, table.names),
        rule=rule,
        found=said,
        rows=(),
        count=0,
        remedy=remedy,
    )


def _in_months(
    table: ParsedTable, name: str, rule: str, said: str, months: list[str], remedy: str
) -> Violation:
    return Violation(
        file=table.file,
        **column_of(name, table.names),
        rule=rule,
        found=said,
        rows=(),
        count=len(months),
        remedy=remedy,
        shown=tuple(months[:SHOWN]),
        of="month",
    )


def _labels(ordinals: np.ndarray) -> list[str]:
    return [label(month) for month in month_end(ordinals)]
