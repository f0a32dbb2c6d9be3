"""The user's own tables as hypothesis draws them, and what must come of them."""

import calendar
import csv
import datetime as dt
import gzip
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from hypothesis import strategies as st

import fuzz_cells as cells
from fuzz_cells import Meaning, Store
from konkyo import params

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


@dataclass(frozen=True)
class Column:
    """A column: this project's name, the file's, what it holds, its cells and their Arrow type."""

    here: str
    own: str
    role: str
    cells: tuple[Any, ...]
    kind: pa.DataType | None = None

    def meanings(self) -> list[Meaning]:
        """Return what each cell means."""
        if self.role == "stock":
            return [cells.text_of(raw, False) for raw in self.cells]
        if self.role == "sector":
            return [cells.text_of(raw, True) for raw in self.cells]
        if self.role == "number":
            if self.kind is None:
                return [cells.number_of(raw) for raw in self.cells]
            # What the file holds, which of narrow types is not what was written to it.
            held = pa.array(self.cells, type=self.kind).to_pylist()
            return [cells.number_of(raw) for raw in held]
        return [cells.day_of(raw, self.role == "month") for raw in self.cells]


@dataclass(frozen=True)
class Drawn:
    """A table: its columns, how its file is written, and how that is damaged."""

    columns: tuple[Column, ...]
    csv: bool
    style: Mapping[str, Any] = field(default_factory=dict)
    damage: tuple[str, int] | None = None

    @property
    def rows(self) -> int:
        return len(self.columns[0].cells)

    @property
    def mapping(self) -> dict[str, str]:
        return {c.own: c.here for c in self.columns if c.own != c.here}

    def column(self, here: str) -> Column | None:
        return next((c for c in self.columns if c.here == here), None)

    def write(self, folder: Path, name: str) -> str:
        """Write the file and return its path."""
        data = self._csv() if self.csv else self._parquet()
        suffix = ".parquet"
        if self.csv:
            suffix = ".csv.gz" if self.style.get("gz") else ".csv"
            data = gzip.compress(data, mtime=0) if self.style.get("gz") else data
        if self.damage:
            data = _damaged(data, *self.damage)
        path = folder / f"{name}{suffix}"
        path.write_bytes(data)
        return str(path)

    def _csv(self) -> bytes:
        text = io.StringIO()
        quoting = csv.QUOTE_ALL if self.style.get("quoted") else csv.QUOTE_MINIMAL
        end = self.style.get("end", "\n")
        # A field of a blank alone keeps a line of one column from being an empty one.
        out = csv.writer(text, quoting=quoting, lineterminator=end)
        out.writerow([c.own for c in self.columns])
        for row in zip(*(c.cells for c in self.columns), strict=True):
            out.writerow(row)
        said = text.getvalue()
        if self.style.get("open"):
            said = said.removesuffix(end)
        return (b"\xef\xbb\xbf" if self.style.get("bom") else b"") + said.encode()

    def _parquet(self) -> bytes:
        arrays = [pa.array(c.cells, type=c.kind) for c in self.columns]
        table = pa.table(dict(zip([c.own for c in self.columns], arrays, strict=True)))
        buffer = io.BytesIO()
        pa.parquet.write_table(table, buffer)
        return buffer.getvalue()


def _damaged(data: bytes, how: str, place: int) -> bytes:
    at = place % max(len(data), 1)
    if how == "cut":
        return data[:at]
    if how == "flip":
        return data[:at] + bytes([data[at] ^ (1 << place % 8)]) + data[at + 1 :] if data else data
    if how == "tail":
        return data + bytes([place % 256]) * (place % 40)
    if how == "utf-16":
        return data.decode("latin-1").encode("utf-16")
    if how == "latin-1":
        return data.decode("utf-8", "replace").encode("latin-1", "replace")
    if how == "semicolons":
        return data.replace(b",", b";")
    if how == "blank lines":
        return data.replace(b"\n", b"\n\n")
    if how == "short row":
        return data.replace(b",", b"", 1 + place % 3)
    return b"\n" * (place % 4) + data


DAMAGES = (
    "cut",
    "flip",
    "tail",
    "utf-16",
    "latin-1",
    "semicolons",
    "blank lines",
    "short row",
    "head",
)


