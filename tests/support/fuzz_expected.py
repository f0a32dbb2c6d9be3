"""What must come of a user's monthly tables, found the slow way."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fuzz_drawn import Drawn
from fuzz_tables import PORTFOLIOS, Case


@dataclass
class Expected:
    """Violations as (file, rule), None where reading is a matter of taste; and the rows."""

    broken: set[tuple[str, str]] | None
    rows: list[dict[str, Any]]


def _problems(table: Drawn, kind: str) -> tuple[set[tuple[str, str]], bool]:
    """Return the broken rules of single cells, and whether any cell is a matter of taste."""
    found, doubtful = set(), table.damage is not None
    needed = ("month", "stock") if kind == "stocks" else ("date",)
    for column in table.columns:
        for meaning in column.meanings():
            doubtful |= meaning.doubtful
            if meaning.bad:
                found.add((kind, "readable"))
            elif column.role == "number" and isinstance(meaning.value, float):
                if math.isinf(meaning.value):
                    found.add((kind, "finite"))
            elif meaning.value is None and not meaning.doubtful and column.role in needed:
                found.add((kind, "present"))
    return found, doubtful


def expected(case: Case) -> Expected:
    """Return what must come of monthly stocks and the market where nothing is beside them."""
    table, series = case.stocks, case.market
    found, taste = _problems(table, "stocks")
    more, other = _problems(series, "market")
    found |= more
    taste |= other or bool(case.beside) or case.last is not None or bool(case.eligible)
    rows = [
        dict(zip([c.here for c in table.columns], row, strict=True))
        for row in zip(*([m.value for m in c.meanings()] for c in table.columns), strict=True)
    ]
    if {"month", "stock", "return", "size"} - set(rows[0]):
        found.add(("stocks", "columns"))
    if set(rows[0]) & {"ret", "label", "score", "absorbed"}:
        found.add(("stocks", "reserved"))
    if series.column("month") is None and series.column("date") is None:
        # Nothing else can be said then.
        return Expected(None, rows)
    if len(series.columns) < 2:
        found.add(("market", "columns"))
    if taste or found:
        # Rules of whole tables pass over rows that are reported: which, is tested elsewhere.
        return Expected(None if taste else found, rows)
    scale = 100 if case.unit == "percent" else 1
    returns = [r["return"] for r in rows if r["return"] is not None]
    keys = [(r["month"], r["stock"]) for r in rows]
    if len(set(keys)) < len(keys):
        found.add(("stocks", "unique"))
        return Expected(found | _market(series, rows), rows)
    # What is above the largest return is missing before the rules of returns are looked at.
    returns = [r for r in returns if r <= 10.0 * scale]
    middle = sorted(abs(r) for r in returns if r)
    half = len(middle) // 2
    median = math.nan if not middle else (middle[half] + middle[-half - 1]) / 2
    if median > scale:
        found.add(("stocks", "unit"))
    elif any(r < -scale for r in returns):
        found.add(("stocks", "at least"))
    if any(r["size"] is not None and r["size"] <= 0 for r in rows):
        found.add(("stocks", "above"))
    if any(r.get("eligible") not in (None, 0.0, 1.0) for r in rows):
        found.add(("stocks", "one of"))
    if not returns:
        found.add(("stocks", "filled"))
    if all(r["size"] is None for r in rows):
        found.add(("stocks", "filled"))
    by_month: dict[dt.date, int] = {}
    for month, _ in keys:
        by_month[month] = by_month.get(month, 0) + 1
    if min(by_month.values()) < PORTFOLIOS:
        found.add(("stocks", "thin month"))
    if _count(max(by_month)) - _count(min(by_month)) >= len(by_month):
        found.add(("stocks", "gap"))
    return Expected(found | _market(series, rows), rows)


def _count(day: dt.date) -> int:
    return day.year * 12 + day.month


def _market(series: Drawn, rows: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return the broken rules of a market table whose single cells are right."""
    found: set[tuple[str, str]] = set()
    day = series.column("month") or series.column("date")
    assert day is not None
    days = [m.value for m in day.meanings()]
    if len(set(days)) < len(days):
        found.add(("market", "unique"))
    months = {_count(d) for d in days}
    if max(months) - min(months) >= len(months):
        found.add(("market", "gap"))
    needed = {_count(r["month"]) for r in rows}
    if any(not min(months) <= m <= max(months) for m in needed):
        found.add(("market", "coverage"))
    for column in series.columns:
        if column is day:
            continue
        there = {
            _count(d) for d, m in zip(days, column.meanings(), strict=True) if m.value is not None
        }
        if (needed & months) - there:
            found.add(("market", "present"))
    return found
