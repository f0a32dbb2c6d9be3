"""Source `tables`: the user's own files of stocks, market series, reports, sectors and members."""

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo.config import StockRows, Tables
from konkyo.data import (
    daily,
    fundamentals,
    fundamentals_read,
    market_series,
    notes,
    plausibility,
    schema,
    stocks,
)
from konkyo.data.columns import Kind, Unit, cells_of, table_of
from konkyo.data.conditions import eligible
from konkyo.data.files import files_of, suffix_of
from konkyo.data.monthly_prices import IS_STALE, STALE
from konkyo.data.parsing import ParsedTable
from konkyo.data.reader import read
from konkyo.data.records import Records, facts_of
from konkyo.data.rules import broken, of_names
from konkyo.data.violations import (
    LOOK_AT,
    Findings,
    Note,
    assumed,
    count_of,
    few,
    odd,
)
from konkyo.dates import label
from konkyo.errors import ParamsError, RecordsError, SourceError
from konkyo.io import atomic_write, sha256_of

_EVER = pd.Timestamp("1900-01-01")
"""Since when a stock has a sector that says no start."""

COPIED = 1_000_000_000
"""Bytes of all files together up to which they are copied; beyond, their digests are kept alone."""

QUIET = 0.5
"""Median size of a month's return in per cent below which it may be a fraction."""


_Beside = dict[Kind, list[pd.DataFrame]]
"""The tables beside the stocks and the market: sectors, members and reports."""


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
    findings, facts = Findings(), {"returns_set_missing": 0}
    market = rows = None
    unit: Unit = tables.stocks.return_unit
    with findings.collected():
        market = market_series.monthly(tables.market, last, findings, tables.stocks.closed_months)
    beside = _beside(tables, findings)
    with findings.collected():
        rows, unit = _stocks(tables, beside, last, findings, facts)
    if first is not None and rows is not None and market is not None:
        if "month" in rows.frame and not (rows.frame["month"] >= first).any():
            raise ParamsError(
                f"ingest.first_month = {label(first)!r} is after the last month of the stocks, "
                f"{label(rows.frame['month'].max())}: set it earlier, or to oldest"
            )
        rows = stocks.cut(rows, unit, first, later=False)
        market = market.with_frame(market.frame[market.frame["month"] >= first])
    sized = tables.stocks.size != "none"
    series = market if tables.market else None
    # Of tables none of which could be read nothing more is said.
    usable = series if series is not None and series.file else None
    findings.violations[:0] = schema.violations_of(rows, usable, unit, portfolios, sized=sized)
    findings.raise_if_any()
    assert rows is not None and market is not None  # nosec B101 # tells mypy the type
    stocks_table, market_table = schema.normalise(
        rows.frame, series.frame if series else None, unit, sized=sized
    )
    digests = _keep(_files(tables), raw)
    known = facts_of(
        stocks_table,
        digests,
        source="tables",
        licence="the user's own records, on terms known to the user",
        point_in_time=tables.point_in_time,
        survivorship_free=tables.survivorship_free,
    )
    sections = defaultdict(list)
    remarks = odd(*notes.of_sentinels(market)), plausibility.notes_on_series(market)
    for note in (*_of_files(tables), *(one for some in remarks for one in some), *findings.notes):
        sections[note.section].append(note.text)
    summary = {name: tuple(lines) for name, lines in sections.items()}
    return Records(
        stocks_table, market_table, known | facts, notes=summary.pop(LOOK_AT, ()), summary=summary
    )


def _kinds(tables: Tables) -> dict[str, Sequence[Any]]:
    """Return the entries of every kind of table."""
    kinds = ("market", "reports", "sectors", "members")
    return {"stocks": (tables.stocks,)} | {kind: getattr(tables, kind) for kind in kinds}


def _of_files(tables: Tables) -> Iterator[Note]:
    """Yield what was read of each kind of table, and files and columns that are left out."""
    entries = _kinds(tables)
    names = [name for some in entries.values() for one in some for name in one.files]
    yield from odd(*notes.of_links(names))
    yield from (Note("left out", line) for line in notes.of_folders(names))
    for kind, some in entries.items():
        files = [str(file) for table in some for file in files_of(table.files)]
        if files:
            yield Note("read", f"{kind}: {count_of(len(files), 'file')} ({few(files)})")
        for table in some:
            out = [own for own, here in table.columns.items() if not here]
            if out:
                yield Note("left out", f"{', '.join(table.files)}: the columns {few(out)}")
    for report in tables.reports:
        yield from assumed(
            f"{', '.join(report.files)}: amounts in units of {report.unit:,}; published "
            f"{report.lag} days after period_end where it does not say when"
        )


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
    for path in files.values():
        if path.resolve().is_relative_to(raw.resolve()):
            raise SourceError(
                f"{path} lies in {raw}, which this stage empties and writes: keep it in data/own"
            )
    missing = [str(path) for path in files.values() if not path.is_file()]
    if missing:
        raise SourceError(f"{', '.join(missing)} went away while it was read: bring it back")
    if sum(path.stat().st_size for path in files.values()) <= COPIED:
        for name, path in files.items():
            with atomic_write(raw / name) as scratch:
                shutil.copyfile(path, scratch)
        files = {name: raw / name for name in files}
    return {name: sha256_of(path) for name, path in files.items()}


