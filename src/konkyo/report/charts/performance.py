"""Portfolios and models: growth, monthly rank IC and return, mean return by quantile."""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from konkyo.i18n import Language, display_name, t
from konkyo.report.charts.shapes import month_lines
from konkyo.report.charts.theme import (
    WIDTH,
    colours,
    months,
    per_cent,
    rolling_mean,
    tips,
    titled,
    zero_rule,
)
from konkyo.report.style import COLOURS, INK, OTHER, PAPER

YEAR = 12


def portfolio_growth(
    cumulative: pd.DataFrame, model: str = "network", language: Language = "en"
) -> alt.LayerChart:
    """Return the growth of 1 in each portfolio (the paper's figure 6).

    Parameters
    ----------
    cumulative : DataFrame
        month (in which the return was earned), model, portfolio, cumulative (a fraction).
    model : str
        The model whose portfolios are drawn: long, short, spread, market and benchmark.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        One line a portfolio, from 1 at the first decision month, on a log scale.
    """
    rows = cumulative[cumulative["model"] == model]
    portfolios = ("long", "market", "benchmark", "short", "spread")
    lines = {
        name: _from_one(rows[rows["portfolio"] == name])
        for name in portfolios
        if name in set(rows["portfolio"])
    }
    title = t("title.portfolio_growth", language, model=display_name("model", model, language))
    return _growth(lines, title, "portfolio", "spread", language)


def model_growth(
    cumulative: pd.DataFrame, models: Sequence[str] | None = None, language: Language = "en"
) -> alt.LayerChart:
    """Return the growth of 1 in the long-short portfolio of each model.

    Parameters
    ----------
    cumulative : DataFrame
        month (in which the return was earned), model, portfolio, cumulative (a fraction).
    models : sequence of str, optional
        Which models; by default all that cover as many months as the longest one, since a
        placebo scored every n-th month compounds over fewer months and cannot be compared.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        One line a model, from 1 at the first decision month, on a log scale.
    """
    spread = cumulative[cumulative["portfolio"] == "spread"]
    models = full_length_models(cumulative) if models is None else models
    lines = {name: _from_one(spread[spread["model"] == name]) for name in models}
    return _growth(lines, t("title.model_growth", language), "model", "network", language)


def full_length_models(cumulative: pd.DataFrame) -> list[str]:
    """Return the models whose portfolios cover as many months as the longest one."""
    counts = cumulative.groupby("model")["month"].nunique()
    return list(counts.index[counts == counts.max()])


def _from_one(series: pd.DataFrame) -> pd.DataFrame:
    ordered = series.sort_values("month")
    start = ordered["month"].iloc[0] - pd.offsets.MonthEnd(1)
    line = pd.DataFrame(
        {"month": [start, *ordered["month"]], "value": [1.0, *(1.0 + ordered["cumulative"])]}
    )
    # A log axis has no 0: a line whose value is lost ends at the month before.
    return line[line["value"] > 0]


def _growth(
    lines: Mapping[str, pd.DataFrame],
    title: str,
    section: str,
    emphasis: str,
    language: Language,
) -> alt.LayerChart:
    names = {name: display_name(section, name, language) for name in lines}
    table = pd.concat([line.assign(name=names[name]) for name, line in lines.items()])
    low, high = float(table["value"].min()), float(table["value"].max())
    if high / low < 1.02:
        low, high = low / 1.01, high * 1.01
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    axis = alt.Axis(tickCount=6, format="~g", labelOverlap="greedy")
    value = t("axis.value_of_one", language)
    paint = colours(list(names.values()), [COLOURS.get(name, OTHER) for name in lines])
    y = alt.Y("value:Q", title=value, scale=scale, axis=axis)
    line = month_lines(table, y, paint, digits=".2f", month=t("axis.earned_month", language))
    line = line.encode(
        strokeWidth=alt.condition(
            alt.datum.name == names.get(emphasis, ""), alt.value(2.4), alt.value(1.4)
        )
    )
    rules = [zero_rule(level=1.0)] if low <= 1 <= high else []
    return titled(alt.layer(line, *rules), title)


def monthly_rank_ic(
    returns: pd.DataFrame, model: str = "network", language: Language = "en"
) -> alt.LayerChart:
    """Return the rank information coefficient of every decision month and its 12-month mean.

    Parameters
    ----------
    returns : DataFrame
        month (the decision date), model, rank_ic.
    model : str
        The model that is drawn.
    language : str
        en or ja.
    """
    table = returns[returns["model"] == model][["month", "rank_ic"]].set_axis(
        ["month", "value"], axis=1
    )
    name, mean = display_name("model", model, language), table["value"].mean()
    title = t("title.monthly_rank_ic", language, model=name, mean=mean)
    y = alt.Y("value:Q", title=t("axis.rank_ic", language))
    month = t("axis.decision_month", language)
    return titled(_monthly(table, y, digits=".3f", month=month, language=language), title)


