"""Tables as a user's file holds them, by way of that file."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from konkyo.config import Reports, Table
from konkyo.data.columns import Kind, cells_of
from konkyo.data.fundamentals_read import check
from konkyo.data.parsing import CellKind, ParsedTable
from konkyo.data.reader import read
from konkyo.data.violations import Violation


def parsed(
    kind: Kind | Callable[[str], CellKind | None],
    file: str,
    frame: pd.DataFrame,
    names: Mapping[str, str] | None = None,
) -> ParsedTable:
    """Return a table read from a CSV file that holds a frame.

    `names` are the file's own names of columns, as violations name them.
    """
    names = names or {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        frame.rename(columns=names).to_csv(path, index=False)
        spec = Table((str(path),), {own: here for here, own in names.items()})
        return replace(read(spec, kind if callable(kind) else cells_of(kind)), file=file)


def read_reports(spec: Reports) -> tuple[pd.DataFrame, list[Violation]]:
    """Return the rows of a table of reports, and what breaks their rules."""
    table = read(spec, cells_of("reports"))
    return table.frame, check(table)
