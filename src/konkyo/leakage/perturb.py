"""Worlds that differ after a decision month alone: what is done to the rows of one table.

Nothing up to the end of the month changes, not even the order of its rows. After it the rows end,
or have other values, or extreme ones; rows and stocks are gone, there are new stocks (before and
after all others by their codes, and larger than them) and new sectors, and the rows lie anywhere in
the table. Where a table has no row after the month, it goes on with copies of its last rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from konkyo.dates import month_end, ordinal

Role = Literal["time", "stock", "sector", "return", "positive", "flag", "number"]

ROLES: Mapping[str, Role] = {
    "month": "time",
    "date": "time",
    "stock": "stock",
    "sector": "sector",
    "return": "return",
    "size": "positive",
    "close": "positive",
    "shares": "positive",
    "volume": "positive",
    "dollar_volume": "positive",
    "eligible": "flag",
}
"""What a column of this project's names is; all others are numbers without a limit."""

COPIED = 3
"""Months by which a table goes on where it has none after the decision month."""

_DAYS = 91
NEW_SECTOR = "! a new sector"
"""Before all others in the order of names."""


@dataclass(frozen=True)
class Perturbation:
    """What differs after the decision month.

    Attributes
    ----------
    name : str
        As the report calls it.
    months : int
        How many months there are after the decision month, at most.
    gone, lost : float
        Shares of the stocks that have no row any more, and of the other stocks' rows that lack.
    extreme : bool
        Half of all numbers are 1e30, with the minus sign where a column may have it, and 1e-30.
    missing : float
        Share of the numbers that are missing.
    """

    name: str
    months: int
    gone: float = 0.0
    lost: float = 0.0
    extreme: bool = False
    missing: float = 0.0


CUT = Perturbation("nothing after", 0)
OTHER = Perturbation("other values, rows and stocks", 24, gone=0.2, lost=0.2, missing=0.1)
EXTREME = Perturbation("extreme numbers, most stocks gone", 6, gone=0.8, lost=0.1, extreme=True)
WORLDS = (CUT, OTHER, EXTREME)


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with the month at whose end each was known.

    Attributes
    ----------
    frame : DataFrame
        Days as datetime64, codes and sectors as text, numbers.
    known : ndarray of int64, shape [rows]
        Months counted from 1970-01.
    roles : mapping of str to Role
        What each column is; columns that are not named are left alone.
    percent : bool
        Returns are in per cent.
    dated : bool
        A month has more than one row of a stock or series: days or weeks.
    sparse : bool
        Numbers may be missing.
    largest : float
        The extreme number of a column that may not be below 0.
    """

    frame: pd.DataFrame
    known: np.ndarray
    roles: Mapping[str, Role]
    percent: bool = False
    dated: bool = False
    sparse: bool = True
    largest: float = 1e30

    def with_numbers(
        self, ahead: pd.DataFrame, world: Perturbation, rng: np.random.Generator
    ) -> pd.DataFrame:
        """Return rows of the table with other numbers."""
        return _values(self, ahead, world, rng, set())

    def column(self, role: Role) -> str | None:
        """Return the name of the column of a role, None where there is none."""
        return next((name for name, own in self.roles.items() if own == role), None)


def table_of(frame: pd.DataFrame, names: Mapping[str, str], **changes: bool | float) -> Table:
    """Return a table whose rows were known in the month that they are of.

    Parameters
    ----------
    frame : DataFrame
        Under its own names.
    names : mapping of str to str
        This project's name of each of its columns that is used.
    **changes
        Of `Table`.
    """
    roles = {own: ROLES.get(here, "number") for own, here in names.items()}
    times = [own for own, role in roles.items() if role == "time"]
    known = ordinal(frame[times[0]])
    # A market series must have a value in every month.
    made = Table(frame, known, roles, sparse="stock" in roles.values())
    return replace(made, **changes)  # type: ignore[arg-type]


def perturb_table(
    table: Table, t: int, world: Perturbation, rng: np.random.Generator, last: int | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a table in another world, and the codes of the new stocks.

    Parameters
    ----------
    table : Table
        As it is.
    t : int
        The decision month, counted from 1970-01.
    world : World
        What differs after it.
    rng : Generator
        Chooses rows, stocks and values.
    last : int, optional
        The last month of rows that may be used; `t` where the table is to go on with copies.
    """
    past = np.flatnonzero(table.known <= t)
    if world.months == 0:
        return table.frame.iloc[past].reset_index(drop=True), []
    ahead = _ahead(table, t, world.months, last)
    stock = table.column("stock")
    new: list[str] = []
    if stock is not None:
        newcomers, new = _newcomers(table, ahead, stock, rng)
        ahead = pd.concat([_thinned(ahead, stock, world, rng), newcomers], ignore_index=True)
    values = _values(table, ahead, world, rng, set(new))
    whole = pd.concat([table.frame.iloc[past], values], ignore_index=True)
    return whole.iloc[interleaved(len(past), len(values), rng)].reset_index(drop=True), new


