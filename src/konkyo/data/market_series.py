"""Market series: files of any frequency to one table of months."""

from collections.abc import Iterator, Sequence

import pandas as pd

from konkyo.config import Reports, StockRows, Table
from konkyo.data import schema
from konkyo.data.parsing import to_dates, to_months
from konkyo.data.readers import RawTable, check_mapping, files_of, read_all, rename
from konkyo.data.violations import Violation, in_rows
from konkyo.errors import RecordsError


def found_of(table: Table | StockRows | Reports) -> RawTable:
    """Read the files of one kind of rows under this project's names.

    Raises
    ------
    SourceError, RecordsError
        As `konkyo.data.readers.read`; or the mapping names a column that is not there.
    """
    found = read_all(files_of(table.files))
    check_mapping(found.file, list(found.frame), table.columns)
    return rename(found, table.columns)


def monthly(tables: Sequence[Table], last: pd.Timestamp | None) -> tuple[RawTable, list[Violation]]:
    """Read market series of any frequency and join them by month.

    Parameters
    ----------
    tables : sequence of Table
        Each of files with a column `date` or `month` and one column of numbers a series.
    last : Timestamp or None
        The end of the last month that is used; None for all.

    Returns
    -------
    found : Found
        month (its end) and the series of all tables, one row a month of any table, sorted. The
        value of a month is the last one known in it: the last row by date that has one.
    violations : list of Violation
        What broke the rules of single values and rows.

    Raises
    ------
    SourceError, RecordsError
        As `found_of`; or two tables have a series of one name.
    """
    joined = pd.DataFrame()
    files: list[str] = []
    names: dict[str, str] = {}
    broken: list[Violation] = []
    for table in tables:
        found = found_of(table)
        if "date" in found.frame and "month" not in found.frame:
            own = {**found.names, "month": found.names.get("date", "date")}
            frame = found.frame.rename(columns={"date": "month"})
            found = RawTable(found.file, frame, {k: v for k, v in own.items() if k != "date"})
        values, violations = schema.read_values("market", _days(found))
        broken += violations
        if "month" not in values:
            continue
        repeated = list(_repeated(found))
        broken += repeated
        months = values.loc[_order(found)].groupby("month").last()
        if last is not None:
            months = months[months.index <= last]
        twice = sorted(set(joined.columns) & set(months.columns))
        if twice:
            raise RecordsError(
                f"{found.file} has the market series {', '.join(twice)}, as {files[0]} has: give "
                'one another name in `columns`, or leave it out by mapping it to ""'
            )
        joined = months if joined.empty else joined.join(months, how="outer")
        files.append(found.file)
        names |= {here: own for here, own in found.names.items() if here != "month"}
    return RawTable(", ".join(files), joined.reset_index(), names), broken


def _days(found: RawTable) -> RawTable:
    """Return a table with days in the place of texts that are days of any way of writing."""
    if "month" not in found.frame:
        return found
    days = to_dates(found.frame["month"])
    if days.bad.any():
        return found
    return RawTable(found.file, found.frame.assign(month=days.column), found.names)


def _order(found: RawTable) -> pd.Index:
    """Return the rows' index, sorted by date."""
    days = to_dates(found.frame["month"])
    if days.bad.any():
        days = to_months(found.frame["month"])
    return days.column.sort_values(kind="stable").index


def _repeated(found: RawTable) -> Iterator[Violation]:
    """See that no date is there twice."""
    days = to_dates(found.frame["month"])
    if days.bad.any():
        days = to_months(found.frame["month"])
    bad = (days.column.duplicated() & days.column.notna()).to_numpy()
    if bad.any():
        own = found.names.get("month", "month")
        rows, shown, count = in_rows(bad, found.frame["month"])
        yield Violation(
            file=found.file,
            column=own,
            here="" if own == "month" else "month",
            rule="unique",
            found="repeated",
            rows=rows,
            count=count,
            remedy="keep one row a date",
            shown=shown,
        )
