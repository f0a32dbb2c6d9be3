"""Files of records as they are found: CSV as text, Parquet with its own types.

A CSV file is read as text throughout, so that a stock's code keeps its leading zeros and no text in
a column of numbers is taken for a missing value; `konkyo.data.parsing` makes values of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from konkyo.errors import RecordsError, SourceError

_UNNAMED = "__index_level_"
"""How pandas names the columns of an index that has no name."""

SUFFIXES = (".parquet", ".csv", ".csv.gz")


_UNREADABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError)
"""What Arrow raises where a file is not what its name says; names of columns may be no UTF-8."""


@dataclass(frozen=True, eq=False)
class RawTable:
    """A table as found.

    Attributes
    ----------
    file : str
        The file's name, for messages.
    frame : DataFrame
        Its rows in the order of the file, its columns under this project's names.
    names : mapping of str to str
        The file's own name of each column that has another name here.
    """

    file: str
    frame: pd.DataFrame
    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, column: str) -> str:
        """Return a column as a message names it: the file's own name first."""
        own = self.names.get(column, column)
        return f"column {own!r}" if own == column else f"column {own!r} (here {column!r})"


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
        inside = sorted(
            file
            for file in path.rglob("*")
            if suffix_of(file) in SUFFIXES and file.is_file() and not file.name.startswith(".")
        )
        if not inside:
            raise SourceError(f"the folder {path} holds no file that ends in one of {SUFFIXES}")
        files += inside
    twice = sorted({str(file) for file in files if files.count(file) > 1})
    if twice:
        raise SourceError(f"ingest.tables.files names {', '.join(twice)} more than once")
    return tuple(files)


def read_all(files: Sequence[Path]) -> RawTable:
    """Read files of one kind of rows as one table, in their order.

    Raises
    ------
    SourceError, RecordsError
        As `read`; or the files have not the same columns.
    """
    tables = [read(file) for file in files]
    if len(tables) == 1:
        return tables[0]
    first = tables[0]
    for table in tables[1:]:
        same_columns(first.file, list(first.frame), table.file, list(table.frame))
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    return RawTable(together(files), frame)


def together(files: Sequence[Path]) -> str:
    """Return how messages name files that are read as one table."""
    if len(files) == 1:
        return str(files[0])
    return f"{files[0]} and {len(files) - 1:,} more (rows counted through)"


def same_columns(file: str, columns: Sequence[str], other: str, found: Sequence[str]) -> None:
    """See that two files of one table have the same columns, in any order."""
    if set(columns) != set(found):
        raise RecordsError(
            f"{other} has not the columns of {file}, which are read as one table: "
            f"missing {sorted(set(columns) - set(found))}, "
            f"more {sorted(set(found) - set(columns))}; give both the same columns"
        )


def header(path: Path) -> list[str]:
    """Return the names of a file's columns; the errors are those of `read`."""
    _check_file(path)
    try:
        if suffix_of(path) == ".parquet":
            names = [
                name
                for name in pyarrow.parquet.read_schema(path).names
                if not name.startswith(_UNNAMED)
            ]
        else:
            with pyarrow.csv.open_csv(path) as reader:
                names = reader.schema.names
    except _UNREADABLE as error:
        raise RecordsError(unreadable(str(path), error)) from None
    _check_names(str(path), names)
    return list(names)


