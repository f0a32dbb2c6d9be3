"""The query of a table of any size: which files it reads, and how their cells become values.

DuckDB reads text files as text and Parquet with its types; `konkyo.data.parsing` has the SQL of one
cell. A `Scan` need not fit into memory; `konkyo.data.reader.read` brings a table that does.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet

from konkyo.config import Reports, StockRows, Table
from konkyo.data import parsing
from konkyo.data.columns import is_declared
from konkyo.data.conditions import columns_in, refusal
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
from konkyo.data.violations import Note, assumed, names_of, odd
from konkyo.errors import RecordsError

Kinds = Callable[[str], CellKind | None]
"""What a column holds by this project's name; None where it is left out."""


Spec = Table | StockRows | Reports
"""What params.yaml says of a table."""


@dataclass(frozen=True)
class _Column:
    """A column of a file: its name, its name within SQL, its type as DuckDB calls it.

    To SQL, names that differ in capital letters alone are one.
    """

    own: str
    sql: str
    held: str
    values: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def cell(self) -> tuple[str, str]:
        """Return the SQL of a cell with what its value stands for, and its type."""
        raw = quoted(self.sql)
        if not self.values:
            return raw, self.held
        text = f"coalesce({parsing.text_of(raw, self.held)}, '')"
        cases = " ".join(
            f"WHEN {literal(own)} THEN {literal(here)}" for own, here in self.values.items()
        )
        return f"CASE bare({text}) {cases} ELSE {text} END", "VARCHAR"


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
    notes : tuple of Note
        What was done with columns that have no name.
    """

    file: str
    names: Mapping[str, str]
    columns: Mapping[str, CellKind]
    notes: tuple[Note, ...]
    _parts: tuple[_Part, ...]
    _places: Mapping[Path, Path]
    _mapping: Mapping[str, str]
    _date: str | None = None
    _where: tuple[str, ...] = ()
    _numbers: frozenset[str] = frozenset()

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
            and parsing.may_be_unread(self.columns[self._mapping[column.own]], column.cell[1])
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

    def _written(self, part: _Part, own: str) -> str:
        """Return the SQL of a cell as `where` sees it: text, a number or a day as it is written."""
        column = next(column for column in part.columns if column.own == own)
        raw = quoted(column.sql)
        if own in self._numbers or parsing.holds_numbers(column.held):
            return parsing.value("number", raw, column.held)
        if column.held == "DATE" or column.held.startswith("TIMESTAMP"):
            return raw
        return f"nullif(bare({parsing.text_of(raw, column.held)}), '')"

    def note(self, connection: duckdb.DuckDBPyConnection) -> tuple[Note, ...]:
        """Return how many rows `where` leaves out, if there is one.

        Raises
        ------
        RecordsError
            It leaves out all rows.
        """
        if not self._where:
            return ()
        everything = replace(self, _where=())
        rows, left = (
            connection.execute(f"SELECT count(*) FROM ({scan.typed()})").fetchall()[0][0]  # nosec B608 # quoted
            for scan in (everything, self)
        )
        if not left:
            raise RecordsError(f"{self.file} has {rows:,} rows, of which `where` leaves none")
        return odd(f"{self.file}: `where` leaves {left:,} of {rows:,} rows")

    def _query(self, part: _Part, files: Sequence[Path], marks: bool) -> str:
        source = part.source(self._places, files)
        of = {column.own: column.cell for column in part.columns}
        where = ""
        if self._where:
            written = ", ".join(self._written(part, own) for own in self._where)
            source = f"(SELECT * FROM {source} WHERE row_counts({written}))"  # nosec B608 # quoted
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
    parsing.define(connection, spec)
    files = files_of(spec.files)
    names, _ = header(files[0], spec.encoding)
    meanings = spec.values  # of no frame
    unknown = [name for name in meanings if name not in names]
    if unknown:
        raise RecordsError(
            f"`values` of {together(files)} is about {names_of(unknown)}, which it has not: it has "
            f"{names_of(names)}"
        )
    coded = {
        own: {_as_text(key): _as_text(value) for key, value in some.items()}
        for own, some in meanings.items()
    }
    groups: dict[tuple[tuple[_Column, ...], str, str], list[Path]] = {}
    for file in files:
        own, separator = header(file, spec.encoding)
        same_columns(str(files[0]), names, str(file), own)
        if suffix_of(file) == ".parquet":
            held = _columns_of(connection, file)
        else:
            held = tuple(_Column(name, f"f{n}", "VARCHAR") for n, name in enumerate(own))
        held = tuple(replace(one, values=coded.get(one.own, {})) for one in held)
        groups.setdefault((held, separator, suffix_of(file)), []).append(file)
    parts = tuple(_Part(tuple(some), held, mark) for (held, mark, _), some in groups.items())
    mapping = renamed(together(files), names, spec.columns if columns is None else columns)
    mapping, remarks = _named(together(files), mapping, kinds, wide)
    places = _recoded(connection, files, spec.encoding)
    title = together(files)
    where: tuple[str, ...] = ()
    if spec.where.strip():
        where = tuple(columns_in(connection, f"`where` of {title}", spec.where, names))
        # What serves the condition alone is no column of the records.
        given = spec.columns if columns is None else columns
        mapping = {
            own: here
            for own, here in mapping.items()
            if own not in where or own in given or is_declared(here)
        }
        title = f"{title} where {spec.where.strip()}"
    date = None
    if wide:
        date = next((n for n in mapping if mapping[n] in ("date", "month")), next(iter(mapping)))
        if len(mapping) < 2:
            raise RecordsError(
                f"{together(files)} has no column of prices beside {date!r}, its dates: with "
                "layout: wide every stock has a column"
            )
        check_capitals(files[0], list(mapping.values()))
    held_names = ("date", "stock", "close") if wide else tuple(mapping.values())
    cells = {name: kind for name in held_names if (kind := kinds(name)) is not None}
    if not cells:
        raise RecordsError(
            f"{together(files)} has no column of this project's, it has [{names_of(names)}]: "
            "map them in `columns` of the table's entry in params.yaml to those of docs/data.md"
        )
    if date is None:
        mapping = {own: name for own, name in mapping.items() if name in cells}
        own_of = {name: own for own, name in mapping.items() if name != own}
    else:
        own_of = {"date": date}
    table = Scan(title, own_of, cells, remarks, parts, places, mapping, date)
    return _filtered(connection, table, where, spec.where)


def _named(
    file: str, mapping: Mapping[str, str], kinds: Kinds, wide: bool
) -> tuple[dict[str, str], tuple[Note, ...]]:
    """Return the mapping without columns that have no name, and a note on each.

    A first one holds the dates where no other column does: so pandas writes an index of dates.
    """
    named = {own: name for own, name in mapping.items() if name != own or not is_nameless(own)}
    nameless = [own for own in mapping if own not in named]
    remarks: list[Note] = []
    days = ["month", "date"] if kinds("month") == "period" else ["date"]
    for own in nameless:
        dates = own == next(iter(mapping)) and not set(days) & set(named.values())
        if dates and kinds(days[0]) in ("day", "period") and (wide or own == "Unnamed: 0"):
            named = {own: days[0], **named}
            remarks += assumed(f"the first column of {file}, which has no name, has the dates")
        else:
            remarks += odd(f"{file}: column {own!r} is left out; map it to a name to use it")
    return named, tuple(remarks)


def _filtered(
    connection: duckdb.DuckDBPyConnection, table: Scan, where: tuple[str, ...], condition: str
) -> Scan:
    """Return a table of the rows for which a condition on its columns is true.

    A column of text whose every value is a number is compared as a number.
    """
    if not where:
        return table
    numbers = set()
    for own in where:
        texts = " UNION ALL ".join(
            f"SELECT {parsing.text_of(quoted(column.sql), column.held)} AS t "  # nosec B608 # quoted
            f"FROM {part.source(table._places, part.files)}"
            for part in table._parts
            for column in part.columns
            if column.own == own
        )
        query = f"SELECT count(*) FROM ({texts}) WHERE NOT is_missing(t) AND number_of(t) IS NULL"  # nosec B608 # quoted
        kind = table.columns.get(table._mapping.get(own, own))
        if kind in (None, "number") and not connection.execute(query).fetchall()[0][0]:
            numbers.add(own)
    names = ", ".join(map(quoted, where))
    table = replace(table, _where=where, _numbers=frozenset(numbers))
    try:
        connection.execute(f"CREATE OR REPLACE TEMP MACRO row_counts({names}) AS ({condition}\n)")
        connection.execute(f"SELECT count(*) FROM ({table.typed()})")  # nosec B608 # quoted
    except duckdb.Error as error:
        raise refusal(f"`where` of {table.file}", condition, where, error) from None
    return table


def _as_text(value: str | float) -> str:
    return value.strip() if isinstance(value, str) else f"{value:.15g}"


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
