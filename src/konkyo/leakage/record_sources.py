"""Where the records come from: loaded once unchanged, and again for every perturbation.

Of the user's own tables the raw rows are perturbed and written, for the source to read again: so
the audit covers the reading too, point-in-time joins, daily prices and membership.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo import data
from konkyo.config import Ingest, Reports, StockRows, Tables
from konkyo.data import daily, reader, stock_months, us_equities
from konkyo.data.columns import Kind, cells_of
from konkyo.dates import month_end, ordinal, parse
from konkyo.io import write_parquet
from konkyo.leakage.perturb import (
    KEYS,
    NEW_SECTOR,
    Perturbation,
    Table,
    perturb_table,
    redraw,
    row_order,
    time_of,
    to_table,
)

RecordTables = tuple[pd.DataFrame, pd.DataFrame]
"""Stocks and market series, as the stage ingest writes them."""

RawTables = dict[str, list[tuple[Any, pd.DataFrame]]]
"""Of each kind of table: each section of params.yaml with the rows of its files, typed and by this
project's names; date, stock and close of a wide layout."""

MAX_DAILY = 1e15
"""The extreme price or volume of a day: their products are summed in fixed point."""

_SHARE_REVISED = 0.3


@dataclass(frozen=True, eq=False)
class OwnTables:
    """The user's own tables: their raw rows are perturbed, and the source reads them again."""

    ingest: Ingest
    n_quantiles: int
    records: RecordTables
    raw: RawTables

    def perturb(
        self, t: int, perturbation: Perturbation, rng: np.random.Generator, scratch: Path
    ) -> RecordTables:
        """Write the perturbed tables and load them."""
        shutil.rmtree(scratch / "own", ignore_errors=True)
        last = int(ordinal(self.records[0]["month"]).max())
        tables = write(
            self.ingest.tables, self.raw, t, perturbation, rng=rng, last=last,
            folder=scratch / "own",
        )  # fmt: skip
        ingest = replace(self.ingest, tables=tables, last_month="newest")
        loaded = data.load(ingest, scratch / "raw", self.n_quantiles)
        return loaded.stocks, loaded.market


@dataclass(frozen=True, eq=False)
class BuiltRecords:
    """Records of a source without raw tables: they are perturbed themselves.

    Attributes
    ----------
    records : RecordTables
        As the stage ingest writes them.
    unlagged : RecordTables
        Records of `us-equities` before their values move to the months at whose ends they were
        available; otherwise the same.
    lagged : bool
        Whether they have to move.
    """

    records: RecordTables
    unlagged: RecordTables
    lagged: bool

    def perturb(
        self, t: int, perturbation: Perturbation, rng: np.random.Generator, scratch: Path
    ) -> RecordTables:
        """Perturb the rows, then move their values to the months of their availability."""
        stocks, market = self.unlagged
        last = int(ordinal(stocks["month"]).max())
        perturbed = []
        for frame, keys in ((stocks, ["month", "stock"]), (market, ["month"])):
            rows, _ = perturb_table(to_table(frame), t, perturbation, rng=rng, last=last)
            rows["month"] = rows["month"].astype(frame["month"].dtype)
            perturbed.append(rows.sort_values(keys, ignore_index=True))
        stocks, market = perturbed
        return (us_equities.to_point_in_time(stocks) if self.lagged else stocks), market


RecordSource = OwnTables | BuiltRecords
"""A source whose records can be perturbed after a month, counted from 1970-01."""


def record_source(ingest: Ingest, raw: Path, n_quantiles: int) -> RecordSource:
    """Load the records of params.yaml, with what is needed to perturb them.

    Parameters
    ----------
    ingest : Ingest
        The section of params.yaml.
    raw : Path
        A scratch folder for the raw files.
    n_quantiles : int
        The least number of stocks of a month.

    Raises
    ------
    SourceError, RecordsError, ParamsError
        As `konkyo.data.load`.
    """
    if ingest.source == "us-equities":
        stocks, market = us_equities.read_checked(raw, n_quantiles)
        if ingest.last_month != "newest":
            last = parse(ingest.last_month)
            stocks, market = (
                table[table["month"] <= last].reset_index(drop=True) for table in (stocks, market)
            )
        records = (us_equities.to_point_in_time(stocks), market)
        return BuiltRecords(records=records, unlagged=(stocks, market), lagged=True)
    loaded = data.load(ingest, raw, n_quantiles)
    records = (loaded.stocks, loaded.market)
    if ingest.source == "tables":
        raw_tables = read(ingest.tables)
        return OwnTables(ingest=ingest, n_quantiles=n_quantiles, records=records, raw=raw_tables)
    return BuiltRecords(records=records, unlagged=records, lagged=False)


def read(tables: Tables) -> RawTables:
    """Read every file once; the source has loaded them before, so that they are valid."""
    beside: tuple[Kind, ...] = ("market", "reports", "sectors", "members")
    raw: RawTables = {
        name: [(spec, reader.read(spec, cells_of(name)).frame) for spec in getattr(tables, name)]
        for name in beside
    }
    stocks = tables.stocks
    if stocks.rows == "monthly":
        table = stock_months.read_monthly(stocks)
    else:
        spec = replace(stocks, columns=daily.split_columns(stocks)[0])
        table = reader.read(spec, cells_of("prices"), wide=stocks.layout == "wide")
    frame = stock_months.as_fractions(table, stocks).frame
    return raw | {"stocks": [(stocks, frame)]}


