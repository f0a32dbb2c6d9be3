"""Source `tables`: the user's own files of stocks, market series, reports, sectors and members."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo.config import Table, Tables
from konkyo.data import (
    daily,
    fundamentals,
    fundamentals_read,
    market_series,
    membership,
    notes,
    returns,
    schema,
    violations,
)
from konkyo.data.columns import Kind, Unit, cells_of, table_of
from konkyo.data.files import files_of, suffix_of
from konkyo.data.reader import ParsedTable, read
from konkyo.data.records import Records, facts_of
from konkyo.data.validate import broken as broken_rules
from konkyo.data.violations import Faults, Violation
from konkyo.errors import RecordsError, SourceError
from konkyo.io import atomic_write, sha256_of

COPIED = 1_000_000_000
"""Bytes of all files together up to which they are copied; beyond, their digests are kept alone."""


@dataclass(frozen=True, eq=False)
class _Beside:
    """The tables beside the stocks and the market, read and checked."""

    sectors: list[pd.DataFrame]
    members: list[pd.DataFrame]
    reports: list[pd.DataFrame]


def load(tables: Tables, raw: Path, portfolios: int, last: pd.Timestamp | None = None) -> Records:
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
    faults = Faults()
    market = found = None
    with faults.collected():
        market, more = market_series.monthly(tables.market, last)
        faults.violations += more
    beside = _beside(tables, faults)
    with faults.collected():
        found, unit, facts, more = _stocks(tables, beside, last, joining=not faults)
        faults.violations += more
    if found is None or market is None:
        faults.raise_if_any()
    assert found is not None and market is not None  # nosec B101 # tells mypy the type
    try:
        stocks, market_table = schema.check(found, market, unit, portfolios)
    except RecordsError as error:
        faults.violations = [*error.violations, *faults.violations]
    faults.raise_if_any()
    files = _files(tables)
    for path in files.values():
        if path.resolve().is_relative_to(raw.resolve()):
            raise SourceError(
                f"{path} lies in {raw}, which this stage empties and writes: keep it in data/own"
            )
    digests = _keep(files, raw)
    known = facts_of(
        stocks,
        digests,
        source="tables",
        licence="the user's own records, on terms known to the user",
        point_in_time=tables.point_in_time,
        survivorship_free=tables.survivorship_free,
    )
    names = [name for some in _kinds(tables).values() for one in some for name in one.files]
    remarks = [*notes.of_links(names), *notes.of_sentinels(market), *facts.pop("notes", ())]
    summary = {
        "read": tuple(_read(tables)),
        "matched": tuple(facts.pop("matched", ())),
        "assumed": tuple(_assumed(tables, found)),
        "set missing": tuple(facts.pop("removed", ())),
        "left out": (*notes.of_folders(names), *_unmapped(tables)),
    }
    return Records(stocks, market_table, known | facts, notes=tuple(remarks), summary=summary)


def _kinds(tables: Tables) -> dict[str, Sequence[Any]]:
    """Return the entries of every kind of table."""
    return {
        "stocks": (tables.stocks,),
        "market": tables.market,
        "reports": tables.reports,
        "sectors": tables.sectors,
        "members": tables.members,
    }


def _read(tables: Tables) -> Iterator[str]:
    """Yield how many files were read of each kind of table."""
    for kind, some in _kinds(tables).items():
        files = [str(file) for table in some for file in files_of(table.files)]
        if files:
            yield f"{kind}: {violations.count_of(len(files), 'file')} ({notes.few(files)})"


def _assumed(tables: Tables, found: ParsedTable) -> Iterator[str]:
    """Yield what the stocks' columns and the reports' dates are taken for."""
    rows, own = tables.stocks, found.names.get("size", "size")
    if is_size_proxy(found):
        yield (
            f"size is the column {own!r}, traded value and no market value: it has no ratios to it"
        )
    elif "size" not in found.frame and {"close", "shares"} <= set(found.frame):
        yield "size is close x shares / 1000: both as they were on the day, neither adjusted later"
    if "return" not in found.frame:
        yield "return is made of the closes of consecutive months, adjusted for splits"
    else:
        yield f"return is written as {rows.return_unit} (ingest.tables.stocks.return_unit)"
    for report in tables.reports:
        yield (
            f"{', '.join(report.files)}: amounts in units of {report.unit:,}; published "
            f"{report.lag} days after period_end where it does not say when"
        )


def _unmapped(tables: Tables) -> Iterator[str]:
    """Yield the columns that params.yaml leaves out."""
    for some in _kinds(tables).values():
        for table in some:
            names = [own for own, here in table.columns.items() if not here]
            if names:
                yield f"{', '.join(table.files)}: the columns {notes.few(names)}"


def _files(tables: Tables) -> dict[str, Path]:
    """Return every file by the name that its copy has: its kind, numbered where there are more."""
    named: dict[str, Path] = {}
    for kind, some in _kinds(tables).items():
        files = [file for table in some for file in files_of(table.files)]
        for number, file in enumerate(files, start=1):
            counted = f"_{number}_{file.name}" if len(files) > 1 else suffix_of(file)
            named[f"{kind}{counted}"] = file
    return named


def _keep(files: Mapping[str, Path], raw: Path) -> dict[str, str]:
    """Copy the files unless they are too large together, and return their digests."""
    missing = [str(path) for path in files.values() if not path.is_file()]
    if missing:
        raise SourceError(f"{', '.join(missing)} went away while it was read: bring it back")
    if sum(path.stat().st_size for path in files.values()) > COPIED:
        return {name: sha256_of(path) for name, path in files.items()}
    for name, path in files.items():
        with atomic_write(raw / name) as scratch:
            shutil.copyfile(path, scratch)
    return {name: sha256_of(raw / name) for name in files}


def _beside(tables: Tables, faults: Faults) -> _Beside:
    """Return the rows of the tables beside the stocks, without those that have faults."""
    beside = _Beside([], [], [])
    kinds: tuple[tuple[Kind, Sequence[Table], list[pd.DataFrame]], ...] = (
        ("sectors", tables.sectors, beside.sectors),
        ("members", tables.members, beside.members),
    )
    for kind, specs, frames in kinds:
        for table in specs:
            with faults.collected():
                rows = read(table, cells_of(kind))
                violated = broken_rules(table_of(kind), rows)
                faults.violations += violated
                if not violated:
                    frames.append(rows.frame)
    for spec in tables.reports:
        with faults.collected():
            frame, violated = fundamentals_read.read(spec)
            faults.violations += violated
            beside.reports.append(frame)
    return beside


def _stocks(
    tables: Tables, beside: _Beside, last: pd.Timestamp | None, joining: bool
) -> tuple[ParsedTable, Unit, dict[str, Any], list[Violation]]:
    """Return the stocks' months with what can be made of all tables, their unit and facts.

    Nothing of the tables beside is joined where one of them breaks rules.
    """
    rows = tables.stocks
    if rows.rows == "dated" or rows.layout == "wide":
        found = _traded(daily.monthly(rows, last))
        unit: Unit = "fraction"
    else:
        found, unit = _traded(read(rows, cells_of("stocks"))), rows.return_unit
        if last is not None:
            found = _cut(found, unit, last)
    # What is made of the columns is no part of the file's own table.
    frame = found.frame.copy(deep=False)
    if found.unread or not _keyed(frame):
        # Nothing is made of rows that cannot be told apart; `schema.check` says which these are.
        return _filled(found, tables), unit, {}, []

    made = "return" not in frame and "close" in frame
    if made:
        frame["return"] = returns.returns_of(frame, frame["close"].to_numpy())
        unit = "fraction"
    facts: dict[str, Any] = {"returns_set_missing": 0}
    remarks = [*notes.of_damaged(found), *notes.of_sentinels(found)]
    if "return" in frame:
        scale = 100.0 if unit == "percent" else 1.0
        # The default removes nothing: what is below a loss of all breaks a rule.
        smallest = rows.smallest_return * scale if rows.smallest_return > -1 else -np.inf
        errors = returns.price_errors(
            frame,
            frame["return"].to_numpy(),
            smallest=smallest,
            largest=rows.largest_return * scale,
            from_closes=made,
        )
        facts["removed"] = list(notes.of_removals(frame, errors, scale))
        frame["return"] = frame["return"].mask(errors)
        remarks += notes.of_losses(frame, scale)
        facts["returns_set_missing"] = int(errors.sum())
    if "size" not in frame and {"close", "shares"} <= set(frame):
        frame["size"] = frame["close"] * frame["shares"] / 1000
    if not joining:
        return _filled(found.with_frame(frame), tables), unit, facts, []
    facts |= {"notes": remarks, "matched": _matches(frame, beside)}
    frame["sector"] = returns.sectors_of(frame, beside.sectors)
    if tables.reports:
        facts["reports"] = fundamentals.matches(frame, beside.reports)
        frame = fundamentals.join(frame, beside.reports, tables.reports, not is_size_proxy(found))
    broken = []
    if "size" not in frame:
        broken.append(_no_size(found))
        frame["size"] = 1.0
    can = membership.eligible(frame, beside.members, rows.eligible)
    if can is not None:
        frame["eligible"] = can
    return found.with_frame(frame), unit, facts, broken


def _matches(frame: pd.DataFrame, beside: _Beside) -> list[str]:
    """Return the notes on how many stocks the tables beside them know."""
    stocks = pd.Series(frame["stock"].unique())
    remarks = []
    kinds = {"sectors": beside.sectors, "members": beside.members, "reports": beside.reports}
    for kind, frames in kinds.items():
        for other in frames:
            codes = pd.Index(other["stock"].dropna().unique())
            places, capitals = pd.Index(stocks).get_indexer(codes), False
            if kind == "reports":
                places, capitals = fundamentals_read.match(pd.Index(stocks), codes)
            how = ", in capital letters" if capitals else ""
            remarks.append(notes.of_codes(kind, codes.to_series(), stocks, places, how))
    return remarks


def is_size_proxy(found: ParsedTable) -> bool:
    """Return whether `size` is traded value or volume that stands in for the market value."""
    own = found.names.get("size", "size").lower()
    return "volume" in own or "turnover" in own


def _traded(found: ParsedTable) -> ParsedTable:
    """Return rows whose size is missing where it is traded value and nothing was traded."""
    if "size" not in found.frame or not is_size_proxy(found):
        return found
    size = found.frame["size"]
    frame = found.frame.assign(size=size.mask(size == 0))
    return found.with_frame(frame)


def _keyed(frame: pd.DataFrame) -> bool:
    """Return whether month and stock are there in every row and no two rows have the same."""
    keys = ["month", "stock"]
    return (
        set(keys) <= set(frame)
        and bool(frame[keys].notna().all(axis=None))
        and not frame.duplicated(keys).any()
    )


def _cut(found: ParsedTable, unit: Unit, last: pd.Timestamp) -> ParsedTable:
    """Return the rows up to a month, after a look at all of them, whose numbers are the file's."""
    if "month" not in found.frame:
        return found
    broken = broken_rules(table_of("stocks", unit), found)
    later = (found.frame["month"] > last).to_numpy()
    if not later.any():
        return found
    # Columns that are not there may still be made; the others are looked for again.
    violations.raise_if_any([one for one in broken if one.rule != "columns"])
    return found.with_frame(found.frame[~later].reset_index(drop=True))


def _filled(found: ParsedTable, tables: Tables) -> ParsedTable:
    """Return rows that break rules with columns that would have been made of them.

    That they are absent would be no fault of the file's.
    """
    there = set(found.frame)
    made = {}
    if "return" not in there and "close" in there:
        made["return"] = 1.0
    if "size" not in there and ({"close", "shares"} <= there or tables.reports):
        made["size"] = 1.0
    return found.with_frame(found.frame.assign(**made))


def _no_size(found: ParsedTable) -> Violation:
    own = [found.names.get(name, name) for name in found.frame]
    return Violation(
        file=found.file,
        column="",
        rule="columns",
        found=f"'size' missing, and nothing to make it of; the file has {own}",
        rows=(),
        count=0,
        remedy="add the market value in thousands, or the shares outstanding as `shares` beside "
        "`close`, or reports with either; or map what orders stocks by size, such as their "
        "traded value, to it: {dollar_volume: size}",
    )
