"""What is wrong with a table of records, said so that its owner can mend it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.errors import RecordsError

SHOWN = 5


@dataclass(frozen=True)
class Fault:
    """One broken rule of one column: what was found, against which limit, and the remedy."""

    column: str
    found: str
    remedy: str

    def __str__(self) -> str:
        """Return the fault as one line of a report."""
        return f"{self.column}: {self.found}; {self.remedy}"


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 row` or `1,204 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def rows_of(bad: np.ndarray, values: pd.Series | None = None) -> str:
    """Say which rows are bad: how many, and the first few with their values.

    Parameters
    ----------
    bad : ndarray of bool, shape [rows]
        The rows that break the rule, in the order of the file.
    values : Series, shape [rows], optional
        What to show beside each row's number.

    Returns
    -------
    str
        For example `2 rows (row 3: 'abc', row 9: 'n.a.')`. Row 1 is the first one below the
        header; empty lines of a CSV file do not count.
    """
    places = np.flatnonzero(bad)
    shown = [
        f"row {place + 1:,}"
        if values is None
        else f"row {place + 1:,}: {_plain(values.iloc[place])}"
        for place in places[:SHOWN]
    ]
    return f"{count_of(len(places), 'row')} ({_some(shown, len(places))})"


def list_of(names: Sequence[str]) -> str:
    """Return the first few names of a list and how many more there are."""
    return _some(list(names[:SHOWN]), len(names))


def raise_for(reports: Mapping[str, Sequence[Fault]]) -> None:
    """Raise one error that holds every fault of every file; do nothing where there is none.

    Parameters
    ----------
    reports : mapping of str to sequence of Fault
        The faults of each file, by the name that its owner knows it by.

    Raises
    ------
    RecordsError
        File by file and line by line: column, first bad rows, count, limit and remedy.
    """
    paragraphs = [
        f"{file} cannot be used, {count_of(len(faults), 'fault')}:\n  "
        + "\n  ".join(str(fault) for fault in faults)
        for file, faults in reports.items()
        if faults
    ]
    if paragraphs:
        raise RecordsError("\n".join(paragraphs))


def _plain(value: object) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value)


def _some(shown: list[str], total: int) -> str:
    more = total - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
