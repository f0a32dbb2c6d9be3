"""The reader of every user's table that fits into memory: typed columns and what resists typing."""

import duckdb
import pyarrow as pa

from konkyo.data.engine import engine, to_pandas
from konkyo.data.files import files_of, unreadable
from konkyo.data.parsed_table import ParsedTable
from konkyo.data.scan import Kinds, Spec, scan
from konkyo.data.violations import names_of
from konkyo.errors import RecordsError


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
        filtered = table.note(connection)
        for file in files_of(spec.files):
            try:
                rows = connection.sql(table.typed([file], marks=True)).to_arrow_table()
            except duckdb.Error as error:
                lines = [line for line in str(error).splitlines() if line.strip()]
                raise RecordsError(unreadable(str(file), "; ".join(lines[:3]))) from None
            if not rows.num_rows and not filtered:
                own = [table.names.get(name, name) for name in table.columns]
                raise RecordsError(
                    f"{file} holds no row, only the columns [{names_of(own)}]: add at least one row"
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
    return ParsedTable(
        table.file, frame, table.names, unread, table.columns, (*table.notes, *filtered)
    )
