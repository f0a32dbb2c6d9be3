"""Market series: when they separate long and short, and which stocks they moved."""

import altair as alt
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.shapes import month_lines, paired_bars, row_names
from konkyo.report.charts.theme import titled
from konkyo.report.style import COLOURS, SERIES
from konkyo.report.tables.figure_data import quantile_ends
from konkyo.report.tables.labels import feature_names

MOST = 16
"""Attributes that figure 12 has room for."""


def market_lines(
    over_time: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> alt.FacetChart:
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
    FacetChart
        One panel a market series that has any relevance, on one scale; marked months are named.
    """
    sizes = over_time.groupby("feature", sort=False)["difference"].apply(lambda x: x.abs().max())
    features = [str(name) for name in sizes.index[sizes > 0]] or [str(sizes.index[0])]
    names = row_names(features, labels, language)
    table = over_time.assign(
        name=over_time["feature"].map(dict(zip(features, names, strict=True))),
        value=over_time["difference"],
        label=[label(month) for month in over_time["month"]],
    ).dropna(subset="name")[["month", "name", "value", "label", "marked"]]
    y = alt.Y("value:Q", title="", axis=alt.Axis(tickCount=4))
    month = t("axis.decision_month", language)
    base = alt.Chart(table)
    marked = base.transform_filter("datum.marked").encode(x=alt.X("month:T"), y=y)
    layers = [
        month_lines(table, y, alt.value(SERIES[0]), digits="+.4f", month=month, strokeWidth=1.4),
        base.mark_rule().encode(y=alt.YDatum(0)),
        marked.mark_circle(color=COLOURS["long"], size=40, opacity=1),
        marked.mark_text(fontSize=9, dy=alt.ExprRef("datum.value < 0 ? 13 : -9")).encode(
            text="label:N"
        ),
    ]
    chart = alt.layer(*layers, data=table).properties(width=640, height=110)
    chart = chart.facet(alt.Facet("name:N", sort=names), columns=1)
    return titled(
        chart, t("title.market_lines", language), t("axis.relevance_difference", language)
    )


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