def monthly_spread(
    returns: pd.DataFrame, model: str = "network", language: Language = "en"
) -> alt.LayerChart:
    """Return the long-short return of every month and its 12-month mean.

    Parameters
    ----------
    returns : DataFrame
        earned (the month in which the return was earned), model, spread (a fraction).
    model : str
        The model that is drawn.
    language : str
        en or ja.
    """
    table = returns[returns["model"] == model][["earned", "spread"]].set_axis(
        ["month", "value"], axis=1
    )
    name, mean = display_name("model", model, language), 100 * table["value"].mean()
    title = t("title.monthly_spread", language, model=name, mean=mean)
    y = alt.Y("value:Q", **per_cent("axis.return", language))
    month = t("axis.earned_month", language)
    return titled(_monthly(table, y, digits=".1%", month=month, language=language), title)


def _monthly(
    table: pd.DataFrame, value: alt.Y, *, digits: str, month: str, language: Language
) -> alt.LayerChart:
    """Return bars by month and the mean of the last 12 months, where there are 12."""
    table = table.sort_values("month")
    x = months("month", table["month"], month, band=True)
    tooltip = tips(("month:T", month, "%Y-%m"), ("value:Q", value["title"], digits))
    sign = alt.condition(
        "datum.value >= 0", alt.value(COLOURS["long"]), alt.value(COLOURS["short"])
    )
    bars = alt.Chart(table).mark_bar(opacity=0.6).encode(x=x, y=value, color=sign, tooltip=tooltip)
    layers = [bars, zero_rule()]
    mean = rolling_mean(table["value"], YEAR, YEAR)
    if mean.notna().any():
        name = t("legend.mean_of_12", language)
        smooth = pd.DataFrame({"month": table["month"], "value": mean, "name": name}).dropna()
        scale = alt.Scale(domain=[name], range=[INK])
        layers.append(
            alt.Chart(smooth)
            .mark_line(strokeWidth=2, clip=True)
            .encode(x=x, y=alt.Y("value:Q"), color=alt.Color("name:N", scale=scale))
        )
    return alt.layer(*layers).properties(width=WIDTH)


def quantile_returns(
    quantiles: pd.DataFrame, model: str = "network", language: Language = "en"
) -> alt.LayerChart:
    """Return the mean annual return of every score quantile, with the full-length baselines.

    Parameters
    ----------
    quantiles : DataFrame
        model, quantile (1 lowest), annual_return_arithmetic (a fraction), months.
    model : str
        The model drawn as bars; other models with as many months are drawn as points.
    language : str
        en or ja.
    """
    bars = quantiles[quantiles["model"] == model].sort_values("quantile")
    others = quantiles[
        (quantiles["model"] != model) & (quantiles["months"] >= bars["months"].max())
    ]
    last = int(bars["quantile"].max())
    ends = {1: COLOURS["short"], last: COLOURS["long"]}
    table = bars[["quantile", "annual_return_arithmetic"]].assign(
        colour=[ends.get(quantile, COLOURS["market"]) for quantile in bars["quantile"]]
    )
    quantile = t("axis.quantile", language, last=last)
    x = alt.X("quantile:O", title=quantile, axis=alt.Axis(labelAngle=0))
    y = alt.Y("annual_return_arithmetic:Q", **per_cent("axis.annual_return_mean", language))
    mean = t("axis.annual_return_mean", language)
    tooltip = tips(("quantile:O", quantile), ("annual_return_arithmetic:Q", mean, ".1%"))
    layers = [
        alt.Chart(table)
        .mark_bar(opacity=0.85)
        .encode(x=x, y=y, color=alt.Color("colour:N", scale=None), tooltip=tooltip),
        zero_rule(),
    ]
    if len(others):
        points = others[["quantile", "annual_return_arithmetic"]].assign(
            name=[display_name("model", str(name), language) for name in others["model"]]
        )
        shape = alt.Shape("name:N", scale=alt.Scale(range=["diamond", "circle", "triangle-up"]))
        layers.append(
            alt.Chart(points)
            .mark_point(fill=PAPER, stroke=INK, size=55, opacity=1)
            .encode(x=x, y=y, shape=shape, tooltip=[*tips(("name:N",)), *tooltip])
        )
    title = t("title.quantile_returns", language, model=display_name("model", model, language))
    return titled(alt.layer(*layers).properties(width=WIDTH), title)
