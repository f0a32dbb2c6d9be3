"""The rules of values and rows as pandera checks, and what breaks them as violations.

Every rule passes over the values that another rule reports, so that one mistake is one line. A
check's `name` is the rule's, its `error` is what a violation says was found, its `title` is the
rule as the documentation says it and its `description` is the remedy. `statistics` names the
columns of a check that looks at more than one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from konkyo.data.files import add_remedy
from konkyo.data.parsed_table import ParsedTable
from konkyo.data.parsing import REMEDIES, WORDS
from konkyo.data.violations import NAMED, SHOWN, Violation, in_rows

FURTHER = "any further"
"""The entry of the columns that a kind of table does not name."""
RESERVED = ("ret", "label", "score", "absorbed")
"""Names that later tables give to the future return and to results: never a column's."""


_EMPTY = "correct them, or leave them empty to say that they are missing"


def rule(
    test: Callable[[Any], pd.Series],
    name: str,
    error: str,
    *,
    title: str,
    remedy: str = _EMPTY,
    columns: Sequence[str] = (),
) -> pa.Check:
    """Return a rule of one column's values, or of the rows of several columns.

    Parameters
    ----------
    test : callable
        Takes the column (or the frame) and returns bool, shape [rows]: whether the rule is kept.
    name, error, title, remedy : str
        The rule's name, what is found where it is broken, how the documentation says it, what to
        do about it.
    columns : sequence of str, optional
        The columns of a rule of rows.
    """
    several: dict[str, Any] = (
        {"statistics": {"columns": list(columns)}, "ignore_na": False} if columns else {}
    )
    # pandera writes out every failing value, most of the time where a whole column is wrong; the
    # rows are read from the check's output.
    return pa.Check(
        test, name=name, error=error, title=title, description=remedy, n_failure_cases=1, **several
    )


def finite() -> pa.Check:
    """Return the rule that every number is finite."""
    return rule(lambda values: ~np.isinf(values), "finite", "infinite", title="finite")


def at_least(limit: float, unit: str = "") -> pa.Check:
    """Return the rule that no number is below a limit."""
    stated = f" (the unit is {unit})" if unit else ""
    return _limit("at least", limit, np.greater_equal, f"below {limit:g}{stated}")


def above(limit: float) -> pa.Check:
    """Return the rule that every number is above a limit."""
    return _limit("above", limit, np.greater, f"not above {limit:g}")


def at_most(limit: float) -> pa.Check:
    """Return the rule that no number is above what any market has seen, which sums rely on."""
    return _limit("at most", limit, np.less_equal, f"above {limit:g}")


def _limit(name: str, limit: float, kept: np.ufunc, error: str) -> pa.Check:
    def test(values: pd.Series) -> pd.Series:
        return kept(values, limit) | np.isinf(values)

    return rule(test, name, error, title=f"{name} {limit:g}")


def one_of(allowed: Sequence[float]) -> pa.Check:
    """Return the rule that every number is one of a few."""
    named = " or ".join(f"{value:g}" for value in allowed)
    return rule(
        lambda values: values.isin(allowed) | np.isinf(values),
        "one of",
        f"not {named}",
        title=named,
        remedy=f"write {named}",
    )


def unique(keys: Sequence[str]) -> pa.Check:
    """Return the rule that no two rows have the same keys; the second and later ones break it."""
    named = " and ".join(keys)

    def test(frame: pd.DataFrame) -> pd.Series:
        if any(key not in frame for key in keys):
            return pd.Series(True, index=frame.index)
        codes = pd.DataFrame({key: pd.factorize(frame[key])[0] for key in keys}, index=frame.index)
        return ~codes.duplicated(keep="first") | frame[list(keys)].isna().any(axis=1)

    return rule(
        test,
        "unique",
        "repeated",
        title=f"one row a {named}",
        remedy=f"keep one row a {named}",
        columns=keys,
    )


def either(one: str, other: str) -> pa.Check:
    """Return the rule that a row has at least one of two values."""
    return rule(
        lambda frame: _column(frame, one).notna() | _column(frame, other).notna(),
        "either",
        f"neither {one} nor {other}",
        title=f"{one}, {other} or both in every row",
        remedy=f"fill in {one} or {other}, or remove these rows",
        columns=(one, other),
    )


