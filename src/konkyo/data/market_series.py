"""Market series of any frequency as one table of months, and what the date of a row stands for.

A bar dated by its first day (as the files of many vendors have weeks and months) was not known on
that day. Weeks move by six days, so that one that begins in December and ends in January belongs to
January; months belong to the month that they begin, at whose end the row is known anyway.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pandas as pd

from konkyo.config import Table
from konkyo.config.tables import BarDate
from konkyo.data.columns import cells_of, table_of
from konkyo.data.parsing import ParsedTable
from konkyo.data.reader import read
from konkyo.data.rules import broken, unique
from konkyo.data.violations import Findings, Note, assumed
from konkyo.dates import month_end, ordinal, parse
from konkyo.errors import RecordsError

Period = Literal["", "week", "month"]

FEWEST = {"month": 3, "week": 8}
"""Distinct dates from which on one weekday, or the first of a month, throughout is no chance."""


def first_day_of(days: pd.Series, bar_date: BarDate) -> Period:
    """Return the period whose first day all dates are; empty where they are other days.

    Parameters
    ----------
    days : Series of datetime64
        The rows' dates; missing ones are passed over.
    bar_date : {'', 'first_day', 'last_day'}
        What params.yaml says; empty: recognised by the dates, which are all first days of months,
        or whose earliest are Mondays, or Sundays. Later dates change no month of earlier rows.
    """
    distinct = pd.Series(days.dropna().unique()).sort_values()
    if bar_date == "last_day" or distinct.empty:
        return ""
    enough = {name: bool(bar_date) or len(distinct) >= n for name, n in FEWEST.items()}
    if enough["month"] and (distinct.dt.day == 1).all():
        return "month"
    weekday = distinct.head(FEWEST["week"]).dt.weekday
    week = weekday.iloc[0] in (0, 6) and (weekday == weekday.iloc[0]).all()
    return "week" if bar_date or (enough["week"] and week) else ""


def last_days(days: pd.Series, period: Period) -> pd.Series:
    """Return the last day of each date's period; the date itself where it is no first day."""
    if period == "week":
        return days + pd.Timedelta(days=6)
    return days + pd.offsets.MonthEnd(0) if period == "month" else days


def note_on_first_days(file: str, days: pd.Series, period: Period) -> tuple[Note, ...]:
    """Return the note on dates that are taken for first days; none where they are not."""
    if not period:
        return ()
    first = days.dropna().min()
    until = last_days(pd.Series([first]), period).iloc[0]
    text = (
        f"{file} dates each {period} by its first day, so that {first:%Y-%m-%d} is known "
        f"at the end of {until:%Y-%m-%d}; if it is the last day, set `bar_date: last_day`"
    )
    return (assumed(text),)


def monthly(
    tables: Sequence[Table],
    last: pd.Timestamp | None,
    findings: Findings,
    closed_months: Sequence[str] = (),
) -> ParsedTable:
    """Read market series of any frequency and join them by month.

    Parameters
    ----------
    tables : sequence of Table
        Each of files with a column `date` or `month` and one column of numbers a series.
    last : Timestamp or None
        The end of the last month that is used; None for all.
    findings : Findings
        Gets what broke the rules of single values and rows, and the notes.
    closed_months : sequence of str, optional
        YYYY-MM: months in which the market was shut: a series without a value keeps its last.

    Returns
    -------
    ParsedTable
        month (its end) and the series of all tables, one row a month of any table, sorted. The
        value of a month is the last one known in it: the last row by date that has one; a date
        that is the first of its week or month stands for the last, and `lag_months` are added.

    Raises
    ------
    SourceError, RecordsError
        As `konkyo.data.reader.read`; or two tables have a series of one name.
    """
    joined = pd.DataFrame({}, index=pd.DatetimeIndex([], name="month"))
    files: list[str] = []
    names: dict[str, str] = {}
    schema = table_of("market")
    once = unique("month")._replace(remedy="keep one row a date")
    for spec in tables:
        table = with_month(read(spec, cells_of("market")))
        findings.notes += table.notes
        findings.violations += broken(schema._replace(rules=(*schema.rules, once)), table)
        if "month" not in table.frame:
            continue
        rows = table.frame.sort_values("month", kind="stable")
        period = first_day_of(rows["month"], spec.bar_date)
        findings.notes += note_on_first_days(table.file, rows["month"], period)
        # Rows whose day could not be read are of no month.
        rows = rows[rows["month"].notna()]
        ends = month_end(ordinal(last_days(rows["month"], period)) + spec.lag_months)
        months = rows.assign(month=ends).groupby("month").last()
        if last is not None:
            months = months[months.index <= last]
        twice = sorted(set(joined.columns) & set(months.columns))
        if twice:
            raise RecordsError(
                f"{table.file} has the market series {', '.join(twice)}, as {files[0]} has: give "
                'one another name in `columns`, or leave it out by mapping it to ""'
            )
        joined = joined.join(months, how="outer") if files else months
        files.append(table.file)
        names |= {here: own for here, own in table.names.items() if here != "month"}
    for month in map(parse, sorted(closed_months)):
        if len(joined) and joined.index[0] < month < joined.index[-1]:
            before = joined[joined.index < month].ffill().iloc[-1]
            joined.loc[month] = joined.reindex([month]).iloc[0].fillna(before)
            joined = joined.sort_index()
    return ParsedTable(", ".join(files), joined.reset_index(), names)


def by_month(table: ParsedTable, bar_date: BarDate) -> ParsedTable:
    """Return monthly rows with `month` the last day of its month, and the note on first days."""
    if "month" not in table.frame:
        return table
    days, remarks = table.frame["month"], table.notes
    if first_day_of(days, bar_date) == "month":
        remarks = (*remarks, *note_on_first_days(table.file, days, "month"))
    return replace(table, frame=table.frame.assign(month=last_days(days, "month")), notes=remarks)


def with_month(table: ParsedTable) -> ParsedTable:
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
