"""The rules of a frame of raw values: those of the records, in the words of `konkyo check`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.data import schema
from konkyo.data.columns import table_of
from konkyo.data.parsing import ParsedTable
from konkyo.data.rules import FURTHER, Schema, broken, unique
from konkyo.data.violations import Violation, names_of, raise_if_any, violation
from konkyo.errors import ParamsError
from konkyo.features.market import LARGEST

FRAME = "the frame"
_NUMBERS = "make the column one of floats (pandas.to_numeric), or leave it out of `features`"
_MONTHS = (
    "make it the last day of the month in which the row is known: "
    'frame["month"].dt.to_period("M"), or pandas.to_datetime for text'
)


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The caller's names of the columns, None of those that are not given.

    `texts` are columns of text, the first that of sectors. `results` says that features may have
    the names of results, `filled` that they have no missing value.
    """

    month: str
    stock: str | None = None
    label: str | None = None
    size: str | None = None
    texts: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    market: tuple[str, ...] = ()
    results: bool = False
    filled: bool = False

    def keys(self) -> list[str]:
        """Return the columns that identify a row."""
        return [self.month] if self.stock is None else [self.month, self.stock]

    def named(self) -> dict[str, str]:
        """Return the caller's name of each column that has another one here."""
        here = {"month": self.month, "stock": self.stock, "return": self.label, "size": self.size}
        return {key: name for key, name in here.items() if name is not None}

    def all(self) -> list[str]:
        """Return every column that is used, once."""
        used = [*self.named().values(), *self.texts, *self.features, *self.market]
        return list(dict.fromkeys(used))


def rows(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return the columns of a frame that keeps every rule, sorted by month and stock.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a month and stock, in any order.
    columns : Columns
        The caller's names.

    Returns
    -------
    pandas.DataFrame
        The caller's columns: months as period ends, codes and sectors as text, numbers as float64
        with NaN where missing.

    Raises
    ------
    RecordsError
        Every violation at once, with the numbers of rows (1 is the first) in the caller's order.
    """
    raise_if_any(list(_of_columns(frame, columns)))
    table = ParsedTable(FRAME, frame[columns.all()])
    raise_if_any(list(_of_types(table, columns)))
    typed = {name: _typed(frame[name], name, columns) for name in columns.all()}
    table = table.with_frame(pd.DataFrame(typed))
    raise_if_any([*_of_values(table, columns), *_of_market(table, columns)])
    return table.frame.sort_values(columns.keys(), ignore_index=True)


def index_of(rows: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return month, stock, sector, size, ret of rows that `rows` has checked."""
    nothing = pd.Series(np.nan, rows.index)
    sector = rows[columns.texts[0]] if columns.texts else nothing.astype("string")
    return pd.DataFrame(
        {
            "month": rows[columns.month],
            "stock": rows[columns.stock],
            "sector": sector,
            "size": nothing if columns.size is None else rows[columns.size],
            "ret": nothing if columns.label is None else rows[columns.label],
        }
    )


def _of_columns(frame: pd.DataFrame, columns: Columns) -> Iterator[Violation]:
    table = ParsedTable(FRAME, frame)
    lacking = [name for name in columns.all() if name not in frame]
    if lacking:
        found = f"{', '.join(map(repr, lacking))} missing; the frame has [{names_of(frame)}]"
        remedy = "name the frame's own columns (month=, stock=, label=, ...), after reset_index()"
        yield violation(table, [], "columns", found, remedy)
    for name in dict.fromkeys(frame.columns[frame.columns.duplicated()]):
        yield violation(table, [], "columns", f"two are called {name!r}", "rename one of them")
    inputs = [*columns.features, *columns.market]
    if frame.empty:
        yield violation(table, [], "rows", "no row", "give at least one month and stock")
    for name in {columns.label, "forward_return"}.intersection(inputs):
        found = "the label, which is known in t+1, is among the features of t"
        yield violation(table, [str(name)], "look-ahead", found, "remove it from them")


def _of_types(table: ParsedTable, columns: Columns) -> Iterator[Violation]:
    """Yield what cannot be read: months, codes, and columns of numbers that hold none."""
    month = table.frame[columns.month]
    if isinstance(month.dtype, pd.DatetimeTZDtype):
        found = f"a time zone ({month.dt.tz}), so that a month's last day may be in another month"
        remedy = f"remove it: frame[{columns.month!r}].dt.tz_localize(None)"
        yield violation(table, [columns.month], "readable", found, remedy)
    elif isinstance(month.dtype, pd.PeriodDtype):
        if month.dtype != pd.PeriodDtype("M"):
            found = f"no months ({month.dtype})"
            yield violation(table, [columns.month], "readable", found, _MONTHS)
    elif not pd.api.types.is_datetime64_dtype(month.dtype):
        yield violation(table, [columns.month], "readable", f"no dates ({month.dtype})", _MONTHS)
    else:
        days = month.dt.normalize()
        bad = (month.notna() & (days != days + pd.offsets.MonthEnd(0))).to_numpy()
        if bad.any():
            found = "not the last day of a month"
            yield violation(table, [columns.month], "month end", found, _MONTHS, bad, month)
    for name in columns.keys()[1:]:
        dtype = table.frame[name].dtype
        if pd.api.types.is_float_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype):
            remedy = "make them text or whole numbers"
            yield violation(table, [name], "readable", f"no codes ({dtype})", remedy)
    for name in {*columns.all()} - {*columns.keys(), *columns.texts}:
        if not pd.api.types.is_numeric_dtype(table.frame[name]):
            found = f"no numbers ({table.frame[name].dtype})"
            yield violation(table, [name], "readable", found, _NUMBERS)