@st.composite
def drawn(
    draw: st.DrawFn,
    layout: Sequence[tuple[str, str, Sequence[Any], Sequence[Store], Sequence[Store]]],
    quiet: bool = False,
    damaging: bool = False,
) -> Drawn:
    """Return a table of columns (here, role, base values, stores, strange stores)."""
    as_csv = draw(st.booleans())
    rows = len(layout[0][2])
    order = list(range(rows))
    # Rows left out, repeated and out of order.
    if not quiet and rows > 1 and draw(st.integers(0, 9)) == 0:
        order = draw(st.lists(st.sampled_from(order), min_size=1, max_size=rows + 2))
    elif draw(st.booleans()):
        order = draw(st.permutations(order))
    columns = []
    for here, role, base, stores, strange in layout:
        store = draw(cells.store_of(stores, strange))
        values = [base[i] for i in order]
        if as_csv:
            # Text of numbers and days, whichever way they are stored elsewhere.
            made = [_written(store, value, role) for value in values]
        else:
            made = [None if value is None else store.make(value) for value in values]
        columns.append(Column(here, here, role, tuple(made), None if as_csv else store.kind))
        for _ in range(0 if quiet else draw(st.sampled_from((0,) * 14 + (1, 2)))):
            odd = draw(cells.odd_text() if as_csv else st.sampled_from(list(store.odd)))
            made[draw(st.integers(0, len(made) - 1))] = odd
            columns[-1] = replace(columns[-1], cells=tuple(made))
    if draw(st.booleans()):
        columns = draw(st.permutations(columns))
    if draw(st.integers(0, 3)) == 0:
        columns = [replace(c, own=f"my {c.here}") for c in columns]
    if not quiet and draw(st.integers(0, 19)) == 0:
        columns.pop(draw(st.integers(0, len(columns) - 1)))
        columns = columns or [Column("left", "left", "number", ("1",) * len(order), pa.string())]
    style = {}
    if as_csv:
        style = {
            "quoted": draw(st.booleans()),
            "end": draw(st.sampled_from(("\n", "\n", "\r\n"))),
            "bom": draw(st.integers(0, 3)) == 0,
            "open": draw(st.integers(0, 3)) == 0,
            "gz": draw(st.integers(0, 3)) == 0,
        }
    damage = None
    if damaging and not quiet and draw(st.integers(0, 9)) == 0:
        damage = (draw(st.sampled_from(DAMAGES)), draw(st.integers(0, 5000)))
    return Drawn(tuple(columns), as_csv, style, damage)


def _written(store: Store, value: Any, role: str) -> str:
    if value is None:
        return ""
    if role in ("month", "date"):
        return (
            f"{value:%Y%m%d}"
            if store.kind == pa.int64() and role == "date"
            else f"{value:%Y-%m-%d}"
        )
    if role in ("stock", "sector"):
        return str(store.make(value)) if role == "stock" else str(value)
    return repr(value)


def _plus(first: tuple[int, int], months: int) -> tuple[int, int]:
    at = first[0] * 12 + first[1] - 1 + months
    return at // 12, at % 12 + 1


def month_end(year: int, month: int) -> dt.date:
    return dt.date(year, month, calendar.monthrange(year, month)[1])


@st.composite
def stocks(draw: st.DrawFn, rows: str, quiet: bool) -> tuple[Drawn, list[dt.date]]:
    """Return a table of stocks, monthly or dated, and the months that it was drawn for."""
    first = draw(st.sampled_from(((2019, 11), (1987, 1), (2150, 1))))
    months = [month_end(*_plus(first, m)) for m in range(draw(st.integers(1, 4)))]
    count = draw(st.sampled_from((3, 2, 4, 3, 2, 4, 2, 1)))
    days = months
    if rows == "dated":
        days = [d.replace(day=k) if k else d for d in months for k in (10, 0)]
    pairs = [(day, i) for day in days for i in range(count)]
    n = len(pairs)
    numbers = (*cells.NUMBERS, *cells.COUNTS)
    value = [round(0.01 + 0.013 * ((7 * k) % 11), 4) for k in range(n)]
    layout: list[Any] = [
        (
            "month" if rows == "monthly" else "date",
            "month" if rows == "monthly" else "date",
            [day for day, _ in pairs],
            cells.DAYS,
            cells.STRANGE_DAYS,
        ),
        ("stock", "stock", [i for _, i in pairs], cells.STOCKS, cells.STRANGE_TEXTS),
    ]
    floats = cells.NUMBERS
    if rows == "monthly":
        layout.append(("return", "number", value, floats, cells.STRANGE_NUMBERS))
        layout.append(
            ("size", "number", [100.0 + k for k in range(n)], numbers, cells.STRANGE_NUMBERS)
        )
    else:
        layout.append(("close", "number", [10.0 + v for v in value], floats, cells.STRANGE_NUMBERS))
        layout.append(
            ("volume", "number", [5.0 + k for k in range(n)], numbers, cells.STRANGE_NUMBERS)
        )
        layout.append(
            ("size", "number", [100.0 + k for k in range(n)], numbers, cells.STRANGE_NUMBERS)
        )
    if draw(st.booleans()):
        layout.append(
            (
                "sector",
                "sector",
                ["Banks" if i % 2 else None for _, i in pairs],
                _SECTORS,
                cells.STRANGE_TEXTS,
            )
        )
    if draw(st.booleans()):
        name = draw(_RESERVED if draw(st.integers(0, 29)) == 0 else _NAMES)
        base = [1.0] * n if name == "eligible" else value
        layout.append((name, "number", base, numbers, cells.STRANGE_NUMBERS))
    return draw(drawn(layout, quiet, damaging=True)), months


