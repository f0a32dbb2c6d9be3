"""The user's own tables in another world: their raw rows changed, for the source to read again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.config import Reports, StockRows, Tables
from konkyo.config import Table as Spec
from konkyo.data import reader
from konkyo.data.columns import Kind, cells_of
from konkyo.data.daily import cell_of_month, split_columns
from konkyo.dates import month_end, ordinal
from konkyo.io import write_parquet
from konkyo.leakage import perturb
from konkyo.leakage.perturb import Perturbation

LARGEST_DATED = 1e15
"""The extreme price or volume of a day: their product is summed in fixed point."""

_AGAIN = 0.3
_KEYS = ("stock", "months", "period_end", "published", "forecast_end")


@dataclass(frozen=True, eq=False)
class Raw:
    """The rows of one kind, all files together.

    Attributes
    ----------
    spec : StockRows, Spec or Reports
        How the files' columns are called.
    frame : DataFrame
        The columns that are used, typed, under this project's names.
    names : mapping of str to str
        Each of them under its own name.
    """

    spec: StockRows | Spec | Reports
    frame: pd.DataFrame
    names: Mapping[str, str]

    def own(self, here: str) -> str | None:
        """Return a column's name, None where the files have none."""
        return next((own for own, name in self.names.items() if name == here), None)


@dataclass(frozen=True, eq=False)
class RawTables:
    """Every raw table of the user's own."""

    tables: Tables
    stocks: Raw
    market: tuple[Raw, ...]
    reports: tuple[Raw, ...]
    sectors: tuple[Raw, ...]
    members: tuple[Raw, ...]


def read(tables: Tables) -> RawTables:
    """Read every file once; that its rows can be read is for the source to say, before."""
    kinds: tuple[Kind, ...] = ("market", "reports", "sectors", "members")
    stocks = _read_stocks(tables.stocks)
    return RawTables(
        tables, stocks, *(tuple(_read(spec, k) for spec in getattr(tables, k)) for k in kinds)
    )


def write(
    raw: RawTables, t: int, world: Perturbation, rng: np.random.Generator, last: int, folder: Path
) -> Tables:
    """Write every table as it is in another world.

    Parameters
    ----------
    raw : RawTables
        As they are in this one.
    t : int
        The decision month, counted from 1970-01.
    world : World
        What differs after it.
    rng : Generator
        Chooses rows, stocks and values.
    last : int
        The last month of rows that may be used; `t`: the tables go on with copies.
    folder : Path
        Receives the files.

    Returns
    -------
    Tables
        The section of params.yaml that reads them.
    """
    frame, new = perturb.perturb_table(_stocks(raw.stocks), t, world, rng, last)
    stocks = _write(raw.stocks, _as_it_was(raw.stocks, frame), folder / "stocks.parquet")
    frames = {
        "market": [perturb.perturb_table(_market(r), t, world, rng, last)[0] for r in raw.market],
        "reports": [reported(r, t, world, rng) for r in raw.reports],
        "sectors": [_placed(r, new) for r in raw.sectors],
        "members": [stays(r, t, world, rng, new) for r in raw.members],
    }
    written = {
        kind: tuple(
            _write(one, frame, folder / f"{kind}_{number}.parquet")
            for number, (one, frame) in enumerate(zip(getattr(raw, kind), made, strict=True))
        )
        for kind, made in frames.items()
    }
    return replace(raw.tables, stocks=stocks, **written)  # type: ignore[arg-type]


def reported(raw: Raw, t: int, world: Perturbation, rng: np.random.Generator) -> pd.DataFrame:
    """Return reports of which those known after a month differ, whatever period they are about.

    They have other values and come later, some do not come, and of some that were known a
    restatement follows.
    """
    table = _reports(raw)
    past = table.known <= t
    if world.months == 0:
        return table.frame[past].reset_index(drop=True)
    frame, (published, period) = table.frame, (raw.own("published"), raw.own("period_end"))
    if published is None and "published" not in frame:
        published = "published"
        frame = frame.assign(published=pd.Series(pd.NaT, index=frame.index, dtype="M8[us]"))
    ahead = frame[~past & (rng.random(len(frame)) >= world.lost)].reset_index(drop=True)
    if published is not None:
        told = ahead[published].notna()
        later = ahead[published] + _days(rng, 0, 40, len(ahead))
        ahead = ahead.assign(**{published: ahead[published].where(~told, later)})
        again = frame[past & (rng.random(len(frame)) < _AGAIN)].reset_index(drop=True)
        days = month_end(t)[0] + _days(rng, 1, 90, len(again))
        if period is not None:
            days = days.mask(again[period] > days, again[period])
        restated = days.astype(frame[published].dtype)
        ahead = pd.concat([ahead, again.assign(**{published: restated})], ignore_index=True)
    changed = replace(table, frame=frame).with_numbers(ahead, world, rng)
    whole = pd.concat([frame[past], changed], ignore_index=True)
    keys = [name for name in map(raw.own, _KEYS) if name is not None]
    if published is not None and published not in keys:
        keys.append(published)
    kept = np.arange(len(whole)) < past.sum()
    # Two rows of one period and day would contradict each other.
    whole = whole[kept | ~whole.duplicated(keys)]
    order = perturb.interleaved(int(past.sum()), len(whole) - int(past.sum()), rng)
    return whole.iloc[order].reset_index(drop=True)


