"""Source `tables`: the user's own files of stocks, market series, reports, sectors and members."""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from konkyo.config import Reports, StockRows, Table, Tables
from konkyo.data import (
    fundamentals_read,
    market_series,
    notes,
    plausibility,
    schema,
    stock_months,
    stocks,
)
from konkyo.data.columns import cells_of, table_of
from konkyo.data.files import files_of, suffix_of
from konkyo.data.reader import read
from konkyo.data.records import Records, facts_of
from konkyo.data.rules import broken
from konkyo.data.stock_months import Beside
from konkyo.data.violations import Findings, Note, assumed, count_of, few
from konkyo.dates import label
from konkyo.errors import ParamsError, SourceError
from konkyo.io import atomic_write, sha256_of

_EVER = pd.Timestamp("1900-01-01")
"""Since when a stock has a sector that says no start."""

COPIED = 1_000_000_000
"""Bytes of all files together up to which they are copied; beyond, their digests are kept alone."""

_Entries = list[tuple[str, StockRows | Table | Reports, tuple[Path, ...]]]
"""Every entry of params.yaml: its kind of table, what it says, its files."""


def load(
    tables: Tables,
    raw: Path,
    portfolios: int,
    last: pd.Timestamp | None = None,
    first: pd.Timestamp | None = None,
) -> Records:
    """Read, check and join the user's files, then keep a copy of each.

    Parameters
    ----------
    tables : Tables
        Where the files are, how their columns are called, how their rows are to be read, and the
        user's statements about them. Every further column of the stocks must hold numbers that
        were known at the end of the row's month, or on its day.
    raw : Path
        Folder for the copies, so that the version of the data holds what was used.
    portfolios : int
        The fewest stocks that a month must have.
    last : Timestamp, optional
        The end of the last month that is used: what comes after it is not looked at.
    first : Timestamp, optional
        The end of the first month that is used; its returns are from the month before, if that is
        in the files.

    Returns
    -------
    Records
        The facts say, too, how many returns were set missing (`returns_set_missing`) and how the
        reports' stocks were found (`reports`).

    Raises
    ------
    SourceError
        A file is missing, of another kind, or lies in `raw`.
    RecordsError
        The files break rules, or no file has a column that its mapping names.
    """
    # Every table is read before any fault is raised, so that all faults come at once.
    findings = Findings()
    market = rows = None
    with findings.collected():
        market = market_series.monthly(tables.market, last, findings, tables.stocks.closed_months)
    beside = _beside(tables, findings)
    with findings.collected():
        rows = stock_months.build(tables, beside, last, findings)
    if first is not None and rows is not None and market is not None:
        if "month" in rows.frame and not (rows.frame["month"] >= first).any():
            raise ParamsError(
                f"ingest.first_month = {label(first)!r} is after the last month of the stocks, "
                f"{label(rows.frame['month'].max())}: set it earlier, or to oldest"
            )
        rows = stocks.cut(rows, first, later=False)
        market = market.with_frame(market.frame[market.frame["month"] >= first])
    sized = tables.stocks.size != "none"
    series = market if tables.market else None
    # Of tables none of which could be read nothing more is said.
    usable = series if series is not None and series.file else None
    findings.violations[:0] = schema.violations_of(rows, usable, portfolios, sized=sized)
    findings.raise_if_any()
    assert rows is not None and market is not None  # nosec B101 # tells mypy the type
    stocks_table, market_table = schema.normalise(
        rows.frame, series.frame if series else None, sized=sized
    )
    entries = _entries(tables)
    facts = facts_of(
        stocks_table,
        _keep(entries, raw),
        source="tables",
        licence="the user's own records, on terms known to the user",
        point_in_time=tables.point_in_time,
        survivorship_free=tables.survivorship_free,
    )
    of_market = (*notes.of_sentinels(market), *plausibility.of_series(market))
    all_notes = (*_of_files(entries), *of_market, *findings.notes)
    return Records(stocks_table, market_table, facts | findings.facts, notes=all_notes)


def _entries(tables: Tables) -> _Entries:
    entries: _Entries = [("stocks", tables.stocks, files_of(tables.stocks.files))]
    for kind in ("market", "reports", "sectors", "members"):
        entries += [(kind, spec, files_of(spec.files)) for spec in getattr(tables, kind)]
    return entries


def _by_kind(entries: _Entries) -> dict[str, list[Path]]:
    """Return the files of each kind of table."""
    by_kind: dict[str, list[Path]] = defaultdict(list)
    for kind, _, files in entries:
        by_kind[kind] += files
    return by_kind


def _of_files(entries: _Entries) -> Iterator[Note]:
    """Yield what was read of each kind of table, and files and columns that are left out."""
    names = [name for _, spec, _ in entries for name in spec.files]
    yield from notes.of_links(names)
    yield from notes.of_folders(names)
    for kind, files in _by_kind(entries).items():
        yield Note("read", f"{kind}: {count_of(len(files), 'file')} ({few(files)})")
    for _, spec, _ in entries:
        if out := [name for name, here in spec.columns.items() if not here]:
            yield Note("left out", f"{', '.join(spec.files)}: the columns {few(out)}")
        if isinstance(spec, Reports):
            yield assumed(
                f"{', '.join(spec.files)}: amounts in units of {spec.unit:,}; published "
                f"{spec.lag} days after period_end where it does not say when"
            )


def _keep(entries: _Entries, raw: Path) -> dict[str, str]:
    """Copy the files unless they are too large together, and return their digests.

    A copy is called by its kind of table, numbered where there are more.
    """
    files: dict[str, Path] = {}
    for kind, paths in _by_kind(entries).items():
        for number, file in enumerate(paths, start=1):
            ending = f"_{number}_{file.name}" if len(paths) > 1 else suffix_of(file)
            files[f"{kind}{ending}"] = file
            if file.resolve().is_relative_to(raw.resolve()):
                raise SourceError(
                    f"{file} lies in {raw}, which this stage empties and writes: keep it in "
                    "data/own"
                )
    if sum(path.stat().st_size for path in files.values()) <= COPIED:
        for name, path in files.items():
            with atomic_write(raw / name) as scratch:
                shutil.copyfile(path, scratch)
        files = {name: raw / name for name in files}
    return {name: sha256_of(path) for name, path in files.items()}


def _beside(tables: Tables, findings: Findings) -> Beside:
    """Return the rows of the tables beside the stocks, without those that have faults."""
    beside: Beside = {"sectors": [], "members": [], "reports": []}
    for kind, frames in beside.items():
        for spec in getattr(tables, kind):
            with findings.collected():
                rows = read(spec, cells_of(kind))
                if kind == "sectors":
                    start = rows.frame.get("start", pd.Series(pd.NaT, rows.frame.index))
                    rows = rows.with_frame(rows.frame.assign(start=start.fillna(_EVER)))
                if kind == "reports":
                    violated = fundamentals_read.check(rows)
                else:
                    violated = broken(table_of(kind), rows)
                findings.notes += rows.notes
                findings.violations += violated
                if not violated:
                    frames.append(rows.frame)
                    if kind == "reports":
                        findings.notes += plausibility.of_lengths(rows.file, rows.frame)
                        findings.notes += plausibility.of_amounts(rows.file, rows.frame)
                        findings.notes += notes.of_sentinels(rows)
    return beside
