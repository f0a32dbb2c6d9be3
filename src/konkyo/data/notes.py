"""What a reader of the records should know though no rule is broken: the notes of `konkyo check`.

Files that are not read, codes that match no stock, codes that a spreadsheet has damaged, values
that often stand for a missing one, losses of nearly all.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.artifacts import HERE
from konkyo.config import LARGEST_AUTOCORRELATION
from konkyo.data.files import SUFFIXES, suffix_of, within
from konkyo.data.parsing import ParsedTable
from konkyo.data.violations import SHOWN, Note, count_of, few, first_few, odd
from konkyo.dates import label

SENTINELS = (-99.0, -99.9, -99.99, -999.0, -999.9, -999.99, -9999.0, 9999.0, 99999.0, -99999.0)
"""Numbers that data libraries write where there is no value."""
WORST = -0.9
"""Returns below it are listed one by one."""

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
        if len(others := codes[matched < 0]):
            text += f"; its codes of no stock: {few(map(repr, others))}"
            if damaged(others) or others.str.lstrip("0").isin(without.str.lstrip("0")).any():
                text += " (as a spreadsheet damages codes: write them as text)"
    return Note("matched", text)


def of_damaged(table: ParsedTable) -> Iterator[Note]:
    """Yield a note where codes of the stocks are as a spreadsheet writes them."""
    codes = pd.Series(table.frame["stock"].dropna().unique())
    lengths = codes[codes.str.fullmatch(r"\d+")].str.len()
    short = lengths[lengths < lengths.max()].index
    longest = (lengths == lengths.max()).sum()
    for some, how in (
        (damaged(codes), "that a spreadsheet has damaged"),
        # Codes of Tokyo have four digits, those of Shanghai six; Hong Kong counts from 1.
        (
            codes[short].tolist() if longest >= 4 * len(short) and lengths.max() >= 4 else [],
            f"with fewer digits than the others' {lengths.max()}, as if leading zeros were lost",
        ),
    ):
        if some:
            yield odd(f"{table.file}: codes {how}: {few(map(repr, some))}; write them as text")


def damaged(codes: Iterable[object]) -> list[object]:
    """Return codes such as 7203.0, 1.3E+05, '0013 and ="0013", which no exchange gives."""
    form = r"\d+\.0+|\d(\.\d+)?[eE]\+?\d+|'\d+|=?\"+=?.*\"+|=.+"
    return [code for code in codes if re.fullmatch(form, str(code))]


def of_sentinels(table: ParsedTable) -> Iterator[Note]:
    """Yield a note for each column of numbers that holds what may stand for a missing value."""
    frame = table.frame
    for name in frame.columns:
        if not pd.api.types.is_float_dtype(frame[name]):
            continue
        # A price of 0 is a loss of all, and nothing traded is an answer.
        zero = name not in ("close", "close_adjusted", "volume", "dollar_volume")
        rows = frame[_suspects(frame[name], frame.get("stock"), zero)]
        if rows.empty:
            continue
        values = ", ".join(f"{value:.12g}" for value in sorted(rows[name].unique()))
        yield odd(
            f"{table.file}: column {table.names.get(name, name)!r} holds {values} in "
            f"{count_of(len(rows), 'row')} ({places(rows)}); if that means missing, write "
            "it into `missing_values`"
        )


def _suspects(values: pd.Series, stock: pd.Series | None, zero: bool) -> pd.Series:
    """Return which values may mean missing: one of `SENTINELS`, or a repeated end of the range.

    Of `SENTINELS` those count that lie beyond all other values, or are more frequent than any other
    but 0. Of others the least and the largest count that occur three times or more, in two stocks
    or more, and are three times as far from the median as the next value, such as -88.88. So does
    a rare 0 among values none of which is less than a tenth of their median.
    """
    finite = values[np.isfinite(values)]
    listed = finite.isin(SENTINELS)
    rest = finite[~listed]
    usual = rest[rest != 0].value_counts().max()
    inside = finite[listed & finite.between(rest.min(), rest.max())].value_counts()
    suspects = set(finite[listed]) - set(inside.index[inside <= usual])
    # Columns of few values are codes, where 0 is as good as 1.
    for end in (rest.min(), rest.max()) if rest.nunique() >= 10 else ():
        at, others = rest.index[rest == end], rest[rest != end]
        if end == 0 and not zero:
            continue
        middle = others.median()
        near = others.min() if end < middle else others.max()
        repeats = len(at) >= 3 and (stock is None or len(stock[at].unique()) > 1)
        rare = len(at) < len(rest) / 20
        if (repeats and abs(end - middle) > 3 * abs(near - middle)) or (
            end == 0 and rare and near > middle / 10 > 0
        ):
            suspects.add(end)
    return values.isin(suspects)


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