def _beside(tables: Tables, findings: Findings) -> _Beside:
    """Return the rows of the tables beside the stocks, without those that have faults."""
    beside: _Beside = {"sectors": [], "members": [], "reports": []}
    for kind, frames in beside.items():
        for spec in getattr(tables, kind):
            with findings.collected():
                rows = read(spec, cells_of(kind))
                if kind == "sectors":
                    start = rows.frame.get("start", pd.Series(pd.NaT, rows.frame.index))
                    rows = rows.with_frame(rows.frame.assign(start=start.fillna(_EVER)))
                if kind == "reports":
                    frame, violated = fundamentals_read.check(rows)
                    rows = rows.with_frame(frame)
                else:
                    violated = broken(table_of(kind), rows)
                findings.notes += rows.notes
                findings.violations += violated
                if violated:
                    continue
                frames.append(rows.frame)
                if kind == "reports":
                    findings.notes += odd(
                        *plausibility.of_lengths(rows.file, frame),
                        *plausibility.of_amounts(rows.file, frame),
                        *notes.of_sentinels(rows),
                    )
    return beside


def _stocks(
    tables: Tables,
    beside: _Beside,
    last: pd.Timestamp | None,
    findings: Findings,
    facts: dict[str, Any],
) -> tuple[ParsedTable, Unit]:
    """Return the stocks' months with what can be made of all tables, and the unit of `return`.

    Nothing of the tables beside is joined where one of them breaks rules.
    """
    spec = tables.stocks
    unit: Unit = "fraction"
    if spec.rows == "dated" or spec.layout == "wide":
        rows = stocks.traded(daily.monthly(spec, last))
    else:
        unit = spec.return_unit
        rows = stocks.traded(market_series.by_month(read(spec, cells_of("stocks")), spec.bar_date))
        if last is not None:
            rows = stocks.cut(rows, unit, last, later=True)
    if rows.unread or not stocks.is_keyed(rows.frame):
        # Nothing is made of rows that cannot be told apart; `schema.check` says which these are.
        return stocks.filled(rows, spec, tables.reports), unit
    findings.notes += [*rows.notes, *odd(*notes.of_damaged(rows), *notes.of_sentinels(rows))]
    # What is made of the columns is no part of the file's own table.
    frame = rows.frame.copy(deep=False)
    price = "close_adjusted" if "close_adjusted" in frame else "close"
    if price in frame:
        revived = stocks.revived(frame, price)
        findings.violations += stocks.violation_of_revived(rows, price, revived)
    frame = stocks.carry_closed(frame, spec.closed_months)
    if "return" not in frame and price in frame:
        unit = "fraction"
    made = _add_returns(frame, spec, unit, price, findings, facts)
    computed = spec.size != "none" and "size" not in frame and {"close", "shares"} <= set(frame)
    if computed:
        frame["size"] = frame["close"] * frame["shares"] / 1000
    # Of a table beside that has faults nothing is joined: more would be missing than is.
    if findings:
        return stocks.filled(rows.with_frame(frame), spec, tables.reports), unit
    findings.notes += plausibility.notes_on_twins(frame)
    frame, spell = _join(tables, beside, rows, frame, findings, facts)
    findings.notes += plausibility.notes_on_prices(frame, made, computed)
    own = rows.names.get("size", "size")
    if spec.size == "none":
        findings.notes += assumed("size is none: the universe is every eligible stock")
    elif stocks.is_size_proxy(rows):
        findings.notes += assumed(
            f"size is the column {own!r}, traded value: no ratio to the market value is made"
        )
    elif computed:
        findings.notes += assumed("size is close x shares / 1000")
    elif "size" in rows.frame:
        findings.notes += assumed(f"size is the column {own!r}, market value in thousands")
    if "size" not in frame and spec.size != "none":
        remedy = (
            "add the market value in thousands, or the shares outstanding as `shares` beside "
            "`close`, or reports with either; or map what orders stocks by size, such as their "
            "traded value, to it: {dollar_volume: size}; or set ingest.tables.stocks.size to none, "
            "for a universe of all eligible stocks"
        )
        found = "'size' missing, and nothing to make it of"
        findings.violations.append(of_names(rows, found, remedy))
        frame["size"] = 1.0
    _add_eligible(tables, beside, frame, findings)
    if spell.any():
        frame["spell"] = spell.astype("float64")
    # Adjusted prices know of later splits: beyond returns they are no use of.
    return rows.with_frame(frame.drop(columns=["close_adjusted", IS_STALE], errors="ignore")), unit


