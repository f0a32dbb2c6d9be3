"""DuckDB with bounded memory, and by it a user's table that fits into memory: typed columns."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pandas as pd
import pyarrow as pa

from konkyo.data.files import files_of, unreadable
from konkyo.data.parsing import ParsedTable
from konkyo.data.scan import Kinds, Spec, scan
from konkyo.data.violations import names_of
from konkyo.errors import RecordsError
from konkyo.resilience import temporary_folder

MEMORY = "1500MB"
"""What DuckDB may hold; beyond it, it writes to a scratch folder."""


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
            raise RecordsError(_reason(files, error)) from None
        finally:
            connection.close()


def to_frame(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """Return the rows of a query, text as text and days as datetime64."""
    return to_pandas(connection.sql(query).to_arrow_table())


def to_pandas(rows: pa.Table) -> pd.DataFrame:
    """Return rows with days as datetime64."""
    return rows.to_pandas(ignore_metadata=True, date_as_object=False)


def read(spec: Spec, kinds: Kinds, *, wide: bool = False) -> ParsedTable:
    """Read files of one kind of rows into memory, in their order.

    Parameters
    ----------
    spec : Spec
        The files, their columns' names, how their text is written.
    kinds : callable
        What each column holds; columns without a kind are passed over.
    wide : bool, optional
        As of `scan`.

    Raises
    ------
    SourceError, RecordsError
        As `scan`; or a file holds no row.
    """
    frames = []
    with engine(", ".join(spec.files), on_disk=False) as connection:
        table = scan(connection, spec, kinds, wide=wide)
        connection.execute("SET preserve_insertion_order = true")
        filtered = table.note(connection)
        for file in files_of(spec.files):
            try:
                rows = connection.sql(table.typed([file], marks=True)).to_arrow_table()
            except duckdb.Error as error:
                raise RecordsError(_reason(str(file), error)) from None
            if not rows.num_rows and not filtered:
                headers = [table.names.get(name, name) for name in table.columns]
                raise RecordsError(
                    f"{file} holds no row, only the columns [{names_of(headers)}]: add at least "
                    "one row"
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


def _reason(files: str, error: duckdb.Error) -> str:
    """Return why files cannot be read; DuckDB's further lines are hints on options of its own."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return unreadable(files, "; ".join(lines[:3]))
