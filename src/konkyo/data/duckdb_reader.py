"""Dated rows in files of any size, read lazily by DuckDB: typed columns, and what resists typing.

CSV files are read as text throughout and then typed by the rules of `konkyo.data.parsing`, so
that no text among numbers is taken for a missing value; Parquet files have their own types.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet

from konkyo.data.parsing import MISSING, YEARS
from konkyo.data.readers import (
    check_mapping,
    header,
    renamed,
    same_columns,
    suffix_of,
    together,
    unreadable,
)
from konkyo.errors import RecordsError
from konkyo.resilience import temporary_folder

MEMORY = "1500MB"
"""What DuckDB may hold; beyond it, it writes to a scratch folder."""

_TEXT = ("stock", "sector")
_DATE = "date"
_ZONED = "TIMESTAMP WITH TIME ZONE"
_NUMBERS = (
    "DOUBLE", "FLOAT", "DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
    "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
)  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """Files that are read by one expression: of one kind, with the same header and types."""

    files: tuple[Path, ...]
    types: tuple[tuple[str, str], ...]

    @property
    def csv(self) -> bool:
        return suffix_of(self.files[0]) != ".parquet"

    def source(self, files: Sequence[Path]) -> str:
        """Return the table function that reads these files of it."""
        names = ", ".join(_literal(str(file)) for file in files)
        if not self.csv:
            return f"read_parquet([{names}])"
        columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name, _ in self.types)
        return (
            f"read_csv([{names}], auto_detect = false, header = true, delim = ',', quote = '\"', "
            f"escape = '\"', max_line_size = 16777216, columns = {{{columns}}})"
        )


@dataclass(frozen=True)
class Scan:
    """Dated rows of stocks, not yet read.

    Attributes
    ----------
    file : str
        The files, for messages.
    names : mapping of str to str
        The files' own name of each column that has another name here.
    columns : tuple of str
        This project's names: date, stock and the others; date, stock and close of a wide layout.
    """

    file: str
    names: Mapping[str, str]
    columns: tuple[str, ...]
    _parts: tuple[_Part, ...]
    _kept: Mapping[str, str]
    _date: str | None
    _wide: bool

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files in the order of their reading."""
        return tuple(file for part in self._parts for file in part.files)

    @property
    def text(self) -> bool:
        """Return whether a file is text, which is slow to read twice."""
        return any(part.csv for part in self._parts)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Return the columns that may hold values which cannot be read."""
        if self._wide:
            return ("date", "close")
        found = {
            self._kept[own]
            for part in self._parts
            for own, kind in part.types
            if own in self._kept and _doubtful(self._kept[own], kind)
        }
        return tuple(name for name in self.columns if name in found)

    def typed(self, files: Sequence[Path] | None = None, marks: bool = False) -> str:
        """Return the query of the rows with their columns typed.

        Parameters
        ----------
        files : sequence of Path, optional
            Some of the files; all of them where not given.
        marks : bool, optional
            Add `the row` (its number in its file, from 1), and for each column that may not be
            readable its `unread_of`, its text where it could not be read.

        Returns
        -------
        str
            SQL of date (DATE), stock and sector (VARCHAR), the others DOUBLE; NULL where missing.
        """
        queries = []
        for part in self._parts:
            wanted = [file for file in part.files if files is None or file in files]
            if wanted:
                queries.append(self._query(part, wanted, marks))
        return " UNION ALL ".join(queries)

    def _query(self, part: _Part, files: Sequence[Path], marks: bool) -> str:
        source = f"(SELECT *, row_number() OVER () AS __row FROM {part.source(files)})"  # nosec B608 # quoted
        if not marks:
            source = part.source(files)
        kinds = dict(part.types)
        row = ['__row AS "the row"'] if marks else []
        if self._wide:
            assert self._date is not None  # nosec B101 # tells mypy the type
            stocks = {own: here for own, here in self._kept.items() if own != self._date}
            text = any(kinds[own] == "VARCHAR" for own in stocks)
            kind = "VARCHAR" if text else "DOUBLE"
            # By way of a DOUBLE, as the shortest text of a FLOAT is another number.
            of = {
                own: f"CAST({quoted(own)} AS DOUBLE)" if _is_number(kinds[own]) else quoted(own)
                for own in stocks
            }
            cells = [f"CAST({of[o]} AS {kind}) AS {quoted(h)}" for o, h in stocks.items()]
            over = ", ".join(quoted(here) for here in stocks.values())
            rows = ", ".join(
                [f"{quoted(self._date)} AS __date", *(["__row"] if marks else []), *cells]
            )
            source = (
                "(UNPIVOT (SELECT "  # nosec B608 # names quoted
                f"{rows} FROM {source}) ON {over} INTO NAME __stock VALUE __close)"
            )
            given = [
                ("date", "__date", kinds[self._date]),
                ("stock", "__stock", "VARCHAR"),
                ("close", "__close", kind),
            ]
        else:
            given = [(here, quoted(own), kinds[own]) for own, here in self._kept.items()]
            given.sort(key=lambda column: self.columns.index(column[0]))
        typed = [f"{_value(here, raw, kind)} AS {quoted(here)}" for here, raw, kind in given]
        if marks:
            typed += [f"{_bad(*column)} AS {quoted(unread_of(column[0]))}" for column in given]
        return f"SELECT {', '.join([*row, *typed])} FROM {source}"  # nosec B608 # quoted


@contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a DuckDB connection whose memory is bounded, with a scratch folder that goes with it.

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
        connection = duckdb.connect(f"{folder}/rows.duckdb", config=settings)
        try:
            # Else it is drawn into what the command prints.
            connection.execute("SET enable_progress_bar = false")
            yield connection
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
            # What is asked is wrong, not what is read.
            raise
        except duckdb.Error as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise RecordsError(unreadable("a file of ingest.tables", _Said(lines[:3]))) from None
        finally:
            connection.close()


class _Said(Exception):
    """The first lines of what DuckDB says, without its hints on options that users have not."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("; ".join(lines))


