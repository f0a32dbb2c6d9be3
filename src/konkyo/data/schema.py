"""The tables' rules applied: every violation at once, then the two record tables normalised.

Stocks: one row a month and stock, with `month`, `stock`, `return`, `size`, any number of further
columns of numbers, and `sector` and `eligible` where they are known. Market: one row a month and
one column of numbers a series. Missing values are allowed in `sector`, `return`, `size` and the
further columns of the stocks, where they stay missing, and nowhere else. Rows may come in any order
and leave sorted. `konkyo.data.columns` declares the columns.
"""

import numpy as np
import pandas as pd

from konkyo.data.columns import table_of
from konkyo.data.parsing import ParsedTable
from konkyo.data.rules import Schema, broken, unique, unread_in
from konkyo.data.violations import Violation, raise_if_any, violation
from konkyo.dates import label, month_end, ordinal

LARGEST_FRACTION = 1.0
"""The median size of a month's return in fractions above which the unit is mistaken (the 2000-2021
records of the United States have 0.06). Small ones in per cent may be those of bonds."""

REQUIRED = ("month", "stock", "sector", "return", "size")
"""The columns that the stocks of the records have; `size` only where there is one."""


def check(
    stocks: ParsedTable,
    market: ParsedTable | None,
    portfolios: int,
    *,
    sized: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Check both tables against every rule and normalise them.

    Parameters
    ----------
    stocks, market : ParsedTable
        The monthly tables under this project's column names; None for no market series.
    portfolios : int
        The fewest stocks that a month must have, one a portfolio.
    sized : bool
        The stocks have a market value, or what stands for it.

    Returns
    -------
    stocks : DataFrame
        month (period end), stock and sector (text), return (fraction earned during the month), size
        if `sized`, and the further columns (float64), sorted by (month, stock). Missing values stay
        missing; sector is missing throughout where the table has none.
    market : DataFrame
        month and the series (float64, units as found), the stocks' months only, sorted; the months
        alone where there are no series.

    Raises
    ------
    RecordsError
        Every violation of both files at once.
    """
    raise_if_any(violations_of(stocks, market, portfolios, sized=sized))
    return normalise(stocks.frame, market.frame if market else None, sized=sized)


def violations_of(
    stocks: ParsedTable | None,
    market: ParsedTable | None,
    portfolios: int,
    *,
    sized: bool = True,
) -> list[Violation]:
    """Return what breaks the rules of the two tables, or of the one that could be read."""
    months = distinct(pd.DataFrame() if stocks is None else stocks.frame)
    return [
        *(_stocks(stocks, portfolios, sized) if stocks is not None else ()),
        *(_market(market, months) if market is not None else ()),
    ]


def normalise(
    stocks_table: pd.DataFrame,
    market_table: pd.DataFrame | None,
    *,
    sized: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables as `check` does; they break no rule."""
    months = distinct(stocks_table)
    if market_table is None:
        market_table = pd.DataFrame({"month": month_end(months)})
    # Files bring days of several resolutions; records have one, whatever they come from.
    stocks_table, market_table = (
        table.assign(month=table["month"].astype("datetime64[s]"))
        for table in (stocks_table, market_table)
    )
    if "sector" not in stocks_table:
        stocks_table["sector"] = pd.Series(None, index=stocks_table.index, dtype="str")
    required = [name for name in REQUIRED if sized or name != "size"]
    further = [name for name in stocks_table if name not in required]
    codes = pd.factorize(stocks_table["stock"], sort=True)[0]
    order = np.lexsort((codes, ordinal(stocks_table["month"])))
    covered = np.isin(ordinal(market_table["month"]), months)
    series = [name for name in market_table if name != "month"]
    return (
        stocks_table.iloc[order][[*required, *further]].reset_index(drop=True),
        market_table[covered].sort_values("month")[["month", *series]].reset_index(drop=True),
    )


def _stocks(table: ParsedTable, portfolios: int, sized: bool) -> list[Violation]:
    columns = dict(table_of("stocks").columns)
    columns["size"] = columns["size"]._replace(needed=sized)
    violations = broken(Schema(columns, (unique("month", "stock"),)), table)
    frame = table.frame
    if "return" in frame:
        middle = median_size(frame["return"])
        if middle > LARGEST_FRACTION:
            # In the wrong unit the least return is another.
            violations = [
                one
                for one in violations
                if (one.here or one.column, one.rule) != ("return", "at least")
            ]
            found = (
                f"the median size of a return is {middle:.3g} (limit {LARGEST_FRACTION:g}), "
                "which looks like per cent while the unit says fraction"
            )
            remedy = "set ingest.tables.stocks.return_unit to percent, or divide the column by 100"
            violations.append(violation(table, ["return"], "unit", found, remedy))
    for name in ("return", "size"):
        if name in frame and not np.isfinite(frame[name]).any():
            found, remedy = "no value in any row", "fill in the values"
            violations.append(violation(table, [name], "filled", found, remedy))
    violations += gaps(table)
    if {"month", "stock"} <= set(frame):
        counts = frame.dropna(subset=["month", "stock"]).groupby("month")["stock"].nunique()
        few = [f"{label(month)}: {n}" for month, n in counts[counts < portfolios].items()]
        if few:
            found = f"fewer than {portfolios} stocks, one a portfolio,"
            remedy = "add stocks, leave out the first or last months, or lower backtest.n_quantiles"
            violations.append(violation(table, ["stock"], "thin month", found, remedy, months=few))
    return violations


def median_size(returns: pd.Series) -> float:
    """Return the median size of returns; rows of no trade say nothing about the unit."""
    return float(returns[np.isfinite(returns) & (returns != 0)].abs().median())


def gaps(table: ParsedTable) -> list[Violation]:
    """See that every month between the first and the last has a row."""
    months = distinct(table.frame)
    if not len(months):
        return []
    lacking = _labels(np.setdiff1d(np.arange(months[0], months[-1] + 1), months))
    if not lacking:
        return []
    first, last = _labels(months[[0, -1]])
    remedy = "add these months, or cut the file so that its months follow one another"
    if "stock" in table.frame:
        remedy += (
            ", or name those in which the market was shut in ingest.tables.stocks.closed_months"
        )
    found = f"no row between {first} and {last}"
    return [violation(table, ["month"], "gap", found, remedy, months=lacking)]


def _market(table: ParsedTable, stock_months: np.ndarray) -> list[Violation]:
    columns = {name: one for name, one in table_of("market").columns.items() if name != "date"}
    columns["month"] = columns["month"]._replace(needed=True)
    violations = broken(Schema(columns, (unique("month"),)), table)
    frame = table.frame
    series = frame.columns.drop("month", errors="ignore")
    if series.empty:
        found, remedy = "no market series", "add one column of numbers a series"
        violations.append(violation(table, [], "columns", found, remedy))
    if "month" not in frame:
        return violations
    violations += gaps(table)
    covered = distinct(frame)
    outside = np.setdiff1d(stock_months, covered)
    if len(covered):
        outside = outside[(outside < covered[0]) | (outside > covered[-1])]
    if len(outside):
        remedy = "add these months, or cut the stocks to the months that both files have"
        found, months = "no row for the stocks", _labels(outside)
        violations.append(violation(table, ["month"], "coverage", found, remedy, months=months))
    # A series may begin before the stocks, and must have a value in their months.
    needed = np.isin(ordinal(frame["month"]), stock_months)
    for name in series:
        # A cell that could not be read is reported by another rule.
        lacking = frame[name].isna().to_numpy() & needed & ~unread_in(table, [name])
        if lacking.any():
            remedy = (
                'fill them in, begin later, or leave the series out: map it to "" in '
                "`columns` of its entry in params.yaml"
            )
            months = frame["month"].dt.to_period("M")
            violations.append(
                violation(table, [name], "present", "missing", remedy, lacking, months)
            )
    return violations


def distinct(frame: pd.DataFrame) -> np.ndarray:
    """Return the distinct months of a table, counted from 1970-01 and sorted, shape [months]."""
    months = frame["month"].dropna() if "month" in frame else pd.Series([], dtype="datetime64[s]")
    return np.unique(ordinal(months))


def _labels(ordinals: np.ndarray) -> list[str]:
    return [label(month) for month in month_end(ordinals)]
