"""Source `tables`: the user's own files of stocks, market series, reports, sectors and members."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo.config import Tables
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
from konkyo.data.violations import Violation
from konkyo.dates import label
from konkyo.errors import ParamsError, RecordsError, SourceError
from konkyo.io import atomic_write, sha256_of

COPIED = 1_000_000_000
"""Bytes of all files together up to which they are copied; beyond, their digests are kept alone."""


@dataclass(frozen=True, eq=False)
class _Beside:
    """The tables beside the stocks and the market, read and checked."""

    sectors: list[pd.DataFrame]
    members: list[pd.DataFrame]
    reports: list[pd.DataFrame]


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
    files = _files(tables)
    for path in files.values():
        if path.resolve().is_relative_to(raw.resolve()):
            raise SourceError(
                f"{path} lies in {raw}, which this stage empties and writes: keep it in data/own"
            )
    sized = tables.stocks.size != "none"
    market, broken = market_series.monthly(tables.market, last)
    beside, more = _beside(tables)
    broken += more
    try:
        found, unit, facts, more = _stocks(tables, beside, last, joining=not broken)
        broken += more
        if first is not None:
            if "month" in found.frame and not (found.frame["month"] >= first).any():
                raise ParamsError(
                    f"ingest.first_month = {label(first)!r} is after the last month of the stocks, "
                    f"{label(found.frame['month'].max())}: set it earlier, or to oldest"
                )
            found = _cut(found, unit, first, later=False)
            market = market.with_frame(market.frame[market.frame["month"] >= first])
        series = market if tables.market else None
        stocks, market_table = schema.check(found, series, unit, portfolios, sized=sized)
    except RecordsError as error:
        # What is wrong with the tables beside belongs into the same report.
        if broken and error.violations:
            violations.raise_if_any([*error.violations, *broken])
        raise
    violations.raise_if_any(broken)
    digests = _keep(files, raw)
    known = facts_of(
        stocks,
        digests,
        source="tables",
        licence="the user's own records, on terms known to the user",
        point_in_time=tables.point_in_time,
        survivorship_free=tables.survivorship_free,
    )
    kinds = (tables.market, tables.reports, tables.sectors, tables.members)
    folders = [name for specs in ((tables.stocks,), *kinds) for one in specs for name in one.files]
    remarks = [*notes.of_folders(folders), *notes.of_sentinels(market), *facts.pop("notes", ())]
    return Records(stocks, market_table, known | facts, notes=tuple(remarks))


def _files(tables: Tables) -> dict[str, Path]:
    """Return every file by the name that its copy has: its kind, numbered where there are more."""
    named: dict[str, Path] = {}
    kinds: Mapping[str, Sequence[Any]] = {
        "stocks": (tables.stocks,),
        "market": tables.market,
        "reports": tables.reports,
        "sectors": tables.sectors,
        "members": tables.members,
    }
    for kind, some in kinds.items():
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


def _beside(tables: Tables) -> tuple[_Beside, list[Violation]]:
    frames: dict[Kind, list[pd.DataFrame]] = {"sectors": [], "members": []}
    broken: list[Violation] = []
    kinds: tuple[Kind, ...] = ("sectors", "members")
    for kind in kinds:
        for table in tables.sectors if kind == "sectors" else tables.members:
            rows = read(table, cells_of(kind))
            violated = broken_rules(table_of(kind), rows)
            broken += violated
            if not violated:
                frames[kind].append(rows.frame)
    statements = []
    for spec in tables.reports:
        frame, found = fundamentals_read.read(spec)
        broken += found
        statements.append(frame)
    return _Beside(frames["sectors"], frames["members"], statements), broken


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
            found = _cut(found, unit, last, later=True)
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
        remarks += notes.of_removals(frame, errors, scale)
        frame["return"] = frame["return"].mask(errors)
        remarks += notes.of_losses(frame, scale)
        facts["returns_set_missing"] = int(errors.sum())
    sized = rows.size != "none"
    if sized and "size" not in frame and {"close", "shares"} <= set(frame):
        frame["size"] = frame["close"] * frame["shares"] / 1000
    if not joining:
        return _filled(found.with_frame(frame), tables), unit, facts, []
    remarks += _matches(frame, beside)
    if remarks:
        facts["notes"] = remarks
    frame["sector"] = returns.sectors_of(frame, beside.sectors)
    if tables.reports:
        facts["reports"] = fundamentals.matches(frame, beside.reports)
        valued = sized and not is_size_proxy(found)
        frame = fundamentals.join(frame, beside.reports, tables.reports, valued)
    broken = []
    if not sized:
        frame = frame.drop(columns="size", errors="ignore")
    elif "size" not in frame:
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


def _cut(found: ParsedTable, unit: Unit, month: pd.Timestamp, *, later: bool) -> ParsedTable:
    """Return the rows without those later, or earlier, than a month.

    All of them are looked at before, since violations number the file's rows.
    """
    if "month" not in found.frame:
        return found
    broken = broken_rules(table_of("stocks", unit), found)
    months = found.frame["month"]
    outside = (months > month if later else months < month).to_numpy()
    if not outside.any():
        return found
    # Columns that are not there may still be made; the others are looked for again.
    violations.raise_if_any([one for one in broken if one.rule != "columns"])
    return found.with_frame(found.frame[~outside].reset_index(drop=True))


def _filled(found: ParsedTable, tables: Tables) -> ParsedTable:
    """Return rows that break rules with columns that would have been made of them.

    That they are absent would be no fault of the file's.
    """
    there = set(found.frame)
    made = {}
    if "return" not in there and "close" in there:
        made["return"] = 1.0
    sized = tables.stocks.size != "none"
    if sized and "size" not in there and ({"close", "shares"} <= there or tables.reports):
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
        "traded value, to it: {dollar_volume: size}; or set ingest.tables.stocks.size to none, "
        "for a universe of all eligible stocks",
    )
