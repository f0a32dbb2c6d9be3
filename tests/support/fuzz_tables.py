"""The user's own tables as hypothesis draws them: stocks, market series, tables beside them."""

import calendar
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import fuzz_cells as cells
from fuzz_beside import CARRY, LAG, Layout, beside
from fuzz_cells import SECTORS, Store
from fuzz_drawn import Drawn, drawn
from konkyo import config

PORTFOLIOS = 2
_NAMES = st.sampled_from(
    (
        "turnover",
        "日本",
        "a b",
        'q"x',
        "é",
        "Return",
        "select",
        "x;y",
        "eligible",
        "id",
        "day",
        "Size",
        "r",
        "m",
        "row",
        "months",
        "at_days",
    )
)
_RESERVED = st.sampled_from(("ret", "label", "score", "absorbed"))


def _plus(first: tuple[int, int], months: int) -> tuple[int, int]:
    at = first[0] * 12 + first[1] - 1 + months
    return at // 12, at % 12 + 1


def month_end(year: int, month: int) -> dt.date:
    return dt.date(year, month, calendar.monthrange(year, month)[1])


@st.composite
def stocks(
    draw: st.DrawFn, months: Sequence[dt.date], codes: Store, rows: str, quiet: bool
) -> Drawn:
    """Return a table of stocks: monthly, dated, or wide with a column of prices a stock."""
    count = draw(st.sampled_from((3, 2, 4, 3, 2, 4, 2, 1)))
    days: Sequence[dt.date] = months
    if rows != "monthly":
        days = [d.replace(day=k) if k else d for d in months for k in (10, 0)]
    floats, numbers = cells.NUMBERS, (*cells.NUMBERS, *cells.COUNTS)
    strange = cells.STRANGE_NUMBERS
    if rows == "wide":
        prices = [round(10.0 + 0.37 * ((5 * k) % 7), 2) for k in range(len(days))]
        wide: Layout = [("date", "date", days, cells.DAYS, cells.STRANGE_DAYS)]
        for i in range(count):
            code = cells.text_of(codes.make(i)).value
            begins = draw(st.integers(0, len(days))) if draw(st.integers(0, 4)) == 0 else 0
            own = [None if k < begins else p + i for k, p in enumerate(prices)]
            wide.append((code, "number", own, floats, strange))
        return draw(drawn(wide, quiet, damaging=True))
    pairs = [(day, i) for day in days for i in range(count)]
    n = len(pairs)
    value = [round(0.01 + 0.013 * ((7 * k) % 11), 4) for k in range(n)]
    size = ("size", "number", [100.0 + k for k in range(n)], numbers, strange)
    key = "month" if rows == "monthly" else "date"
    layout: Layout = [
        (key, key, [day for day, _ in pairs], cells.DAYS, cells.STRANGE_DAYS),
        ("stock", "stock", [i for _, i in pairs], (codes,), cells.STRANGE_TEXTS),
    ]
    if rows == "monthly":
        layout += [("return", "number", value, floats, strange), size]
    else:
        layout.append(("close", "number", [10.0 + v for v in value], floats, strange))
        layout.append(("volume", "number", [5.0 + k for k in range(n)], numbers, strange))
        layout.append(size)
    if draw(st.booleans()):
        names = ["Banks" if i % 2 else None for _, i in pairs]
        layout.append(("sector", "sector", names, SECTORS, cells.STRANGE_TEXTS))
    if draw(st.booleans()):
        name = draw(_RESERVED if draw(st.integers(0, 29)) == 0 else _NAMES)
        base = [1.0] * n if name == "eligible" else value
        layout.append((name, "number", base, numbers, strange))
    return draw(drawn(layout, quiet, damaging=True))


@st.composite
def market(draw: st.DrawFn, months: Sequence[dt.date], quiet: bool) -> Drawn:
    """Return a table of market series, which may begin before the stocks."""
    before = draw(st.integers(0, 2))
    first = (months[0].year, months[0].month)
    ends = [month_end(*_plus(first, m)) for m in range(-before, len(months))]
    name = draw(st.sampled_from(("month", "date")))
    n = len(ends)
    layout: list[Any] = [(name, "date", ends, cells.DAYS, cells.STRANGE_DAYS)]
    for series in ("MKT", "é x")[: draw(st.integers(1, 2))]:
        layout.append(
            (
                series,
                "number",
                [1.5 + k for k in range(n)],
                (*cells.NUMBERS, *cells.COUNTS),
                cells.STRANGE_NUMBERS,
            )
        )
    return draw(drawn(layout, quiet, damaging=True))


@dataclass(frozen=True)
class Case:
    """Everything that one example brings."""

    rows: str
    stocks: Drawn
    market: Drawn
    beside: Mapping[str, Drawn]
    unit: str
    eligible: str
    last: dt.date | None

    def write(self, folder: Path) -> config.Tables:
        """Write the files and return the section of params.yaml that reads them."""

        def files(table: Drawn, name: str) -> dict[str, Any]:
            return {"files": (table.write(folder, name),), "columns": table.mapping}

        others = {
            kind: tuple(
                config.Reports(**files(self.beside[kind], kind), lag=LAG, carry=CARRY, unit=1000)
                if kind == "reports"
                else config.Table(**files(self.beside[kind], kind))
                for _ in (0,)
                if kind in self.beside
            )
            for kind in ("reports", "sectors", "members")
        }
        return config.Tables(
            stocks=config.StockRows(
                **files(self.stocks, "stocks"),
                layout="wide" if self.rows == "wide" else "long",
                rows="monthly" if self.rows == "monthly" else "dated",
                return_unit=self.unit,
                largest_return=10.0,
                eligible=self.eligible,
            ),
            market=(config.Table(**files(self.market, "market")),),
            point_in_time=True,
            survivorship_free=True,
            **others,
        )


@st.composite
def cases(draw: st.DrawFn, rows: str) -> Case:
    """Return one example: stocks of a kind, the market and some tables beside them."""
    # Half of the examples are as they should be in every table, however these are written; of the
    # others half of the stocks, and most of the market.
    clean = draw(st.booleans())
    first = draw(st.sampled_from(((2019, 11), (1987, 1), (2150, 1))))
    months = [month_end(*_plus(first, m)) for m in range(draw(st.integers(1, 4)))]
    codes = draw(st.sampled_from(cells.STOCKS))
    table = draw(stocks(months, codes, rows, clean or draw(st.booleans())))
    last = None
    if draw(st.integers(0, 11)) == 0:
        last = draw(st.sampled_from([*months, month_end(2160, 1)]))
    eligible = draw(
        st.sampled_from(
            ("",) * 25
            + ("size >= 1", "size > 1e300", "drop table stocks", "size / 0 > 1", "'", "\x00")
        )
    )
    return Case(
        rows,
        table,
        draw(market(months, clean or draw(st.integers(0, 3)) > 0)),
        draw(beside(months, codes, rows == "wide", clean))
        if rows == "wide" or draw(st.booleans())
        else {},
        draw(st.sampled_from(("fraction",) * 7 + ("percent",))),
        eligible,
        last,
    )
