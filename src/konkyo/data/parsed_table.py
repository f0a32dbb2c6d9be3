"""A user's table in memory: typed columns, and what resisted typing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from konkyo.data.parsing import CellKind


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
        What was assumed of the rows, and how many were left out.
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
