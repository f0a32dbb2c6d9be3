"""The query of a table of any size: which files it reads, and how their cells become values.

DuckDB reads text files as text and Parquet with its types; `konkyo.data.parsing` has the SQL of one
cell. A `Scan` need not fit into memory; `konkyo.data.reader.read` brings a table that does.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet

from konkyo.config.tables import TextFormat
from konkyo.data import parsing
from konkyo.data.files import (
    files_of,
    header,
    is_nameless,
    open_text,
    renamed,
    same_columns,
    suffix_of,
    together,
    unreadable,
)
from konkyo.data.parsing import CellKind, literal, quoted
from konkyo.errors import RecordsError

Kinds = Callable[[str], CellKind | None]
"""What a column holds by this project's name; None where it is left out."""


class Spec(Protocol):
    """What params.yaml says of a table; `konkyo.config.TextFormat` says how text is written."""

    @property
    def files(self) -> tuple[str, ...]:
        """Files and folders."""

    @property
    def columns(self) -> dict[str, str]:
        """The files' names: this project's, nothing for a column that is left out."""


@dataclass(frozen=True)
class _Column:
    """A column of a file: its name, its name within SQL, its type as DuckDB calls it.

    To SQL, names that differ in capital letters alone are one.
    """

    own: str
    sql: str
    held: str


@dataclass(frozen=True)
class _Part:
    """Files that are read by one expression: of one kind, with the same header and types."""

    files: tuple[Path, ...]
    columns: tuple["_Column", ...]
    separator: str

    @property
    def is_text(self) -> bool:
        return suffix_of(self.files[0]) != ".parquet"

    def source(self, places: Mapping[Path, Path], files: Sequence[Path]) -> str:
        """Return the table function that reads these files of it."""
        names = ", ".join(_file(places.get(file, file)) for file in files)
        if not self.is_text:
            # A folder called date=2020-01-31 is no column.
            return f"read_parquet([{names}], hive_partitioning = false)"
        columns = ", ".join(f"{literal(column.sql)}: 'VARCHAR'" for column in self.columns)
        packed = suffix_of(self.files[0]) == ".csv.gz" and self.files[0] not in places
        return (
            f"read_csv([{names}], auto_detect = false, header = true, quote = '\"', escape = '\"', "
            f"delim = {literal(self.separator)}, compression = '{'gzip' if packed else 'none'}', "
            f"hive_partitioning = false, max_line_size = 16777216, columns = {{{columns}}})"
        )


