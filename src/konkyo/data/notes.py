"""What a reader of the records should know though no rule is broken: the notes of `konkyo check`.

Files that are not read, codes that match no stock, values that often stand for a missing one,
losses of nearly all; and what is assumed of units, with the numbers by which a mistake shows: a
median market value of 12 instead of 12,000 thousand, a rate of 0.009 instead of 110.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.artifacts import HERE
from konkyo.config import LARGEST_AUTOCORRELATION
from konkyo.data.files import SUFFIXES, suffix_of, within
from konkyo.data.parsing import ParsedTable
from konkyo.data.violations import SHOWN, Note, assumed, count_of, few, first_few, odd
from konkyo.dates import label

SENTINELS = (-99.0, -99.9, -99.99, -999.0, -999.9, -999.99, -9999.0, 9999.0, 99999.0, -99999.0)
"""Numbers that data libraries write where there is no value."""
WORST = -0.9
"""Returns below it are listed one by one."""
USUAL = {
    "earnings_yield": (0.002, 1.0),
    "book_to_price": (0.02, 20.0),
    "sales_to_price": (0.02, 50.0),
    "dividend_yield": (0.0005, 0.5),
}
"""Between these limits lies the median of every market; a mistaken thousand is outside."""

_NO_RECORDS = (".md", ".dvc", ".gitignore", ".yaml", ".yml", ".toml", ".py", ".ipynb", ".pdf")


def of_folders(names: Sequence[str]) -> Iterator[Note]:
    """Yield a note on every file of the folders that is not read."""
    for path in map(Path, names):
        for file in sorted(within(path)):
            hidden = file.name.startswith(".") or file.suffix in _NO_RECORDS
            if not hidden and suffix_of(file) not in SUFFIXES:
                text = f"{file} is passed over: save it as one of {', '.join(SUFFIXES)}"
                yield Note("left out", text)


def of_links(names: Sequence[str]) -> Iterator[Note]:
    """Yield a note on links among the records, and on files elsewhere, which DVC does not watch."""
    elsewhere, links = [], set()
    for path in map(Path, names):
        # DVC follows a link to a file, and none to a folder.
        folders = {path, *(folder for file in within(path) for folder in file.parents)}
        folders = {one for one in folders if one == path or path in one.parents}
        if not path.is_absolute() and ".." not in path.parts:
            folders |= set(path.parents)
        links |= {one for one in folders if one.is_symlink() and one.is_dir()}
        if not path.absolute().is_relative_to(HERE.own.absolute()):
            elsewhere.append(path)
    for link in sorted(links):
        yield odd(f"{link} is a link: `dvc repro` does not notice a change of what it leads to")
    if elsewhere:
        yield odd(f"not in data/own, where `dvc repro` would notice a change: {few(elsewhere)}")


def of_codes(kind: str, codes: pd.Index, stocks: pd.Index, matched: np.ndarray, how: str) -> Note:
    """Return the note on how many stocks a table beside them has.

    Parameters
    ----------
    kind : str
        The table's kind.
    codes, stocks : Index
        The table's and the stocks' distinct codes.
    matched : ndarray of int
        The place in `stocks` of each of the codes, negative where there is none.
    how : str
        How codes were compared, where not as they are written.
    """
    without = stocks.delete(matched[matched >= 0])
    text = f"{kind}: {len(stocks) - len(without):,} of {count_of(len(stocks), 'stock')} found{how}"
    if len(without):
        text += f"; without: {few(without)}"
        if (matched < 0).any():
            text += f"; its codes of no stock: {few(map(repr, codes[matched < 0]))}"
    return Note("matched", text)


def of_sentinels(table: ParsedTable) -> Iterator[Note]:
    """Yield a note for each column of numbers that holds what may stand for a missing value."""
    for name, values in table.frame.items():
        if not pd.api.types.is_float_dtype(values):
            continue
        others = values[~values.isin(SENTINELS)]
        # Within the range of the others, 9,999 is a size like any other.
        suspects = values.isin(SENTINELS) & ~values.between(others.min(), others.max())
        if suspects.any():
            rows = table.frame[suspects]
            numbers = ", ".join(f"{value:.12g}" for value in sorted(values[suspects].unique()))
            yield odd(
                f"{table.file}: column {table.names.get(str(name), name)!r} holds {numbers} in "
                f"{count_of(len(rows), 'row')} ({places(rows)}); if that means missing, write it "
                "into `missing_values`"
            )


def of_losses(frame: pd.DataFrame) -> Iterator[Note]:
    """Yield a note on returns that lose nearly all."""
    rows = frame[frame["return"] < WORST]
    if len(rows):
        yield odd(
            f"{count_of(len(rows), 'return')} below {WORST:.0%} ({places(rows, 'return')}): "
            "they count; a return below `smallest_return` would be set missing"
        )


def of_averages(correlation: float | None) -> Iterator[Note]:
    """Yield a note where returns follow those of the month before, as averaged prices make them."""
    if correlation is not None and abs(correlation) > LARGEST_AUTOCORRELATION:
        yield odd(
            f"the rank correlation of returns with those of the month before is {correlation:.2f} "
            f"on average over the months (at most {LARGEST_AUTOCORRELATION:.2f} in size is usual): "
            "if the prices are averages of a month or old quotes, use those of the month's last "
            "day, or leave a month out by prepare.skip_months: 1"
        )


def of_removals(rows: pd.DataFrame) -> Iterator[Note]:
    """Yield a note on returns that were set missing as faults of the prices."""
    if len(rows):
        text = f"{count_of(len(rows), 'return')} set missing ({places(rows, 'return')})"
        yield Note("set missing", text)


def of_prices(frame: pd.DataFrame, from_prices: bool, sized: bool) -> Iterator[Note]:
    """Yield what is assumed of prices.

    Parameters
    ----------
    frame : DataFrame
        month, and any of close and close_adjusted.
    from_prices, sized : bool
        Whether returns, and whether market values, were made from prices.
    """
    if "close" not in frame:
        return
    newest = frame[frame["month"] == frame["month"].max()]
    level = f"its median is {newest['close'].median():,.6g} in {label(newest['month'].iloc[0])}"
    if "close_adjusted" not in frame and from_prices:
        yield assumed(
            f"`close` is the price as traded and no stock was split ({level}); if it is "
            "adjusted, map it to `close_adjusted` and add the price as traded as `close`"
        )
    elif sized:
        yield assumed(f"`close` is the price as traded ({level})")


def of_series(frame: pd.DataFrame) -> Iterator[Note]:
    """Yield the median level of every market series."""
    levels = [f"{name} {frame[name].median():,.4g}" for name in frame.columns if name != "month"]
    if levels:
        yield assumed(
            "market series are in the unit and the direction of these median levels: "
            f"{first_few(levels[:40], len(levels))}"
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


def places(rows: pd.DataFrame, value: str | None = None) -> str:
    """Return the months, stocks and values of the first few rows."""
    shown = []
    for _, row in rows.head(SHOWN).iterrows():
        day = row["month"] if "month" in row else row.get("date")
        parts = [str(row["stock"])] if "stock" in row else []
        if day is not None and not pd.isna(day):
            parts.append(label(day) if "month" in row else f"{day:%Y-%m-%d}")
        if value is not None:
            parts.append(f"{row[value]:.2%}")
        shown.append(" ".join(parts))
    return first_few(shown, len(rows))
