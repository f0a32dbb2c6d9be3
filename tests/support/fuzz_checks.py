"""What must hold of every table that fuzzing draws: right records, or violations, nothing else."""

import calendar
import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from fuzz_beside import belongs, estimates, sector_of
from fuzz_drawn import Drawn
from fuzz_expected import expected
from fuzz_tables import PORTFOLIOS, Case, cases
from konkyo import config
from konkyo.data import Records, tables
from konkyo.data.violations import SHOWN, table
from konkyo.errors import KonkyoError, RecordsError
from konkyo.features.build import build

_STATED = ("month", "stock", "sector", "return", "size", "eligible")


def records_are_right_or_refused(case: Case) -> str:
    """Bring the tables of one example, and the panel of what is brought; return what came of it.

    Any exception but a `KonkyoError` goes through.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        section = case.write(folder)
        last = None if case.last is None else pd.Timestamp(case.last)
        try:
            found = tables.load(section, folder / "raw", PORTFOLIOS, last)
        except KonkyoError as error:
            _refused(case, error)
            return "refused"
    if case.rows == "monthly":
        _monthly(case, found)
    else:
        _dated(case, found)
    _beside(case, found)
    return panel_is_right_or_refused(found)


def _refused(case: Case, error: KonkyoError) -> None:
    """See that an error lists what it is about, and that it had to be raised."""
    assert str(error).strip()
    listed = getattr(error, "violations", ())
    assert len(table(listed)) == len(listed)
    for one in listed:
        assert one.rule and one.found and one.remedy and str(one)
        assert len(one.rows) == min(one.count, SHOWN) or one.of == "month" or not one.rows
        assert all(row > 0 for row in one.rows)
    if case.rows != "monthly":
        return
    wanted = expected(case).broken
    if wanted is None:
        return
    assert isinstance(error, RecordsError), error
    got = {(Path(one.file.split(",")[0]).name.split(".")[0], one.rule) for one in listed}
    # A cell that cannot be read hides what else is wrong with its table.
    if any(
        rule in ("readable", "columns", "reserved", "finite", "present", "unique")
        for _, rule in wanted
    ):
        assert wanted <= got, (wanted, got)
    else:
        assert wanted == got, (wanted, got)


def _keys(column: str, drawn: Drawn) -> list[Any]:
    found = drawn.column(column)
    assert found is not None
    return [meaning.value for meaning in found.meanings()]


def _end(day: dt.date) -> pd.Timestamp:
    return pd.Timestamp(day.year, day.month, calendar.monthrange(day.year, day.month)[1])


def _monthly(case: Case, found: Records) -> None:
    """See that every row of the file is in the records, with its values."""
    wanted = expected(case)
    assert not wanted.broken, wanted.broken
    if case.stocks.damage is not None:
        return
    rows = wanted.rows
    for row, unclear in zip(rows, _unclear(case.stocks), strict=True):
        row["unclear"] = unclear
    if not any(row["month"] is ... for row in rows):
        rows = [r for r in rows if case.last is None or _end(r["month"]) <= _end(case.last)]
        assert len(found.stocks) == len(rows)
    have = {(r["month"], r["stock"]): r for r in found.stocks.to_dict("records")}
    scale = 100 if case.unit == "percent" else 1
    for row in rows:
        if row["month"] is ... or row["stock"] is ... or {"month", "stock"} & row["unclear"]:
            continue
        got = have[(_end(row["month"]), row["stock"])]
        for name, value in row.items():
            if name in ("month", "stock", "unclear") or value is ... or name in row["unclear"]:
                continue
            if name == "sector":
                assert (
                    (value == got[name])
                    or (value is None and "sectors" in case.beside)
                    or (value is None and pd.isna(got[name]))
                )
                continue
            if name == "eligible" and (case.eligible or "members" in case.beside):
                continue
            if name == "return":
                above = value is not None and value > 10.0 * scale
                value = None if value is None or above else value / scale
            if value is None and case.beside:
                continue
            _same(got[name], value, name)


def _unclear(drawn: Drawn) -> list[set[str]]:
    found: list[set[str]] = [set() for _ in range(drawn.rows)]
    for column in drawn.columns:
        for row, meaning in enumerate(column.meanings()):
            if meaning.doubtful:
                found[row].add(column.here)
    return found


def _same(got: float, value: float | None, name: str) -> None:
    if value is None:
        assert math.isnan(got), (name, got)
    else:
        close = math.isclose(got, value, rel_tol=1e-12, abs_tol=1e-300)
        assert close or abs(got - value) < 1e-9 * abs(value), (name, got, value)


def _dated(case: Case, found: Records) -> None:
    """See that the months of the records are the rows': last close, sum of volumes, days."""
    drawn = case.stocks
    if drawn.damage is not None or any(_unclear(drawn)):
        return
    months: dict[Any, list[tuple[dt.date, Any, Any]]] = defaultdict(list)
    for day, stock, close, traded in _wide(drawn) if case.rows == "wide" else _long(drawn):
        if case.last is None or _end(day) <= _end(case.last):
            months[(_end(day), stock)].append((day, close, traded))
    have = {(r["month"], r["stock"]): r for r in found.stocks.to_dict("records")}
    assert set(have) == set(months)
    for key, days in months.items():
        got = have[key]
        known = [close for _, close, _ in sorted(days, key=lambda d: d[0]) if close is not None]
        _same(got["close"], known[-1] if known else None, "close")
        assert got["days"] == len(days)
        sold = [traded for _, _, traded in days if traded is not None]
        if drawn.column("volume"):
            total = sum(sold) if sold else None
            assert (total is None and math.isnan(got["volume"])) or math.isclose(
                got["volume"], total, rel_tol=1e-9, abs_tol=1e-2
            ), (got["volume"], total)


