"""The query of a table of any size: which files it reads, and how their cells become values.

DuckDB reads text files as text and Parquet with its types; `konkyo.data.parsing` has the SQL of one
cell. A `Scan` need not fit into memory; `konkyo.data.reader.read` brings a table that does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from konkyo.config import Reports, StockRows, Table
from konkyo.data import parsing
from konkyo.data.columns import is_declared
from konkyo.data.conditions import columns_in, refusal
from konkyo.data.files import (
    Column,
    Part,
    files_of,
    header,
    is_nameless,
    parts_of,
    recoded,
    renamed,
    together,
)
from konkyo.data.parsing import CellKind, quoted
from konkyo.data.violations import Note, assumed, names_of, odd
from konkyo.errors import RecordsError

Kinds = Callable[[str], CellKind | None]
"""What a column holds by this project's name; None where it is left out."""


Spec = Table | StockRows | Reports
"""What params.yaml says of a table."""


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
    _parts: tuple[Part, ...]
    _places: Mapping[Path, Path]
    _mapping: Mapping[str, str]
    _date: str | None = None
    _where: tuple[str, ...] = ()
    _numbers: frozenset[str] = frozenset()
    first_row: int = 1

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
            name
            for part in self._parts
            for column in part.columns
            if (name := self._mapping.get(column.name))
            and parsing.may_be_unread(self.columns[name], column.type)
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
        return (odd(f"{self.file}: `where` leaves {left:,} of {rows:,} rows"),)

    def _as_written(self, column: Column) -> str:
        """Return the SQL of a cell as `where` sees it: text, a number or a day as it is written."""
        raw = quoted(column.sql)
        if column.name in self._numbers or parsing.holds_numbers(column.type):
            return parsing.value("number", raw, column.type)
        if column.type == "DATE" or column.type.startswith("TIMESTAMP"):
            return raw
        return f"nullif(bare({parsing.text_of(raw, column.type)}), '')"

    def _query(self, part: Part, files: Sequence[Path], marks: bool) -> str:
        source = part.source(self._places, files)
        cell_of = {column.name: column.cell for column in part.columns}
        where = ""
        if self._where:
            arguments = ", ".join(
                self._as_written(column)
                for name in self._where
                for column in part.columns
                if column.name == name
            )
            source = f"(SELECT * FROM {source} WHERE row_counts({arguments}))"  # nosec B608 # quoted
        if self._date is None:
            cells = {here: cell_of[name] for name, here in self._mapping.items()}
        else:
            stocks = {name: here for name, here in self._mapping.items() if name != self._date}
            numbers = all(parsing.holds_numbers(cell_of[name][1]) for name in stocks)
            price_type = "DOUBLE" if numbers else "VARCHAR"
            prices = []
            for name, here in stocks.items():
                raw, cell_type = cell_of[name]
                # By way of a DOUBLE, as the shortest text of a FLOAT is another number.
                raw = f"CAST({raw} AS DOUBLE)" if parsing.holds_numbers(cell_type) else raw
                prices.append(f"CAST({raw} AS {price_type}) AS {quoted(here)}")
            date, date_type = cell_of[self._date]
            over = ", ".join(quoted(here) for here in stocks.values())
            source = (
                f"(UNPIVOT (SELECT {date} AS __date, {', '.join(prices)} FROM {source}) "  # nosec B608 # names quoted
                f"ON {over} INTO NAME __stock VALUE __close)"
            )
            cells = {
                "date": ("__date", date_type),
                "stock": ("__stock", "VARCHAR"),
                "close": ("__close", price_type),
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
    title = together(files)
    names, _ = header(files[0], spec.encoding)
    parts = parts_of(connection, files, names, spec.encoding, spec.values)
    given = spec.columns if columns is None else columns
    mapping = renamed(title, names, given)
    mapping, remarks = _named(title, mapping, kinds, wide)
    condition, where = spec.where.strip(), list[str]()
    if condition:
        where = columns_in(connection, f"`where` of {title}", condition, names)
        title = f"{title} where {condition}"
        # What serves the condition alone is no column of the records.
        mapping = {
            name: here
            for name, here in mapping.items()
            if name not in where or name in given or is_declared(here)
        }
    date = None
    if wide:
        date = next((n for n in mapping if mapping[n] in ("date", "month")), next(iter(mapping)))
        if len(mapping) < 2:
            raise RecordsError(
                f"{title} has no column of prices beside {date!r}, its dates: with "
                "layout: wide every stock has a column"
            )
        check_capitals(files[0], list(mapping.values()))
    here = ("date", "stock", "close") if wide else tuple(mapping.values())
    cells = {name: kind for name in here if (kind := kinds(name)) is not None}
    if not cells:
        raise RecordsError(
            f"{title} has no column of this project's, it has [{names_of(names)}]: "
            "map them in `columns` of the table's entry in params.yaml to those of docs/data.md"
        )
    if date is None:
        mapping = {name: here for name, here in mapping.items() if here in cells}
        own_names = {here: name for name, here in mapping.items() if name != here}
    else:
        own_names = {"date": date}
    places = recoded(connection, files, spec.encoding)
    table = Scan(title, own_names, cells, remarks, parts, places, mapping, date)
    return _filtered(connection, table, condition, where)


def _named(
    file: str, mapping: Mapping[str, str], kinds: Kinds, wide: bool
) -> tuple[dict[str, str], tuple[Note, ...]]:
    """Return the mapping without columns that have no name, and a note on each.

    A first one holds the dates where no other column does: so pandas writes an index of dates.
    """
    named = {name: here for name, here in mapping.items() if here != name or not is_nameless(name)}
    nameless = [name for name in mapping if name not in named]
    remarks: list[Note] = []
    days = ["month", "date"] if kinds("month") == "period" else ["date"]
    for name in nameless:
        dates = name == next(iter(mapping)) and not set(days) & set(named.values())
        if dates and kinds(days[0]) in ("day", "period") and (wide or name == "Unnamed: 0"):
            named = {name: days[0], **named}
            remarks.append(assumed(f"the first column of {file}, which has no name, has the dates"))
        else:
            remarks.append(odd(f"{file}: column {name!r} is left out; map it to a name to use it"))
    return named, tuple(remarks)


def _filtered(
    connection: duckdb.DuckDBPyConnection, table: Scan, condition: str, where: Sequence[str]
) -> Scan:
    """Return a table of the rows for which a condition on its columns is true.

    A column of text whose every value is a number is compared as a number.
    """
    if not condition:
        return table
    numbers = set()
    for name in where:
        texts = " UNION ALL ".join(
            f"SELECT {parsing.text_of(quoted(column.sql), column.type)} AS t "  # nosec B608 # quoted
            f"FROM {part.source(table._places, part.files)}"
            for part in table._parts
            for column in part.columns
            if column.name == name
        )
        query = f"SELECT count(*) FROM ({texts}) WHERE NOT is_missing(t) AND number_of(t) IS NULL"  # nosec B608 # quoted
        kind = table.columns.get(table._mapping.get(name, name))
        if kind in (None, "number") and not connection.execute(query).fetchall()[0][0]:
            numbers.add(name)
    table = replace(table, _where=tuple(where), _numbers=frozenset(numbers))
    arguments = ", ".join(map(quoted, where))
    try:
        connection.execute(
            f"CREATE OR REPLACE TEMP MACRO row_counts({arguments}) AS ({condition}\n)"
        )
        connection.execute(f"SELECT count(*) FROM ({table.typed()})")  # nosec B608 # quoted
    except duckdb.Error as error:
        raise refusal(f"`where` of {table.file}", condition, where, error) from None
    return table


def check_capitals(file: Path, names: Sequence[str]) -> None:
    """See that no names that become columns within SQL differ in capital letters alone."""
    small = [name.lower() for name in names]
    alike = [name for name in names if small.count(name.lower()) > 1]
    if alike:
        raise RecordsError(
            f"{file} has columns whose names differ in capital letters alone, "
            f"{', '.join(map(repr, alike))}: give them names that differ otherwise"
        )
