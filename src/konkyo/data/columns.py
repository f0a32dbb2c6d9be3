"""The columns of every kind of table, as columns.csv declares them: types, units, rules, meaning.

What is checked (`konkyo.data.schema`) and what the data card shows are both read from there. The
column whose name is `FURTHER` stands for every one that has no entry of its own.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Literal

import pandas as pd

from konkyo.data.parsing import CellKind
from konkyo.data.rules import FURTHER, Column, Rule, Schema, either, limit, not_before, unique
from konkyo.io import read_csv

Kind = Literal["stocks", "market", "prices", "reports", "sectors", "members"]

_ROWS: dict[Kind, tuple[str, tuple[Rule, ...]]] = {
    "stocks": ("One row a month and stock.", ()),
    "prices": ("One row a stock and day, or a stock and week.", ()),
    "market": ("One row a day, week or month.", (either("month", "date"),)),
    "reports": (
        "One row a report.",
        (either("published", "period_end"), not_before("published", "period_end", "_forecast")),
    ),
    "sectors": ("One row a stock and sector it was in.", (unique("stock", "start"),)),
    "members": (
        "One row a stock and stay in the universe.",
        (unique("stock", "start"), not_before("end", "start")),
    ),
}
"""What a row of each kind of table is, and the rules of its rows."""

_RESERVED: dict[Kind, tuple[str, ...]] = {
    "prices": ("month",),
    "reports": ("month", "date", "return", "sector", "eligible", "close", "volume"),
}
"""Names that a kind of table may not bring: what its rows become, or the stocks' own columns."""


@cache
def _declared() -> pd.DataFrame:
    return read_csv(files(__package__) / "columns.csv", na_values=[])


def table_of(kind: Kind) -> Schema:
    """Return a kind's schema: the rules of every value and every row."""
    columns = {}
    for row in _declared().query("table == @kind").itertuples():
        limits = [limit(one) for one in row.limits.split(", ") if one]
        columns[row.name] = Column(
            row.holds, row.needed == "yes", row.empty == "yes", tuple(limits), row.unit, row.meaning
        )
    means, rules = _ROWS[kind]
    return Schema(columns, rules, means, _RESERVED.get(kind, ()))


def cells_of(kind: Kind) -> Callable[[str], CellKind | None]:
    """Return what each column of a kind of table holds, None for those that it does not know."""
    columns = table_of(kind).columns

    def cell(name: str) -> CellKind | None:
        column = columns.get(name, columns.get(FURTHER))
        return None if column is None else column.holds

    return cell


def is_declared(name: str) -> bool:
    """Return whether some kind of table has a column of this name."""
    return name in set(_declared()["name"])