def _typed(column: pd.Series, name: str, columns: Columns) -> pd.Series:
    if name == columns.month:
        days = column.dt.to_timestamp() if isinstance(column.dtype, pd.PeriodDtype) else column
        ends = pd.Series(dates.month_end(dates.ordinal(days.fillna(pd.Timestamp(0)))))
        return ends.mask(column.isna())
    if name in (columns.stock, *columns.texts):
        return column.astype("object").map(str, na_action="ignore").astype("string")
    return pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _of_values(table: ParsedTable, columns: Columns) -> Iterator[Violation]:
    """Yield what breaks the rules of the stocks of the records: values, keys and gaps."""
    declared, named = table_of("stocks").columns, columns.named()
    rules = {named[key]: declared[key]._replace(needed=False) for key in named}
    rules[FURTHER] = declared[FURTHER]._replace(empty=not columns.filled)
    rules |= {name: declared["sector"]._replace(needed=False) for name in columns.texts}
    yield from (
        one
        for one in broken(Schema(rules, (unique(*columns.keys()),)), table)
        # A label may well be called label.
        if one.rule != "reserved"
        or (one.column in columns.features + columns.market and not columns.results)
    )
    for name in columns.features + columns.market:
        large = (table.frame[name].abs() > LARGEST).to_numpy() & np.isfinite(table.frame[name])
        if large.any():
            found, remedy = f"above {LARGEST:g} in size", "correct them, or take a larger unit"
            yield violation(table, [name], "range", found, remedy, large, table.frame[name])
    months = ParsedTable(FRAME, table.frame[[columns.month]].set_axis(["month"], axis=1))
    for gap in schema.gaps(months):
        remedy = "add these months, or cut the frame so that its months follow one another"
        yield replace(gap, column=columns.month, remedy=remedy)


def _of_market(table: ParsedTable, columns: Columns) -> Iterator[Violation]:
    frame, month = table.frame, table.frame[columns.month]
    for name in columns.market:
        missing = frame[name].isna().to_numpy()
        if missing.any():
            remedy = "fill them in, begin later, or leave the series out of `market`"
            yield violation(table, [name], "present", "missing", remedy, missing, month)
        first = frame[name].groupby(month).transform("first")
        differing = ~missing & (frame[name] != first).to_numpy() & month.notna().to_numpy()
        if differing.any():
            found = "another value than another stock of the month"
            remedy = "give every stock the month's value, or list the column in `features`"
            yield violation(table, [name], "market", found, remedy, differing, frame[name])


def require_one_of(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise if an argument has none of the values that are allowed.

    Raises
    ------
    ParamsError
        Names them.
    """
    if value not in allowed:
        raise ParamsError(f"{name} = {value!r}: set it to one of {', '.join(allowed)}")


def names(columns: Sequence[str] | str) -> tuple[str, ...]:
    """Return names of columns as a tuple, also where one is given as text."""
    return (columns,) if isinstance(columns, str) else tuple(columns)