def interleaved(past: int, ahead: int, rng: np.random.Generator) -> np.ndarray:
    """Return an order of rows in which the first `past` keep theirs and the others lie anywhere."""
    return np.argsort(np.append(np.sort(rng.random(past)), rng.random(ahead)), kind="stable")


def numbers_anew(
    values: np.ndarray, role: Role, table: Table, world: Perturbation, rng: np.random.Generator
) -> np.ndarray:
    """Return other numbers that keep the rules of their column.

    Parameters
    ----------
    values : ndarray of float64
        As they were; NaN where missing.
    role : Role
        Returns stay at or above a loss of all, `positive` ones above 0, flags 0 or 1.
    table : Table
        Whose column it is.
    world, rng : World, Generator
        How they are to differ.
    """
    count = len(values)
    if role == "flag":
        return rng.integers(0, 2, count).astype("float64")
    if role == "return":
        unit = 100.0 if table.percent else 1.0
        new = unit * np.clip(rng.normal(0.0, 0.3, count), -0.9, 3.0)
        if world.extreme:
            # Fewer than half, or they would look like returns in another unit.
            drawn = rng.random(count)
            new = np.where(drawn < 0.2, table.largest, np.where(drawn < 0.3, -unit, new))
    else:
        factor = np.exp(rng.normal(0.0, 1.0, count))
        known = np.where(np.isnan(values), 1.0, values)
        new = known * factor + (0.0 if role == "positive" else (known != 0) * factor / 7)
        if world.extreme:
            drawn = rng.random(count)
            # A market series must also have a change that float32 can hold.
            least, largest = (1e-30, table.largest) if table.sparse else (1e-6, 1e20)
            new = np.where(drawn < 0.3, largest, np.where(drawn < 0.5, least, new))
            if role == "number":
                new = np.where(drawn < 0.15, -largest, new)
    missing = world.missing if table.sparse else 0.0
    return np.where(rng.random(count) < missing, np.nan, new)


def _ahead(table: Table, t: int, months: int, last: int | None) -> pd.DataFrame:
    """Return the rows after a month, or copies of its last ones where there are none."""
    until = t + months if last is None else min(t + months, last)
    rows = (table.known > t) & (table.known <= until)
    time = table.column("time")
    if rows.any() or time is None:
        return table.frame[rows].reset_index(drop=True)
    rows = (table.known > t - COPIED) & (table.known <= t)
    copies = table.frame[rows].reset_index(drop=True)
    days = copies[time]
    if table.dated:
        days = days + pd.Timedelta(days=_DAYS)
    else:
        days = pd.Series(month_end(ordinal(days) + COPIED))
    copies[time] = days.astype(copies[time].dtype)
    # A quarter is not always as long as another: October's first day would be December's last.
    made = ordinal(days)
    return copies[(made > t) & (made <= t + COPIED)].reset_index(drop=True)


def _thinned(
    ahead: pd.DataFrame, stock: str, world: Perturbation, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the rows without those of some stocks, and without some others."""
    codes, distinct = pd.factorize(ahead[stock])
    gone = rng.random(len(distinct)) < world.gone
    return ahead[~gone[codes] & (rng.random(len(ahead)) >= world.lost)]


def _newcomers(
    table: Table, ahead: pd.DataFrame, stock: str, rng: np.random.Generator
) -> tuple[pd.DataFrame, list[str]]:
    """Return rows of stocks that there were not before, as large as can be, and their codes."""
    counts = ahead[stock].value_counts()
    # Those that have a row in most months, so that every month has some.
    kept = counts.index[: max(len(counts) // 5, min(40, len(counts)))]
    there = set(table.frame[stock].dropna().unique())
    names = {}
    for place, code in enumerate(kept):
        # Before and after all others in the order of codes.
        new = f"{'!~'[place % 2]}{code}"
        while new in there:
            new += "+"
        names[code] = new
    rows = ahead[ahead[stock].isin(names)].reset_index(drop=True)
    rows[stock] = rows[stock].map(names).astype("str")
    return rows, list(names.values())


def _values(
    table: Table, ahead: pd.DataFrame, world: Perturbation, rng: np.random.Generator, new: set[str]
) -> pd.DataFrame:
    """Return rows with other numbers and sectors."""
    stock = table.column("stock")
    fresh = np.zeros(len(ahead), dtype=bool)
    if stock is not None and new:
        fresh = ahead[stock].isin(new).to_numpy()
    made = {}
    for name, role in table.roles.items():
        column = ahead[name]
        if role == "sector":
            sectors = column.mask(rng.random(len(ahead)) < 0.3, NEW_SECTOR)
            made[name] = sectors.astype("str")
        elif role not in ("time", "stock"):
            before = column.to_numpy("float64")
            values = numbers_anew(before, role, table, world, rng)
            if role == "positive":
                values = np.where(fresh, before * (1000.0 + rng.random(len(ahead))), values)
            elif role == "flag" or (role == "number" and stock is not None):
                # What may decide who is eligible stays as it is, so that some new stock is.
                values = np.where(fresh, before, values)
            made[name] = pd.Series(values, index=column.index)
    return ahead.assign(**made)
