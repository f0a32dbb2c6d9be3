"""Charts of the monitor: a check over time beside its limit, and an input statistic by month."""

import altair as alt
import numpy as np
import pandas as pd

from konkyo.i18n import Language, t
from konkyo.report.charts.bars import row_names
from konkyo.report.charts.theme import ROW, WIDTH, months, row_letters, rows, titled
from konkyo.report.style import GRID, INK, LOWERS, PAPER, RAISES, width_of

_HEIGHT = 220


def check_line(
    history: pd.DataFrame, name: str, *, limit: float, form: str, language: Language = "en"
) -> alt.LayerChart:
    """Draw a check's statistic by month beside its limit.

    Parameters
    ----------
    history : DataFrame
        Of one check: month, value, breached.
    name : str
        The check, one of `monitoring.checks.CHECKS`.
    limit : float
        Its limit.
    form : str
        Number format of the statistic.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        A line, the limit dashed, and a point for each month beyond it.
    """
    table = history[["month", "value", "breached"]].dropna(subset="value")
    month = t("axis.decision_month", language)
    # A statistic that is never negative has 0 in sight, so that small changes look small.
    scale = alt.Scale(zero=bool((table["value"] >= 0).all()))
    y = alt.Y("value:Q", title=None, axis=alt.Axis(format=form), scale=scale)
    base = alt.Chart(table).encode(
        x=months("month", table["month"], month),
        y=y,
        tooltip=[
            alt.Tooltip("month:T", format="%Y-%m", title=month),
            alt.Tooltip("value:Q", format=form, title=t("monitor.figure.value", language)),
        ],
    )
    rule = alt.Chart(pd.DataFrame({"value": [limit]})).mark_rule(
        color=RAISES, strokeDash=[6, 4], strokeWidth=1.5
    )
    points = base.transform_filter("datum.breached").mark_point(filled=True, size=46, color=RAISES)
    chart = alt.layer(base.mark_line(color=INK), rule.encode(y=y), points)
    note = f"{t('monitor.figure.limit', language)} {format(limit, form)}"
    if table["breached"].any():
        note = f"{note}; ● {t('monitor.figure.beyond', language)}"
    chart = chart.properties(width=WIDTH, height=_HEIGHT)
    return titled(chart, t(f"monitor.check.{name}", language), note)


def input_map(
    table: pd.DataFrame,
    column: str,
    *,
    labels: pd.DataFrame,
    name: str,
    limit: float,
    form: str,
    language: Language = "en",
) -> alt.Chart:
    """Draw a statistic of every input by month as a heat map.

    Parameters
    ----------
    table : DataFrame
        month, feature and the column; NaN is left empty.
    column : str
        The statistic: psi, z or share.
    labels : DataFrame
        Of `report.tables.labels`.
    name : str
        The figure: psi_map, market_z_map or missing_map.
    limit : float
        End of the colour scale; larger values have its colour.
    form : str
        Number format of the statistic.
    language : str
        en or ja.

    Returns
    -------
    Chart
        The input of the largest absolute value in the newest month on top. z-scores have the
        diverging scale, what is never negative a scale from paper to red.
    """
    wide = table.pivot_table(
        index="feature", columns="month", values=column, sort=False, dropna=False
    ).sort_index(axis=1)
    newest = wide.iloc[:, -1].abs().fillna(-1).to_numpy()
    wide = wide.iloc[np.argsort(-newest, kind="stable")]
    names = row_names([str(feature) for feature in wide.index], labels, language)
    cells = wide.set_axis(names, axis=0).rename_axis("row").reset_index()
    cells = cells.melt("row", var_name="month", value_name="value").dropna(subset="value")
    # An infinite z-score, of a series that was constant until now, has the colour of the end.
    cells["value"] = cells["value"].clip(-1e6, 1e6)
    month = pd.to_datetime(cells["month"])
    # Cells overlap a little, or seams would show between them.
    cells["start"] = month - pd.offsets.MonthBegin(1)
    cells["end"] = month + pd.Timedelta(days=6)
    cells = cells.drop(columns="month")
    ends = [-limit, 0, limit] if column == "z" else [0, limit]
    colours = [LOWERS, PAPER, RAISES] if column == "z" else [PAPER, RAISES]
    unit = t(f"monitor.figure.{ {'z': 'std'}.get(column, column) }", language)
    decision = t("axis.decision_month", language)
    chart = (
        alt.Chart(cells)
        .mark_rect(clip=True)
        .encode(
            x=months("start", wide.columns.to_series(), decision),
            x2="end:T",
            y=rows("row", names, grid=False),
            color=alt.Color(
                "value:Q",
                scale=alt.Scale(domain=ends, range=colours, clamp=True, interpolate="lab"),
                legend=alt.Legend(title=unit, format=form),
            ),
            tooltip=[
                alt.Tooltip("row:N", title=" "),
                alt.Tooltip("start:T", format="%Y-%m", title=decision),
                alt.Tooltip("value:Q", format=form, title=" "),
            ],
        )
    )
    step = ROW if max(map(width_of, names), default=0) > 20 else 17
    chart = chart.properties(
        width=WIDTH, height=alt.Step(step), view=alt.ViewBackground(fill=GRID)
    ).add_params(row_letters())
    return titled(chart, t(f"monitor.figure.{name}", language))
