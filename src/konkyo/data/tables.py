"""Source `tables`: the user's own files of stocks, market series, reports, sectors and members."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo.config import Table, Tables
from konkyo.data import (
    bar_dates,
    daily,
    fundamental_notes,
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
from konkyo.data.parsed_table import ParsedTable
from konkyo.data.reader import read
from konkyo.data.records import Records, facts_of
from konkyo.data.rules import broken as broken_rules
from konkyo.data.rules import of_names
from konkyo.data.violations import Faults, Violation
from konkyo.dates import label
from konkyo.errors import ParamsError, RecordsError, SourceError
from konkyo.io import atomic_write, sha256_of

_EVER = pd.Timestamp("1900-01-01")
"""Since when a stock has a sector that says no start."""

COPIED = 1_000_000_000
"""Bytes of all files together up to which they are copied; beyond, their digests are kept alone."""


_TRADED = (
    "volume", "turnover", "traded", "trading", "amount", "liquidity", "売買", "出来高", "取引",
    "約定", "成交", "交易", "거래",
)  # fmt: skip
_TRADED_WORDS = {"vol", "adv", "va", "vo", "amt", "tv", "value_traded"}
"""Parts and whole words of names that vendors give to what was traded."""


@dataclass(frozen=True, eq=False)
class _Beside:
    """The tables beside the stocks and the market, read and checked."""

    sectors: list[pd.DataFrame]
    members: list[pd.DataFrame]
    reports: list[pd.DataFrame]
    notes: list[str]


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
    faults = Faults()
    market = found = None
    unit: Unit = tables.stocks.return_unit
    with faults.collected():
        market, more = market_series.monthly(tables.market, last, tables.stocks.closed_months)
        faults.violations += more
    beside = _beside(tables, faults)
    with faults.collected():
        found, unit, facts, more = _stocks(tables, beside, last, joining=not faults)
        faults.violations += more
    if first is not None and found is not None and market is not None:
        if "month" in found.frame and not (found.frame["month"] >= first).any():
            raise ParamsError(
                f"ingest.first_month = {label(first)!r} is after the last month of the stocks, "
                f"{label(found.frame['month'].max())}: set it earlier, or to oldest"
            )
        found = _cut(found, unit, first, later=False)
        market = market.with_frame(market.frame[market.frame["month"] >= first])
    sized = tables.stocks.size != "none"
    series = market if tables.market else None
    # Of tables none of which could be read nothing more is said.
    readable = series is not None and series.file and "month" in series.frame
    usable = series if readable else None
    rules = schema.violations_of(found, usable, unit, portfolios, sized=sized)
    faults.violations = [*rules, *faults.violations]
    faults.raise_if_any()
    assert found is not None and market is not None  # nosec B101 # tells mypy the type
    stocks, market_table = schema.normalise(
        found.frame, series.frame if series else None, unit, sized=sized
    )
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
    notes_on_reports = [
        note
        for spec, frame in zip(tables.reports, beside.reports, strict=True)
        for note in notes.of_sentinels(ParsedTable(together(files_of(spec.files)), frame))
    ]
    remarks = [
        *notes.of_links(names),
        *market.notes,
        *beside.notes,
        *notes.of_sentinels(market),
        *plausibility.notes_on_series(market),
        *notes_on_reports,
        *facts.pop("notes", ()),
    ]
    mark = "assumed: "
    assumed = [note.removeprefix(mark) for note in remarks if note.startswith(mark)]
    remarks = [note for note in remarks if not note.startswith(mark)]
    summary = {
        "read": tuple(_read(tables)),
        "matched": tuple(facts.pop("matched", ())),
        "assumed": (*_assumed(tables, found, facts.pop("made", set())), *assumed),
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


def _assumed(tables: Tables, found: ParsedTable, made: set[str]) -> Iterator[str]:
    """Yield what the stocks' columns and the reports' dates are taken for."""
    own = found.names.get("size", "size")
    if tables.stocks.size == "none":
        yield "size is none: the universe is every eligible stock"
    elif is_size_proxy(found):
        yield f"size is the column {own!r}, traded value: no ratio to the market value is made"
    elif "size" in made:
        yield "size is close x shares / 1000"
    elif "size" in found.frame:
        yield f"size is the column {own!r}, market value in thousands"
    if "return" in made:
        price = "close_adjusted" if "close_adjusted" in found.frame else "close"
        yield f"return is made of `{price}` of consecutive months"
    elif tables.stocks.rows == "monthly":
        unit = tables.stocks.return_unit
        yield f"return is written as {unit} (ingest.tables.stocks.return_unit)"
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
    beside = _Beside([], [], [], [])
    kinds: tuple[tuple[Kind, Sequence[Table], list[pd.DataFrame]], ...] = (
        ("sectors", tables.sectors, beside.sectors),
        ("members", tables.members, beside.members),
    )
    for kind, specs, frames in kinds:
        for table in specs:
            with faults.collected():
                rows = read(table, cells_of(kind))
                if kind == "sectors":
                    start = rows.frame.get("start", pd.Series(pd.NaT, rows.frame.index))
                    rows = rows.with_frame(rows.frame.assign(start=start.fillna(_EVER)))
                beside.notes.extend(rows.notes)
                violated = broken_rules(table_of(kind), rows)
                faults.violations += violated
                if not violated:
                    frames.append(rows.frame)
    for spec in tables.reports:
        with faults.collected():
            rows = read(spec, cells_of("reports"))
            frame, violated = fundamentals_read.check(rows)
            faults.violations += violated
            beside.reports.append(frame)
            beside.notes.extend(rows.notes)
            if not violated:
                beside.notes.extend(fundamental_notes.of_lengths(rows.file, frame))
                beside.notes.extend(fundamental_notes.of_amounts(rows.file, frame))
    return beside


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
            found = _cut(found, unit, last, later=True)
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
        facts["removed"] = list(notes.of_removals(frame, errors, scale))
        frame["return"] = frame["return"].mask(errors)
        remarks += [*notes.of_losses(frame, scale), *plausibility.notes_on_returns(frame, scale)]
        facts["returns_set_missing"] = int(errors.sum())
    sized = rows.size != "none"
    computed = sized and "size" not in frame and {"close", "shares"} <= set(frame)
    if computed:
        frame["size"] = frame["close"] * frame["shares"] / 1000
    if not joining:
        return _filled(found.with_frame(frame), tables), unit, facts, broken
    remarks += plausibility.notes_on_twins(frame)
    matches = _matches(frame, beside)
    derived = {name for name in ("return", "size") if name in frame and name not in found.frame}
    facts |= {"matched": matches, "made": derived}
    frame["sector"] = returns.sectors_of(frame, beside.sectors)
    if "spell" in frame:
        spell = frame["spell"].fillna(0).to_numpy().astype("int64")
    else:
        spell = listing.spells(frame)
        remarks += listing.note_of_firms(frame, spell)
    if tables.reports:
        facts["reports"] = fundamentals.matches(frame, beside.reports)
        valued = sized and not is_size_proxy(found)
        frame = fundamentals.join(frame, beside.reports, tables.reports, valued, spell)
        remarks += fundamental_notes.of_values(frame)
    if not sized:
        frame = frame.drop(columns="size", errors="ignore")
    elif "size" not in frame:
        broken.append(_no_size(found))
        frame["size"] = 1.0
    remarks += plausibility.notes_on_prices(frame, made, computed)
    worthless = frame["close"] == 0 if "close" in frame else pd.Series(False, frame.index)
    if sized:
        # What is worth nothing cannot be bought.
        frame["size"] = frame["size"].mask(worthless)
    candidates = frame.drop(columns=["close_adjusted", IS_STALE], errors="ignore")
    try:
        can = membership.eligible(candidates, beside.members, rows.eligible)
    except RecordsError as error:
        members = [note for note in matches if note.startswith("members")]
        raise RecordsError("; ".join([str(error), *members])) from None
    stale = frame[IS_STALE].to_numpy() if IS_STALE in frame else np.zeros(len(frame), dtype=bool)
    if can is not None:
        frame["eligible"] = can
    if not sized and worthless.any():
        frame["eligible"] = np.where(worthless, 0.0, frame.get("eligible", 1.0))
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
    words = re.split(r"[\W_]+", own)
    return any(part in own for part in _TRADED) or not _TRADED_WORDS.isdisjoint(words)


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
    if "return" not in there and there & {"close", "close_adjusted"}:
        made["return"] = 1.0
    sized = tables.stocks.size != "none"
    if sized and "size" not in there and ({"close", "shares"} <= there or tables.reports):
        made["size"] = 1.0
    return found.with_frame(found.frame.assign(**made))


def _no_size(found: ParsedTable) -> Violation:
    return of_names(
        found,
        "'size' missing, and nothing to make it of",
        "add the market value in thousands, or the shares outstanding as `shares` beside "
        "`close`, or reports with either; or map what orders stocks by size, such as their "
        "traded value, to it: {dollar_volume: size}; or set ingest.tables.stocks.size to none, "
        "for a universe of all eligible stocks",
    )
