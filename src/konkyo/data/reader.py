"""The reader of every user's table that fits into memory: typed columns and what resists typing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import duckdb
import pandas as pd
import pyarrow as pa

from konkyo.data.engine import engine, to_pandas
from konkyo.data.files import files_of, unreadable
from konkyo.data.parsing import CellKind
from konkyo.data.scan import Kinds, Spec, scan
from konkyo.errors import RecordsError


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
    return ParsedTable(table.file, frame, table.names, unread, table.columns, table.notes)
