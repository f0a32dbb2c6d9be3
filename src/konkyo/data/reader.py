"""The reader of every user's table: files of any size, as typed columns and what resists typing.

DuckDB reads text files as text and Parquet with its types; `konkyo.data.parsing` has the SQL of one
cell. A `Scan` is the query of a table that need not fit into memory; `read` brings one that does.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from konkyo.config.tables import TextFormat
from konkyo.data import parsing
from konkyo.data.files import (
    files_of,
    header,
    open_text,
    renamed,
    same_columns,
    suffix_of,
    together,
    unreadable,
)
from konkyo.data.parsing import CellKind, literal, quoted
from konkyo.errors import RecordsError
from konkyo.resilience import temporary_folder

MEMORY = "1500MB"
"""What DuckDB may hold; beyond it, it writes to a scratch folder."""

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


@dataclass(frozen=True, eq=False)
class ParsedTable:
    """A table in memory.

    Attributes
    ----------
    file : str
        The file or files, for messages.
    frame : DataFrame, shape [rows, columns]
        Under this project's names in the order of the file: days as datetime64, text as str,
        numbers as float64; missing where there was no value and where it could not be read.
    names : mapping of str to str
        The file's own name of each column that has another name here.
    unread : mapping of str to Series, shape [rows]
        Of each column with cells that could not be read: their text, missing elsewhere.
    kinds : mapping of str to CellKind
        What the columns of `unread` should hold.
    notes : tuple of str
        What was assumed of the rows.
    """

    file: str
    frame: pd.DataFrame
    names: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, pd.Series] = field(default_factory=dict)
    kinds: Mapping[str, CellKind] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def with_frame(self, frame: pd.DataFrame) -> "ParsedTable":
        """Return the table with other columns or values."""
        return replace(self, frame=frame)


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
    """

    file: str
    names: Mapping[str, str]
    columns: Mapping[str, CellKind]
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


@contextmanager
def engine(files: str, *, on_disk: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a DuckDB connection whose memory is bounded, with a scratch folder that goes with it.

    Parameters
    ----------
    files : str
        What is read, for messages.
    on_disk : bool, optional
        Its tables may outgrow the memory; False for queries alone, which start faster.

    Raises
    ------
    RecordsError
        DuckDB cannot read a file of the user's.
    """
    with temporary_folder() as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "threads": 2,
            "memory_limit": MEMORY,
            "temp_directory": str(folder),
            "preserve_insertion_order": False,
        }
        connection = duckdb.connect(
            f"{folder}/rows.duckdb" if on_disk else ":memory:", config=settings
        )
        try:
            # Else it is drawn into what the command prints.
            connection.execute("SET enable_progress_bar = false")
            yield connection
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
            # What is asked is wrong, not what is read.
            raise
        except duckdb.Error as error:
            # Its further lines are hints on options that users have not.
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise RecordsError(unreadable(files, "; ".join(lines[:3]))) from None
        finally:
            connection.close()


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
    places = _recoded(connection, files, form.encoding)
    if not wide:
        cells = {name: kind for name in mapping.values() if (kind := kinds(name)) is not None}
        mapping = {own: name for own, name in mapping.items() if name in cells}
        names_of = {name: own for own, name in mapping.items() if name != own}
        return Scan(together(files), names_of, cells, parts, places, mapping)
    dates = [own for own, name in mapping.items() if name in ("date", "month")]
    date = dates[0] if dates else next(iter(mapping))
    if len(mapping) < 2:
        raise RecordsError(
            f"{together(files)} has no column of prices beside {date!r}, its dates: with "
            "layout: wide every stock has a column"
        )
    check_capitals(files[0], list(mapping.values()))
    cells = {name: kind for name in ("date", "stock", "close") if (kind := kinds(name)) is not None}
    return Scan(together(files), {"date": date}, cells, parts, places, mapping, date)


def check_capitals(file: Path, names: Sequence[str]) -> None:
    """See that no names that become columns within SQL differ in capital letters alone."""
    small = [name.lower() for name in names]
    alike = [name for name in names if small.count(name.lower()) > 1]
    if alike:
        raise RecordsError(
            f"{file} has columns whose names differ in capital letters alone, "
            f"{', '.join(map(repr, alike))}: give them names that differ otherwise"
        )


def read(spec: Spec, kinds: Kinds) -> ParsedTable:
    """Read files of one kind of rows into memory, in their order.

    Parameters
    ----------
    spec : Spec
        The files, their columns' names, how their text is written.
    kinds : callable
        What each column holds; columns without a kind are passed over.

    Raises
    ------
    SourceError, RecordsError
        As `scan`; or a file holds no row.
    """
    frames = []
    with engine(", ".join(spec.files), on_disk=False) as connection:
        table = scan(connection, spec, kinds)
        connection.execute("SET preserve_insertion_order = true")
        for file in files_of(spec.files):
            try:
                rows = connection.sql(table.typed([file], marks=True)).to_arrow_table()
            except duckdb.Error as error:
                lines = [line for line in str(error).splitlines() if line.strip()]
                raise RecordsError(unreadable(str(file), "; ".join(lines[:3]))) from None
            if not rows.num_rows:
                own = [table.names.get(name, name) for name in table.columns]
                raise RecordsError(
                    f"{file} holds no row, only the columns {own}: add at least one row"
                )
            frames.append(rows)
    rows = pa.concat_tables(frames)
    names = list(table.columns)
    frame = to_pandas(rows.select([table.value_of(name) for name in names])).set_axis(names, axis=1)
    unread = {}
    for name in table.doubtful:
        texts = rows.column(table.unread_of(name))
        if texts.null_count < len(texts):
            unread[name] = texts.to_pandas()
    return ParsedTable(table.file, frame, table.names, unread, table.columns)


def to_frame(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """Return the rows of a query, text as text and dates as dates."""
    return connection.sql(query).to_arrow_table().to_pandas(ignore_metadata=True)


def to_pandas(rows: pa.Table) -> pd.DataFrame:
    """Return rows with days as datetime64."""
    return rows.to_pandas(ignore_metadata=True, date_as_object=False)


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