def scan(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    columns: Mapping[str, str],
    wide: bool,
) -> Scan:
    """Look at the files' headers and types; no row is read.

    Parameters
    ----------
    connection : DuckDBPyConnection
        From `engine`.
    files : sequence of Path
        Of one kind of rows.
    columns : mapping of str to str
        The files' names: this project's; nothing for a column that is left out.
    wide : bool
        One column of dates (named or mapped to date or month; else the first), the others prices,
        each of the stock that its name says.

    Raises
    ------
    SourceError, RecordsError
        As `konkyo.data.readers.read`; or the mapping names a column that is not there.
    """
    names = header(files[0])
    check_mapping(str(files[0]), names, columns)
    small = [name.lower() for name in names]
    alike = [name for name in names if small.count(name.lower()) > 1]
    if alike:
        raise RecordsError(
            f"{files[0]} has columns whose names differ in capital letters alone, "
            f"{', '.join(map(repr, alike))}: give them names that differ otherwise"
        )
    groups: dict[tuple[tuple[str, str], ...], list[Path]] = {}
    for file in files:
        own = header(file)
        same_columns(str(files[0]), names, str(file), own)
        if suffix_of(file) == ".parquet":
            found = connection.execute(
                f"DESCRIBE SELECT * FROM read_parquet([{_literal(str(file))}])"  # nosec B608 # quoted
            ).fetchall()
            zones = {
                field.name: f" {field.type.tz}"
                for field in pyarrow.parquet.read_schema(file)
                if getattr(field.type, "tz", None)
            }
            types = tuple((str(row[0]), f"{row[1]}{zones.get(str(row[0]), '')}") for row in found)
        else:
            types = tuple((name, "CSV") for name in own)
        groups.setdefault(types, []).append(file)
    parts = tuple(
        _Part(tuple(some), tuple((name, kind.replace("CSV", "VARCHAR")) for name, kind in types))
        for types, some in groups.items()
    )
    kept = renamed(together(files), names, columns)
    own_of = {here: own for own, here in kept.items() if here != own}
    if not wide:
        return Scan(together(files), own_of, tuple(kept.values()), parts, kept, None, False)
    dates = [own for own, here in kept.items() if here in ("date", "month")]
    date = dates[0] if dates else next(iter(kept))
    if len(kept) < 2:
        raise RecordsError(
            f"{together(files)} has no column of prices beside {date!r}, its dates: with "
            "layout: wide every stock has a column"
        )
    return Scan(
        together(files), {"date": date}, ("date", "stock", "close"), parts, kept, date, True
    )


