"""Shapes of charts over months: lines, lines with their 12-month means, and heat maps."""

import altair as alt
import pandas as pd

from konkyo.i18n import Language, t
from konkyo.report.charts.bars import row_names
from konkyo.report.charts.theme import (
    ROW,
    WIDTH,
    months,
    rolling_mean,
    row_letters,
    rows,
    tips,
    zero_rule,
)
from konkyo.report.style import GRID

PANEL = 170
"""Pixels of height of a panel above or below another one."""


def month_lines(
    table: pd.DataFrame,
    y: alt.Y,
    paint: alt.Color | alt.ColorValue,
    *,
    digits: str,
    month: str,
    bare: bool = False,
    **mark: float,
) -> alt.Chart:
    """Return one line a name.

    Parameters
    ----------
    table : DataFrame
        month, name, value.
    y : alt.Y
        The encoding of "value:Q", with a title.
    paint : alt.Color or alt.ColorValue
        Of the names.
    digits : str
        The format of a value in the tooltip.
    month : str
        What the months are.
    bare : bool
        Without labels of months, for a panel above another one.
    **mark
        Looks of the lines.
    """
    chart = alt.Chart(table).mark_line(point="transparent", **mark)
    return chart.encode(
        x=months("month", table["month"], "" if bare else month, labels=not bare),
        y=y,
        color=paint,
        tooltip=tips(("month:T", month, "%Y-%m"), ("name:N",), ("value:Q", y["title"], digits)),
    )


def smoothed_lines(
    table: pd.DataFrame,
    y: alt.Y,
    paint: alt.Color,
    *,
    digits: str,
    language: Language,
    bare: bool = False,
    level: float = 0.0,
) -> alt.LayerChart:
    """Return noisy monthly series as thin lines, their 12-month means as thick ones.

    Parameters
    ----------
    table, y, paint, digits, bare
        As of `month_lines`; sorted by month within a name.
    language : str
        en or ja.
    level : float
        Where a rule is drawn across.
    """
    means = table.groupby("name", sort=False)["value"].transform(rolling_mean)
    month = t("axis.decision_month", language)
    look = {"strokeWidth": 0.8, "opacity": 0.4}
    table = table[["month", "name", "value"]].assign(mean=means)
    thin = month_lines(table, y, paint, digits=digits, month=month, bare=bare, **look)
    thick = thin.mark_line(strokeWidth=2).encode(y=alt.Y("mean:Q", title=y["title"]))
    return alt.layer(thin, zero_rule(level=level), thick).properties(width=WIDTH, height=PANEL)


def month_map(
    wide: pd.DataFrame,
    labels: pd.DataFrame,
    paint: alt.Color,
    *,
    digits: str,
    value: str,
    language: Language,
) -> alt.Chart:
    """Return a heat map of features by month.

    Parameters
    ----------
    wide : DataFrame
        [features, months], the first on top; what is NaN is left empty.
    labels : DataFrame
        feature, en, ja.
    paint : alt.Color
        The encoding of "value:Q".
    digits, value : str
        Format and name of a value in the tooltip.
    language : str
        en or ja.
    """
    names = row_names([str(name) for name in wide.index], labels, language)
    cells = wide.set_axis(names, axis=0).rename_axis("row").reset_index()
    cells = cells.melt("row", var_name="month", value_name="value").dropna(subset="value")
    # Cells are a few pixels wide: without an overlap the seams between them would show.
    month = cells.pop("month").astype("datetime64[s]")
    cells["start"], cells["end"] = month - pd.offsets.MonthBegin(1), month + pd.Timedelta(days=6)
    decision = t("axis.decision_month", language)
    chart = alt.Chart(cells).mark_rect(clip=True)
    chart = chart.encode(
        x=months("start", wide.columns.to_series(), decision),
        x2="end:T",
        y=rows("row", names, grid=False),
        color=paint,
        tooltip=tips(("row:N",), ("start:T", decision, "%Y-%m"), ("value:Q", value, digits)),
    )
    view = alt.ViewBackground(fill=GRID)
    chart = chart.properties(width=WIDTH, height=ROW * len(names), view=view)
    return chart.add_params(row_letters())
