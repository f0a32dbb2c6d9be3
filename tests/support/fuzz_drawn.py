"""One table as hypothesis draws it: its columns, its file, and how that is damaged."""

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from hypothesis import strategies as st

import fuzz_cells as cells
from fuzz_cells import Meaning, Store


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
            return [cells.text_of(raw) for raw in self.cells]
        if self.role == "sector":
            return [cells.text_of(raw) for raw in self.cells]
        if self.role == "number":
            if self.kind is None:
                return [cells.number_of(raw) for raw in self.cells]
            # What the file holds, which of narrow types is not what was written to it.
            held = pa.array(self.cells, type=self.kind).to_pylist()
            return [cells.number_of(raw) for raw in held]
        held = self.cells
        if self.kind is not None and getattr(self.kind, "tz", None):
            # What the file holds: Arrow writes some moments of a zone as those of UTC.
            held = pa.array(self.cells, type=self.kind).to_pylist()
        return [cells.day_of(raw, self.role == "month") for raw in held]


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
        store = draw(cells.store_of(stores, stores if quiet else strange))
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
