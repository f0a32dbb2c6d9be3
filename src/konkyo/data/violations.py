"""What is wrong with the user's tables, said so that their owner can mend it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd

from konkyo.errors import KonkyoError, RecordsError, SourceError

SHOWN = 5
"""How many rows a violation names."""

NAMED = 20
"""How many names a message lists."""

RECORDS = "records"
"""The file of a violation that is an error's message, which names its files."""
IN_MESSAGE = "as the message says"
"""The remedy of such a violation."""
COLUMNS = ("file", "column", "here", "rule", "found", "count", "of", "rows", "shown", "remedy")
"""The columns of a report as a table, and of `konkyo check`'s file."""


@dataclass(frozen=True)
class Violation:
    """One broken rule of one column of one file.

    Attributes
    ----------
    file : str
        The file, as params.yaml names it.
    column : str
        The column's own name in the file, several joined by commas; empty where the rule is about
        which columns there are.
    rule : str
        The rule's short name, such as `finite`; the same in every file. Two are of no column: of
        `params` the column is a key of params.yaml, of `file` nothing but the message is known.
    found : str
        What was found, in words that go before `in 3 rows`, the limit within.
    rows : tuple of int
        The numbers of the first few rows; row 1 is the first one below the header.
    count : int
        How many rows (or months, see `of`) break the rule; 0 where it is broken as a whole.
    remedy : str
        What to do about it; `IN_MESSAGE` where `found` is an error's message, which says it.
    shown : tuple of str, optional
        What to show beside each of `rows`, as long as it; or the first few months.
    of : {'row', 'month'}, optional
        What `count` counts.
    here : str, optional
        This project's name of the column where the file has another one.
    """

    file: str
    column: str
    rule: str
    found: str
    rows: tuple[int, ...]
    count: int
    remedy: str
    shown: tuple[str, ...] = ()
    of: Literal["row", "month"] = "row"
    here: str = ""

    def __str__(self) -> str:
        """Return the violation as one line of a report."""
        column = f"column {self.column!r}: " if self.column else "columns: "
        if self.rule in ("file", "params"):
            column = f"{self.column}: " if self.column else ""
        if self.here:
            column = f"column {self.column!r} (here {self.here!r}): "
        where = remedy = ""
        if self.count:
            where = f" in {count_of(self.count, self.of)} ({first_few(self._places(), self.count)})"
        if self.remedy != IN_MESSAGE:
            remedy = f"; {self.remedy}"
        return f"{column}{self.found}{where}{remedy}"

    def _places(self) -> list[str]:
        if self.of == "month":
            return list(self.shown)
        if not any(self.shown):
            return [f"row {row:,}" for row in self.rows]
        return [f"row {row:,}: {shown}" for row, shown in zip(self.rows, self.shown, strict=True)]


class Named(Protocol):
    """A table as violations name it: its files, and their own names of columns."""

    @property
    def file(self) -> str:
        """The file or files."""

    @property
    def names(self) -> Mapping[str, str]:
        """The file's own name of each column that has another name here."""

    @property
    def first_row(self) -> int:
        """The number of the first row in the file; 1 is the first one below the header."""


def violation(
    table: Named,
    keys: Sequence[str],
    rule: str,
    found: str,
    remedy: str,
    bad: np.ndarray | None = None,
    values: pd.Series | None = None,
    *,
    months: Sequence[str] = (),
) -> Violation:
    """Return the violation of columns: of the rows that are bad, of months, or as a whole.

    Parameters
    ----------
    table : Named
        The table, or a chunk of one.
    keys : sequence of str
        This project's names of the columns; none where the rule is about which columns there are.
    rule, found, remedy : str
        As of `Violation`.
    bad : ndarray of bool, shape [rows], optional
        The rows that break the rule, in the order of the file.
    values : Series, shape [rows], optional
        What to show beside each row's number.
    months : sequence of str, optional
        The months that break the rule, in the place of rows.
    """
    column, here = (", ".join(part) for part in ([table.names.get(k, k) for k in keys], keys))
    places = np.flatnonzero(bad) if bad is not None else np.array([], dtype=int)
    shown = tuple(_plain(values.iloc[at]) for at in places[:SHOWN]) if values is not None else ()
    return Violation(
        file=table.file,
        column=column,
        rule=rule,
        found=found,
        rows=tuple(int(at) + table.first_row for at in places[:SHOWN]),
        count=len(months) or len(places),
        remedy=remedy,
        shown=tuple(months[:SHOWN]) or shown,
        of="month" if months else "row",
        here="" if column == here else here,
    )