def read(path: Path) -> RawTable:
    """Read a Parquet or CSV file without deciding what its values mean.

    Parameters
    ----------
    path : Path
        A file that ends in `.parquet`, `.csv` (UTF-8, separated by commas, with a header) or
        `.csv.gz` (the same, compressed).

    Returns
    -------
    Found
        CSV columns are text, where an empty field is the empty text. Parquet columns keep their
        types, and named columns of a saved index are columns like all others.

    Raises
    ------
    SourceError
        There is no such file, or it ends in neither suffix.
    RecordsError
        The file is empty, has no row, cannot be read as what it says it is, or two of its columns
        have one name or one has none.
    """
    _check_file(path)
    try:
        parquet = suffix_of(path) == ".parquet"
        table = pyarrow.parquet.read_table(path) if parquet else _csv(path)
    except _UNREADABLE as error:
        raise RecordsError(unreadable(str(path), error)) from None
    if table.num_rows == 0:
        raise RecordsError(
            f"{path} holds no row, only the columns {table.column_names}: add at least one row"
        )
    _check_names(str(path), table.column_names)
    # Dates may be of years that Python's own do not have.
    frame = table.to_pandas(ignore_metadata=True, date_as_object=False)
    for one in table.schema:
        if pa.types.is_nested(one.type):
            # Lists and the like are no value of any column: as text they are reported as such.
            frame[one.name] = frame[one.name].map(str, na_action="ignore")
    unnamed_index = [name for name in frame if str(name).startswith(_UNNAMED)]
    return RawTable(str(path), frame.drop(columns=unnamed_index))


def rename(found: RawTable, columns: Mapping[str, str]) -> RawTable:
    """Give columns this project's names.

    Parameters
    ----------
    found : Found
        A table under its own names.
    columns : mapping of str to str
        The file's name: this project's name, or nothing for a column that is left out. Names that
        the file does not have are passed over.

    Raises
    ------
    RecordsError
        Two columns would have one name.
    """
    names = renamed(found.file, list(found.frame), columns)
    own = {new: old for old, new in names.items() if new != old}
    return RawTable(
        found.file, found.frame[list(names)].set_axis(list(names.values()), axis=1), own
    )


def renamed(file: str, names: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return this project's name of each of a file's columns that is not left out.

    Raises
    ------
    RecordsError
        Two columns would have one name.
    """
    kept = {name: columns.get(name, name) for name in names if columns.get(name, name)}
    _check_names(file, list(kept.values()), f" after ingest.tables.columns {dict(columns)}")
    return kept


def check_mapping(file: str, names: Sequence[str], columns: Mapping[str, str]) -> None:
    """See that a mapping of columns names only columns that the file has."""
    unknown = [column for column in columns if column not in names]
    if unknown:
        raise RecordsError(
            f"the mapping of columns of {file} names {', '.join(map(repr, unknown))}, which "
            f"it has not: it has {list(names)}"
        )


def unreadable(file: str, error: Exception) -> str:
    """Return what is said of a file that is not what its name says."""
    return (
        f"{file} cannot be read: {error}. A .csv file must be UTF-8 text with a header, "
        "separated by commas, with as many fields in every row; a .parquet file must be whole"
    )


def _check_file(path: Path) -> None:
    if suffix_of(path) not in SUFFIXES:
        raise SourceError(f"{path} ends in {path.suffix!r}: save it as one of {SUFFIXES}")
    if not path.is_file():
        raise SourceError(
            f"{path} is not here: put the file there, or correct ingest.tables in params.yaml"
        )
    if path.stat().st_size == 0:
        raise RecordsError(f"{path} is empty (0 bytes): write a header and at least one row")


def _csv(path: Path) -> pa.Table:
    with pyarrow.csv.open_csv(path) as reader:
        names = reader.schema.names
    text = pyarrow.csv.ConvertOptions(
        column_types={name: pa.string() for name in names}, strings_can_be_null=False
    )
    return pyarrow.csv.read_csv(path, convert_options=text)


def _check_names(file: str, names: list[str], when: str = "") -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RecordsError(
            f"{file} has more than one column named {', '.join(map(repr, twice))}{when}: "
            f"keep one of each; its columns are {names}"
        )
    blank = [place for place, name in enumerate(names, start=1) if not name.strip()]
    if blank:
        raise RecordsError(
            f"{file} has no name for column number {', '.join(map(str, blank))}: name it or "
            f"remove it (pandas writes a nameless index unless to_csv has index=False)"
        )
