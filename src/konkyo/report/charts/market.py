"""Market series: when they separate long and short, and which stocks they moved."""

import altair as alt
import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.performance import separated
from konkyo.report.charts.shapes import month_lines, paired_bars, row_names
from konkyo.report.charts.theme import row_letters, titled, zero_rule
from konkyo.report.style import COLOURS, MUTED, SERIES
from konkyo.report.tables.figure_data import quantile_ends
from konkyo.report.tables.labels import feature_names

MOST = 16
"""Attributes that figure 12 has room for."""
_NAME = 0.08
"""The width of a month's name, as a share of a panel."""


def market_lines(
    over_time: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> alt.VConcatChart:
    """Return the long portfolio's mean relevance less the short one's by month (figure 11).

    Parameters
    ----------
    over_time : DataFrame
        What `tables.market.market_over_time` returns: month, feature, difference (units of the
        score), marked.
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.

    Returns
    -------
    VConcatChart
        One panel a market series that has any relevance, on one scale; marked months are named.
    """
    sizes = over_time.groupby("feature", sort=False)["difference"].apply(lambda x: x.abs().max())
    features = [str(name) for name in sizes.index[sizes > 0]] or [str(sizes.index[0])]
    low, high = difference_range(over_time)
    names = row_names(features, labels, language)
    month = t("axis.decision_month", language)
    panels = []
    for feature, name in zip(features, names, strict=True):
        series = over_time[over_time["feature"] == feature].sort_values("month")
        scale = alt.Scale(domain=[low, high], nice=False)
        y = alt.Y("value:Q", title="", scale=scale, axis=alt.Axis(tickCount=4))
        line = month_lines(
            series.assign(name=name, value=series["difference"])[["month", "name", "value"]],
            y,
            alt.value(SERIES[0]),
            digits="+.4f",
            month=month,
            bare=feature != features[-1],
            strokeWidth=1.4,
        )
        layers = [line, zero_rule()]
        marked = series[series["marked"]]
        if len(marked):
            places = name_places(marked, over_time["month"].min(), over_time["month"].max())
            places = places.rename(columns={"difference": "value"})
            places["edge"] = np.where(places["up"], high, low)
            places["end"] = places["edge"] + 0.12 * (high - low) * np.where(places["up"], -1, 1)
            layers += _marks(places, y)
        title = alt.TitleParams(name, fontSize=11, frame="group", offset=4)
        panels.append(alt.layer(*layers).properties(width=640, height=110, title=title))
    chart = alt.vconcat(*panels, spacing=10).resolve_scale(x="shared").add_params(row_letters())
    return titled(
        chart, t("title.market_lines", language), t("axis.relevance_difference", language)
    )


def _marks(places: pd.DataFrame, y: alt.Y) -> list[alt.Chart]:
    """Return dots at marked months, and at the panel's edge their names with lines to them.

    A telephone has no room for names: there, where rows have short lines, the dots stand alone.
    """
    visible = alt.OpacityValue(alt.expr("letters < 30 ? 0 : 1"))
    base = alt.Chart(places)
    edge = alt.Y("edge:Q", title=None, scale=y["scale"], axis=y["axis"])
    dots = base.mark_circle(color=COLOURS["long"], size=40, opacity=1).encode(x="month:T", y=y)
    lines = base.mark_rule(strokeWidth=0.7, color=MUTED).encode(
        x=alt.X("month:T"), x2="at:T", y=y, y2="end:Q", opacity=visible
    )
    out = [lines, dots]
    for up, baseline in ((True, "top"), (False, "bottom")):
        if not (places["up"] == up).any():
            continue
        text = base.transform_filter(alt.datum.up == up).mark_text(fontSize=10, baseline=baseline)
        out.append(text.encode(x="at:T", y=edge, text="name:N", opacity=visible))
    return out


def difference_range(over_time: pd.DataFrame) -> tuple[float, float]:
    """Return the panels' one range: zero, all differences, and room for names where marks are."""
    low = min(float(over_time["difference"].min()), 0.0)
    high = max(float(over_time["difference"].max()), 0.0)
    marked = over_time.loc[over_time["marked"], "difference"]
    span = (high - low) or 1.0
    below, above = (0.28 if side.any() else 0.06 for side in (marked < 0, marked >= 0))
    return low - below * span, high + above * span


def name_places(marked: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Return where to write the names of marked months so that they stand apart.

    Parameters
    ----------
    marked : DataFrame
        month, difference.
    first, last : Timestamp
        The ends of the panel.

    Returns
    -------
    DataFrame
        month, difference, name (YYYY-MM), up (the name stands at the upper edge) and at, the time
        in the middle of the name.
    """
    span = (last - first) or pd.Timedelta(days=1)
    parts = []
    for up in (True, False):
        side = marked[(marked["difference"] >= 0) == up].sort_values("month")
        along = ((side["month"] - first) / span).to_numpy(float)
        apart = separated(along, _NAME, _NAME / 2, 1 - _NAME / 2)
        rows = side[["month", "difference"]].assign(up=up, at=first + apart * span)
        parts.append(rows.assign(name=[label(month) for month in side["month"]]))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def market_quantile_bars(
    quantiles: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> alt.LayerChart:
    """Return which stocks a market series moved most, up and down, in one month (figure 12).

    Parameters
    ----------
    quantiles : DataFrame
        What `tables.market.market_quantiles` returns, one feature and one month:
        relevance_quantile, stocks, relevance (mean, units of the score), attribute, value (mean,
        known at t).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many attributes, by absolute difference.

    Returns
    -------
    LayerChart
        Two bars an attribute: its mean in the highest and in the lowest quantile of relevance.
    """
    table, ends = quantile_ends(quantiles, most)
    table = table[(table[["low", "high"]] != 0).any(axis=1)]
    legends = {
        column: t(
            "legend.market_quantile",
            language,
            quantile=int(end["relevance_quantile"]),
            count=int(end["stocks"]),
            relevance=float(end["relevance"]),
        )
        for column, end in (("high", ends.iloc[-1]), ("low", ends.iloc[0]))
    }
    x = alt.X("value:Q", title=t("axis.attribute_mean", language))
    names = row_names(table["attribute"].tolist(), labels, language)
    feature, month = str(quantiles["feature"].iloc[0]), label(quantiles["month"].iloc[0])
    name = feature_names(labels, language).get(feature, feature)
    title = t("title.market_quantile_bars", language, name=name, month=month)
    return titled(paired_bars(table, names, legends, x=x, digits="+.2f"), title)
