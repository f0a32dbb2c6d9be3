"""What is odd in prices, market series and reports, and what is assumed of them, as notes.

Each note has the numbers by which a mistake shows: a median market value of 12 instead of 12,000
thousand, a rate of 0.009 instead of 110.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from konkyo.data.notes import SENTINELS, places
from konkyo.data.parsing import ParsedTable
from konkyo.data.ratios import BALANCES, FLOWS, FORECASTS, UNSCALED
from konkyo.data.violations import Note, assumed, count_of, few, first_few, odd
from konkyo.dates import label, ordinal

JUMP = 300.0
"""Times by which a market series, or one with values below 0 its usual change, does not grow from
one month to the next; another unit is a thousand, and some series fall in that month."""
SPLIT = 1.5
"""Times by which shares change in a split, or in a large issue."""

UNSTEADY = 0.25
"""Median size of the log change of a flow from one statement to the next, beyond which these are
no years: sums since the year's beginning have 0.55 (0.69 of halves), trailing years of real firms
0.03, quarters 0.05 to 0.15."""

USUAL = {
    "earnings_yield": (0.002, 1.0),
    "book_to_price": (0.02, 20.0),
    "sales_to_price": (0.02, 50.0),
    "dividend_yield": (0.0005, 0.5),
}
"""Between these limits lies the median of every market; a mistaken thousand is outside."""

_AMOUNTS = set(FLOWS) | set(BALANCES) | set(FORECASTS)
_AMOUNTS -= {*UNSCALED, "shares"}
_LEAST, _LARGEST = 1 / 500, 50
"""An amount's median against assets (sales, equity): dividends have 0.01, sales 0.8."""
_OFF = 2.5
"""Powers of ten from a stock's other statements, below the three of a thousand."""


def of_prices(frame: pd.DataFrame, from_prices: bool, sized: bool) -> Iterator[Note]:
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
        yield assumed(
            f"`close` is the price as traded and no stock was split ({level}); if it is "
            "adjusted, map it to `close_adjusted` and add the price as traded as `close`"
        )
    elif sized:
        yield assumed(f"`close` is the price as traded ({level})")
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
        yield odd(
            f"{count_of(int(adjusted.sum()), 'row')} where shares change by {SPLIT:g} times or "
            f"more and `close` does not follow ({places(rows[adjusted])}): if these are splits, "
            "`close` is adjusted and market values before know of them: map it to `close_adjusted`"
        )
    traded = split & ~adjusted & (np.log(moved * issued).abs() < np.log(issued).abs() / 2)
    if traded.any() and from_prices and "close_adjusted" not in frame:
        yield odd(
            f"{count_of(int(traded.sum()), 'return')} across splits: `close` moves against "
            f"`shares` ({places(rows[traded])}): add `close_adjusted`, from which returns are made"
        )


def of_twins(frame: pd.DataFrame) -> Iterator[Note]:
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
        shown = few(f"{a} and {b} in {min(y)} to {max(y)}" for (a, b), y in pairs.items())
        yield odd(
            f"{count_of(len(pairs), 'pair')} of stocks with the same prices or returns "
            f"({shown}): leave one of each out, unless they are two"
        )


