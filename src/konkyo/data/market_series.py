"""Market series: files of any frequency to one table of months."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from konkyo.config import Table
from konkyo.data import bar_dates
from konkyo.data.columns import cells_of, table_of
from konkyo.data.reader import ParsedTable, read
from konkyo.data.validate import broken, column_of
from konkyo.data.violations import Violation, in_rows
from konkyo.dates import month_end, ordinal, parse
from konkyo.errors import RecordsError


def monthly(
    tables: Sequence[Table], last: pd.Timestamp | None, closed_months: Sequence[str] = ()
) -> tuple[ParsedTable, list[Violation]]:
    """Read market series of any frequency and join them by month.

    Parameters
    ----------
    tables : sequence of Table
        Each of files with a column `date` or `month` and one column of numbers a series.
    last : Timestamp or None
        The end of the last month that is used; None for all.
    closed_months : sequence of str, optional
        YYYY-MM: months in which the market was shut: a series without a value keeps its last.

    Returns
    -------
    table : ParsedTable
        month (its end) and the series of all tables, one row a month of any table, sorted. The
        value of a month is the last one known in it: the last row by date that has one; a date
        that is the first of its week or month stands for the last, and `lag_months` are added.
    violations : list of Violation
        What broke the rules of single values and rows.

    Raises
    ------
    SourceError, RecordsError
        As `konkyo.data.reader.read`; or two tables have a series of one name.
    """
    joined = pd.DataFrame()
    files: list[str] = []
    names: dict[str, str] = {}
    remarks: list[str] = []
    violations: list[Violation] = []
    for spec in tables:
        table = _by_day(read(spec, cells_of("market")))
        violations += broken(table_of("market"), table)
        if "month" not in table.frame:
            continue
        violations += _repeated(table)
        rows = table.frame.sort_values("month", kind="stable")
        remarks += table.notes
        period = bar_dates.first_day_of(rows["month"], spec.bar_date)
        remarks += bar_dates.note(table.file, rows["month"], period)
        # Rows whose day could not be read are of no month.
        days = bar_dates.last_days(rows["month"], period).fillna(_NEVER)
        ends = pd.Series(month_end(ordinal(days) + spec.lag_months), rows.index)
        months = rows.assign(month=ends.where(rows["month"].notna())).groupby("month").last()
        if last is not None:
            months = months[months.index <= last]
        twice = sorted(set(joined.columns) & set(months.columns))
        if twice:
            raise RecordsError(
                f"{table.file} has the market series {', '.join(twice)}, as {files[0]} has: give "
                'one another name in `columns`, or leave it out by mapping it to ""'
            )
        joined = months if joined.empty else joined.join(months, how="outer")
        files.append(table.file)
        names |= {here: own for here, own in table.names.items() if here != "month"}
    for month in map(parse, sorted(closed_months)):
        if len(joined) and joined.index[0] < month < joined.index[-1]:
            before = joined[joined.index < month].ffill().iloc[-1]
            joined.loc[month] = (
                joined.loc[month].fillna(before) if month in joined.index else before
            )
            joined = joined.sort_index()
    table = ParsedTable(", ".join(files), joined.reset_index(), names, notes=tuple(remarks))
    return table, violations


_NEVER = pd.Timestamp(1970, 1, 1)


def _by_day(table: ParsedTable) -> ParsedTable:
    """Return a table whose days are called `month`, as those of other tables are months."""
    frame = table.frame
    if "date" not in frame:
        return table
    if "month" in frame:
        days = frame["month"].fillna(frame["date"])
        return table.with_frame(frame.assign(month=days).drop(columns="date"))
    here, names = {"date": "month"}, dict(table.names)
    return replace(
        table,
        frame=frame.rename(columns=here),
        names={here.get(name, name): own for name, own in ({"date": "date"} | names).items()},
        unread={here.get(name, name): texts for name, texts in table.unread.items()},
        kinds={here.get(name, name): kind for name, kind in table.kinds.items()},
    )


def _repeated(table: ParsedTable) -> Iterator[Violation]:
    """See that no date is there twice."""
    days = table.frame["month"]
    rows, shown, count = in_rows((days.duplicated() & days.notna()).to_numpy(), days)
    if count:
        yield Violation(
            file=table.file,
            **column_of("month", table.names),
            rule="unique",
            found="repeated",
            rows=rows,
            count=count,
            remedy="keep one row a date",
            shown=shown,
        )