_SECTORS = (
    Store(pa.string(), str, [None, *cells.TEXTS]),
    Store(pa.dictionary(pa.int8(), pa.string()), str, [None, "", "<b>"]),
)


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


@st.composite
def beside(draw: st.DrawFn, months: Sequence[dt.date]) -> dict[str, Drawn]:
    """Return some of the tables beside the stocks: sectors, members, reports."""
    found: dict[str, Drawn] = {}
    which = draw(st.sets(st.sampled_from(("sectors", "members", "reports")), max_size=2))
    ids = list(range(4))
    stock = ("stock", "stock", ids, cells.STOCKS, cells.STRANGE_TEXTS)
    day = (cells.DAYS, cells.STRANGE_DAYS)
    if "sectors" in which:
        found["sectors"] = draw(
            drawn(
                [
                    stock,
                    (
                        "sector",
                        "sector",
                        ["Foods", "Banks", "Foods", "x"],
                        _SECTORS,
                        cells.STRANGE_TEXTS,
                    ),
                ]
            )
        )
    if "members" in which:
        start = [months[0].replace(day=1)] * 4
        end = [None, None, months[-1], None]
        layout = [stock, ("start", "date", start, *day), ("end", "date", end, *day)]
        found["members"] = draw(drawn(layout))
    if "reports" in which:
        ends = [months[0] - dt.timedelta(days=100)] * 4
        out = [end + dt.timedelta(days=60 + i) for i, end in enumerate(ends)]
        layout = [
            stock,
            ("period_end", "date", ends, *day),
            ("published", "date", out, *day),
            ("sales", "number", [1e6 + i for i in ids], cells.NUMBERS, cells.STRANGE_NUMBERS),
            ("months", "number", [12] * 4, cells.COUNTS, cells.STRANGE_NUMBERS),
            ("estimate", "number", [0.5 + i for i in ids], cells.NUMBERS, cells.STRANGE_NUMBERS),
        ]
        found["reports"] = draw(drawn(layout))
    return found


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

    def write(self, folder: Path) -> params.Tables:
        """Write the files and return the section of params.yaml that reads them."""

        def files(table: Drawn, name: str) -> dict[str, Any]:
            return {"files": (table.write(folder, name),), "columns": table.mapping}

        others = {
            kind: tuple(
                params.Reports(**files(self.beside[kind], kind), lag=90, carry=15, unit=1000)
                if kind == "reports"
                else params.Table(**files(self.beside[kind], kind))
                for _ in (0,)
                if kind in self.beside
            )
            for kind in ("reports", "sectors", "members")
        }
        return params.Tables(
            stocks=params.StockRows(
                **files(self.stocks, "stocks"),
                layout="long",
                rows=self.rows,
                return_unit=self.unit,
                largest_return=10.0,
                eligible=self.eligible,
            ),
            market=(params.Table(**files(self.market, "market")),),
            point_in_time=True,
            survivorship_free=True,
            **others,
        )


@st.composite
def cases(draw: st.DrawFn, rows: str) -> Case:
    """Return one example: stocks of a kind, the market and some tables beside them."""
    # Half of the stocks, and most of the market, are as they should be, however they are written.
    table, months = draw(stocks(rows, draw(st.booleans())))
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
        draw(market(months, draw(st.integers(0, 3)) > 0)),
        draw(beside(months)) if draw(st.booleans()) else {},
        draw(st.sampled_from(("fraction",) * 7 + ("percent",))),
        eligible,
        last,
    )


# What must come of it, the slow way.


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
    wrong_unit = median > 1 if scale == 1 else median < 0.5
    if wrong_unit:
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


Say = Callable[[str], None]