def write(
    tables: Tables,
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
    tables, raw : Tables, RawTables
        The original section, and what `read` returns of it.
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
    spec, rows = raw["stocks"][0]
    stocks = replace(
        to_table(rows),
        dated=spec.rows == "dated",
        largest=MAX_DAILY if spec.rows == "dated" else 1e30,
    )
    frame, new_codes = perturb_table(stocks, t, perturbation, rng=rng, last=last)
    if spec.layout == "wide":
        time = time_of(frame)
        order = frame[time].drop_duplicates()
        frame = frame.set_index([time, "stock"])["close"].unstack().loc[order]  # noqa: PD010
        frame = frame.rename_axis(columns=None).reset_index()

    def series(rows: pd.DataFrame) -> pd.DataFrame:
        table = to_table(rows)
        table = replace(table, dated=bool(pd.Series(table.available).duplicated().any()))
        return perturb_table(table, t, perturbation, rng=rng, last=last)[0]

    frames = {
        "stocks": [frame],
        "market": [series(rows) for _, rows in raw["market"]],
        "reports": [perturb_reports(s, rows, t, perturbation, rng) for s, rows in raw["reports"]],
        # The new stocks' sector is new too.
        "sectors": [
            pd.concat([rows, pd.DataFrame({"stock": new_codes, "sector": NEW_SECTOR}, dtype="str")])
            for _, rows in raw["sectors"]
        ],
        "members": [
            perturb_members(rows, t, perturbation, rng=rng, new_codes=new_codes)
            for _, rows in raw["members"]
        ],
    }
    sections = {}
    for kind, perturbed in frames.items():
        specs = []
        for number, ((spec, _), rows) in enumerate(zip(raw[kind], perturbed, strict=True)):
            path = folder / f"{kind}_{number}.parquet"
            write_parquet(rows.reset_index(drop=True), path)
            changes: dict[str, Any] = {"files": (str(path),), "columns": {}}
            if isinstance(spec, StockRows):
                # A column that only the monthly rows of daily prices have is mapped afterwards.
                late = daily.split_columns(spec)[1]
                changes |= {"columns": late, "return_unit": "fraction"}
            specs.append(replace(spec, **changes))
        sections[kind] = tuple(specs)
    return replace(tables, **sections | {"stocks": sections["stocks"][0]})


def known_of(spec: Reports, frame: pd.DataFrame) -> np.ndarray:
    """Return the months at whose ends reports were known: of publication, or after the lag."""
    days = pd.Series(pd.NaT, index=frame.index, dtype="M8[us]")
    if "period_end" in frame:
        days = frame["period_end"] + pd.Timedelta(days=spec.lag)
    return ordinal(frame["published"].fillna(days) if "published" in frame else days)


def perturb_reports(
    spec: Reports, frame: pd.DataFrame, t: int, perturbation: Perturbation, rng: np.random.Generator
) -> pd.DataFrame:
    """Return reports, perturbed if they were published after t, whatever their fiscal period.

    These have other values and later dates, some are dropped, and some of the earlier reports are
    revised after t.
    """
    past = known_of(spec, frame) <= t
    if perturbation.months == 0:
        return frame[past].reset_index(drop=True)
    if "published" not in frame:
        frame = frame.assign(published=pd.Series(pd.NaT, index=frame.index, dtype="M8[us]"))
    future = frame[~past & (rng.random(len(frame)) >= perturbation.dropped)].reset_index(drop=True)
    later = future["published"] + _random_days(rng, 0, 40, len(future))
    future = future.assign(published=later)
    revised = frame[past & (rng.random(len(frame)) < _SHARE_REVISED)].reset_index(drop=True)
    days = month_end(t)[0] + _random_days(rng, 1, 90, len(revised))
    if "period_end" in revised:
        days = days.mask(revised["period_end"] > days, revised["period_end"])
    dates = days.astype(frame["published"].dtype)
    future = pd.concat([future, revised.assign(published=dates)], ignore_index=True)
    redrawn = redraw(Table(frame, past), future, perturbation, rng)
    rows = pd.concat([frame[past], redrawn], ignore_index=True)
    is_past = np.arange(len(rows)) < past.sum()
    # Two rows of one period and day would contradict each other: the original one stays.
    rows = rows[is_past | ~rows.duplicated([name for name in KEYS if name in rows])]
    order = row_order(int(past.sum()), len(rows) - int(past.sum()), rng)
    return rows.iloc[order].reset_index(drop=True)


def perturb_members(
    frame: pd.DataFrame,
    t: int,
    perturbation: Perturbation,
    *,
    rng: np.random.Generator,
    new_codes: Sequence[str],
) -> pd.DataFrame:
    """Return index memberships, perturbed if they begin or end after t; new stocks join after t."""
    begins = ordinal(frame["start"])
    if "end" in frame:
        ends = frame["end"]
        ends_after_t = ends.isna() | (ordinal(ends.fillna(pd.Timestamp(2199, 1, 1))) > t)
        changed = pd.Series(pd.NaT, index=frame.index, dtype="M8[us]")
        if perturbation.months:
            random_ends = month_end(t)[0] + _random_days(rng, 1, 300, len(frame))
            changed = changed.where(rng.random(len(frame)) < 0.5, random_ends.set_axis(frame.index))
        new_ends = changed.astype(ends.dtype)
        frame = frame.assign(end=ends.where(~ends_after_t | (begins > t), new_ends))
    keep = (begins <= t) | ((perturbation.months > 0) & (rng.random(len(frame)) >= 0.5))
    first = pd.Series(month_end(t).repeat(len(new_codes)) + pd.Timedelta(days=1))
    new_members = pd.DataFrame(
        {
            "stock": pd.Series(list(new_codes), dtype="str"),
            "start": first.astype(frame["start"].dtype),
        }
    )
    return pd.concat([frame[keep], new_members], ignore_index=True)


def _random_days(rng: np.random.Generator, low: int, high: int, count: int) -> pd.Series:
    return pd.Series(pd.to_timedelta(rng.integers(low, high, count), unit="D"))
