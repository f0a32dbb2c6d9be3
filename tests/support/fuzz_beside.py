"""The tables beside the stocks as hypothesis draws them, and what must come of them."""

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

import fuzz_cells as cells
from fuzz_cells import SECTORS, Store
from fuzz_drawn import Drawn, drawn

LAG, CARRY = 90, 15
"""Days and months of the drawn tables of reports."""

KINDS = ("sectors", "members", "reports")
_DAY = (cells.DAYS, cells.STRANGE_DAYS)
Layout = list[tuple[str, str, Sequence[Any], Sequence[Store], Sequence[Store]]]


@st.composite
def beside(
    draw: st.DrawFn, months: Sequence[dt.date], codes: Store, needed: bool, clean: bool
) -> dict[str, Drawn]:
    """Return some of the tables beside the stocks; reports that bring `size` where it is needed.

    They write the stocks' codes as the stocks' own table does, most of the time; clean ones always,
    and what they hold is of the types and values that it should have.
    """
    which = draw(st.sets(st.sampled_from(KINDS), max_size=2)) | ({"reports"} if needed else set())
    found: dict[str, Drawn] = {}
    for kind in sorted(which):
        stores = (codes,) if clean or draw(st.integers(0, 4)) else cells.STOCKS
        quiet = clean or draw(st.integers(0, 3)) > 0
        if kind == "sectors":
            ids = list(range(draw(st.integers(1, 5))))
            names = ["Foods", "Banks", "Foods", "x", None][: len(ids)]
            layout: Layout = [("sector", "sector", names, SECTORS, cells.STRANGE_TEXTS)]
        elif kind == "members":
            ids = draw(st.lists(st.integers(0, 4), min_size=1, max_size=6))
            layout = draw(_stays(months, len(ids)))
        else:
            ids = draw(st.lists(st.integers(0, 3), min_size=1, max_size=8))
            ids = [*range(4), *ids] if needed else ids
            layout = draw(_reports(months, ids, needed))
        stock = ("stock", "stock", ids, stores, cells.STRANGE_TEXTS)
        found[kind] = draw(drawn([stock, *layout], quiet))
    return found


@st.composite
def _stays(draw: st.DrawFn, months: Sequence[dt.date], rows: int) -> Layout:
    at = st.integers(-40, 140)
    start = [months[0] + dt.timedelta(days=draw(at)) for _ in range(rows)]
    stays = [draw(st.sampled_from((None, 45, 200))) for _ in start]
    end = [n and s + dt.timedelta(days=n) for s, n in zip(start, stays, strict=True)]
    layout: Layout = [("start", "date", start, *_DAY)]
    return [*layout, ("end", "date", end, *_DAY)] if draw(st.integers(0, 3)) else layout


@st.composite
def _reports(draw: st.DrawFn, months: Sequence[dt.date], ids: Sequence[int], sized: bool) -> Layout:
    """Return rows of few periods, so that some restate others, published around the months."""
    ends, out = [], []
    rows = len(ids)
    for row in range(rows):
        # The first ones bring every stock's size where the others do not.
        soon = sized and row < 4
        back = draw(st.sampled_from((1, 3, 12) if soon else (0, 3, 3, 12)))
        year, month = divmod(months[0].year * 12 + months[0].month - 1 - back, 12)
        ends.append(dt.date(year, month + 1, calendar.monthrange(year, month + 1)[1]))
        late = draw(st.sampled_from((1,) if soon else (None, 1, 20, 31, 40, 75, 120, 400)))
        out.append(None if late is None else ends[-1] + dt.timedelta(days=late))
    # Rows of one stock, period and day say the same, but for one in a while.
    keys = list(zip(ids, ends, out, strict=True))
    place = [keys.index(key) for key in keys]
    if draw(st.integers(0, 9)) == 0:
        place = list(range(rows))
    values: list[float | None] = [0.5 + i for i in place]
    if rows > 2 and draw(st.booleans()):
        values[draw(st.integers(0, rows - 1))] = None
    numbers = (cells.NUMBERS, cells.STRANGE_NUMBERS)
    layout: Layout = [
        ("period_end", "date", ends, *_DAY),
        ("published", "date", out, *_DAY),
        ("estimate", "number", values, *numbers),
    ]
    if draw(st.integers(0, 3)) == 0:
        layout.append(
            ("months", "number", [draw(st.sampled_from((12, 12, 3, 6)))] * rows, cells.COUNTS,
             cells.STRANGE_NUMBERS)
        )  # fmt: skip
    if draw(st.booleans()):
        layout.append(("sales", "number", [1e6 + i for i in place], *numbers))
    if sized:
        layout.append(("size", "number", [50.0 + i for i in place], *numbers))
    return layout


def rows_of(table: Drawn) -> list[dict[str, Any]] | None:
    """Return what the rows mean; None where a cell is a matter of taste or cannot be read."""
    columns = [(c.here, c.meanings()) for c in table.columns]
    if any(m.doubtful or m.bad for _, found in columns for m in found):
        return None
    return [{name: found[row].value for name, found in columns} for row in range(table.rows)]


def _count(day: dt.date) -> int:
    return day.year * 12 + day.month


def estimates(
    table: Drawn, codes: Sequence[str], months: Sequence[dt.date]
) -> Mapping[tuple[str, dt.date], float | None] | None:
    """Return the reports' `estimate` as known at the end of each month, one report at a time.

    None where that is no question of simple reports of a year, or of codes as they are written.
    """
    rows = rows_of(table)
    if rows is None or not {"stock", "period_end", "estimate"} <= set(rows[0]):
        return None
    if any(r.get("months", 12) not in (12, None) or not r["period_end"] for r in rows):
        return None
    if not {r["stock"] for r in rows} & set(codes):
        return None
    said: dict[str, list[tuple[dt.date, int, float | None]]] = defaultdict(list)
    for row in rows:
        day = row.get("published") or row["period_end"] + dt.timedelta(days=LAG)
        if any(row.get(name) is not None for name in ("estimate", "sales", "size")):
            said[row["stock"]].append(
                (day, _count(row["period_end"] - dt.timedelta(days=15)), row["estimate"])
            )
    found: dict[tuple[str, dt.date], float | None] = {}
    for stock in codes:
        for month in months:
            known = sorted(
                (r for r in said[stock] if _count(r[0]) <= _count(month)), key=lambda r: r[0]
            )
            newest = [r for r in known if r[1] == max(k[1] for k in known)]
            stated = [r[2] for r in newest if r[2] is not None]
            current = newest and _count(month) - _count(newest[-1][0]) <= CARRY
            found[stock, month] = stated[-1] if current and stated else None
    return found


def belongs(table: Drawn, stock: str, month: dt.date) -> bool | None:
    """Return whether a stock is a member at a month's end, stay by stay; None if unclear."""
    rows = rows_of(table)
    if rows is None or not {"stock", "start"} <= set(rows[0]):
        return None
    return any(
        r["stock"] == stock and r["start"] <= month and (r.get("end") is None or month < r["end"])
        for r in rows
    )


def sector_of(table: Drawn, stock: str) -> tuple[str | None] | None:
    """Return a stock's sector as its table says it, in a tuple; None if unclear."""
    rows = rows_of(table)
    if rows is None or not {"stock", "sector"} <= set(rows[0]):
        return None
    return (next((r["sector"] for r in rows if r["stock"] == stock), None),)