def stays(
    raw: Raw, t: int, world: Perturbation, rng: np.random.Generator, new: Sequence[str]
) -> pd.DataFrame:
    """Return stays in the universe of which those that begin or end after a month differ."""
    start, end, stock = raw.own("start"), raw.own("end"), raw.own("stock")
    assert start is not None and stock is not None  # nosec B101 # tells mypy the type
    frame = raw.frame
    begins = ordinal(frame[start])
    if end is not None:
        ends = frame[end]
        after = ends.isna() | (ordinal(ends.fillna(pd.Timestamp(2199, 1, 1))) > t)
        changed = pd.Series(pd.NaT, index=frame.index, dtype="M8[us]")
        if world.months:
            soon = month_end(t)[0] + _days(rng, 1, 300, len(frame))
            changed = changed.where(rng.random(len(frame)) < 0.5, soon.set_axis(frame.index))
        changed = changed.astype(frame[end].dtype)
        frame = frame.assign(**{end: frame[end].where(~after | (begins > t), changed)})
    kept = (begins <= t) | ((world.months > 0) & (rng.random(len(frame)) >= 0.5))
    first = pd.Series(month_end(t).repeat(len(new)) + pd.Timedelta(days=1))
    newcomers = pd.DataFrame(
        {stock: pd.Series(list(new), dtype="str"), start: first.astype(frame[start].dtype)}
    )
    return pd.concat([frame[kept], newcomers], ignore_index=True)


def _read_stocks(spec: StockRows) -> Raw:
    if spec.layout == "long":
        raw = _read(spec, "stocks" if spec.rows == "monthly" else "prices")
        return replace(raw, spec=spec)
    kinds = cell_of_month if spec.rows == "monthly" else cells_of("prices")
    with reader.engine(", ".join(spec.files), on_disk=False) as connection:
        connection.execute("SET preserve_insertion_order = true")
        scan = reader.scan(connection, spec, kinds, wide=True)
        frame = reader.to_pandas(connection.sql(scan.typed()).to_arrow_table())
    names = list(scan.columns)
    return Raw(spec, frame.set_axis(names, axis=1), {name: name for name in names})


def _read(spec: StockRows | Spec | Reports, kind: Kind) -> Raw:
    if isinstance(spec, StockRows):
        spec = replace(spec, columns=split_columns(spec)[0])
    frame = reader.read(spec, cells_of(kind)).frame
    return Raw(spec, frame, {name: name for name in frame})


def _as_it_was(raw: Raw, frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows in the layout of the files."""
    if isinstance(raw.spec, StockRows) and raw.spec.layout == "wide":
        order = frame["date"].drop_duplicates()
        wide = frame.set_index(["date", "stock"])["close"].unstack().loc[order]  # noqa: PD010
        return wide.rename_axis(columns=None).reset_index()
    return frame


def _write(raw: Raw, frame: pd.DataFrame, path: Path) -> StockRows | Spec | Reports:
    write_parquet(frame, path)
    # A column that only the months of daily rows have is mapped later.
    late = split_columns(raw.spec)[1] if isinstance(raw.spec, StockRows) else {}
    return replace(raw.spec, files=(str(path),), columns=late)


def _stocks(raw: Raw) -> perturb.Table:
    assert isinstance(raw.spec, StockRows)  # nosec B101 # tells mypy the type
    dated = raw.spec.rows == "dated"
    percent = raw.spec.return_unit == "percent"
    largest = LARGEST_DATED if dated else 1e30
    return perturb.table_of(raw.frame, raw.names, dated=dated, percent=percent, largest=largest)


def _market(raw: Raw) -> perturb.Table:
    made = perturb.table_of(raw.frame, raw.names)
    return replace(made, dated=bool(pd.Series(made.known).duplicated().any()))


def _reports(raw: Raw) -> perturb.Table:
    """Return reports with the month at whose end each was known."""
    assert isinstance(raw.spec, Reports)  # nosec B101 # tells mypy the type
    days = pd.Series(pd.NaT, index=raw.frame.index, dtype="M8[us]")
    period, published = raw.own("period_end"), raw.own("published")
    if period is not None:
        days = raw.frame[period] + pd.Timedelta(days=raw.spec.lag)
    if published is not None:
        days = raw.frame[published].fillna(days)
    roles = {
        own: "positive" if here in ("shares", "size") else "number"
        for own, here in raw.names.items()
        if here not in _KEYS
    }
    return perturb.Table(raw.frame, ordinal(days), roles)  # type: ignore[arg-type]


def _placed(raw: Raw, new: Sequence[str]) -> pd.DataFrame:
    """Return the sectors with those of new stocks."""
    stock, sector = raw.own("stock"), raw.own("sector")
    assert stock is not None and sector is not None  # nosec B101 # tells mypy the type
    more = pd.DataFrame({stock: pd.Series(list(new), dtype="str"), sector: perturb.NEW_SECTOR})
    return pd.concat([raw.frame, more], ignore_index=True)


def _days(rng: np.random.Generator, low: int, high: int, count: int) -> pd.Series:
    return pd.Series(pd.to_timedelta(rng.integers(low, high, count), unit="D"))