@dataclass(frozen=True)
class Scan:
    """A table that is not yet read.

    Attributes
    ----------
    file : str
        The files, for messages.
    names : mapping of str to str
        The files' own name of each column that has another name here.
    columns : mapping of str to CellKind
        What each column holds, by this project's name.
    notes : tuple of str
        What was done with columns that have no name.
    """

    file: str
    names: Mapping[str, str]
    columns: Mapping[str, CellKind]
    notes: tuple[str, ...]
    _parts: tuple[_Part, ...]
    _places: Mapping[Path, Path]
    _mapping: Mapping[str, str]
    _date: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files in the order of their reading."""
        return tuple(file for part in self._parts for file in part.files)

    @property
    def is_text(self) -> bool:
        """Return whether a file is text, which is slow to read twice."""
        return any(part.is_text for part in self._parts)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Return the columns that may hold values which cannot be read."""
        if self._date is not None:
            return ("date", "close")
        names = {
            self._mapping[column.own]
            for part in self._parts
            for column in part.columns
            if column.own in self._mapping
            and parsing.may_be_unread(self.columns[self._mapping[column.own]], column.held)
        }
        return tuple(name for name in self.columns if name in names)

    def value_of(self, name: str) -> str:
        """Return what a column is called in the query of `typed`."""
        return f"v{list(self.columns).index(name)}"

    def unread_of(self, name: str) -> str:
        """Return the name of the column with a column's text where it could not be read."""
        return f"u{list(self.columns).index(name)}"

    def typed(self, files: Sequence[Path] | None = None, marks: bool = False) -> str:
        """Return the query of the rows with their columns typed.

        Parameters
        ----------
        files : sequence of Path, optional
            Some of the files; all of them where not given.
        marks : bool, optional
            Add for each column its `unread_of`, its text where it could not be read.

        Returns
        -------
        str
            SQL of days (DATE, moments TIMESTAMP), text (VARCHAR), numbers (DOUBLE); NULL where
            missing. Its columns are called as `value_of` says.
        """
        queries = []
        for part in self._parts:
            wanted = [file for file in part.files if files is None or file in files]
            if wanted:
                queries.append(self._query(part, wanted, marks))
        return " UNION ALL ".join(queries)

    def _query(self, part: _Part, files: Sequence[Path], marks: bool) -> str:
        source = part.source(self._places, files)
        of = {column.own: (quoted(column.sql), column.held) for column in part.columns}
        where = ""
        if self._date is None:
            cells = {here: of[own] for own, here in self._mapping.items()}
        else:
            stocks = {own: here for own, here in self._mapping.items() if own != self._date}
            numbers = all(parsing.holds_numbers(of[own][1]) for own in stocks)
            held = "DOUBLE" if numbers else "VARCHAR"
            prices = []
            for own, here in stocks.items():
                raw, kind = of[own]
                # By way of a DOUBLE, as the shortest text of a FLOAT is another number.
                raw = f"CAST({raw} AS DOUBLE)" if parsing.holds_numbers(kind) else raw
                prices.append(f"CAST({raw} AS {held}) AS {quoted(here)}")
            date, held_date = of[self._date]
            over = ", ".join(quoted(here) for here in stocks.values())
            source = (
                f"(UNPIVOT (SELECT {date} AS __date, {', '.join(prices)} FROM {source}) "  # nosec B608 # names quoted
                f"ON {over} INTO NAME __stock VALUE __close)"
            )
            cells = {
                "date": ("__date", held_date),
                "stock": ("__stock", "VARCHAR"),
                "close": ("__close", held),
            }
            if not numbers:
                # A price that is not there is no row, as if its cell were empty.
                where = " WHERE NOT is_missing(__close)"
        columns = [
            f"{parsing.value(kind, *cells[name])} AS {self.value_of(name)}"
            for name, kind in self.columns.items()
        ]
        if marks:
            columns += [
                f"{parsing.unread(kind, *cells[name])} AS {self.unread_of(name)}"
                for name, kind in self.columns.items()
            ]
        return f"SELECT {', '.join(columns)} FROM {source}{where}"  # nosec B608 # names quoted


def scan(
    connection: duckdb.DuckDBPyConnection,
    spec: Spec,
    kinds: Kinds,
    *,
    wide: bool = False,
    columns: Mapping[str, str] | None = None,
) -> Scan:
    """Look at the files' headers and types; no row is read.

    Parameters
    ----------
    connection : DuckDBPyConnection
        From `engine`; gets the macros that read the table's text.
    spec : Spec
        The files, their columns' names, how their text is written.
    kinds : callable
        What each column holds.
    wide : bool, optional
        One column of dates (named or mapped to date or month; else the first), the others prices,
        each of the stock that its name says.
    columns : mapping of str to str, optional
        In the place of `spec.columns`.

    Raises
    ------
    SourceError, RecordsError
        As `konkyo.data.files.header`; the files have not the same columns, or the mapping names one
        that is not there.
    """
    form = spec if isinstance(spec, TextFormat) else TextFormat()
    parsing.define(connection, form)
    files = files_of(spec.files)
    names, _ = header(files[0], form.encoding)
    groups: dict[tuple[tuple[_Column, ...], str, str], list[Path]] = {}
    for file in files:
        own, separator = header(file, form.encoding)
        same_columns(str(files[0]), names, str(file), own)
        if suffix_of(file) == ".parquet":
            held = _columns_of(connection, file)
        else:
            held = tuple(_Column(name, f"f{n}", "VARCHAR") for n, name in enumerate(own))
        groups.setdefault((held, separator, suffix_of(file)), []).append(file)
    parts = tuple(_Part(tuple(some), held, mark) for (held, mark, _), some in groups.items())
    mapping = renamed(together(files), names, spec.columns if columns is None else columns)
    mapping, remarks = _named(together(files), mapping, kinds, wide)
    places = _recoded(connection, files, form.encoding)
    if not wide:
        cells = {name: kind for name in mapping.values() if (kind := kinds(name)) is not None}
        mapping = {own: name for own, name in mapping.items() if name in cells}
        names_of = {name: own for own, name in mapping.items() if name != own}
        return Scan(together(files), names_of, cells, remarks, parts, places, mapping)
    dates = [own for own, name in mapping.items() if name in ("date", "month")]
    date = dates[0] if dates else next(iter(mapping))
    if len(mapping) < 2:
        raise RecordsError(
            f"{together(files)} has no column of prices beside {date!r}, its dates: with "
            "layout: wide every stock has a column"
        )
    check_capitals(files[0], list(mapping.values()))
    cells = {name: kind for name in ("date", "stock", "close") if (kind := kinds(name)) is not None}
    return Scan(together(files), {"date": date}, cells, remarks, parts, places, mapping, date)


