"""What the date of a bar or of a value stands for: its period's last day, or its first.

A bar dated by its first day (as the files of many vendors have weeks and months) was not known on
that day. Weeks move by six days, so that one that begins in December and ends in January belongs to
January; months belong to the month that they begin, at whose end the row is known anyway.
"""

from dataclasses import replace
from typing import Literal

import pandas as pd

from konkyo.config.tables import BarDate
from konkyo.data.reader import ParsedTable

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


def note(file: str, days: pd.Series, period: Period) -> list[str]:
    """Return the note on dates that are taken for first days; none where they are not."""
    if not period:
        return []
    first = days.dropna().min()
    until = last_days(pd.Series([first]), period).iloc[0]
    return [
        f"assumed: {file} dates each {period} by its first day, so that {first:%Y-%m-%d} is known "
        f"at the end of {until:%Y-%m-%d}; if it is the last day, set `bar_date: last_day`"
    ]


def by_month(table: ParsedTable, bar_date: BarDate) -> ParsedTable:
    """Return monthly rows with `month` the last day of its month, and the note on first days."""
    if "month" not in table.frame:
        return table
    days = table.frame["month"]
    remarks = []
    if first_day_of(days, bar_date) == "month":
        remarks = note(table.file, days, "month")
    frame = table.frame.assign(month=last_days(days, "month"))
    return replace(table, frame=frame, notes=(*table.notes, *remarks))
