"""The raw monthly series of the second study and their validation."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from konkyo import dates
from konkyo.data.parsing import CellKind, ParsedTable
from konkyo.data.rules import Column, Rule, Schema, broken, limit, unique
from konkyo.data.schema import gaps
from konkyo.data.violations import raise_if_any

POSITIVE = ("rate", "rate_end", "price_home", "price_abroad", "gdp", "reserves")
SERIES = (
    "rate", "price_home", "price_abroad", "trade_balance", "gdp", "intervention", "reserves"
)  # fmt: skip
"""rate: home currency for one unit abroad (yen per dollar), the month's mean. price_home and
price_abroad: indices. trade_balance: the month's, in the currency and unit of gdp. gdp: nominal,
the quarter's total, in the row of the quarter's last month (the others empty) or in every row.
intervention: positive where home currency was sold, in the unit of reserves (million dollars).
reserves: at the end of the month."""
OPTIONAL = "rate_end"
"""The rate at the end of the month, for data set II; in every month or in none."""
MAY_BE_MISSING = ("gdp", "intervention")
"""gdp between quarter ends; intervention where no record exists (a month without any is 0)."""


@dataclass(frozen=True, eq=False)
class Records:
    """The records of one source.

    Attributes
    ----------
    frame : pandas.DataFrame
        month (period ends, one after another), `SERIES` and perhaps `OPTIONAL`, float64.
    facts : dict
        source, licence, files (name: sha256), rows, first_month, last_month.
    """

    frame: pd.DataFrame
    facts: dict[str, Any]


def cell_of(name: str) -> CellKind | None:
    """Return the kind of a column of the table; None for other columns, which are ignored."""
    if name == "month":
        return "month"
    return "number" if name in SERIES or name == OPTIONAL else None


def check(table: ParsedTable, external: tuple[str, ...] = ()) -> pd.DataFrame:
    """Validate a table of raw series.

    Parameters
    ----------
    table : ParsedTable
        The table under this project's column names.
    external : tuple of str
        Series that the table need not have, since another source supplies them.

    Returns
    -------
    pandas.DataFrame
        month and the series, sorted; `OPTIONAL` where the table has it.

    Raises
    ------
    RecordsError
        Every violation at once: column, rows and remedy.
    """
    optional = [OPTIONAL] if OPTIONAL in table.frame else []
    schema = _schema([name for name in (*SERIES, *optional) if name not in external])
    frame = table.frame.drop(columns=list(external), errors="ignore")
    unread = {name: texts for name, texts in table.unread.items() if name not in external}
    table = replace(table, frame=frame, unread=unread)
    raise_if_any([*broken(schema, table), *gaps(table)])
    return frame[list(schema.columns)].sort_values("month", ignore_index=True)


def _schema(series: list[str]) -> Schema:
    """Return the schema of a table with these series."""
    columns = {"month": Column("month")}
    for name in series:
        limits = (limit("above 0"),) if name in POSITIVE else ()
        columns[name] = Column(empty=name in MAY_BE_MISSING, rules=limits)
    return Schema(columns, (unique("month"), *([_QUARTERLY_GDP] if "gdp" in series else [])))


_QUARTERLY_GDP = Rule(
    "quarter",
    "missing in the last month of a quarter",
    "a value in the last month of each quarter",
    lambda frame: frame["gdp"].notna() | (frame["month"].dt.month % 3 != 0),
    "write each quarter's total in the row of its last month (March, June, ...)",
    ("month", "gdp"),
)


def facts_of(
    frame: pd.DataFrame, source: str, *, licence: str, files: dict[str, str]
) -> dict[str, Any]:
    """Return the provenance that later stages and tracked runs carry."""
    return {
        "source": source,
        "licence": licence,
        "files": files,
        "rows": len(frame),
        "first_month": dates.label(frame["month"].min()),
        "last_month": dates.label(frame["month"].max()),
        "point_in_time": False,
        "survivorship_free": True,
    }