def _named(
    file: str, mapping: Mapping[str, str], kinds: Kinds, wide: bool
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the mapping without columns that have no name, and a note on each.

    A first one holds the dates where no other column does: so pandas writes an index of dates.
    """
    named = {own: name for own, name in mapping.items() if name != own or not is_nameless(own)}
    nameless = [own for own in mapping if own not in named]
    remarks = []
    days = ["month", "date"] if kinds("month") == "period" else ["date"]
    for own in nameless:
        dates = own == next(iter(mapping)) and not set(days) & set(named.values())
        if dates and kinds(days[0]) in ("day", "period") and (wide or own == "Unnamed: 0"):
            named = {own: days[0], **named}
            remarks.append(f"assumed: the first column of {file}, which has no name, has the dates")
        else:
            remarks.append(f"{file}: column {own!r} is left out; map it to a name to use it")
    return named, tuple(remarks)


def check_capitals(file: Path, names: Sequence[str]) -> None:
    """See that no names that become columns within SQL differ in capital letters alone."""
    small = [name.lower() for name in names]
    alike = [name for name in names if small.count(name.lower()) > 1]
    if alike:
        raise RecordsError(
            f"{file} has columns whose names differ in capital letters alone, "
            f"{', '.join(map(repr, alike))}: give them names that differ otherwise"
        )


def _columns_of(connection: duckdb.DuckDBPyConnection, file: Path) -> tuple[_Column, ...]:
    """Return the columns of a Parquet file and their types, with the names of their time zones."""
    try:
        rows = connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet([{_file(file)}], hive_partitioning = false)"  # nosec B608 # quoted
        ).fetchall()
    except duckdb.Error as error:
        raise RecordsError(unreadable(str(file), str(error).splitlines()[0])) from None
    columns = []
    for (sql, held, *_), one in zip(rows, pyarrow.parquet.read_schema(file), strict=True):
        zone = getattr(one.type, "tz", None)
        if pa.types.is_duration(one.type):
            # DuckDB reads it as the whole number that it is kept as, whatever its unit.
            held = "DURATION"
        columns.append(_Column(one.name, sql, f"{parsing.ZONED} {zone}" if zone else held))
    return tuple(columns)


def _recoded(
    connection: duckdb.DuckDBPyConnection, files: Sequence[Path], encoding: str
) -> dict[Path, Path]:
    """Return copies in UTF-8, which alone DuckDB reads, of text files in another encoding."""
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return {}
    scratch = Path(connection.execute("SELECT current_setting('temp_directory')").fetchall()[0][0])
    copies = {}
    for number, file in enumerate(files):
        if suffix_of(file) == ".parquet":
            continue
        copy = scratch / f"recoded-{number}.csv"
        try:
            with (
                open_text(file, encoding) as rows,
                copy.open("w", encoding="utf-8", newline="") as to,
            ):
                shutil.copyfileobj(rows, to)
        except (ValueError, OSError, EOFError) as error:
            raise RecordsError(unreadable(str(file), error)) from None
        copies[file] = copy
    return copies


def _file(path: Path) -> str:
    """Return a file's name as DuckDB's functions take it, which read patterns and addresses."""
    return literal("".join(f"[{c}]" if c in "*?[" else c for c in str(path.absolute())))