def of_series(table: ParsedTable) -> Iterator[Note]:
    """Yield the median level of every market series, and its jumps by a thousand times."""
    frame = table.frame
    names = [name for name in frame.columns if name != "month"]
    if not names:
        return
    levels = [f"{name} {frame[name].median():,.4g}" for name in names]
    yield assumed(
        f"market series are in the unit and the direction of these median levels: "
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
        if jumps.any():
            shown = few(
                f"{label(rows['month'].iloc[at + 1])}: {values[at]:g} to {values[at + 1]:g}"
                for at in np.flatnonzero(jumps)
            )
            yield odd(
                f"{table.file}: {name!r} jumps by {JUMP:g} times or more ({shown}): look for "
                "another unit or a value that means missing"
            )


def changes(frame: pd.DataFrame) -> tuple[str, pd.Series, pd.Series]:
    """Return how a flow changes from one statement to the next within a year.

    Parameters
    ----------
    frame : DataFrame, shape [rows]
        A table of reports.

    Returns
    -------
    flow : str
        Sales, or else the first other flow; empty if there is none.
    change : Series
        Size of the log change against the statement before, of the same stated length, that ended
        less than twelve months earlier; of the rows that have one, by their place.
    apart : Series
        Months between the two.
    """
    flows = [name for name in FLOWS if name in frame and frame[name].notna().any()]
    empty = pd.Series(dtype="float64")
    if not flows or "period_end" not in frame:
        return "", empty, empty
    rows = frame[["stock", "period_end", flows[0]]].assign(
        months=frame.get("months", np.nan), flow=frame[flows[0]], row=np.arange(len(frame))
    )
    rows = rows.dropna(subset=["stock", "period_end", "flow"])
    if flows[0] != "sales":
        # Profits and payments are unsteady by themselves: only where all lengths are missing.
        rows = rows[rows["months"].isna()]
    rows["months"] = rows["months"].fillna(12)
    keys = ["stock", "months", "period_end"]
    rows = rows.sort_values(keys, kind="stable").drop_duplicates(keys, keep="last")
    before = rows.groupby(["stock", "months"])[["flow", "period_end"]].shift()
    apart = pd.Series(
        ordinal(rows["period_end"]) - ordinal(before["period_end"].fillna(rows["period_end"])),
        rows.index,
    )
    use = (apart > 0) & (apart < 12) & (rows["flow"] > 0) & (before["flow"] > 0)
    change = np.log(rows.loc[use, "flow"] / before.loc[use, "flow"]).abs()
    return flows[0], change.set_axis(rows.loc[use, "row"]), apart[use]


def of_lengths(file: str, frame: pd.DataFrame) -> Iterator[Note]:
    """Yield a note where statements that end within a year of each other count as years."""
    lacking = frame.get("months", pd.Series(np.nan, frame.index)).isna().to_numpy()
    flow, change, apart = changes(frame)
    rows = change.index[lacking[change.index.to_numpy("int64")]] if flow else []
    if len(rows):
        note = f"{file}: period ends {apart.median():.0f} months apart and no `months`"
        note += f" in {count_of(len(rows), 'row')}: each is taken for twelve months"
        whole = [name for name in ("assets", "equity") if name in frame]
        if whole:
            share = (frame[flow] / frame[whole[0]].where(frame[whole[0]] > 0)).median()
            note += f", with a median {flow} of {share:.3g} x {whole[0]}"
        yield odd(note + "; a quarter's would be a fourth of what it should be")


def of_amounts(file: str, frame: pd.DataFrame) -> Iterator[Note]:
    """Yield a note on amounts a thousand times off the others: of a column, or of some rows."""
    names = [name for name in frame if name in _AMOUNTS]
    sizes = frame[names].abs()
    with np.errstate(divide="ignore"):
        powers = np.log10(sizes.where(sizes > 0))
    whole = next((name for name in ("assets", "sales", "equity") if name in names), None)
    if whole is not None:
        median = powers.sub(powers[whole], axis=0).drop(columns=whole).median()
        off = median[(median < np.log10(_LEAST)) | (median > np.log10(_LARGEST))]
        if len(off) * 2 > median.notna().sum() > 1:
            yield odd(
                f"{file}: {whole!r} is in another unit than the other amounts, it seems "
                f"({count_of(int(powers[whole].notna().sum()), 'row')}): most of these have a "
                f"median of {10 ** off.median():.2g} x {whole}"
            )
        else:
            for name, power in off.items():
                yield odd(
                    f"{file}: {name!r} has a median of {10**power:.2g} x {whole} "
                    f"({count_of(int(powers[name].notna().sum()), 'row')}): is it in another unit "
                    "than the other amounts?"
                )
    against = powers - powers.groupby(frame["stock"]).transform("median")
    often = powers.groupby(frame["stock"]).transform("count") >= 3
    against = against.where(often)
    rows = against.median(axis=1)
    if (rows.abs() > _OFF).any():
        yield _off(file, "all amounts", frame, rows.abs() > _OFF)
    for name in names if len(names) > 1 else []:
        off_rows = (against[name] - rows).abs() > _OFF
        if off_rows.any():
            yield _off(file, repr(name), frame, off_rows)


def _off(file: str, what: str, frame: pd.DataFrame, rows: pd.Series) -> Note:
    day = frame.get("period_end", frame.get("published"))
    shown = few(
        f"{stock} {label(one)}" if pd.notna(one) else str(stock)
        for stock, one in zip(frame["stock"][rows], day[rows], strict=True)
    )
    return odd(
        f"{file}: {what} of {count_of(int(rows.sum()), 'row')} a thousand times off the stock's "
        f"other statements, it seems ({shown})"
    )


def of_ratios(stocks: pd.DataFrame) -> Iterator[Note]:
    """Yield notes on ratios to market value whose median is that of no market."""
    for name, (least, largest) in USUAL.items():
        if name not in stocks or not stocks[name].any():
            continue
        value = stocks[name].median()
        if not least <= abs(value) <= largest:
            yield odd(
                f"a median {name} of {value:.3g} is of no market ({least:g} to {largest:g} is "
                "usual): look at `unit` of the reports, at the unit of `size`, which is thousands, "
                "and whether it is market value"
            )
