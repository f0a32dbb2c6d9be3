"""Reliable relevances: how many there are in each month, and how long they stay reliable."""

import altair as alt
import pandas as pd

from konkyo.i18n import Language, t
from konkyo.report.charts.shapes import PANEL, month_lines
from konkyo.report.charts.theme import WIDTH, colours, tips, titled
from konkyo.report.style import COLOURS, OTHER
from konkyo.report.tables.reliability import GROUPS

_PAINT = (COLOURS["long"], OTHER, COLOURS["short"])


def reliable_lines(shares: pd.DataFrame, language: Language = "en") -> alt.Chart:
    """Return the share of reliable relevances over time.

    Parameters
    ----------
    shares : DataFrame
        What `tables.reliability.reliable_shares` returns: month, group, share.
    language : str
        en or ja.

    Returns
    -------
    Chart
        A line a group of inputs.
    """
    groups = [group for group in GROUPS if (shares["group"] == group).any()]
    names = [t(f"group.{group}", language) for group in groups]
    table = pd.DataFrame(
        {
            "month": shares["month"],
            "name": shares["group"].map(dict(zip(groups, names, strict=True))),
            "value": shares["share"],
        }
    )
    y = alt.Y("value:Q", title=t("axis.reliable_share", language), axis=alt.Axis(format=".0%"))
    paint = colours(names, list(_PAINT[: len(names)]), "name")
    month = t("axis.decision_month", language)
    chart = month_lines(table, y, paint, digits=".1%", month=month, strokeWidth=1.5)
    return titled(
        chart.properties(width=WIDTH, height=PANEL),
        t("title.reliable_lines", language),
        t("note.reliable_lines", language),
    )


def reliable_later_bars(later: pd.DataFrame, language: Language = "en") -> alt.LayerChart:
    """Return how many reliable relevances are reliable some months later.

    Parameters
    ----------
    later : DataFrame
        What `tables.reliability.reliable_later` returns: later, share, all.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        A bar a month, and a mark where all relevances of the same stocks are.
    """
    title = t("axis.reliable_later", language)
    base = alt.Chart(later).encode(
        x=alt.X("later:O", title=t("axis.months_later", language), axis=alt.Axis(labelAngle=0)),
        tooltip=tips(("later:O",), ("share:Q", title, ".1%"), ("all:Q", "", ".1%")),
    )
    y = alt.Y("share:Q", title=title, axis=alt.Axis(format=".0%"))
    bars = base.mark_bar(color=COLOURS["long"]).encode(y=y)
    marks = base.mark_tick(thickness=2, color=COLOURS["short"]).encode(
        y=alt.Y("all:Q", title=title)
    )
    return titled(
        alt.layer(bars, marks).properties(width=WIDTH, height=PANEL),
        t("title.reliable_later_bars", language),
        t("note.reliable_later_bars", language),
    )
