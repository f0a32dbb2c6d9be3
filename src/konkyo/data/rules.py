"""The rules of values and rows, and what breaks them as violations.

Every rule passes over the values that another rule reports, so that one mistake is one line.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from konkyo.data.files import add_remedy
from konkyo.data.parsing import REMEDIES, WORDS, CellKind, ParsedTable
from konkyo.data.violations import SHOWN, Violation, names_of, violation

FURTHER = "any further"
"""The entry of the columns that a kind of table does not name."""
RESERVED = ("ret", "label", "score", "absorbed")
"""Names that later tables give to the future return and to results: never a column's."""

_EMPTY = "correct them, or leave them empty to say that they are missing"
_MAP = ", or map your own names to these in `columns` of the table's entry in params.yaml"
_NO_NUMBERS = (
    "map it in `columns` of the table's entry in params.yaml to the column that it is, as "
    'docs/data.md lists them; leave out columns of text: map them to ""'
)


class Rule(NamedTuple):
    """A rule of one column's values, or of the rows of several columns.

    `name` is the rule's, `found` what a violation says of what breaks it, `title` the rule as the
    documentation says it. `test` takes the column (or the frame) and returns bool, shape [rows]:
    whether the rule is kept. `columns` are those of a rule of rows.
    """

    name: str
    found: str
    title: str
    test: Callable[[Any], pd.Series]
    remedy: str = _EMPTY
    columns: tuple[str, ...] = ()


class Column(NamedTuple):
    """A column of a kind of table: what it holds, and the rules of its values."""

    holds: CellKind = "number"
    needed: bool = True
    empty: bool = False
    rules: tuple[Rule, ...] = ()
    unit: str = ""
    means: str = ""


class Schema(NamedTuple):
    """A kind of table: its columns by this project's names, and the rules of its rows.

    `reserved` are names of other tables' columns, beside `RESERVED`.
    """

    columns: Mapping[str, Column]
    rules: tuple[Rule, ...] = ()
    means: str = ""
    reserved: tuple[str, ...] = ()


def limit(title: str) -> Rule:
    """Return the rule of a limit: `at least 0`, `above 0`, `at most 1e+15`, `0 or 1` or `whole`.

    Infinite numbers break another rule.
    """
    if title == "whole":
        return Rule("whole", "no whole number", title, lambda values: values % 1 == 0)
    name, _, number = title.rpartition(" ")
    at = float(number)
    if name == "0 or":
        allowed = [0.0, at]
        return Rule("one of", f"not {title}", title, lambda x: x.isin(allowed), f"write {title}")
    compare, below = {
        "at least": (np.greater_equal, "below"),
        "above": (np.greater, "not above"),
        "at most": (np.less_equal, "above"),
    }[name]
    return Rule(name, f"{below} {at:g}", title, lambda values: compare(values, at))


def unique(*keys: str) -> Rule:
    """Return the rule that no two rows have the same keys; the second and later ones break it."""

    def test(frame: pd.DataFrame) -> pd.Series:
        values = frame.reindex(columns=list(keys))
        return ~values.duplicated() | values.isna().any(axis=1)

    title = f"one row a {' and '.join(keys)}"
    return Rule("unique", "repeated", title, test, f"keep {title}", keys)


def either(one: str, other: str) -> Rule:
    """Return the rule that a row has at least one of two values."""
    return Rule(
        "either",
        f"neither {one} nor {other}",
        f"{one}, {other} or both in every row",
        lambda frame: frame.reindex(columns=[one, other]).notna().any(axis=1),
        f"fill in {one} or {other}, or remove these rows",
        (one, other),
    )


def not_before(later: str, earlier: str, free: str = "") -> Rule:
    """Return the rule that of two dates of a row, where both are there, one is not the earlier.

    Rows whose only numbers are in columns that end in `free` need not keep it.
    """
    unless = f", but for rows that hold `{free}` columns alone" if free else ""

    def test(frame: pd.DataFrame) -> pd.Series:
        if not {later, earlier} <= set(frame):
            return pd.Series(True, frame.index)
        in_order = ~(frame[later] < frame[earlier])
        if not free:
            return in_order
        numbers = frame.select_dtypes("number").drop(columns="months", errors="ignore").notna()
        wanted = [name for name in numbers if str(name).endswith(free)]
        others = numbers.drop(columns=wanted).any(axis=1)
        return in_order | (numbers[wanted].any(axis=1) & ~others)

    return Rule(
        "order",
        f"{later} before {earlier}",
        f"{later} not before {earlier}{unless}",
        test,
        f"correct the dates, or leave {later} empty where it is not known",
        (later, earlier),
    )


