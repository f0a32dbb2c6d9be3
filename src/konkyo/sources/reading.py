"""Files of records as they are found: CSV as text, Parquet with its own types.

A CSV file is read as text throughout, so that a stock's code keeps its leading zeros and no text in
a column of numbers is taken for a missing value; `konkyo.sources.convert` makes values of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from konkyo.errors import RecordsError, SourceError

SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True, eq=False)
class Found:
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


def read(path: Path) -> Found:
    """Read a Parquet or CSV file without deciding what its values mean.

    Parameters
    ----------
    path : Path
        A file that ends in `.parquet` or `.csv` (UTF-8, separated by commas, with a header).

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
    if path.suffix.lower() not in SUFFIXES:
        raise SourceError(f"{path} ends in {path.suffix!r}: save it as one of {SUFFIXES}")
    if not path.is_file():
        raise SourceError(
            f"{path} is not here: put the file there, or correct ingest.tables in params.yaml"
        )
    if path.stat().st_size == 0:
        raise RecordsError(f"{path} is empty (0 bytes): write a header and at least one row")
    try:
        table = _csv(path) if path.suffix.lower() == ".csv" else pyarrow.parquet.read_table(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise RecordsError(
            f"{path} cannot be read: {error}. A .csv file must be UTF-8 text with a header, "
            "separated by commas, with as many fields in every row; a .parquet file must be whole"
        ) from None
    if table.num_rows == 0:
        raise RecordsError(
            f"{path} holds no row, only the columns {table.column_names}: add at least one row"
        )
    _check_names(str(path), table.column_names)
    frame = table.to_pandas(ignore_metadata=True)
    unnamed_index = [name for name in frame if str(name).startswith("__index_level_")]
    return Found(str(path), frame.drop(columns=unnamed_index))


def rename(found: Found, columns: Mapping[str, str]) -> Found:
    """Give columns this project's names.

    Parameters
    ----------
    found : Found
        A table under its own names.
    columns : mapping of str to str
        The file's name: this project's name. Names that the file does not have are passed over.

    Raises
    ------
    RecordsError
        Two columns would have one name.
    """
    names = [columns.get(name, name) for name in found.frame.columns]
    _check_names(found.file, names, f" after ingest.tables.columns {dict(columns)}")
    own = {new: old for old, new in columns.items() if old in found.frame.columns}
    return Found(found.file, found.frame.set_axis(names, axis=1), own)


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
