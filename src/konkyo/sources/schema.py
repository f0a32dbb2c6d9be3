"""The two record tables: every rule checked, then normalised, before anything is written.

Stocks: one row a month and stock, with `month`, `stock`, `sector`, `return`, `size` and any number
of further columns of numbers. Market: one row a month and one column of numbers a series. Missing
values are allowed in `sector`, `return`, `size` and the further columns of the stocks, where they
stay missing, and nowhere else. Rows may come in any order and leave sorted.
"""

import numpy as np
import pandas as pd

from konkyo.months import ordinal
from konkyo.sources import rules
from konkyo.sources.convert import MISSING, Converted, text_of, to_months, to_numbers
from konkyo.sources.faults import Fault, raise_for
from konkyo.sources.reading import Found
from konkyo.sources.rules import Unit

REQUIRED = ("month", "stock", "sector", "return", "size")


def check(
    stocks: Found, market: Found, unit: Unit, portfolios: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Check both tables against every rule and normalise them.

    Parameters
    ----------
    stocks, market : Found
        The tables as found, under this project's column names.
    unit : {'fraction', 'percent'}
        The unit of the stocks' column `return`.
    portfolios : int
        The fewest stocks that a month must have, one a portfolio.

    Returns
    -------
    stocks : DataFrame
        month (period end), stock and sector (text), return (fraction earned during the month), size
        and the further columns (float64), sorted by (month, stock). Missing values stay missing.
    market : DataFrame
        month and the series (float64, units as found), the stocks' months only, sorted.

    Raises
    ------
    RecordsError
        Every fault of both files at once.
    """
    stocks_table, stocks_faults = _stocks(stocks, unit, portfolios)
    months = rules.distinct(stocks_table["month"]) if "month" in stocks_table else np.array([], int)
    market_table, market_faults = _market(market, months)
    raise_for({stocks.file: stocks_faults, market.file: market_faults})

    if unit == "percent":
        stocks_table["return"] /= 100.0
    further = [name for name in stocks_table if name not in REQUIRED]
    order = np.lexsort((rules.codes_of(stocks_table["stock"]), ordinal(stocks_table["month"])))
    covered = np.isin(ordinal(market_table["month"]), months)
    series = [name for name in market_table if name != "month"]
    return (
        stocks_table.iloc[order][[*REQUIRED, *further]].reset_index(drop=True),
        market_table[covered].sort_values("month")[["month", *series]].reset_index(drop=True),
    )


def _stocks(found: Found, unit: Unit, portfolios: int) -> tuple[pd.DataFrame, list[Fault]]:
    faults = list(rules.missing_columns(found, REQUIRED))
    columns: dict[str, pd.Series] = {}
    for name, values in found.frame.items():
        faults += rules.reserved(found, name)
        if name == "month":
            columns[name] = _months(found, faults)
        elif name == "stock":
            columns[name] = text_of(values)
            faults += rules.absent(found, name, columns[name].isna().to_numpy())
        elif name == "sector":
            columns[name] = text_of(values, MISSING)
        else:
            columns[name] = _numbers(found, name, faults).column
    table = pd.DataFrame(columns)
    if "return" in table:
        faults += rules.returns(found, table["return"], unit)
    if "size" in table:
        faults += rules.sizes(found, table["size"])
    if "month" in table:
        faults += rules.gaps(found, table["month"])
    if "month" in table and "stock" in table:
        faults += rules.duplicates(found, table, ["month", "stock"])
        faults += rules.thin_months(found, table, portfolios)
    return table, faults


def _market(found: Found, stock_months: np.ndarray) -> tuple[pd.DataFrame, list[Fault]]:
    faults = list(rules.missing_columns(found, ["month"]))
    series = [name for name in found.frame if name != "month"]
    if not series:
        faults.append(Fault("columns", "no market series", "add one column of numbers a series"))
    columns: dict[str, pd.Series] = {}
    empty: dict[str, np.ndarray] = {}
    for name in series:
        numbers = _numbers(found, name, faults)
        columns[name], empty[name] = numbers.column, numbers.missing
    if "month" not in found.frame:
        return pd.DataFrame(columns), faults

    months = columns["month"] = _months(found, faults)
    table = pd.DataFrame(columns)
    faults += rules.duplicates(found, table, ["month"])
    faults += rules.gaps(found, months)
    faults += rules.coverage(found, months, stock_months)
    # Series may begin later than the file, if not later than the stocks.
    needed = np.isin(ordinal(months), stock_months)
    for name in series:
        faults += rules.absent(found, name, empty[name] & needed, months)
    return table, faults


def _months(found: Found, faults: list[Fault]) -> pd.Series:
    """Convert the months; what cannot be used goes to `faults`."""
    months = to_months(found.frame["month"])
    remedy = "write YYYY-MM, YYYY-MM-DD or YYYYMM"
    faults += rules.unreadable(found, "month", months, "a month", remedy)
    faults += rules.absent(found, "month", months.missing)
    return months.column


def _numbers(found: Found, name: str, faults: list[Fault]) -> Converted:
    """Convert a column of numbers; what cannot be used goes to `faults`."""
    numbers = to_numbers(found.frame[name])
    remedy = (
        "write numbers with a decimal point and no other mark, leave missing ones empty, and "
        "remove columns of text"
    )
    faults += rules.unreadable(found, name, numbers, "a number", remedy)
    faults += rules.infinite(found, name, numbers.column)
    return numbers