def broken(schema: Schema, table: ParsedTable) -> list[Violation]:
    """Return what breaks the rules of a table's values and rows.

    Parameters
    ----------
    schema : Schema
        The rules.
    table : ParsedTable
        The table, or a chunk of one.

    Returns
    -------
    list of Violation
        Cells that could not be read, rules of columns as a whole, then column by column, then those
        of several columns. A cell that could not be read breaks no other rule.
    """
    table = table.with_frame(table.frame.reset_index(drop=True))
    return [
        *_unreadable(table),
        *_of_columns(schema, table),
        *_of_values(schema, table),
        *_of_rows(schema, table),
    ]


def unread_in(table: ParsedTable, names: Sequence[str]) -> np.ndarray:
    """Return the rows in which a cell of any of the columns could not be read, bool."""
    bad = np.zeros(len(table.frame), dtype=bool)
    for name in names:
        if name in table.unread:
            bad |= table.unread[name].notna().to_numpy()
    return bad


def of_names(table: ParsedTable, found: str, remedy: str) -> Violation:
    """Return the violation of which columns there are."""
    names = [table.names.get(name, name) for name in table.frame.columns]
    return violation(table, (), "columns", f"{found}; the file has [{names_of(names)}]", remedy)


def _unreadable(table: ParsedTable) -> Iterator[Violation]:
    for name, texts in table.unread.items():
        bad, kind = texts.notna().to_numpy(), table.kinds[name]
        # Words and no numbers in another spelling, such as 1.5%.
        text = kind == "number" and len(bad) > SHOWN and bad.all()
        text = text and not texts.str.contains(r"\d").any()
        if bad.any():
            remedy = _NO_NUMBERS if text else REMEDIES[kind]
            found = f"not {WORDS[kind]}"
            yield violation(table, [name], "readable", found, remedy, bad, texts)


def _of_columns(schema: Schema, table: ParsedTable) -> Iterator[Violation]:
    """Yield the violation of required columns that are missing, and those of reserved names."""
    lacking = [
        name for name, column in schema.columns.items() if column.needed and name not in table.frame
    ]
    if lacking:
        found = f"{', '.join(map(repr, lacking))} missing"
        yield of_names(table, found, add_remedy(table.file, lacking) + _MAP)
    for name in table.frame.columns.intersection((*RESERVED, *schema.reserved), sort=False):
        found = f"{name!r} is the name of a future return, a result or another table's column"
        remedy = 'rename the column, or leave it out by mapping it to ""'
        yield violation(table, [name], "reserved", found, remedy)


def _of_values(schema: Schema, table: ParsedTable) -> Iterator[Violation]:
    for name, values in table.frame.items():
        column = schema.columns.get(str(name), schema.columns.get(FURTHER))
        if column is None:
            continue
        missing = values.isna().to_numpy()
        lacking = missing & ~unread_in(table, [str(name)])
        if not column.empty and lacking.any():
            remedy = "fill them in, or remove these rows"
            yield violation(table, [str(name)], "present", "missing", remedy, lacking)
        if column.holds != "number" or not pd.api.types.is_numeric_dtype(values):
            continue
        infinite = np.isinf(values).to_numpy()
        bad = {("finite", "infinite", _EMPTY): infinite} | {
            (rule.name, rule.found, rule.remedy): ~rule.test(values).to_numpy() & ~infinite
            for rule in column.rules
        }
        for (rule, found, remedy), rows in bad.items():
            if (rows & ~missing).any():
                yield violation(table, [str(name)], rule, found, remedy, rows & ~missing, values)


def _of_rows(schema: Schema, table: ParsedTable) -> Iterator[Violation]:
    """Yield the violations of rules of several columns; none where every bad row is reported."""
    frame = table.frame
    for rule in schema.rules:
        bad = ~rule.test(frame).to_numpy(dtype=bool) & ~unread_in(table, rule.columns)
        present = [key for key in rule.columns if key in frame]
        if not bad.any():
            continue
        if not present:
            yield of_names(table, rule.found, rule.remedy + _MAP)
            continue
        remedy = rule.remedy
        if rule.name == "unique":
            same = frame[frame.duplicated(present, keep=False)].duplicated().sum()
            if bad.sum() > same:
                remedy += f" ({bad.sum() - same:,} of them contradict the row that they repeat)"
        shown = _shown(frame, present)
        yield violation(table, present, rule.name, rule.found, remedy, bad, shown)


def _shown(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return what to show of each row: the value, or several with a blank between them."""
    if len(names) == 1:
        return frame[names[0]]
    parts = []
    for name in names:
        part = frame[name]
        if pd.api.types.is_datetime64_any_dtype(part):
            part = part.dt.strftime("%Y-%m" if name == "month" else "%Y-%m-%d")
        parts.append(part.astype("str").fillna("none"))
    return parts[0].str.cat(parts[1:], sep=" ")