def not_before(later: str, earlier: str, free: str = "") -> pa.Check:
    """Return the rule that of two dates of a row, where both are there, one is not the earlier.

    Rows whose only numbers are in columns that end in `free` need not keep it.
    """
    unless = f", but for rows that hold `{free}` columns alone" if free else ""

    def test(frame: pd.DataFrame) -> pd.Series:
        in_order = ~(_column(frame, later) < _column(frame, earlier))
        if not free:
            return in_order
        numbers = frame.select_dtypes("number").drop(columns="months", errors="ignore").notna()
        wanted = [name for name in numbers if str(name).endswith(free)]
        others = numbers.drop(columns=wanted).any(axis=1)
        return in_order | (numbers[wanted].any(axis=1) & ~others)

    return rule(
        test,
        "order",
        f"{later} before {earlier}",
        title=f"{later} not before {earlier}{unless}",
        remedy=f"correct the dates, or leave {later} empty where it is not known",
        columns=(later, earlier),
    )


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame:
        return frame[name]
    return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")


class Named(TypedDict):
    """The fields `column` and `here` of a violation."""

    column: str
    here: str


def column_of(name: str, names: Mapping[str, str]) -> Named:
    """Return the fields `column` and `here` of a violation of one column."""
    return columns_of([name], names)


def columns_of(keys: Sequence[str], names: Mapping[str, str]) -> Named:
    """Return the fields `column` and `here` of a violation of several columns."""
    own, here = (", ".join(part) for part in ([names.get(key, key) for key in keys], keys))
    return Named(column=own, here="" if own == here else here)


def broken(schema: pa.DataFrameSchema, table: ParsedTable, first_row: int = 1) -> list[Violation]:
    """Return what breaks the rules of a table's values and rows.

    Parameters
    ----------
    schema : DataFrameSchema
        The rules, under this project's names, `FURTHER` among them for all columns not named.
    table : ParsedTable
        The table, or a chunk of one.
    first_row : int, optional
        The number of the table's first row in the file; 1 is the first one below the header.

    Returns
    -------
    list of Violation
        Cells that could not be read, rules of columns as a whole, then column by column, then those
        of several columns. A cell that could not be read breaks no other rule.
    """
    table = table.with_frame(table.frame.reset_index(drop=True))
    violations = [*_unreadable(table, first_row), *_of_columns(schema, table)]
    for error in _errors(schema, table.frame):
        if error.reason_code is SchemaErrorReason.SERIES_CONTAINS_NULLS:
            name = error.schema.name
            lacking = table.frame[name].isna().to_numpy() & ~unread_in(table, [name])
            if lacking.any():
                violations.append(absent(table, name, lacking, first_row=first_row))
        elif error.reason_code is SchemaErrorReason.DATAFRAME_CHECK:
            violations += _of_check(table, error, first_row)
        else:
            # A rule that cannot be computed is a defect of this program.
            raise error
    return violations


def unread_in(table: ParsedTable, names: Sequence[str]) -> np.ndarray:
    """Return the rows in which a cell of any of the columns could not be read, bool."""
    bad = np.zeros(len(table.frame), dtype=bool)
    for name in names:
        if name in table.unread:
            bad |= table.unread[name].notna().to_numpy()
    return bad


def violation(
    table: ParsedTable,
    keys: Sequence[str],
    rule: str,
    *,
    found: str,
    remedy: str,
    bad: np.ndarray | None = None,
    values: pd.Series | None = None,
    first_row: int = 1,
) -> Violation:
    """Return the violation of columns: of the rows that are bad, or as a whole.

    Parameters
    ----------
    table : ParsedTable
        The table, or a chunk of one.
    keys : sequence of str
        This project's names of the columns; none where the rule is about which columns there are.
    rule, found, remedy : str
        As of `Violation`.
    bad, values, first_row
        As of `in_rows`.
    """
    rows, shown, count = ((), (), 0) if bad is None else in_rows(bad, values, first_row)
    named = columns_of(keys, table.names)
    return Violation(table.file, named["column"], rule, found, rows, count, remedy, shown,
                     here=named["here"])  # fmt: skip


