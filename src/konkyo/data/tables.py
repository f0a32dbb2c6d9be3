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
    bar_dates,
    daily,
    fundamentals,
    fundamentals_read,
    listing,
    market_series,
    membership,
    notes,
    plausibility,
    returns,
    schema,
    violations,
)
from konkyo.data.columns import Kind, Unit, cells_of, table_of
from konkyo.data.files import files_of, suffix_of, together
from konkyo.data.monthly_prices import IS_STALE
from konkyo.data.reader import ParsedTable, read
from konkyo.data.records import Records, facts_of
from konkyo.data.validate import broken as broken_rules
from konkyo.data.violations import Violation
from konkyo.errors import RecordsError, SourceError
from konkyo.io import atomic_write, sha256_of

_EVER = pd.Timestamp("1900-01-01")
"""Since when a stock has a sector that says no start."""

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
    files = _files(tables)
    for path in files.values():
        if path.resolve().is_relative_to(raw.resolve()):
            raise SourceError(
                f"{path} lies in {raw}, which this stage empties and writes: keep it in data/own"
            )
    market, broken = market_series.monthly(tables.market, last, tables.stocks.closed_months)
    beside, more = _beside(tables)
    broken += more
    try:
        found, unit, facts, more = _stocks(tables, beside, last, joining=not broken)
        broken += more
        stocks, market_table = schema.check(found, market, unit, portfolios)
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
    notes_on_reports = [
        note
        for spec, frame in zip(tables.reports, beside.reports, strict=True)
        for note in notes.of_sentinels(ParsedTable(together(files_of(spec.files)), frame))
    ]
    kinds = (tables.market, tables.reports, tables.sectors, tables.members)
    folders = [name for specs in ((tables.stocks,), *kinds) for one in specs for name in one.files]
    remarks = [
        *notes.of_folders(folders),
        *market.notes,
        *notes.of_sentinels(market),
        *plausibility.notes_on_series(market),
        *notes_on_reports,
        *facts.pop("notes", ()),
    ]
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
            if kind == "sectors":
                start = rows.frame.get("start", pd.Series(pd.NaT, rows.frame.index))
                rows = rows.with_frame(rows.frame.assign(start=start.fillna(_EVER)))
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
    unit: Unit = "fraction"
    if rows.rows == "dated" or rows.layout == "wide":
        found = _traded(daily.monthly(rows, last))
    else:
        unit = rows.return_unit
        found = _traded(bar_dates.by_month(read(rows, cells_of("stocks")), rows.bar_date))
        if last is not None:
            found = _cut(found, unit, last)
    # What is made of the columns is no part of the file's own table.
    frame = found.frame.copy(deep=False)
    if found.unread or not _keyed(frame):
        # Nothing is made of rows that cannot be told apart; `schema.check` says which these are.
        return _filled(found, tables), unit, {}, []

    price = "close_adjusted" if "close_adjusted" in frame else "close"
    made = "return" not in frame and price in frame
    broken: list[Violation] = []
    if price in frame:
        own = found.names.get(price, price)
        broken += listing.violation_of_revived(found.file, own, listing.revived(frame, price))
    frame = listing.carry_closed(frame, rows.closed_months)
    if made:
        frame["return"] = returns.returns_of(frame, frame[price].to_numpy())
        unit = "fraction"
    facts: dict[str, Any] = {"returns_set_missing": 0}
    remarks = [*found.notes, *notes.of_damaged(found), *notes.of_sentinels(found)]
    scale = 100.0 if unit == "percent" else 1.0
    if "return" in frame:
        # The default removes nothing: what is below a loss of all breaks a rule.
        smallest = rows.smallest_return * scale if rows.smallest_return > -1 else -np.inf
        errors = returns.price_errors(
            frame,
            frame["return"].to_numpy(),
            smallest=smallest,
            largest=rows.largest_return * scale,
            from_closes=made,
            total=-scale,
        )
        remarks += notes.of_removals(frame, errors, scale)
        frame["return"] = frame["return"].mask(errors)
        remarks += [*notes.of_losses(frame, scale), *plausibility.notes_on_returns(frame, scale)]
        facts["returns_set_missing"] = int(errors.sum())
    sized = "size" not in frame and {"close", "shares"} <= set(frame)
    if sized:
        frame["size"] = frame["close"] * frame["shares"] / 1000
    if not joining:
        return _filled(found.with_frame(frame), tables), unit, facts, broken
    remarks += plausibility.notes_on_twins(frame)
    matches = _matches(frame, beside)
    remarks += matches
    frame["sector"] = returns.sectors_of(frame, beside.sectors)
    if "spell" in frame:
        spell = frame["spell"].fillna(0).to_numpy().astype("int64")
    else:
        spell = listing.spells(frame)
        remarks += listing.note_of_firms(frame, spell)
    if tables.reports:
        facts["reports"] = fundamentals.matches(frame, beside.reports)
        frame = listing.join_reports(
            frame, spell, beside.reports, tables.reports, valued=not is_size_proxy(found)
        )
    if "size" not in frame:
        broken.append(_no_size(found))
        frame["size"] = 1.0
    valued = not is_size_proxy(found)
    remarks += plausibility.notes_on_prices(frame, made, sized, valued=valued)
    if "close" in frame:
        # What is worth nothing cannot be bought.
        frame["size"] = frame["size"].mask(frame["close"] == 0)
    candidates = frame.drop(columns=["close_adjusted", IS_STALE], errors="ignore")
    try:
        can = membership.eligible(candidates, beside.members, rows.eligible)
    except RecordsError as error:
        members = [note for note in matches if note.startswith("members")]
        raise RecordsError("; ".join([str(error), *members])) from None
    stale = frame[IS_STALE].to_numpy() if IS_STALE in frame else np.zeros(len(frame), dtype=bool)
    if can is not None:
        frame["eligible"] = can
    if stale.any():
        remarks += plausibility.notes_on_stale(frame[stale])
        frame["eligible"] = np.where(stale, 0.0, frame.get("eligible", 1.0))
    if spell.any():
        frame["spell"] = spell.astype("float64")
    if remarks:
        facts["notes"] = remarks
    # Adjusted prices know of later splits: beyond returns they are no use of.
    frame = frame.drop(columns=["close_adjusted", IS_STALE], errors="ignore")
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
    if "return" not in there and there & {"close", "close_adjusted"}:
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
