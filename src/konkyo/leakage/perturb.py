"""Perturbations of one table after a decision month t.

Nothing up to the end of t changes, not even the order of its rows. After t the rows end, or have
other values, or extreme ones; rows and stocks are missing; there are new stocks (before and after
all others in the order of codes, and larger) and new sectors; and the rows lie anywhere in the
table. A table without rows after t is continued by copies of its last rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from konkyo.dates import month_end, ordinal

Role = Literal["sector", "return", "positive", "flag", "number"]

KEYS = ("month", "date", "stock", "months", "period_end", "published", "forecast_end")
"""Columns that say what a row is about: they are not redrawn."""

_ROLES: dict[str, Role] = {
    "sector": "sector",
    "return": "return",
    "size": "positive",
    "close": "positive",
    "shares": "positive",
    "volume": "positive",
    "dollar_volume": "positive",
    "eligible": "flag",
}
"""Roles of the columns by this project's names; all others are numbers of any size."""

N_COPIED_MONTHS = 3
"""Months by which a table without rows after the decision month is continued."""

_QUARTER_DAYS = 91
NEW_SECTOR = "! a new sector"
"""It sorts before all other sectors."""


@dataclass(frozen=True)
class Perturbation:
    """Changes of a table after the decision month.

    Attributes
    ----------
    name : str
        Name in the report.
    months : int
        The most months after the decision month.
    delisted, dropped : float
        Share of the stocks without any row, and share of the other stocks' rows that are missing.
    extreme : bool
        Half of the numbers become 1e30, -1e30 (if the column may be negative) or 1e-30.
    missing : float
        Share of the numbers that are missing.
    """

    name: str
    months: int
    delisted: float = 0.0
    dropped: float = 0.0
    extreme: bool = False
    missing: float = 0.0


TRUNCATED = Perturbation("truncated", 0)
REDRAWN = Perturbation(
    "redrawn values, rows and stocks", 24, delisted=0.2, dropped=0.2, missing=0.1
)
EXTREME = Perturbation(
    "extreme values, most stocks delisted", 6, delisted=0.8, dropped=0.1, extreme=True
)
PERTURBATIONS = (TRUNCATED, REDRAWN, EXTREME)


@dataclass(frozen=True, eq=False)
class Table:
    """Rows, and the month at whose end each was available.

    Attributes
    ----------
    frame : DataFrame
        The rows by this project's names: days as datetime64, codes and sectors as text, numbers.
    available : ndarray of int64, shape [rows]
        Months counted from 1970-01.
    dated : bool
        A month has several rows of a stock or series: days or weeks.
    largest : float
        The extreme number.
    roles : mapping of str to Role
        Of columns under other names than this project's.
    """

    frame: pd.DataFrame
    available: np.ndarray
    dated: bool = False
    largest: float = 1e30
    roles: Mapping[str, Role] = field(default_factory=dict)

    @property
    def of_stocks(self) -> bool:
        """Return whether rows are of stocks; else of market series, which have no gap."""
        return "stock" in self.frame


def time_of(frame: pd.DataFrame) -> str:
    """Return the name of the column of a row's month or day."""
    return "month" if "month" in frame else "date"


def to_table(frame: pd.DataFrame) -> Table:
    """Return a table whose rows were available at the end of their own month."""
    return Table(frame, ordinal(frame[time_of(frame)]))


