"""The tables' rules applied: every violation at once, then the two record tables normalised.

Stocks: one row a month and stock, with `month`, `stock`, `return`, `size`, any number of further
columns of numbers, and `sector` and `eligible` where they are known. Market: one row a month and
one column of numbers a series. Missing values are allowed in `sector`, `return`, `size` and the
further columns of the stocks, where they stay missing, and nowhere else. Rows may come in any order
and leave sorted. `konkyo.data.columns` declares the columns.
"""

import numpy as np
import pandas as pd
import pandera.pandas as pa

from konkyo.data import monthly
from konkyo.data.columns import Unit, table_of
from konkyo.data.parsed_table import ParsedTable
from konkyo.data.rules import broken, unique, violation
from konkyo.data.violations import Violation, raise_if_any
from konkyo.dates import month_end, ordinal

REQUIRED = ("month", "stock", "sector", "return", "size")
"""The columns that the stocks of the records have; `size` only where there is one."""


def check(
    stocks: ParsedTable,
    market: ParsedTable | None,
    unit: Unit,
    portfolios: int,
    *,
    sized: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Check both tables against every rule and normalise them.

    Parameters
    ----------
    stocks, market : ParsedTable
        The monthly tables under this project's column names; None for no market series.
    unit : {'fraction', 'percent'}
        The unit of the stocks' column `return`.
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
    raise_if_any(violations_of(stocks, market, unit, portfolios, sized=sized))
    return normalise(stocks.frame, market.frame if market else None, unit, sized=sized)


def violations_of(
    stocks: ParsedTable | None,
    market: ParsedTable | None,
    unit: Unit,
    portfolios: int,
    *,
    sized: bool = True,
) -> list[Violation]:
    """Return what breaks the rules of the two tables, or of the one that could be read."""
    months = _NO_MONTHS
    if stocks is not None and "month" in stocks.frame:
        months = monthly.distinct(stocks.frame["month"])
    return [
        *(_stocks(stocks, unit, portfolios, sized) if stocks is not None else ()),
        *(_market(market, months) if market is not None else ()),
    ]


def normalise(
    stocks_table: pd.DataFrame,
    market_table: pd.DataFrame | None,
    unit: Unit,
    *,
    sized: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables as `check` does; they break no rule."""
    months = monthly.distinct(stocks_table["month"])
    if market_table is None:
        market_table = pd.DataFrame({"month": month_end(months)})
    # Files bring days of several resolutions; records have one, whatever they come from.
    stocks_table, market_table = (
        table.assign(month=table["month"].astype("datetime64[s]"))
        for table in (stocks_table, market_table)
    )
    if unit == "percent":
        stocks_table["return"] /= 100.0
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


_NO_MONTHS = np.array([], dtype="int64")


def _stocks(table: ParsedTable, unit: Unit, portfolios: int, sized: bool) -> list[Violation]:
    columns = table_of("stocks", unit).update_column("size", required=sized).columns
    schema = pa.DataFrameSchema(columns, checks=[unique(("month", "stock"))])
    violations = broken(schema, table)
    frame = table.frame
    if "return" in frame:
        mistaken = list(monthly.unit_of(table, frame["return"], unit))
        if mistaken:
            # In the wrong unit the least return is another.
            least = [one for one in violations if (one.here or one.column, one.rule) == _LEAST]
            violations = [one for one in violations if one not in least]
        violations += mistaken
    for name in ("return", "size"):
        if name in frame:
            violations += monthly.filled(table, name, frame[name])
    if "month" in frame:
        violations += monthly.gaps(table, frame["month"])
        if "stock" in frame:
            violations += monthly.thin(table, portfolios)
    return violations


_LEAST = ("return", "at least")


def _market(table: ParsedTable, stock_months: np.ndarray) -> list[Violation]:
    columns = table_of("market").remove_columns(["date"]).update_column("month", required=True)
    schema = pa.DataFrameSchema(columns.columns, checks=[unique(("month",))])
    violations = broken(schema, table)
    frame = table.frame
    if not len(frame.columns.drop("month", errors="ignore")):
        found, remedy = "no market series", "add one column of numbers a series"
        violations.append(violation(table, [], "columns", found=found, remedy=remedy))
    if "month" in frame:
        violations += monthly.gaps(table, frame["month"])
        violations += monthly.coverage(table, frame["month"], stock_months)
        violations += monthly.complete(table, stock_months)
    return violations