def merge(violations: Iterable[Violation]) -> list[Violation]:
    """Return one violation for each broken rule of a column, from those of a file's chunks.

    Parameters
    ----------
    violations : iterable of Violation
        In the order of the chunks.

    Returns
    -------
    list of Violation
        One for each (file, column, rule) in the order of their first: counts added, the first
        rows kept.
    """
    merged: dict[tuple[str, str, str], Violation] = {}
    for violation in violations:
        key = (violation.file, violation.column, violation.rule)
        before = merged.get(key)
        if before is not None:
            violation = replace(
                before,
                rows=(before.rows + violation.rows)[:SHOWN],
                shown=(before.shown + violation.shown)[:SHOWN],
                count=before.count + violation.count,
            )
        merged[key] = violation
    return list(merged.values())


def table(violations: Sequence[Violation]) -> pd.DataFrame:
    """Return violations as a table, one row each, in their order.

    Returns
    -------
    DataFrame
        The columns of `COLUMNS`: `rows` holds the first few row numbers and `shown` their values,
        separated by blanks and commas; all text but `count`.
    """
    frame = pd.DataFrame(list(violations), columns=list(COLUMNS))
    return frame.assign(
        rows=[" ".join(map(str, one.rows)) for one in violations],
        shown=[", ".join(one.shown) for one in violations],
    )


def report(violations: Sequence[Violation]) -> str:
    """Return violations as text: file by file, one line each."""
    files: dict[str, list[Violation]] = {}
    for violation in violations:
        files.setdefault(violation.file, []).append(violation)
    return "\n".join(
        f"{file} cannot be {'read' if file == RECORDS else 'used'}, "
        f"{count_of(len(lines), 'violation')}:\n  " + "\n  ".join(map(str, lines))
        for file, lines in files.items()
    )


def raise_if_any(violations: Sequence[Violation]) -> None:
    """Raise one error that holds every violation of every file; do nothing where there is none.

    Raises
    ------
    RecordsError
        Its text is the report; its `violations` are these.
    """
    # Several checks may find the same.
    violations = list(dict.fromkeys(violations))
    if violations:
        raise RecordsError(report(violations), violations)


class Note(NamedTuple):
    """A line of the summary of `konkyo check`: its section, and the text."""

    section: str
    text: str


LOOK_AT = "look at"
"""The section of what is odd but possible."""


def odd(text: str) -> Note:
    """Return a note on what is odd but possible."""
    return Note(LOOK_AT, text)


def assumed(text: str) -> Note:
    """Return a note on what is assumed and cannot be proved."""
    return Note("assumed", text)


class Findings:
    """What comes up while tables are read: violations, errors that ended a reading, notes."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.notes: list[Note] = []
        self.facts: dict[str, Any] = {}
        self._errors: list[KonkyoError] = []

    def __bool__(self) -> bool:
        """Return whether something is wrong."""
        return bool(self.violations or self._errors)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Collect the error that ends the reading of a table, so that the others are read."""
        try:
            yield
        except (RecordsError, SourceError) as error:
            if getattr(error, "violations", ()):
                self.violations += violations_of(error)
            else:
                self._errors.append(error)

    def raise_if_any(self) -> None:
        """Raise one error that lists every fault; the error itself where there is no other."""
        if len(self._errors) == 1 and not self.violations:
            raise self._errors[0]
        unread = [one for error in self._errors for one in violations_of(error)]
        raise_if_any([*self.violations, *unread])


def violations_of(error: KonkyoError) -> list[Violation]:
    """Return the violations that an error lists, or one that is its message."""
    return list(getattr(error, "violations", ())) or [
        Violation(RECORDS, "", "file", str(error), (), 0, IN_MESSAGE)
    ]


def count_of(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 row` or `1,204 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _plain(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        if not 1 <= value.year <= 9999:
            # Python's own days end here.
            return f"a day of the year {value.year}"
        midnight = value == value.normalize()
        return f"{value:%Y-%m-%d}" if midnight else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, pd.Period):
        return str(value)
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value)


def first_few(shown: Sequence[str], total: int) -> str:
    """Return what is shown of a list and how many more there are."""
    more = total - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")


def few(names: Iterable[object]) -> str:
    """Return the first few of many names, and how many more there are."""
    shown = [str(name) for name in names]
    return first_few(shown[:SHOWN], len(shown))


def names_of(names: Iterable[object]) -> str:
    """Return names of columns, the first of them where there are many."""
    shown = [repr(str(name)) for name in names]
    return first_few(shown[:NAMED], len(shown))
