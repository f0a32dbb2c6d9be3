"""The files of a table: which they are, their columns, and the SQL that reads them."""

import csv
import gzip
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TextIO

import duckdb
import pyarrow as pa
import pyarrow.parquet

from konkyo.data.parsing import ZONED, literal, quoted, text_of
from konkyo.data.violations import names_of
from konkyo.errors import RecordsError, SourceError

SUFFIXES = (".parquet", ".csv", ".csv.gz")
_UNNAMED = "__index_level_"
"""How pandas names the columns of an index that has no name."""


def suffix_of(path: Path) -> str:
    """Return how a file's name ends, in small letters: `.csv.gz` is one suffix."""
    name = path.name.lower()
    return ".csv.gz" if name.endswith(".csv.gz") else path.suffix.lower()


def files_of(names: Sequence[str]) -> tuple[Path, ...]:
    """Return the files that are named or lie in the named folders, however deep, by their names.

    Raises
    ------
    SourceError
        A folder holds no file of records, or a file is named twice.
    """
    files: list[Path] = []
    for path in map(Path, names):
        if not path.is_dir():
            files.append(path)
            continue
        visible = (file for file in within(path) if not file.name.startswith("."))
        inside = sorted(file for file in visible if suffix_of(file) in SUFFIXES)
        if not inside:
            raise SourceError(f"the folder {path} holds no file that ends in one of {SUFFIXES}")
        files += inside
    twice = sorted({str(file) for file in files if files.count(file) > 1})
    if twice:
        raise SourceError(f"ingest.tables.files names {', '.join(twice)} more than once")
    return tuple(files)


