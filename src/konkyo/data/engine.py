"""DuckDB with bounded memory, whose errors are the user's files' and not its own words."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pandas as pd
import pyarrow as pa

from konkyo.data.files import unreadable
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
            # Its further lines are hints on options that users have not.
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise RecordsError(unreadable(files, "; ".join(lines[:3]))) from None
        finally:
            connection.close()


def to_frame(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """Return the rows of a query, text as text and dates as dates."""
    return connection.sql(query).to_arrow_table().to_pandas(ignore_metadata=True)


def to_pandas(rows: pa.Table) -> pd.DataFrame:
    """Return rows with days as datetime64."""
    return rows.to_pandas(ignore_metadata=True, date_as_object=False)
