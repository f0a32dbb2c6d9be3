"""The figures of the monitor: each check over time beside its limit, inputs by month."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from konkyo.config import Monitor
from konkyo.i18n import Language, t
from konkyo.monitoring.checks import CHECKS, LIMIT_KEYS, breaches
from konkyo.report.charts.history import effect_map
from konkyo.report.charts.performance import monthly_rank_ic
from konkyo.report.charts.shapes import month_map
from konkyo.report.charts.theme import WIDTH, diverging, months, tips, titled
from konkyo.report.style import INK, RAISES

FORMATS = {
    "drift": ".0%", "market_z": ".1f", "rank_ic": ".1f", "missing": ".0%", "sign_flips": ".0%"
}  # fmt: skip
"""Number format of each check's statistic."""


def charts(
    tables: Mapping[str, pd.DataFrame], labels: pd.DataFrame, limits: Monitor, language: Language
) -> dict[str, alt.TopLevelMixin]:
    """Draw every figure that has data.

    Parameters
    ----------
    tables : mapping
        history (of `checks.check_values`), drift, market, missing, effects and returns, by name.
    labels : DataFrame
        Of `report.tables.labels`.
    limits : Monitor
        The section of params.yaml.
    language : str
        en or ja.

    Returns
    -------
    dict
        One line a check under its name; psi_map, market_z_map, missing_map, monthly_rank_ic and
        effect_map.
    """
    drawn: dict[str, alt.TopLevelMixin] = {}
    for name in CHECKS:
        history = tables["history"][tables["history"]["check"] == name].dropna(subset="value")
        limit = float(getattr(limits, LIMIT_KEYS[name]))
        if len(history):
            drawn[name] = check_line(
                history.assign(breached=breaches(history["value"], limit, name)),
                name,
                limit=limit,
                form=FORMATS[name],
                language=language,
            )
    maps = (
        ("psi_map", "drift", "psi", 2 * limits.max_psi, ".2f"),
        ("market_z_map", "market", "z", limits.max_abs_z, "+.1f"),
        ("missing_map", "missing", "share", max(2 * limits.max_missing, 0.1), ".0%"),
    )
    for name, table, column, limit, form in maps:
        if tables[table].get(column, pd.Series(dtype=float)).notna().any():
            drawn[name] = input_map(
                tables[table],
                column,
                labels=labels,
                name=name,
                limit=limit,
                form=form,
                language=language,
            )
    if tables["returns"]["rank_ic"].notna().any():
        drawn["monthly_rank_ic"] = monthly_rank_ic(tables["returns"], language=language)
    if tables["effects"]["effect"].notna().any():
        drawn["effect_map"] = effect_map(tables["effects"], labels, language)
    return drawn


def check_line(
    history: pd.DataFrame, name: str, *, limit: float, form: str, language: Language = "en"
) -> alt.LayerChart:
    """Draw a check's statistic by month beside its limit.

    Parameters
    ----------
    history : DataFrame
        Of one check: month, value, breached.
    name : str
        The check, one of `checks.CHECKS`.
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
        tooltip=tips(
            ("month:T", month, "%Y-%m"), ("value:Q", t("monitor.figure.value", language), form)
        ),
    )
    rule = alt.Chart(pd.DataFrame({"value": [limit]})).mark_rule(
        color=RAISES, strokeDash=[6, 4], strokeWidth=1.5
    )
    layers = [base.mark_line(color=INK), rule.encode(y=y)]
    note = f"{t('monitor.figure.limit', language)} {format(limit, form)}"
    # A layer without any row would make Vega warn of an infinite extent.
    if table["breached"].any():
        points = base.transform_filter("datum.breached")
        layers.append(points.mark_point(filled=True, size=46, color=RAISES))
        note = f"{note}; ● {t('monitor.figure.beyond', language)}"
    chart = alt.layer(*layers)
    chart = chart.properties(width=WIDTH, height=220)
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
    # An infinite z-score, of a series that was constant until now, has the colour of the end.
    wide = wide.iloc[np.argsort(-newest, kind="stable")].clip(-1e6, 1e6)
    unit = t(f"monitor.figure.{ {'z': 'std'}.get(column, column) }", language)
    paint = diverging("value", limit, unit, signed=column == "z", form=form)
    chart = month_map(wide, labels, paint, digits=form, value="", language=language)
    return titled(chart, t(f"monitor.figure.{name}", language))
