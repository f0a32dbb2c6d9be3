"""A table against its pandera schema: every value and row that breaks a rule, as violations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.config import ValidationDepth, config_context
from pandera.engines.pandas_engine import Engine
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors

from konkyo.data.checks import FILL_IN
from konkyo.data.columns import FURTHER, RESERVED
from konkyo.data.violations import Violation, in_rows


class Named(TypedDict):
    """The fields `column` and `here` of a violation."""

    column: str
    here: str


@dataclass(frozen=True, eq=False)
class _Table:
    """A typed table with what its messages need; the fields are the arguments of `broken`."""

    frame: pd.DataFrame
    shown: pd.DataFrame
    file: str
    names: Mapping[str, str]
    first_row: int
    unread: Mapping[str, np.ndarray]

    def unread_in(self, keys: Sequence[str]) -> np.ndarray:
        """Return the rows in which a value of any of the columns could not be read."""
        bad = np.zeros(len(self.frame), dtype=bool)
        for key in keys:
            if key in self.unread:
                bad |= self.unread[key]
        return bad

    def values_of(self, keys: Sequence[str]) -> pd.Series:
        """Return what to show of each row: the value, or several with a blank between them."""
        there = [key for key in keys if key in self.frame]
        if len(keys) == 1:
            return self.shown[there[0]]
        parts = []
        for key in there:
            part = self.frame[key]
            if pd.api.types.is_datetime64_any_dtype(part):
                part = part.dt.strftime("%Y-%m" if key == "month" else "%Y-%m-%d")
            parts.append(part.astype("str").fillna("none"))
        return parts[0].str.cat(parts[1:], sep=" ")


def broken(
    schema: pa.DataFrameSchema,
    frame: pd.DataFrame,
    file: str,
    names: Mapping[str, str],
    shown: pd.DataFrame | None = None,
    first_row: int = 1,
    unread: Mapping[str, np.ndarray] | None = None,
) -> list[Violation]:
    """Return what breaks the rules of a table's values and rows.

    Parameters
    ----------
    schema : DataFrameSchema
        The rules, under this project's names, `FURTHER` among them for all columns not named.
    frame : DataFrame
        Typed values under this project's names, in the order of the file.
    file : str
        The file, for messages.
    names : mapping of str to str
        The file's own name of each column that has another name here.
    shown : DataFrame, optional
        The same rows and columns as the file has them, to be shown in messages.
    first_row : int, optional
        The number of the frame's first row in the file.
    unread : mapping of str to ndarray of bool, shape [rows], optional
        Where values of a column could not be read, which is reported already.

    Returns
    -------
    list of Violation
        Those about columns as a whole, then column by column, then those of several columns.
    """
    frame = frame.reset_index(drop=True)
    values = frame if shown is None else shown.reset_index(drop=True)
    table = _Table(frame, values, file, names, first_row, unread or {})
    violations = [*_missing(schema, table), *_reserved(table)]
    wrong = _mistyped(schema, frame)
    violations += [_wrong_type(table, name, said) for name, said in wrong.items()]
    for error in _errors(schema, frame.drop(columns=list(wrong))):
        if error.reason_code is SchemaErrorReason.SERIES_CONTAINS_NULLS:
            name = error.schema.name
            lacking = frame[name].isna().to_numpy() & ~table.unread_in([name])
            if lacking.any():
                violations.append(absent(file, names, name, lacking, None, first_row))
        elif error.reason_code is SchemaErrorReason.DATAFRAME_CHECK:
            violations += _checked(table, error)
        else:
            raise error
    return violations


def absent(
    file: str,
    names: Mapping[str, str],
    name: str,
    lacking: np.ndarray,
    shown: pd.Series | None = None,
    first_row: int = 1,
) -> Violation:
    """Return the violation of a column that has no value in rows that must have one."""
    rows, said, count = in_rows(lacking, None, first_row)
    if shown is not None:
        said = tuple(shown.iloc[row - first_row] for row in rows)
    return Violation(
        file=file,
        **column_of(name, names),
        rule="present",
        found="missing",
        rows=rows,
        count=count,
        remedy=FILL_IN,
        shown=said,
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


def _mistyped(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> dict[str, object]:
    """Return the type that each column of another type should have.

    pandera would look at each value of such a column, and its checks would fail on them.
    """
    return {
        name: column.dtype
        for name, column in _columns(schema, frame).items()
        if not column.dtype.check(Engine.dtype(frame[name].dtype), frame[name])
    }


def _missing(schema: pa.DataFrameSchema, table: _Table) -> Iterator[Violation]:
    """Yield a violation where required columns are missing."""
    lacking = [
        name
        for name, column in schema.columns.items()
        if column.required and name not in table.frame and name != FURTHER
    ]
    if lacking:
        yield _of_columns(table, f"{', '.join(map(repr, lacking))} missing", "add them")


def _of_columns(table: _Table, found: str, remedy: str) -> Violation:
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


def _reserved(table: _Table) -> Iterator[Violation]:
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


def _wrong_type(table: _Table, name: str, wanted: object) -> Violation:
    return Violation(
        file=table.file,
        **column_of(name, table.names),
        rule="type",
        found=f"holds {table.frame[name].dtype}, not {wanted}",
        rows=(),
        count=0,
        remedy=f'make it a column of {wanted}, or leave it out: map it to ""',
    )


def _checked(table: _Table, error: SchemaError) -> Iterator[Violation]:
    """Yield the violation of a check; none where every bad row is reported already."""
    check, passed = error.check, error.check_output
    keys = (check.statistics or {}).get("columns") or [error.schema.name]
    bad = np.zeros(len(table.frame), dtype=bool)
    bad[passed.index[~passed.to_numpy(dtype=bool)]] = True
    bad &= ~table.unread_in(keys)
    if not bad.any():
        return
    there = [key for key in keys if key in table.frame]
    if not there:
        yield _of_columns(table, str(check.error), str(check.description))
        return
    rows, shown, count = in_rows(bad, table.values_of(keys), table.first_row)
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
