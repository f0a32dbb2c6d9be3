"""What is odd in prices, returns and market series, and what is assumed of them, as notes.

Each note has the numbers by which a mistake shows: a median market value of 12 instead of 12,000
thousand, a rate of 0.009 instead of 110.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from konkyo.data.monthly_prices import STALE
from konkyo.data.notes import SENTINELS, places
from konkyo.data.parsed_table import ParsedTable
from konkyo.data.violations import SHOWN, count_of, first_few
from konkyo.dates import label, ordinal

QUIET = 0.5
"""Median size of a month's return in per cent below which it may be a fraction."""
JUMP = 300.0
"""Times by which a market series, or one with values below 0 its usual change, does not grow from
one month to the next; another unit is a thousand, and some series fall in that month."""
SPLIT = 1.5
"""Times by which shares change in a split, or in a large issue."""


def notes_on_returns(frame: pd.DataFrame, unit: float) -> Iterator[str]:
    """Yield the note on returns in per cent that are small enough to be fractions."""
    values = frame["return"]
    middle = values[np.isfinite(values) & (values != 0)].abs().median()
    if unit == 100 and middle < QUIET:
        yield (
            f"assumed: returns are in per cent, with a median size of {middle:.3g} a month (stocks "
            "have 3 to 10); if they are fractions, set `return_unit: fraction`"
        )


def notes_on_prices(frame: pd.DataFrame, from_prices: bool, sized: bool) -> Iterator[str]:
    """Yield what is assumed of prices, and splits that contradict it.

    Parameters
    ----------
    frame : DataFrame
        month, stock and any of close, close_adjusted, shares and size.
    from_prices, sized : bool
        Whether returns, and whether market values, were made from prices.
    """
    if "close" not in frame:
        return
    newest = frame[frame["month"] == frame["month"].max()]
    middle = newest["close"].median()
    level = f"its median is {middle:,.6g} in {label(newest['month'].iloc[0])}"
    if "close_adjusted" not in frame and from_prices:
        yield (
            f"assumed: `close` is the price as traded and no stock was split ({level}); if it is "
            "adjusted, map it to `close_adjusted` and add the price as traded as `close`"
        )
    elif sized:
        yield f"assumed: `close` is the price as traded ({level})"
    if "shares" not in frame:
        return
    rows = frame[frame["close"] > 0].sort_values(["stock", "month"])
    follows = np.append(False, np.diff(ordinal(rows["month"])) == 1)
    again = (rows["stock"] == rows["stock"].shift()) & follows
    issued = (rows["shares"] / rows["shares"].shift()).where(again)
    moved = rows["close"] / rows["close"].shift()
    split = (issued > SPLIT) | (issued < 1 / SPLIT)
    adjusted = split & (np.log(moved).abs() < np.log(issued).abs() / 2)
    if adjusted.any():
        yield (
            f"{count_of(int(adjusted.sum()), 'row')} where shares change by {SPLIT:g} times or "
            f"more and `close` does not follow ({places(rows[adjusted])}): if these are splits, "
            "`close` is adjusted and market values before know of them: map it to `close_adjusted`"
        )
    traded = split & ~adjusted & (np.log(moved * issued).abs() < np.log(issued).abs() / 2)
    if traded.any() and from_prices and "close_adjusted" not in frame:
        yield (
            f"{count_of(int(traded.sum()), 'return')} across splits: `close` moves against "
            f"`shares` ({places(rows[traded])}): add `close_adjusted`, from which returns are made"
        )


def notes_on_stale(rows: pd.DataFrame) -> Iterator[str]:
    """Yield the note on stocks that are not bought at a price of weeks ago."""
    if len(rows):
        yield (
            f"{count_of(len(rows), 'row')} whose last price is more than {STALE} days older than "
            f"the month's newest ({places(rows)}): not in the universe of that month"
        )


def notes_on_twins(frame: pd.DataFrame) -> Iterator[str]:
    """Yield the note on stocks whose prices or returns are the same throughout a year."""
    pairs: dict[tuple[str, str], set[int]] = {}
    for name in ("close", "return"):
        if name not in frame or frame["month"].nunique() < 6:
            continue
        rows = frame.loc[frame[name].notna(), ["month", "stock", name]]
        # Sums of digests do not depend on the rows' order.
        digest = pd.util.hash_pandas_object(rows[["month", name]], index=False)
        keys = [rows["stock"].to_numpy(), rows["month"].dt.year.to_numpy()]
        years = rows.assign(digest=digest).groupby(keys)
        sums = years.agg(digest=("digest", "sum"), n=("digest", "size"), values=(name, "nunique"))
        sums = sums[(sums["n"] >= 6) & (sums["values"] >= 3)].reset_index(names=["stock", "year"])
        sums = sums[sums.duplicated(["year", "digest"], keep=False)]
        for (year, _), same in sums.groupby(["year", "digest"]):
            first, *others = sorted(same["stock"])
            for other in others:
                pairs.setdefault((first, other), set()).add(year)
    if pairs:
        shown = [f"{a} and {b} in {min(y)} to {max(y)}" for (a, b), y in [*pairs.items()][:SHOWN]]
        yield (
            f"{count_of(len(pairs), 'pair')} of stocks with the same prices or returns "
            f"({first_few(shown, len(pairs))}): leave one of each out, unless they are two"
        )


def notes_on_series(table: ParsedTable) -> Iterator[str]:
    """Yield the median level of every market series, and its jumps by a thousand times."""
    frame = table.frame
    names = [name for name in frame.columns if name != "month"]
    if not names:
        return
    levels = [f"{name} {frame[name].median():,.4g}" for name in names]
    yield (
        f"assumed: market series are in the unit and the direction of these median levels: "
        f"{first_few(levels[:40], len(levels))}"
    )
    for name in names:
        ordinary = np.isfinite(frame[name]) & ~frame[name].isin(SENTINELS)
        rows = frame.loc[ordinary, ["month", name]].sort_values("month")
        values = rows[name].to_numpy("float64")
        if len(values) and values.min() > 0:
            jumps = np.abs(np.diff(np.log(values))) > np.log(JUMP)
        else:
            steps = np.abs(np.diff(values))
            usual = np.median(steps[steps > 0]) if (steps > 0).any() else np.inf
            jumps = steps > JUMP * usual
        places = np.flatnonzero(jumps)
        if len(places):
            shown = [
                f"{label(rows['month'].iloc[at + 1])}: {values[at]:g} to {values[at + 1]:g}"
                for at in places[:SHOWN]
            ]
            yield (
                f"{table.file}: {name!r} jumps by {JUMP:g} times or more "
                f"({first_few(shown, len(places))}): look for another unit or a value that means "
                "missing"
            )
