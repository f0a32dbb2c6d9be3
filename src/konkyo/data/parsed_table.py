"""Tables as found to typed frames: each column read as what its schema says that it holds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pandera.pandas as pa

from konkyo.data.columns import FURTHER
from konkyo.data.parsing import (
    MISSING,
    YEARS,
    ParsedColumn,
    text_of,
    to_dates,
    to_months,
    to_numbers,
)
from konkyo.data.readers import RawTable
from konkyo.data.validate import column_of
from konkyo.data.violations import Violation, in_rows

REMEDIES = {
    "a month": f"write YYYY-MM, YYYY-MM-DD or YYYYMM, of a year from {YEARS[0]} to {YEARS[1]}",
    "a date": f"write YYYY-MM-DD or YYYYMMDD, of a year from {YEARS[0]} to {YEARS[1]}",
    "a number": "write numbers with a decimal point and no other mark, leave missing ones empty, "
    'and leave out columns of text: map them to ""',
}


@dataclass(frozen=True, eq=False)
class ParsedTable:
    """A table of typed columns.

    Attributes
    ----------
    frame : DataFrame, shape [rows, known columns]
        `month` as period ends, other dates as days, text without blanks around it, float64;
        missing where there was no value and where it could not be read.
    unread : dict of str to ndarray of bool, shape [rows]
        Where each column that has such rows could not be read.
    violations : list of Violation
        One for each of these columns (rule `readable`).
    """

    frame: pd.DataFrame
    unread: dict[str, np.ndarray]
    violations: list[Violation]


def parse_table(schema: pa.DataFrameSchema, found: RawTable) -> ParsedTable:
    """Read every column as its schema's type.

    Parameters
    ----------
    schema : DataFrameSchema
        The columns of a kind of table, under this project's names.
    found : Found
        The table as found. A column that the schema does not know and that has no `FURTHER` entry
        is passed over.
    """
    columns: dict[str, pd.Series] = {}
    unread: dict[str, np.ndarray] = {}
    violations: list[Violation] = []
    for name, values in found.frame.items():
        column = schema.columns.get(str(name), schema.columns.get(FURTHER))
        if column is None:
            continue
        kind = str(column.dtype)
        if kind == "text":
            # A stock may well be called NA.
            columns[name] = text_of(values, MISSING) if column.nullable else text_of(values)
            continue
        if kind == "number":
            read, what = to_numbers(values), "a number"
        elif name == "month":
            read, what = to_months(values), "a month"
        else:
            read, what = to_dates(values), "a date"
        columns[name] = read.column
        if read.bad.any():
            unread[str(name)] = read.bad
            violations.append(_unreadable(found, str(name), read, what))
    return ParsedTable(pd.DataFrame(columns, index=found.frame.index), unread, violations)


def _unreadable(found: RawTable, name: str, read: ParsedColumn, what: str) -> Violation:
    rows, shown, count = in_rows(read.bad, found.frame[name])
    return Violation(
        file=found.file,
        **column_of(name, found.names),
        rule="readable",
        found=f"not {what}",
        rows=rows,
        count=count,
        remedy=REMEDIES[what],
        shown=shown,
    )