def _add_returns(
    frame: pd.DataFrame,
    spec: StockRows,
    unit: Unit,
    price: str,
    findings: Findings,
    facts: dict[str, Any],
) -> bool:
    """Add returns made of prices where there are none, without errors; return whether they are."""
    made = "return" not in frame and price in frame
    if made:
        frame["return"] = stocks.returns_of(frame, frame[price].to_numpy())
        findings.notes += assumed(f"return is made of `{price}` of consecutive months")
    elif spec.rows == "monthly":
        findings.notes += assumed(
            f"return is written as {spec.return_unit} (ingest.tables.stocks.return_unit)"
        )
    if "return" not in frame:
        return made
    scale = 100.0 if unit == "percent" else 1.0
    errors = stocks.price_errors(
        frame,
        frame["return"].to_numpy(),
        # The default removes nothing: what is below a loss of all breaks a rule.
        smallest=spec.smallest_return * scale if spec.smallest_return > -1 else -np.inf,
        largest=spec.largest_return * scale,
        from_closes=made,
        total=-scale,
    )
    findings.notes += [
        Note("set missing", line) for line in notes.of_removals(frame[errors], scale)
    ]
    facts["returns_set_missing"] = int(errors.sum())
    frame["return"] = frame["return"].mask(errors)
    findings.notes += odd(*notes.of_losses(frame, scale))
    middle = schema.median_size(frame["return"])
    if unit == "percent" and middle < QUIET:
        findings.notes += assumed(
            f"returns are in per cent, with a median size of {middle:.3g} a month (stocks "
            "have 3 to 10); if they are fractions, set `return_unit: fraction`"
        )
    return made


def _join(
    tables: Tables,
    beside: _Beside,
    rows: ParsedTable,
    frame: pd.DataFrame,
    findings: Findings,
    facts: dict[str, Any],
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the months with sectors and what reports say, and which firm each row is about."""
    _match(frame, beside, findings, facts)
    frame["sector"] = stocks.sectors_of(frame, beside["sectors"])
    if "spell" in frame:
        spell = frame["spell"].fillna(0).to_numpy().astype("int64")
    else:
        spell = stocks.spells(frame)
        findings.notes += stocks.note_of_firms(frame, spell)
    if tables.reports:
        valued = tables.stocks.size != "none" and not stocks.is_size_proxy(rows)
        frame = fundamentals.join(frame, beside["reports"], tables.reports, valued, spell)
        findings.notes += odd(*plausibility.of_values(frame))
    if tables.stocks.size == "none":
        frame = frame.drop(columns="size", errors="ignore")
    return frame, spell


def _add_eligible(tables: Tables, beside: _Beside, frame: pd.DataFrame, findings: Findings) -> None:
    """Add who may be in the universe: members, by the condition, with a price that can be paid."""
    worthless = frame["close"] == 0 if "close" in frame else pd.Series(False, frame.index)
    if "size" in frame:
        # What is worth nothing cannot be bought.
        frame["size"] = frame["size"].mask(worthless)
        worthless = pd.Series(False, frame.index)
    candidates = frame.drop(columns=["close_adjusted", IS_STALE], errors="ignore")
    try:
        allowed = eligible(candidates, beside["members"], tables.stocks.eligible)
    except RecordsError as error:
        members = [note.text for note in findings.notes if note.text.startswith("members: ")]
        raise RecordsError("; ".join([str(error), *members])) from None
    stale = frame.get(IS_STALE, pd.Series(False, frame.index))
    if stale.any():
        findings.notes += odd(
            f"{count_of(int(stale.sum()), 'row')} whose last price is more than {STALE} days older "
            f"than the month's newest ({notes.places(frame[stale])}): not in the universe of that "
            "month"
        )
    barred = (worthless | stale).to_numpy()
    if allowed is not None:
        frame["eligible"] = allowed
    if barred.any():
        frame["eligible"] = np.where(barred, 0.0, frame.get("eligible", 1.0))


def _match(frame: pd.DataFrame, beside: _Beside, findings: Findings, facts: dict[str, Any]) -> None:
    """Note how many stocks the tables beside them know."""
    codes = pd.Index(frame["stock"].unique())
    for kind, frames in beside.items():
        for other in frames:
            own = pd.Index(other["stock"].dropna().unique())
            places, capitals = codes.get_indexer(own), False
            if kind == "reports":
                places, capitals = fundamentals_read.match(codes, own)
                matched = int((places >= 0).sum())
                how = "in capital letters" if capitals else "as written"
                facts.setdefault("reports", []).append(
                    {"matched": matched, "unmatched": len(own) - matched, "codes": how}
                )
            how = ", in capital letters" if capitals else ""
            line = notes.of_codes(kind, own.to_series(), codes.to_series(), places, how)
            findings.notes.append(Note("matched", line))
