"""Perturbed copies of the user's own files, for the source to read again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.config import Reports, StockRows, Tables
from konkyo.config import Table as Spec
from konkyo.data import engine, reader, scan
from konkyo.data.columns import Kind, cells_of
from konkyo.data.daily import cell_of_month, split_columns
from konkyo.dates import month_end, ordinal
from konkyo.io import write_parquet
from konkyo.leakage import perturb
from konkyo.leakage.perturb import Perturbation

MAX_DAILY = 1e15
"""The extreme price or volume of a day: their products are summed in fixed point."""

_SHARE_REVISED = 0.3
_KEYS = ("stock", "months", "period_end", "published", "forecast_end")


@dataclass(frozen=True, eq=False)
class RawTable:
    """The rows of one kind of table, of all its files.

    Attributes
    ----------
    spec : StockRows, Spec or Reports
        The section of params.yaml.
    frame : DataFrame
        The columns that are used, typed, by this project's names; date, stock and close of a wide
        layout.
    names : mapping of str to str
        This project's names of the columns, by their names in `frame`.
    """

    spec: StockRows | Spec | Reports
    frame: pd.DataFrame
    names: Mapping[str, str]

    def column(self, name: str) -> str | None:
        """Return the name in `frame` of one of this project's columns, None if it is missing."""
        return next((column for column, its_name in self.names.items() if its_name == name), None)


@dataclass(frozen=True, eq=False)
class RawTables:
    """All raw tables of the user, and the section of params.yaml that reads them."""

    tables: Tables
    stocks: RawTable
    market: tuple[RawTable, ...]
    reports: tuple[RawTable, ...]
    sectors: tuple[RawTable, ...]
    members: tuple[RawTable, ...]


def read(tables: Tables) -> RawTables:
    """Read every file once; the source has loaded them before, so that they are valid."""
    kinds: tuple[Kind, ...] = ("market", "reports", "sectors", "members")
    market, reports, sectors, members = (
        tuple(_read(spec, kind) for spec in getattr(tables, kind)) for kind in kinds
    )
    return RawTables(
        tables=tables,
        stocks=_read_stocks(tables.stocks),
        market=market,
        reports=reports,
        sectors=sectors,
        members=members,
    )


def write(
    raw: RawTables,
    t: int,
    perturbation: Perturbation,
    *,
    rng: np.random.Generator,
    last: int,
    folder: Path,
) -> Tables:
    """Write all tables perturbed after month t; return the section of params.yaml that reads them.

    Parameters
    ----------
    raw : RawTables
        The original tables.
    t : int
        The decision month, counted from 1970-01.
    perturbation : Perturbation
        The changes after t.
    rng : Generator
        Draws rows, stocks and values.
    last : int
        The last month of rows that may be used; with `t` the tables are continued by copies.
    folder : Path
        Folder of the files.
    """

    def rows_of(table: perturb.Table) -> tuple[pd.DataFrame, list[str]]:
        return perturb.perturb_table(table, t, perturbation, rng=rng, last=last)

    frame, new_codes = rows_of(_stocks(raw.stocks))
    stocks = _write(raw.stocks, _to_layout(raw.stocks, frame), folder / "stocks.parquet")
    frames = {
        "market": [rows_of(_market(table))[0] for table in raw.market],
        "reports": [perturb_reports(table, t, perturbation, rng) for table in raw.reports],
        "sectors": [_add_sectors(table, new_codes) for table in raw.sectors],
        "members": [
            perturb_members(table, t, perturbation, rng=rng, new_codes=new_codes)
            for table in raw.members
        ],
    }
    sections = {
        kind: tuple(
            _write(table, rows, folder / f"{kind}_{number}.parquet")
            for number, (table, rows) in enumerate(zip(getattr(raw, kind), perturbed, strict=True))
        )
        for kind, perturbed in frames.items()
    }
    return replace(raw.tables, stocks=stocks, **sections)  # type: ignore[arg-type]


def perturb_reports(
    raw: RawTable, t: int, perturbation: Perturbation, rng: np.random.Generator
) -> pd.DataFrame:
    """Return reports, perturbed if they were published after t, whatever their fiscal period.

    These have other values and later dates, some are dropped, and some of the earlier reports are
    revised after t.
    """
    table = _reports(raw)
    past = table.available <= t
    if perturbation.months == 0:
        return table.frame[past].reset_index(drop=True)
    frame, (published, period) = table.frame, (raw.column("published"), raw.column("period_end"))
    if published is None and "published" not in frame:
        published = "published"
        frame = frame.assign(published=pd.Series(pd.NaT, index=frame.index, dtype="M8[us]"))
    future = frame[~past & (rng.random(len(frame)) >= perturbation.dropped)].reset_index(drop=True)
    if published is not None:
        has_date = future[published].notna()
        later = future[published] + _random_days(rng, 0, 40, len(future))
        future = future.assign(**{published: future[published].where(~has_date, later)})
        revised = frame[past & (rng.random(len(frame)) < _SHARE_REVISED)].reset_index(drop=True)
        days = month_end(t)[0] + _random_days(rng, 1, 90, len(revised))
        if period is not None:
            days = days.mask(revised[period] > days, revised[period])
        dates = days.astype(frame[published].dtype)
        future = pd.concat([future, revised.assign(**{published: dates})], ignore_index=True)
    redrawn = replace(table, frame=frame).redraw(future, perturbation, rng)
    rows = pd.concat([frame[past], redrawn], ignore_index=True)
    keys = [name for name in map(raw.column, _KEYS) if name is not None]
    if published is not None and published not in keys:
        keys.append(published)
    is_past = np.arange(len(rows)) < past.sum()
    # Two rows of one period and day would contradict each other: the original one stays.
    rows = rows[is_past | ~rows.duplicated(keys)]
    order = perturb.row_order(int(past.sum()), len(rows) - int(past.sum()), rng)
    return rows.iloc[order].reset_index(drop=True)


