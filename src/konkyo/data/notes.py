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
from konkyo.data.files import SUFFIXES, suffix_of, within
from konkyo.data.reader import ParsedTable
from konkyo.data.violations import SHOWN, count_of, first_few
from konkyo.dates import label

SENTINELS = (-99.0, -99.9, -99.99, -999.0, -999.9, -999.99, -9999.0, 9999.0, 99999.0, -99999.0)
"""Numbers that data libraries write where there is no value."""
WORST = -0.9
"""Returns below it are listed one by one."""

_NO_RECORDS = (".md", ".dvc", ".gitignore", ".yaml", ".yml", ".toml", ".py", ".ipynb", ".pdf")


def of_folders(names: Sequence[str]) -> Iterator[str]:
    """Yield a note on every file of the folders that is not read."""
    for path in map(Path, names):
        for file in sorted(within(path)):
            hidden = file.name.startswith(".") or file.suffix in _NO_RECORDS
            if not hidden and suffix_of(file) not in SUFFIXES:
                yield f"{file} is passed over: save it as one of {', '.join(SUFFIXES)}"


def of_links(names: Sequence[str]) -> Iterator[str]:
    """Yield a note on links among the records, and on files elsewhere, which DVC does not watch."""
    elsewhere = []
    for path in map(Path, names):
        # DVC follows a link to a file, and none to a folder.
        folders = {path, *(folder for file in within(path) for folder in file.parents)}
        folders = {one for one in folders if one == path or path in one.parents}
        if not path.is_absolute():
            folders |= set(path.parents)
        for link in sorted(one for one in folders if one.is_symlink() and one.is_dir()):
            yield f"{link} is a link: `dvc repro` does not notice a change of what it leads to"
        if not path.absolute().is_relative_to(HERE.own.absolute()):
            elsewhere.append(path)
    if elsewhere:
        yield f"not in data/own, where `dvc repro` would notice a change: {few(elsewhere)}"


def of_codes(kind: str, codes: pd.Series, stocks: pd.Series, matched: np.ndarray, how: str) -> str:
    """Return the note on how many stocks a table beside them knows.

    Parameters
    ----------
    kind : str
        The table's kind.
    codes : Series
        The table's distinct codes.
    stocks : Series
        The stocks' distinct codes.
    matched : ndarray of int
        The place in `stocks` of each of the codes, negative where there is none.
    how : str
        How codes were compared, where not as they are written.
    """
    known = np.isin(np.arange(len(stocks)), matched)
    note = f"{kind}: {known.sum():,} of {count_of(len(stocks), 'stock')} found{how}"
    if known.all():
        return note
    lacking, other = stocks[~known].tolist(), codes[matched < 0].tolist()
    note += f"; without: {first_few([str(code) for code in lacking[:SHOWN]], len(lacking))}"
    if other:
        shown = first_few([repr(code) for code in other[:SHOWN]], len(other))
        note += f"; its codes of no stock: {shown}"
        if damaged(pd.Series(other)) or _zeros_lost(lacking, other):
            note += " (as a spreadsheet damages codes: write them as text)"
    return note


def of_damaged(table: ParsedTable) -> Iterator[str]:
    """Yield a note where codes of the stocks are as a spreadsheet writes them."""
    if "stock" in table.frame:
        codes = damaged(pd.Series(table.frame["stock"].dropna().unique()))
        if codes:
            shown = first_few([repr(code) for code in codes[:SHOWN]], len(codes))
            yield f"{table.file}: codes that a spreadsheet has damaged: {shown}; write them as text"


def damaged(codes: pd.Series) -> list[str]:
    """Return codes such as 7203.0 and ="0013", which no exchange gives."""
    return [code for code in codes if re.fullmatch(r"\d+\.0+|=?\"+=?.*\"+|=.+", str(code))]


def few(names: Iterable[object]) -> str:
    """Return the first few of many names, and how many more there are."""
    shown = [str(name) for name in names]
    return first_few(shown[:SHOWN], len(shown))


def _zeros_lost(stocks: Sequence[str], codes: Sequence[str]) -> bool:
    bare = {str(code).lstrip("0") for code in stocks}
    return any(str(code).lstrip("0") in bare for code in codes)


def of_sentinels(table: ParsedTable) -> Iterator[str]:
    """Yield a note for each column of numbers that holds what may stand for a missing value."""
    frame = table.frame
    for name in frame.columns.difference(["month", "date"], sort=False):
        if not pd.api.types.is_float_dtype(frame[name]):
            continue
        rows = frame[frame[name].isin(SENTINELS)]
        if rows.empty:
            continue
        values = ", ".join(f"{value:g}" for value in sorted(rows[name].unique()))
        own = table.names.get(name, name)
        yield (
            f"{table.file}: column {own!r} holds {values} in {count_of(len(rows), 'row')} "
            f"({_places(rows)}); if that means missing, write it into `missing_values`"
        )


def of_losses(frame: pd.DataFrame, unit: float) -> Iterator[str]:
    """Yield a note on returns that lose nearly all; `unit` is 1 or 100, as they are written."""
    rows = frame[frame["return"] < WORST * unit] if "return" in frame else frame.head(0)
    if len(rows):
        yield (
            f"{count_of(len(rows), 'return')} below {WORST:.0%} ({_places(rows, 'return', unit)}): "
            "they count; a return below `smallest_return` would be set missing"
        )


def of_removals(frame: pd.DataFrame, removed: np.ndarray, unit: float) -> Iterator[str]:
    """Yield a note on returns that were set missing as faults of the prices."""
    rows = frame[removed]
    if len(rows):
        yield f"{count_of(len(rows), 'return')} set missing ({_places(rows, 'return', unit)})"


def _places(rows: pd.DataFrame, value: str | None = None, unit: float = 1.0) -> str:
    """Return the months, stocks and values of the first few rows."""
    shown = []
    for _, row in rows.head(SHOWN).iterrows():
        day = row["month"] if "month" in row else row.get("date")
        parts = [str(row["stock"])] if "stock" in row else []
        parts += [label(day)] if day is not None and not pd.isna(day) else []
        if value is not None:
            parts.append(f"{row[value] / unit:.2%}")
        shown.append(" ".join(parts))
    return first_few(shown, len(rows))