def perturb_table(
    table: Table,
    t: int,
    perturbation: Perturbation,
    *,
    rng: np.random.Generator,
    last: int | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a table perturbed after month t, and the codes of the new stocks.

    Parameters
    ----------
    table : Table
        The original.
    t : int
        The decision month, counted from 1970-01.
    perturbation : Perturbation
        The changes after t.
    rng : Generator
        Draws rows, stocks and values.
    last : int, optional
        The last month of rows that may be used; with `t` the table is continued by copies.
    """
    past = np.flatnonzero(table.available <= t)
    if perturbation.months == 0:
        return table.frame.iloc[past].reset_index(drop=True), []
    future = _future_rows(table, t, perturbation.months, last)
    new_codes: list[str] = []
    if table.of_stocks:
        new_stocks, new_codes = _new_stocks(table, future, rng)
        codes, distinct = pd.factorize(future["stock"])
        delisted = rng.random(len(distinct)) < perturbation.delisted
        keep = ~delisted[codes] & (rng.random(len(future)) >= perturbation.dropped)
        future = pd.concat([future[keep], new_stocks], ignore_index=True)
    values = redraw(table, future, perturbation, rng, new_codes)
    rows = pd.concat([table.frame.iloc[past], values], ignore_index=True)
    return rows.iloc[row_order(len(past), len(values), rng)].reset_index(drop=True), new_codes


def row_order(n_past: int, n_future: int, rng: np.random.Generator) -> np.ndarray:
    """Return an order in which the past rows keep theirs and the future ones lie anywhere."""
    return np.argsort(np.append(np.sort(rng.random(n_past)), rng.random(n_future)), kind="stable")


def redraw_numbers(
    values: np.ndarray,
    role: Role,
    table: Table,
    perturbation: Perturbation,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return other numbers that satisfy the rules of their column.

    Parameters
    ----------
    values : ndarray of float64
        The original numbers; NaN if missing.
    role : Role
        Returns stay at or above -100 per cent, `positive` ones above 0, flags 0 or 1.
    table : Table
        The table of the column.
    perturbation, rng : Perturbation, Generator
        The changes, and their random numbers.
    """
    count = len(values)
    if role == "flag":
        return rng.integers(0, 2, count).astype("float64")
    if role == "return":
        new = np.clip(rng.normal(0.0, 0.3, count), -0.9, 3.0)
        if perturbation.extreme:
            # Fewer than half: the check of the return unit would refuse more.
            drawn = rng.random(count)
            new = np.where(drawn < 0.2, table.largest, np.where(drawn < 0.3, -1.0, new))
    else:
        factor = np.exp(rng.normal(0.0, 1.0, count))
        filled = np.where(np.isnan(values), 1.0, values)
        new = filled * factor + (0.0 if role == "positive" else (filled != 0) * factor / 7)
        if perturbation.extreme:
            drawn = rng.random(count)
            # The changes of a market series must be within the range of float32.
            least, largest = (1e-30, table.largest) if table.of_stocks else (1e-6, 1e20)
            new = np.where(drawn < 0.3, largest, np.where(drawn < 0.5, least, new))
            if role == "number":
                new = np.where(drawn < 0.15, -largest, new)
    missing = perturbation.missing if table.of_stocks else 0.0
    return np.where(rng.random(count) < missing, np.nan, new)


def _future_rows(table: Table, t: int, months: int, last: int | None) -> pd.DataFrame:
    """Return the rows after month t, or shifted copies of the last ones if there are none."""
    until = t + months if last is None else min(t + months, last)
    rows = (table.available > t) & (table.available <= until)
    if rows.any():
        return table.frame[rows].reset_index(drop=True)
    rows = (table.available > t - N_COPIED_MONTHS) & (table.available <= t)
    copies, time = table.frame[rows].reset_index(drop=True), time_of(table.frame)
    days = copies[time]
    if table.dated:
        days = days + pd.Timedelta(days=_QUARTER_DAYS)
    else:
        days = pd.Series(month_end(ordinal(days) + N_COPIED_MONTHS))
    copies[time] = days.astype(copies[time].dtype)
    # Quarters differ in length: 91 days after October 1 is December 31, which is not after t.
    shifted = ordinal(days)
    return copies[(shifted > t) & (shifted <= t + N_COPIED_MONTHS)].reset_index(drop=True)


def _new_stocks(
    table: Table, future: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, list[str]]:
    """Return rows of new stocks, copied from others, and their codes."""
    counts = future["stock"].value_counts()
    # Copies of stocks with the most rows, so that every month has new stocks.
    most_frequent = counts.index[: max(len(counts) // 5, min(40, len(counts)))]
    existing = set(table.frame["stock"].dropna().unique())
    names = {}
    for i, code in enumerate(most_frequent):
        # They sort before (!) and after (~) all other codes.
        new_code = f"{'!~'[i % 2]}{code}"
        while new_code in existing:
            new_code += "+"
        names[code] = new_code
    rows = future[future["stock"].isin(names)].reset_index(drop=True)
    return rows.assign(stock=rows["stock"].map(names).astype("str")), list(names.values())


def redraw(
    table: Table,
    rows: pd.DataFrame,
    perturbation: Perturbation,
    rng: np.random.Generator,
    new_codes: Sequence[str] = (),
) -> pd.DataFrame:
    """Return rows with redrawn numbers and sectors; new stocks are larger than all others."""
    is_new = np.zeros(len(rows), dtype=bool)
    if table.of_stocks:
        is_new = rows["stock"].isin(new_codes).to_numpy()
    columns = {}
    for name, column in rows.items():
        role = {**_ROLES, **table.roles}.get(str(name), "number")
        if name in KEYS:
            continue
        if role == "sector":
            sectors = column.mask(rng.random(len(rows)) < 0.3, NEW_SECTOR)
            columns[name] = sectors.astype("str")
        else:
            before = column.to_numpy("float64")
            values = redraw_numbers(before, role, table, perturbation, rng)
            if role == "positive":
                values = np.where(is_new, before * (1000.0 + rng.random(len(rows))), values)
            elif role in ("flag", "number"):
                # These may decide eligibility: they stay, so that new stocks enter the universe.
                values = np.where(is_new, before, values)
            columns[name] = pd.Series(values, index=column.index)
    return rows.assign(**columns)