def _value(here: str, raw: str, kind: str) -> str:
    """Return the SQL of a typed value, NULL where there is none and where it cannot be read."""
    text = f"trim(CAST({raw} AS VARCHAR))"
    if here == _DATE:
        if kind == "DATE" or kind.startswith("TIMESTAMP"):
            day = f"CAST({_local(raw, kind)} AS DATE)"
        else:
            # Neither a cast nor a format is strict: 2020-1-3 would be a day, and so would 2020111.
            forms = (
                (r"^\d{4}-\d{2}-\d{2}([ T].*)?$", f"left({text}, 10)", "%Y-%m-%d"),
                (r"^\d{8}$", text, "%Y%m%d"),
                (r"^\d{4}-\d{2}$", text, "%Y-%m"),
            )
            written = " ".join(
                f"WHEN regexp_matches({text}, '{form}') "
                f"THEN CAST(TRY_STRPTIME({part}, '{how}') AS DATE)"
                for form, part, how in forms
            )
            day = f"CASE {written} END"
        return f"CASE WHEN year({day}) BETWEEN {YEARS[0]} AND {YEARS[1]} THEN {day} END"
    if here in _TEXT:
        if kind in ("DOUBLE", "FLOAT"):
            # Codes that are whole numbers beside missing ones; NaN is a missing one.
            whole = f"{raw} = round({raw}) AND abs({raw}) < 9007199254740992"
            text = (
                f"CASE WHEN {whole} THEN CAST(TRY_CAST({raw} AS BIGINT) AS VARCHAR) "
                f"WHEN NOT isnan({raw}) THEN {text} END"
            )
        if here == "stock":
            return f"nullif({text}, '')"
        return f"CASE WHEN lower({text}) NOT IN ({_list(MISSING)}) THEN {text} END"
    if _is_number(kind):
        number = f"TRY_CAST({raw} AS DOUBLE)"
    elif _is_text(kind):
        # DuckDB reads 1_000 as a thousand, which pandas and the monthly tables refuse.
        number = f"CASE WHEN NOT contains({text}, '_') THEN TRY_CAST({text} AS DOUBLE) END"
    else:
        return "CAST(NULL AS DOUBLE)"
    return f"CASE WHEN NOT isnan({number}) THEN {number} END"


def _bad(here: str, raw: str, kind: str) -> str:
    """Return the SQL of a value's text where there is one and it cannot be read, else NULL."""
    if not _doubtful(here, kind):
        return "CAST(NULL AS VARCHAR)"
    text = f"CAST({raw} AS VARCHAR)"
    missing = _list(("",) if here == _DATE else MISSING)
    return (
        f"CASE WHEN {_value(here, raw, kind)} IS NULL AND {text} IS NOT NULL "
        f"AND lower(trim({text})) NOT IN ({missing}) THEN {text} END"
    )


def _doubtful(here: str, kind: str) -> bool:
    """Return whether a value of this type may be one that cannot be read."""
    if here in _TEXT:
        return False
    return here == _DATE or not _is_number(kind)


def _is_number(kind: str) -> bool:
    # BIGINT[] is a list of them.
    return kind.startswith(_NUMBERS) and not kind.endswith("]")


def _is_text(kind: str) -> bool:
    return kind in ("VARCHAR", "BLOB") or kind.startswith("ENUM")


def _local(raw: str, kind: str) -> str:
    """Return the SQL of a moment as the clocks of its own time zone show it."""
    zone = kind.removeprefix(_ZONED).strip()
    if not kind.startswith(_ZONED) or not zone:
        return raw
    if zone[0] not in "+-":
        return f"timezone({_literal(zone)}, {raw})"
    minutes = int(f"{zone[0]}1") * (int(zone[1:3]) * 60 + int(zone[4:6] or 0))
    return f"make_timestamp(epoch_us({raw}) + {minutes * 60_000_000})"


def to_frame(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """Return the rows of a query, text as text and dates as dates."""
    return connection.sql(query).to_arrow_table().to_pandas(ignore_metadata=True)


def unread_of(name: str) -> str:
    """Return the name of the column with a column's text where it could not be read."""
    return f"{name}, not read"


def quoted(name: str) -> str:
    """Return a name as SQL writes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _list(texts: Sequence[str]) -> str:
    return ", ".join(_literal(text) for text in texts)
