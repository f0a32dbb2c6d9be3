"""Revisions: months of new records that differ from those that earlier results were made from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.data.violations import SHOWN, count_of, first_few
from konkyo.dates import label
from konkyo.errors import RecordsError

ROUNDING = 1e-9
"""Relative difference that sums in another order leave; a restated value differs by more."""

RESCALED = 1e-6
"""Difference of returns up to which prices were rescaled, as vendors adjust them for dividends and
splits, and not restated."""

_NEUTRAL = {"eligible": 1.0, "spell": 0.0}
"""Columns that records have only from the month on in which some stock has another value."""


@dataclass(frozen=True)
class Difference:
    """Rows of one table that differ in an earlier month.

    Attributes
    ----------
    table : str
        stocks or market.
    month : str
        YYYY-MM.
    what : str
        changed, vanished or appeared.
    rows : int
        How many.
    columns : tuple of str
        The columns that changed; none where rows vanished or appeared.
    first : str
        The first row, with the values before and now where they changed.
    """

    table: str
    month: str
    what: str
    rows: int
    columns: tuple[str, ...]
    first: str

    def __str__(self) -> str:
        """Return the difference as one line of a report."""
        columns = (
            f" in {first_few(self.columns[:SHOWN], len(self.columns))}" if self.columns else ""
        )
        rows = count_of(self.rows, "row")
        return f"{self.table}, {self.month}: {rows} {self.what}{columns} ({self.first})"


def differences(
    table: str, before: pd.DataFrame, now: pd.DataFrame, keys: Sequence[str]
) -> list[Difference]:
    """Compare the months of two versions of a table, up to the last one of `before`.

    Parameters
    ----------
    table : str
        The tables' name.
    before, now : pandas.DataFrame
        `keys`, the first of which is `month`, and further columns; rows sorted by unique keys.
        Later months of `now` are new and are not compared.
    keys : sequence of str
        The columns that identify a row.

    Returns
    -------
    list of Difference
        By month. A column that only one table has changes every row. Numbers that differ by no
        more than `ROUNDING` are equal, and so are two missing values; returns that differ by no
        more than `RESCALED` are, and so are prices (`close`) from which the same returns follow.
    """
    keys = list(keys)
    before, now = _with_neutral(before, now), _with_neutral(now, before)
    now = now[now["month"] <= before["month"].max()]
    both = before[keys].merge(now[keys], how="outer", on=keys, indicator="side")
    result = [
        Difference(
            table, label(month), what, len(rows), (), f"first {_row_name(rows.iloc[0], keys)}"
        )
        for side, what in (("left_only", "vanished"), ("right_only", "appeared"))
        for month, rows in both[both["side"] == side].groupby("month")
    ]
    common = both.loc[both["side"] == "both", keys]
    before, now = (common.merge(side, how="left", on=keys) for side in (before, now))
    return sorted(result + _changed(table, before, now, keys), key=lambda d: (d.month, d.what))


def raise_if_revised(revisions: Sequence[Difference]) -> None:
    """Raise an error that lists the revisions, if there are any.

    Raises
    ------
    RecordsError
        The first few months with their rows and columns, the counts, and what to do.
    """
    if not revisions:
        return
    months = sorted({difference.month for difference in revisions})
    rows = sum(difference.rows for difference in revisions)
    lines = [str(difference) for difference in revisions[:SHOWN]]
    if len(revisions) > SHOWN:
        lines.append(f"and {len(revisions) - SHOWN:,} more")
    raise RecordsError(
        f"the records of {count_of(len(months), 'earlier month')} ({months[0]} to {months[-1]}, "
        f"{count_of(rows, 'row')}) are not those that the results were made of, and results of "
        "earlier months must stay as they are:\n  "
        + "\n  ".join(lines)
        + "\nbring these rows as they were, or accept the restatement with --restated, by which "
        "every window that contains such a month is made anew"
    )


def append_new_months(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return `before` followed by the later months of `now`."""
    before, now = _with_neutral(before, now), _with_neutral(now, before)
    later = now[now["month"] > before["month"].max()]
    # In the types of `now`: those of a file that was read back would give other bytes when written.
    return pd.concat([before[now.columns].astype(now.dtypes), later], ignore_index=True)


def _with_neutral(frame: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    lacking = {
        name: value for name, value in _NEUTRAL.items() if name in other and name not in frame
    }
    return frame.assign(**lacking)


def _changed(
    table: str, before: pd.DataFrame, now: pd.DataFrame, keys: Sequence[str]
) -> list[Difference]:
    """Compare rows of the same keys column by column."""
    unequal = {}
    for name in dict.fromkeys([*before, *now]):
        if name in keys:
            continue
        differs = np.ones(len(before), dtype=bool)
        if name in before and name in now:
            differs = _unequal(before[name], now[name])
            if name == "close" and "return" in now and differs.any():
                differs &= ~_rescaled(before, now)
            elif name == "return":
                differs &= ~(np.abs(before[name] - now[name]) <= RESCALED).to_numpy()
        if differs.any():
            unequal[name] = differs
    result = []
    months = before["month"].to_numpy()
    rows = np.flatnonzero(np.logical_or.reduce([*unequal.values(), np.zeros(len(before), bool)]))
    for month, at in pd.Series(rows).groupby(months[rows]):
        names = [name for name, differs in unequal.items() if differs[at].any()]
        first = next(row for row in at if unequal[names[0]][row])
        was, became = (
            _format_value(side[names[0]].iloc[first]) if names[0] in side else "no such column"
            for side in (before, now)
        )
        example = f"first {_row_name(before.iloc[first], keys)}, {names[0]}: {was}, now {became}"
        result.append(Difference(table, label(month), "changed", len(at), tuple(names), example))
    return result


def _rescaled(before: pd.DataFrame, now: pd.DataFrame) -> np.ndarray:
    """Return which prices are another multiple alone: the returns before follow from them too.

    A stock's first price has no return and counts as its second one does.
    """
    rows = pd.DataFrame({"stock": now["stock"], "month": now["month"], "close": now["close"]})
    rows["as before"] = before["return"].to_numpy("float64")
    rows = rows.sort_values(["stock", "month"], kind="stable")
    prices = rows.groupby("stock")["close"]
    follows = (rows["close"] / prices.shift() - 1 - rows["as before"]).abs() <= RESCALED
    first = ~rows["stock"].duplicated()
    follows |= first & follows.shift(-1, fill_value=False)
    return follows.reindex(now.index).to_numpy()


def _unequal(before: pd.Series, now: pd.Series) -> np.ndarray:
    missing = before.isna().to_numpy(), now.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(before) and pd.api.types.is_numeric_dtype(now):
        one, other = (s.to_numpy(dtype=np.float64, na_value=np.nan) for s in (before, now))
        same = np.isclose(one, other, rtol=ROUNDING, atol=0)
    else:
        same = (before.astype("string") == now.astype("string")).fillna(False).to_numpy(dtype=bool)
    return ~(same | (missing[0] & missing[1]))


def _row_name(row: pd.Series, keys: Sequence[str]) -> str:
    further = [str(row[key]) for key in keys if key != "month"]
    return " ".join(further) or label(row["month"])


def _format_value(value: object) -> str:
    return "missing" if value is pd.NA or value != value else f"{value}"