def perturb_members(
    raw: RawTable,
    t: int,
    perturbation: Perturbation,
    *,
    rng: np.random.Generator,
    new_codes: Sequence[str],
) -> pd.DataFrame:
    """Return index memberships, perturbed if they begin or end after t; new stocks join after t."""
    start, end, stock = raw.column("start"), raw.column("end"), raw.column("stock")
    assert start is not None and stock is not None  # nosec B101 # tells mypy the type
    frame = raw.frame
    begins = ordinal(frame[start])
    if end is not None:
        ends = frame[end]
        ends_after_t = ends.isna() | (ordinal(ends.fillna(pd.Timestamp(2199, 1, 1))) > t)
        changed = pd.Series(pd.NaT, index=frame.index, dtype="M8[us]")
        if perturbation.months:
            random_ends = month_end(t)[0] + _random_days(rng, 1, 300, len(frame))
            changed = changed.where(rng.random(len(frame)) < 0.5, random_ends.set_axis(frame.index))
        new_ends = changed.astype(frame[end].dtype)
        frame = frame.assign(**{end: frame[end].where(~ends_after_t | (begins > t), new_ends)})
    keep = (begins <= t) | ((perturbation.months > 0) & (rng.random(len(frame)) >= 0.5))
    first = pd.Series(month_end(t).repeat(len(new_codes)) + pd.Timedelta(days=1))
    new_members = pd.DataFrame(
        {stock: pd.Series(list(new_codes), dtype="str"), start: first.astype(frame[start].dtype)}
    )
    return pd.concat([frame[keep], new_members], ignore_index=True)


def _read_stocks(spec: StockRows) -> RawTable:
    if spec.layout == "long":
        raw = _read(spec, "stocks" if spec.rows == "monthly" else "prices")
        return replace(raw, spec=spec)
    kinds = cell_of_month if spec.rows == "monthly" else cells_of("prices")
    with engine.engine(", ".join(spec.files), on_disk=False) as connection:
        connection.execute("SET preserve_insertion_order = true")
        rows = scan.scan(connection, spec, kinds, wide=True)
        frame = engine.to_pandas(connection.sql(rows.typed()).to_arrow_table())
    names = list(rows.columns)
    return RawTable(spec, frame.set_axis(names, axis=1), {name: name for name in names})


def _read(spec: StockRows | Spec | Reports, kind: Kind) -> RawTable:
    if isinstance(spec, StockRows):
        spec = replace(spec, columns=split_columns(spec)[0])
    frame = reader.read(spec, cells_of(kind)).frame
    return RawTable(spec, frame, {name: name for name in frame})


def _to_layout(raw: RawTable, frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows in the layout of their files."""
    if isinstance(raw.spec, StockRows) and raw.spec.layout == "wide":
        order = frame["date"].drop_duplicates()
        wide = frame.set_index(["date", "stock"])["close"].unstack().loc[order]  # noqa: PD010
        return wide.rename_axis(columns=None).reset_index()
    return frame


def _write(raw: RawTable, frame: pd.DataFrame, path: Path) -> StockRows | Spec | Reports:
    write_parquet(frame, path)
    # A column that only the monthly rows of daily prices have is mapped after aggregation.
    late = split_columns(raw.spec)[1] if isinstance(raw.spec, StockRows) else {}
    return replace(raw.spec, files=(str(path),), columns=late)


def _stocks(raw: RawTable) -> perturb.Table:
    assert isinstance(raw.spec, StockRows)  # nosec B101 # tells mypy the type
    dated = raw.spec.rows == "dated"
    percent = raw.spec.return_unit == "percent"
    largest = MAX_DAILY if dated else 1e30
    return perturb.to_table(raw.frame, raw.names, dated=dated, percent=percent, largest=largest)


def _market(raw: RawTable) -> perturb.Table:
    table = perturb.to_table(raw.frame, raw.names)
    return replace(table, dated=bool(pd.Series(table.available).duplicated().any()))


def _reports(raw: RawTable) -> perturb.Table:
    """Return reports with the month at whose end each was available: after publication or lag."""
    assert isinstance(raw.spec, Reports)  # nosec B101 # tells mypy the type
    days = pd.Series(pd.NaT, index=raw.frame.index, dtype="M8[us]")
    period, published = raw.column("period_end"), raw.column("published")
    if period is not None:
        days = raw.frame[period] + pd.Timedelta(days=raw.spec.lag)
    if published is not None:
        days = raw.frame[published].fillna(days)
    roles = {
        column: "positive" if name in ("shares", "size") else "number"
        for column, name in raw.names.items()
        if name not in _KEYS
    }
    return perturb.Table(raw.frame, ordinal(days), roles)  # type: ignore[arg-type]


def _add_sectors(raw: RawTable, new_codes: Sequence[str]) -> pd.DataFrame:
    """Return the sectors with those of the new stocks, whose sector is new too."""
    stock, sector = raw.column("stock"), raw.column("sector")
    assert stock is not None and sector is not None  # nosec B101 # tells mypy the type
    rows = pd.DataFrame(
        {stock: pd.Series(list(new_codes), dtype="str"), sector: perturb.NEW_SECTOR}
    )
    return pd.concat([raw.frame, rows], ignore_index=True)


def _random_days(rng: np.random.Generator, low: int, high: int, count: int) -> pd.Series:
    return pd.Series(pd.to_timedelta(rng.integers(low, high, count), unit="D"))