def within(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder however deep, and of folders that links lead to, each once."""
    visited = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        # A link may lead back to a folder above it.
        if (real := os.path.realpath(place)) in visited:
            folders.clear()
            continue
        visited.add(real)
        yield from (Path(place, file) for file in files if Path(place, file).is_file())


def together(files: Sequence[Path]) -> str:
    """Return how messages name files that are read as one table."""
    if len(files) == 1:
        return str(files[0])
    return f"{files[0]} and {len(files) - 1:,} more (rows counted through)"


def add_remedy(file: str, lacking: Sequence[str]) -> str:
    """Return what to do about columns that a file lacks: some are in the names of its folders."""
    held = [key for key in re.findall(r"([^/=]+)=[^/]*/", file) if key in lacking]
    if not held:
        return "add them"
    return (
        f"add them: {names_of(held)} stands in the names of the folders alone, which "
        "are not read (write the files without `partition_cols`)"
    )


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a text file, compressed or not, whose lines end as they do."""
    # A mark of the order of bytes belongs to no name.
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    if suffix_of(path) == ".csv.gz":
        return gzip.open(path, "rt", encoding=name, newline="")
    return path.open(encoding=name, newline="")


def header(path: Path, encoding: str = "utf-8") -> tuple[list[str], str]:
    """Return the names of a file's columns and, of a text file, what stands between them.

    Raises
    ------
    SourceError
        There is no such file, or it ends in no suffix of `SUFFIXES`.
    RecordsError
        The file is empty, cannot be read as what it says it is, or two of its columns have one name
        or one has none.
    """
    if suffix_of(path) not in SUFFIXES:
        raise SourceError(f"{path} ends in {path.suffix!r}: save it as one of {SUFFIXES}")
    if not path.is_file():
        raise SourceError(
            f"{path} is not here: put the file there, or correct ingest.tables in params.yaml"
        )
    if path.stat().st_size == 0:
        raise RecordsError(f"{path} is empty (0 bytes): write a header and at least one row")
    separator = ","
    try:
        if suffix_of(path) == ".parquet":
            columns = pyarrow.parquet.read_schema(path).names
            names = [name for name in columns if not name.startswith(_UNNAMED)]
        else:
            with open_text(path, encoding) as file:
                line = file.readline()
            # A header without a comma whose names another mark sets apart has that mark.
            separator = next((m for m in ",;\t" if m in line), ",")
            with open_text(path, encoding) as file:
                names = next(csv.reader(file, delimiter=separator, strict=True), [])
                heads = [names, *islice(csv.reader(file, delimiter=separator), 2)]
            if not names:
                raise ValueError("its first line is empty")
            if _several_heads(heads):
                raise ValueError(
                    f"it has three rows of names ({heads[0][:3]}, {heads[1][:3]}, {heads[2][:1]}), "
                    "as downloads of several stocks at once do: write one row a stock and day "
                    "(pandas: `frame.stack(level=1, future_stack=True)`), or of one price "
                    "(`frame['Close']`) with `layout: wide`"
                )
            # pandas writes an index without a name so, and reads it by this one.
            names[0] = names[0] if names[0].strip() else "Unnamed: 0"
    except (pa.ArrowException, OSError, EOFError, ValueError, csv.Error) as error:
        raise RecordsError(unreadable(str(path), error)) from None
    _check_names(str(path), names)
    return names, separator


def _several_heads(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a header is followed by names, and these by a row with one name alone."""
    if len(rows) < 3 or len(rows[0]) < 2:
        return False
    second, third = rows[1][1:], rows[2]
    return (
        bool(third and third[0].strip() and not any(cell.strip() for cell in third[1:]))
        and all(cell.strip() for cell in second)
        and not any(re.search(r"\d", cell) and not re.search("[A-Za-z]", cell) for cell in second)
        and not re.match(r"\d", third[0].strip())
    )


def is_nameless(name: str) -> bool:
    """Return whether a column's name is one that pandas gives to a column without a name."""
    return re.fullmatch(r"Unnamed: \d+(\.\d+)?", name) is not None


def same_columns(file: str, columns: Sequence[str], other: str, names: Sequence[str]) -> None:
    """See that two files of one table have the same columns, in any order."""
    if set(columns) != set(names):
        raise RecordsError(
            f"{other} has not the columns of {file}, which are read as one table: "
            f"missing [{names_of(sorted(set(columns) - set(names)))}], "
            f"more [{names_of(sorted(set(names) - set(columns)))}]; give both the same columns, "
            "or an entry each"
        )


def renamed(file: str, names: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return this project's name of each of a file's columns that is not left out.

    Raises
    ------
    RecordsError
        The mapping names a column that the file has not, or two columns would have one name.
    """
    unknown = [column for column in columns if column not in names]
    if unknown:
        raise RecordsError(
            f"the mapping of columns of {file} names {names_of(unknown)}, which "
            f"it has not: it has [{names_of(names)}]"
        )
    mapping = {name: columns.get(name, name) for name in names if columns.get(name, name)}
    _check_names(file, list(mapping.values()), f" after ingest.tables.columns {dict(columns)}")
    return mapping


def unreadable(file: str, error: Exception | str) -> str:
    """Return the message on a file that is not what its name says."""
    return (
        f"{file} cannot be read: {error}. A .csv file must be text of the `encoding` that "
        "params.yaml names (UTF-8 where it names none) with a header, separated by commas, with as "
        "many fields in every row; a .parquet file must be whole"
    )


def _check_names(file: str, names: list[str], when: str = "") -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RecordsError(
            f"{file} has more than one column named {names_of(twice)}{when}: "
            f"keep one of each; its columns are [{names_of(names)}]"
        )
    blank = [place for place, name in enumerate(names, start=1) if not name.strip()]
    if blank:
        raise RecordsError(
            f"{file} has no name for column number {', '.join(map(str, blank))}: name it or "
            f"remove it (pandas writes a nameless index unless to_csv has index=False)"
        )


@dataclass(frozen=True)
class Column:
    """A column of a file: its name, its name within SQL, its type as DuckDB calls it.

    To SQL, names that differ in capital letters alone are one. `meanings`: of its values, as text.
    """

    name: str
    sql: str
    type: str
    meanings: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def cell(self) -> tuple[str, str]:
        """Return the SQL of a cell with what its value stands for, and its type."""
        raw = quoted(self.sql)
        if not self.meanings:
            return raw, self.type
        text = f"coalesce({text_of(raw, self.type)}, '')"
        cases = " ".join(
            f"WHEN {literal(value)} THEN {literal(means)}" for value, means in self.meanings.items()
        )
        return f"CASE bare({text}) {cases} ELSE {text} END", "VARCHAR"


@dataclass(frozen=True)
class Part:
    """Files that are read by one expression: of one kind, with the same header and types."""

    files: tuple[Path, ...]
    columns: tuple[Column, ...]
    separator: str

    @property
    def is_text(self) -> bool:
        """Return whether the files are text."""
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


def parts_of(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    names: Sequence[str],
    encoding: str,
    values: Mapping[str, Mapping[str | int | float, float | str]],
) -> tuple[Part, ...]:
    """Return the files by what is read together; all of them must have these columns.

    `values` says of some columns what their values stand for.
    """
    if unknown := [name for name in values if name not in names]:
        raise RecordsError(
            f"`values` of {together(files)} is about {names_of(unknown)}, which it has not: it has "
            f"{names_of(names)}"
        )
    meanings = {
        name: {_as_text(value): _as_text(means) for value, means in pairs.items()}
        for name, pairs in values.items()
    }
    groups: dict[tuple[tuple[Column, ...], str, str], list[Path]] = {}
    for file in files:
        own_names, separator = header(file, encoding)
        same_columns(str(files[0]), names, str(file), own_names)
        if suffix_of(file) == ".parquet":
            columns = _columns_of(connection, file)
        else:
            columns = tuple(Column(name, f"f{n}", "VARCHAR") for n, name in enumerate(own_names))
        columns = tuple(replace(one, meanings=meanings.get(one.name, {})) for one in columns)
        groups.setdefault((columns, separator, suffix_of(file)), []).append(file)
    return tuple(Part(tuple(some), columns, mark) for (columns, mark, _), some in groups.items())


def _as_text(value: str | float) -> str:
    return value.strip() if isinstance(value, str) else f"{value:.15g}"


def _columns_of(connection: duckdb.DuckDBPyConnection, file: Path) -> tuple[Column, ...]:
    """Return the columns of a Parquet file and their types, with the names of their time zones."""
    try:
        rows = connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet([{_file(file)}], hive_partitioning = false)"  # nosec B608 # quoted
        ).fetchall()
    except duckdb.Error as error:
        raise RecordsError(unreadable(str(file), str(error).splitlines()[0])) from None
    columns = []
    for (sql, cell_type, *_), one in zip(rows, pyarrow.parquet.read_schema(file), strict=True):
        zone = getattr(one.type, "tz", None)
        if pa.types.is_duration(one.type):
            # DuckDB reads it as the whole number that it is kept as, whatever its unit.
            cell_type = "DURATION"
        columns.append(Column(one.name, sql, f"{ZONED} {zone}" if zone else cell_type))
    return tuple(columns)


def recoded(
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
        copies[file] = scratch / f"recoded-{number}.csv"
        try:
            with (
                open_text(file, encoding) as rows,
                copies[file].open("w", encoding="utf-8", newline="") as to,
            ):
                shutil.copyfileobj(rows, to)
        except (ValueError, OSError, EOFError) as error:
            raise RecordsError(unreadable(str(file), error)) from None
    return copies


def _file(path: Path) -> str:
    """Return a file's name as DuckDB's functions take it, which read patterns and addresses."""
    return literal("".join(f"[{c}]" if c in "*?[" else c for c in str(path.absolute())))
