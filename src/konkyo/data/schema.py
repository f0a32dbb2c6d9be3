"""The tables' rules applied: every violation at once, then the two record tables normalised.

Stocks: one row a month and stock, with `month`, `stock`, `return`, `size`, any number of further
columns of numbers, and `sector` and `eligible` where they are known. Market: one row a month and
one column of numbers a series. Missing values are allowed in `sector`, `return`, `size` and the
further columns of the stocks, where they stay missing, and nowhere else. Rows may come in any order
and leave sorted. `konkyo.data.columns` declares the columns.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pandera.pandas as pa

from konkyo.data import monthly
from konkyo.data.checks import codes_of, unique
from konkyo.data.columns import FURTHER, Kind, Unit, table_of
from konkyo.data.parsed_table import parse_table
from konkyo.data.readers import RawTable
from konkyo.data.validate import broken
from konkyo.data.violations import Violation, raise_if_any
from konkyo.dates import ordinal

REQUIRED = ("month", "stock", "sector", "return", "size")
"""The columns that the stocks of the records always have."""


def check_values(
    kind: Kind,
    frame: pd.DataFrame,
    file: str,
    names: Mapping[str, str],
    first_row: int = 1,
    unit: Unit = "fraction",
) -> list[Violation]:
    """Check a typed table, or a chunk of one, against the rules of its values and rows.

    Parameters
    ----------
    kind : Kind
        Which table.
    frame : DataFrame, shape [rows, columns]
        Typed values under this project's names: numbers, datetime64 days (`month`: period ends)
        and text. Rules of whole tables, such as months without a row, are not looked at.
    file : str
        The file as params.yaml names it.
    names : mapping of str to str
        This project's name of a column: the file's own name, where they differ.
    first_row : int, optional
        The number of the frame's first row in the file; 1 is the first one below the header.
    unit : {'fraction', 'percent'}, optional
        The unit of `return`.

    Returns
    -------
    list of Violation
        Empty where every rule is kept.
    """
    return broken(table_of(kind, unit), frame, file, names, first_row=first_row)


def read_values(
    kind: Kind, found: RawTable, unit: Unit = "fraction"
) -> tuple[pd.DataFrame, list[Violation]]:
    """Read a table as found and check the rules of its values and rows.

    Parameters
    ----------
    kind : Kind
        Which table.
    found : Found
        The table under this project's names.
    unit : {'fraction', 'percent'}, optional
        The unit of `return`.

    Returns
    -------
    frame : DataFrame
        Typed: `month` as period ends, other dates as days, text, float64; missing where a value
        could not be read. Columns that the kind does not know are left out.
    violations : list of Violation
        Values that could not be read among them.
    """
    schema = table_of(kind, unit)
    table = parse_table(schema, found)
    return table.frame, table.violations + broken(
        schema, table.frame, found.file, found.names, found.frame, unread=table.unread
    )


def check(
    stocks: RawTable, market: RawTable, unit: Unit, portfolios: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Check both tables against every rule and normalise them.

    Parameters
    ----------
    stocks, market : Found
        The monthly tables as found, under this project's column names.
    unit : {'fraction', 'percent'}
        The unit of the stocks' column `return`.
    portfolios : int
        The fewest stocks that a month must have, one a portfolio.

    Returns
    -------
    stocks : DataFrame
        month (period end), stock and sector (text), return (fraction earned during the month), size
        and the further columns (float64), sorted by (month, stock). Missing values stay missing;
        sector is missing throughout where the table has none.
    market : DataFrame
        month and the series (float64, units as found), the stocks' months only, sorted.

    Raises
    ------
    RecordsError
        Every violation of both files at once.
    """
    stocks_table, violations = _stocks(stocks, unit, portfolios)
    months = monthly.distinct(stocks_table["month"]) if "month" in stocks_table else _NO_MONTHS
    market_table, of_market = _market(market, months)
    raise_if_any(violations + of_market)

    if unit == "percent":
        stocks_table["return"] /= 100.0
    if "sector" not in stocks_table:
        stocks_table["sector"] = pd.Series(None, index=stocks_table.index, dtype="str")
    further = [name for name in stocks_table if name not in REQUIRED]
    order = np.lexsort((codes_of(stocks_table["stock"]), ordinal(stocks_table["month"])))
    covered = np.isin(ordinal(market_table["month"]), months)
    series = [name for name in market_table if name != "month"]
    return (
        stocks_table.iloc[order][[*REQUIRED, *further]].reset_index(drop=True),
        market_table[covered].sort_values("month")[["month", *series]].reset_index(drop=True),
    )


_NO_MONTHS = np.array([], dtype="int64")


def _stocks(found: RawTable, unit: Unit, portfolios: int) -> tuple[pd.DataFrame, list[Violation]]:
    columns = table_of("stocks", unit).columns
    schema = pa.DataFrameSchema(columns, checks=[unique(("month", "stock"))])
    read = parse_table(schema, found)
    table = read.frame
    violations = read.violations + broken(
        schema, table, found.file, found.names, found.frame, unread=read.unread
    )
    if "return" in table:
        mistaken = list(monthly.unit_of(found, table["return"], unit))
        if mistaken:
            # In the wrong unit the least return is another.
            least = [one for one in violations if (one.here or one.column, one.rule) == _LEAST]
            violations = [one for one in violations if one not in least]
        violations += mistaken
    for name in ("return", "size"):
        if name in table:
            violations += monthly.filled(found, name, table[name])
    if "month" in table:
        violations += monthly.gaps(found, table["month"])
        if "stock" in table:
            violations += monthly.thin(found, table, portfolios)
    return table, violations


_LEAST = ("return", "at least")


def _market(found: RawTable, stock_months: np.ndarray) -> tuple[pd.DataFrame, list[Violation]]:
    columns = table_of("market").remove_columns(["date"]).update_column("month", required=True)
    schema = pa.DataFrameSchema(columns.columns, checks=[unique(("month",))])
    read = parse_table(schema, found)
    table = read.frame
    violations = read.violations + broken(
        schema, table, found.file, found.names, found.frame, unread=read.unread
    )
    if not len(table.columns.drop("month", errors="ignore")):
        violations.append(
            Violation(
                file=found.file,
                column="",
                rule="columns",
                found="no market series",
                rows=(),
                count=0,
                remedy="add one column of numbers a series",
            )
        )
    if "month" in table:
        violations += monthly.gaps(found, table["month"])
        violations += monthly.coverage(found, table["month"], stock_months)
        violations += monthly.complete(found, table, read.unread, stock_months)
    return table, violations


def markdown(kind: Kind) -> str:
    """Return a kind's columns and rules as the data card shows them.

    Returns
    -------
    str
        A table of Markdown, one line a column, then the rules of rows.
    """
    schema = table_of(kind)
    lines = [
        "| column | needed | type, unit, limits | meaning | may be empty |",
        "|---|---|---|---|---|",
    ]
    for name, column in schema.columns.items():
        unit = (column.metadata or {}).get("unit", "")
        limits = [check.title for check in column.checks if check.name != "finite"]
        held = ", ".join(part for part in (str(column.dtype), unit, *limits) if part)
        shown = name if name == FURTHER else f"`{name}`"
        needed, empty = _yes(column.required), _yes(column.nullable)
        lines.append(f"| {shown} | {needed} | {held} | {column.description} | {empty} |")
    rules = "; ".join([*(check.title for check in schema.checks), "numbers are finite"])
    return "\n".join([*lines, "", f"{schema.description} Rules: {rules}.", ""])


def _yes(said: bool) -> str:
    return "yes" if said else "no"
