"""The figures of the monitor: each check over time beside its limit."""

import altair as alt
import pandas as pd

from konkyo.config import Monitor
from konkyo.i18n import Language, t
from konkyo.monitoring.checks import CHECKS, LIMIT_KEYS, breaches
from konkyo.report.charts.theme import WIDTH, months, tips, titled
from konkyo.report.style import INK, RAISES

FORMATS = {
    "drift": ".0%", "market_z": ".1f", "rank_ic": ".1f", "missing": ".0%", "sign_flips": ".0%"
}  # fmt: skip
"""Number format of each check's statistic."""


def charts(
    checked: pd.DataFrame, limits: Monitor, language: Language
) -> dict[str, alt.TopLevelMixin]:
    """Draw every figure that has data.

    Parameters
    ----------
    checked : DataFrame
        Of `checks.check_values`.
    limits : Monitor
        The section of params.yaml.
    language : str
        en or ja.

    Returns
    -------
    dict
        One line a check, under its name.
    """
    drawn: dict[str, alt.TopLevelMixin] = {}
    for name in CHECKS:
        history = checked[checked["check"] == name].dropna(subset="value")
        limit = float(getattr(limits, LIMIT_KEYS[name]))
        if len(history):
            drawn[name] = check_line(
                history.assign(breached=breaches(history["value"], limit, name)),
                name,
                limit=limit,
                form=FORMATS[name],
                language=language,
            )
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