def absent(
    table: ParsedTable,
    name: str,
    lacking: np.ndarray,
    *,
    shown: pd.Series | None = None,
    first_row: int = 1,
) -> Violation:
    """Return the violation of a column that has no value in rows that must have one."""
    remedy = "fill them in, or remove these rows"
    one = violation(
        table, [name], "present", found="missing", remedy=remedy, bad=lacking, first_row=first_row
    )
    texts = () if shown is None else tuple(shown.iloc[row - first_row] for row in one.rows)
    return replace(one, shown=texts)


def of_names(table: ParsedTable, found: str, remedy: str) -> Violation:
    """Return the violation of which columns there are."""
    there = [table.names.get(name, name) for name in table.frame.columns]
    more = f" and {len(there) - NAMED:,} more" if len(there) > NAMED else ""
    found = f"{found}; the file has {there[:NAMED]}{more}"
    return violation(table, [], "columns", found=found, remedy=remedy)


def _unreadable(table: ParsedTable, first_row: int) -> Iterator[Violation]:
    for name, texts in table.unread.items():
        bad, kind = texts.notna().to_numpy(), table.kinds[name]
        # Words and no numbers in another spelling, such as 1.5%.
        text = kind == "number" and len(bad) > SHOWN and bad.all()
        text = text and not texts.str.contains(r"\d").any()
        if bad.any():
            yield violation(
                table,
                [name],
                "readable",
                found=f"not {WORDS[kind]}",
                remedy=_NO_NUMBERS if text else REMEDIES[kind],
                bad=bad,
                values=texts,
                first_row=first_row,
            )


_NO_NUMBERS = (
    "map it in `columns` of the table's entry in params.yaml to the column that it is, as "
    'docs/data.md lists them; leave out columns of text: map them to ""'
)
_MAP = ", or map your own names to these in `columns` of the table's entry in params.yaml"


def _of_columns(schema: pa.DataFrameSchema, table: ParsedTable) -> Iterator[Violation]:
    """Yield the violation of required columns that are missing, and those of reserved names."""
    lacking = [
        name
        for name, column in schema.columns.items()
        if column.required and name not in table.frame and name != FURTHER
    ]
    if lacking:
        found = f"{', '.join(map(repr, lacking))} missing"
        remedy = add_remedy(table.file, lacking) + _MAP
        yield of_names(table, found, remedy)
    for name in table.frame.columns.intersection(RESERVED, sort=False):
        found = f"{name!r} is the name of a future return or of a result in later tables"
        remedy = "remove the column, or rename it if its values are known at the end of the month"
        yield violation(table, [name], "reserved", found=found, remedy=remedy)


def _errors(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> list[SchemaError]:
    further = schema.columns.get(FURTHER)
    columns = {name: schema.columns.get(name, further) for name in frame}
    rules = pa.DataFrameSchema(
        {name: column for name, column in columns.items() if column is not None},
        checks=schema.checks,
    )
    # The rules hold whatever pandera's own environment variables say.
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            rules.validate(frame, lazy=True, inplace=True)
        except SchemaErrors as errors:
            return list(errors.schema_errors)
    return []


def _of_check(table: ParsedTable, error: SchemaError, first_row: int) -> Iterator[Violation]:
    """Yield the violation of a check; none where every bad row is reported already."""
    check, passed = error.check, error.check_output
    keys = (check.statistics or {}).get("columns") or [error.schema.name]
    bad = np.zeros(len(table.frame), dtype=bool)
    bad[passed.index[~passed.to_numpy(dtype=bool)]] = True
    bad &= ~unread_in(table, keys)
    if not bad.any():
        return
    there = [key for key in keys if key in table.frame]
    if not there:
        yield of_names(table, str(check.error), str(check.description) + _MAP)
        return
    more = _contradictions(table.frame, int(bad.sum()), keys) if check.name == "unique" else ""
    yield violation(
        table,
        there,
        check.name,
        found=check.error,
        remedy=check.description + more,
        bad=bad,
        values=_shown(table.frame, there),
        first_row=first_row,
    )


def _contradictions(frame: pd.DataFrame, repeated: int, keys: Sequence[str]) -> str:
    """Return how many of the rows that repeat another have other values than that one."""
    count = repeated - int(frame[frame.duplicated(list(keys), keep=False)].duplicated().sum())
    return f" ({count:,} of them contradict the row that they repeat)" if count > 0 else ""


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
