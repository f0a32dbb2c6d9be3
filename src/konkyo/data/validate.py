"""A table against its pandera schema: every value and row that breaks a rule, as violations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from konkyo.data.checks import FILL_IN
from konkyo.data.columns import FURTHER, RESERVED
from konkyo.data.files import add_remedy
from konkyo.data.parsing import REMEDIES, WORDS
from konkyo.data.reader import ParsedTable
from konkyo.data.violations import Violation, in_rows


class Named(TypedDict):
    """The fields `column` and `here` of a violation."""

    column: str
    here: str


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
    violations = [*_unreadable(table, first_row), *_missing(schema, table), *_reserved(table)]
    for error in _errors(schema, table.frame):
        if error.reason_code is SchemaErrorReason.SERIES_CONTAINS_NULLS:
            name = error.schema.name
            lacking = table.frame[name].isna().to_numpy() & ~unread_in(table, [name])
            if lacking.any():
                violations.append(absent(table, name, lacking, first_row=first_row))
        elif error.reason_code is SchemaErrorReason.DATAFRAME_CHECK:
            violations += _checked(table, error, first_row)
        else:
            # The reader alone gives columns their types.
            raise error
    return violations


def unread_in(table: ParsedTable, names: Sequence[str]) -> np.ndarray:
    """Return the rows in which a cell of any of the columns could not be read, bool."""
    bad = np.zeros(len(table.frame), dtype=bool)
    for name in names:
        if name in table.unread:
            bad |= table.unread[name].notna().to_numpy()
    return bad


def _unreadable(table: ParsedTable, first_row: int) -> Iterator[Violation]:
    for name, texts in table.unread.items():
        rows, shown, count = in_rows(texts.notna().to_numpy(), texts, first_row)
        if count:
            yield Violation(
                file=table.file,
                **column_of(name, table.names),
                rule="readable",
                found=f"not {WORDS[table.kinds[name]]}",
                rows=rows,
                count=count,
                remedy=REMEDIES[table.kinds[name]],
                shown=shown,
            )


def _shown(table: ParsedTable, names: Sequence[str]) -> pd.Series:
    """Return what to show of each row: the value, or several with a blank between them."""
    if len(names) == 1:
        return table.frame[names[0]]
    parts = []
    for name in names:
        part = table.frame[name]
        if pd.api.types.is_datetime64_any_dtype(part):
            part = part.dt.strftime("%Y-%m" if name == "month" else "%Y-%m-%d")
        parts.append(part.astype("str").fillna("none"))
    return parts[0].str.cat(parts[1:], sep=" ")


def absent(
    table: ParsedTable,
    name: str,
    lacking: np.ndarray,
    *,
    shown: pd.Series | None = None,
    first_row: int = 1,
) -> Violation:
    """Return the violation of a column that has no value in rows that must have one."""
    rows, texts, count = in_rows(lacking, None, first_row)
    if shown is not None:
        texts = tuple(shown.iloc[row - first_row] for row in rows)
    return Violation(
        file=table.file,
        **column_of(name, table.names),
        rule="present",
        found="missing",
        rows=rows,
        count=count,
        remedy=FILL_IN,
        shown=texts,
    )


def column_of(name: str, names: Mapping[str, str]) -> Named:
    """Return the fields `column` and `here` of a violation of one column."""
    own = names.get(name, name)
    return Named(column=own, here="" if own == name else name)


def columns_of(keys: Sequence[str], names: Mapping[str, str]) -> Named:
    """Return the fields `column` and `here` of a violation of several columns."""
    own = [names.get(key, key) for key in keys]
    here = "" if own == list(keys) else ", ".join(keys)
    return Named(column=", ".join(own), here=here)


def _columns(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> dict[str, pa.Column]:
    """Return the schema's column of each column of the frame: `FURTHER` where it has no other."""
    further = schema.columns.get(FURTHER)
    columns = {name: schema.columns.get(name, further) for name in frame}
    return {name: column for name, column in columns.items() if column is not None}


def _errors(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> list[SchemaError]:
    rules = pa.DataFrameSchema(_columns(schema, frame), checks=schema.checks)
    # The rules hold whatever pandera's own environment variables say.
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            rules.validate(frame, lazy=True, inplace=True)
        except SchemaErrors as errors:
            return list(errors.schema_errors)
    return []


def _missing(schema: pa.DataFrameSchema, table: ParsedTable) -> Iterator[Violation]:
    """Yield a violation where required columns are missing."""
    lacking = [
        name
        for name, column in schema.columns.items()
        if column.required and name not in table.frame and name != FURTHER
    ]
    if lacking:
        found = f"{', '.join(map(repr, lacking))} missing"
        yield _of_columns(table, found, add_remedy(table.file, lacking))


def _of_columns(table: ParsedTable, found: str, remedy: str) -> Violation:
    there = [table.names.get(name, name) for name in table.frame.columns]
    return Violation(
        file=table.file,
        column="",
        rule="columns",
        found=f"{found}; the file has {there}",
        rows=(),
        count=0,
        remedy=f"{remedy}, or map your own names to these in `columns` of the table's entry in "
        "params.yaml",
    )


def _reserved(table: ParsedTable) -> Iterator[Violation]:
    """Yield a violation for each column that has the name of a future return or of a result."""
    for name in table.frame:
        if name in RESERVED:
            yield Violation(
                file=table.file,
                **column_of(name, table.names),
                rule="reserved",
                found=f"{name!r} is the name of a future return or of a result in later tables",
                rows=(),
                count=0,
                remedy="remove the column, or rename it if its values are known at the end of the "
                "month",
            )


def _checked(table: ParsedTable, error: SchemaError, first_row: int) -> Iterator[Violation]:
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
        yield _of_columns(table, str(check.error), str(check.description))
        return
    rows, shown, count = in_rows(bad, _shown(table, there), first_row)
    yield Violation(
        file=table.file,
        **columns_of(there, table.names),
        rule=check.name,
        found=check.error,
        rows=rows,
        count=count,
        remedy=check.description,
        shown=shown,
    )