def _long(drawn: Drawn) -> Iterator[tuple[Any, ...]]:
    volume = _keys("volume", drawn) if drawn.column("volume") else [0.0] * drawn.rows
    named = (_keys(name, drawn) for name in ("date", "stock", "close"))
    return zip(*named, volume, strict=True)


def _wide(drawn: Drawn) -> Iterator[tuple[Any, ...]]:
    days = _keys("date", drawn)
    for column in drawn.columns:
        if column.here != "date":
            for day, meaning in zip(days, column.meanings(), strict=True):
                if meaning.value is not None:
                    yield day, column.here, meaning.value, None


def _beside(case: Case, found: Records) -> None:
    """See that what the tables beside the stocks say is in the records, as known at each month."""
    rows = found.stocks.to_dict("records")
    own = {c.here for c in case.stocks.columns}
    codes = list(dict.fromkeys(r["stock"] for r in rows))
    if "members" in case.beside and not case.eligible and "eligible" not in own:
        for row in rows:
            inside = belongs(case.beside["members"], row["stock"], row["month"].date())
            assert inside is None or row["eligible"] == float(inside), row
    if "sectors" in case.beside and "sector" not in own:
        for row in rows:
            named = sector_of(case.beside["sectors"], row["stock"])
            assert (
                named is None
                or (pd.isna(row["sector"]) and named == (None,))
                or (named == (row["sector"],))
            ), (row, named)
    if "reports" in case.beside and "estimate" in found.stocks and "estimate" not in own:
        ends = sorted({r["month"].date() for r in rows})
        told = estimates(case.beside["reports"], codes, ends)
        for row in rows if told is not None else ():
            _same(row["estimate"], told[row["stock"], row["month"].date()], "estimate")


def panel_is_right_or_refused(found: Records) -> str:
    """See that what was brought becomes a panel of finite inputs, or is refused."""
    names = [n for n in found.stocks if n not in _STATED]
    months = found.stocks["month"].unique()
    first = months[min(1, len(months) - 1)]
    section = config.Prepare(
        first_month=f"{first:%Y-%m}",
        universe_size=3,
        characteristics=("return_1", "return_2", "size", "volatility_2", *names),
        standardise="zscore" if len(found.stocks) % 2 else "rank",
        clip=3.0,
        label=("zscore", "rank", "raw")[len(found.stocks) % 3],
        sectors="known",
        market={n: ("level", "difference")[: len(months)] for n in found.market if n != "month"},
    )
    try:
        panel, missing = build(found.stocks, found.market, section)
    except KonkyoError as error:
        assert str(error).strip()
        return "records"
    assert np.isfinite(panel.features).all()
    assert not np.isinf(panel.index[["ret", "label"]].to_numpy("float64")).any()
    assert (missing["missing"] <= missing["stocks"]).all()
    _universe_is_the_largest(found.stocks, panel.index, first)
    return "records and panel"


def _universe_is_the_largest(
    stocks: pd.DataFrame, index: pd.DataFrame, first: pd.Timestamp
) -> None:
    returns = {(r["month"], r["stock"]): r["return"] for r in stocks.to_dict("records")}
    chosen = defaultdict(set)
    for row in index.to_dict("records"):
        chosen[row["month"]].add(row["stock"])
        after = _end((row["month"] + pd.Timedelta(days=1)).date())
        ahead = returns.get((after, row["stock"]), math.nan)
        assert row["ret"] == ahead or (math.isnan(row["ret"]) and math.isnan(ahead))
    for month, rows in stocks.groupby("month"):
        can = [
            (-r["size"], r["stock"])
            for r in rows.to_dict("records")
            if month >= first and not math.isnan(r["size"]) and r.get("eligible", 1.0) != 0
        ]
        assert chosen[month] == {stock for _, stock in sorted(can)[:3]}


MONTHLY: st.SearchStrategy[Case] = cases("monthly")
DATED: st.SearchStrategy[Case] = cases("dated")
WIDE: st.SearchStrategy[Case] = cases("wide")
