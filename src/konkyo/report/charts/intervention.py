"""Charts of the intervention study: rate, fits, forecasts, response curves, attributions."""

import altair as alt
import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.theme import HEIGHT, WIDTH, colours, months, tips, titled
from konkyo.report.style import INK

ACTUAL, NETWORK, LINEAR = "#B8B8B8", "#0072B2", "#D55E00"
INPUT_COLOURS = {
    "change": "#0072B2",
    "change_before": "#56B4E9",
    "deviation": "#E69F00",
    "balance": "#009E73",
    "absorbed": "#BBBBBB",
}
"""Colour of each input; `absorbed` is the score of the baseline month by the rescale rule."""
_RULES = ("threshold", "peak", "half_from", "half_to")


def rate_and_intervention(
    records: pd.DataFrame, starts: list[pd.Timestamp], number: str, language: Language = "en"
) -> alt.VConcatChart:
    """Draw rate and intervention over time (figure 1).

    Parameters
    ----------
    records : DataFrame
        month, rate (home currency for one unit abroad), intervention (million dollars, positive
        where home currency was sold; NaN where there is no record).
    starts : list of Timestamp
        First months of the periods, each a dashed rule.
    number : str
        Number of the figure.
    language : str
        en or ja.
    """
    rules = alt.Chart(pd.DataFrame({"month": starts})).mark_rule(strokeDash=[2, 2])
    panels = []
    for name, key, last in (("rate", "rate", False), ("intervention", "amount", True)):
        title = t(f"intervention.axis.{key}", language)
        x = months("month", records["month"], labels=last, band=last)
        base = alt.Chart(records[["month", name]].dropna()).encode(
            x=x,
            y=alt.Y(f"{name}:Q", title=title, scale=alt.Scale(zero=last)),
            tooltip=tips(("month:T", "", "%Y-%m"), (f"{name}:Q", title, ",.6~g")),
        )
        mark = base.mark_bar(color=NETWORK) if last else base.mark_line(color=NETWORK)
        panel = alt.layer(mark, rules.encode(x=x)).properties(width=WIDTH, height=HEIGHT // 2)
        panels.append(panel)
    chart = alt.vconcat(*panels, spacing=14).resolve_scale(x="shared")
    return titled(chart, t("intervention.title.rate", language, number=number))


def fitted_intervention(
    predictions: pd.DataFrame, period: str, number: str, language: Language = "en"
) -> alt.LayerChart:
    """Draw a period's intervention with the in-sample fits (figures 2 to 5).

    Parameters
    ----------
    predictions : DataFrame
        One period, method 1, in-sample: month, model (network and linear are drawn), forecast,
        forecast_std and actual (million dollars, positive where yen was sold).
    period : str
        Display name of the period.
    number : str
        Number of the figure.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        Bars of the actual amounts, one line a model.
    """
    unit = t("intervention.axis.amount", language)
    x = alt.X("yearmonth(month):T", title=None, axis=alt.Axis(format="%Y-%m", grid=False))
    base = alt.Chart(_with_actual(predictions)).encode(
        x=x,
        y=alt.Y("amount:Q", title=unit),
        color=_series_colours(language),
        tooltip=tips(("month:T", "", "%Y-%m"), ("amount:Q", unit, ",.0f")),
    )
    bars = base.transform_filter("datum.series === 'actual'").mark_bar()
    # A line through the middle of each bar, not through the first day of its month.
    lines = base.transform_filter("datum.series !== 'actual'").mark_line(clip=True)
    lines = lines.encode(x=x.copy().bandPosition(0.5))
    chart = alt.layer(bars, lines).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("intervention.title.fitted", language, period=period, number=number))


def forecast_intervention(predictions: pd.DataFrame, language: Language = "en") -> alt.FacetChart:
    """Draw the one-step-ahead forecasts of all periods, one panel a data set.

    Parameters
    ----------
    predictions : DataFrame
        Method 1, forecast months: period, month, data (I, II), model (network, linear), forecast,
        forecast_std (across seeds; NaN for linear), actual (million dollars).
    language : str
        en or ja.

    Returns
    -------
    FacetChart
        Bars of the actual amounts, points of the forecasts with one standard deviation across
        seeds. The months are ordinal, so that the years between periods take no room; a rule
        separates the periods.
    """
    panels = {data: t(f"intervention.legend.data_{data}", language) for data in ("I", "II")}
    table = _with_actual(predictions[predictions["data"].isin(list(panels))])
    table["panel"] = table["data"].map(panels)
    table["label"] = [label(month) for month in table["month"]]
    first = table.groupby("period")["month"].transform("min")
    table["starts"] = (table["month"] == first) & (first != table["month"].min())
    table["low"], table["high"] = (table["amount"] + side * table["std"] for side in (-1, 1))
    unit = t("intervention.axis.amount", language)
    base = alt.Chart(table).encode(
        x=_ordinal_months(table["month"]),
        y=alt.Y("amount:Q", title=unit),
        color=_series_colours(language),
    )
    tooltip = tips(("label:N",), ("amount:Q", unit, ",.0f"))
    starts = alt.Chart(table).transform_filter("datum.starts").mark_rule(strokeDash=[2, 2])
    layers = [
        base.transform_filter("datum.series === 'actual'").mark_bar().encode(tooltip=tooltip),
        starts.encode(x=_ordinal_months(table["month"]).bandPosition(0)),
        base.transform_filter("datum.std > 0")
        .mark_rule(strokeWidth=1.4)
        .encode(y=alt.Y("low:Q", title=unit), y2="high:Q"),
    ]
    # A layer a model, not a channel: a second legend of the same series would say nothing.
    for model, shape in (("network", "circle"), ("linear", "diamond")):
        points = base.transform_filter(f"datum.series === '{model}'")
        layers.append(points.mark_point(filled=True, size=36, shape=shape).encode(tooltip=tooltip))
    chart = alt.layer(*layers, data=table).properties(width=WIDTH, height=220)
    chart = chart.facet(alt.Facet("panel:N", sort=list(panels.values())), columns=1)
    title = t("intervention.title.forecasts", language)
    return titled(chart, title, t("intervention.legend.seeds", language))


def response_curves(
    curves: pd.DataFrame,
    responses: pd.DataFrame,
    periods: dict[str, str],
    language: Language = "en",
) -> alt.FacetChart:
    """Draw the response along one input, one panel a period.

    Parameters
    ----------
    curves : DataFrame
        Of one input: period, input, value, share and std (per cent of reserves), true_share where
        the records are simulated.
    responses : DataFrame
        Of the same input: period, threshold, peak, half_from, half_to (values of the input; NaN
        without one).
    periods : dict
        Display name of each period.
    language : str
        en or ja.

    Returns
    -------
    FacetChart
        The mean of the seeds with a band of one standard deviation, the true response dashed;
        threshold or peak and the ends of the interval above half of the peak dotted.
    """
    name = str(curves["input"].iloc[0])
    at = responses.set_index("period")
    panels = {
        period: f"{called}: {_reading(at.loc[period], language)}"
        for period, called in periods.items()
    }
    # Every fourth of the 401 points gives the same line at this size.
    table = pd.concat([curves[curves["period"] == period].iloc[::4] for period in periods])
    table = table.assign(
        panel=table["period"].map(panels),
        **{rule: table["period"].map(at[rule]) for rule in _RULES},
    )
    names = {key: t(f"intervention.value.{key}", language) for key in ("network", "true_share")}
    parts = [table.assign(name=names["network"], response=table["share"])]
    if "true_share" in table:
        truth = table.assign(name=names["true_share"], response=table["true_share"], std=0.0)
        parts.append(truth.dropna(subset="response"))
    long = pd.concat(parts)[["panel", *_RULES, "value", "name", "response", "std"]]
    # The amount of a response is never negative.
    long["low"] = (long["response"] - long["std"]).clip(lower=0.0)
    long["high"] = long["response"] + long["std"]
    share = t("intervention.axis.share", language)
    axis = t(f"intervention.axis.{'move' if name == 'change' else name}", language)
    # By its ends: of a panel without a threshold Vega would take the extent of nothing.
    ends = alt.Scale(domain=[long["value"].min(), long["value"].max()], nice=False, zero=False)
    base = alt.Chart(long).encode(x=alt.X("value:Q", title=axis, scale=ends))
    band = base.transform_filter("datum.std > 0").mark_area(opacity=0.2, color=NETWORK)
    shown = list(long["name"].unique())
    colour = colours(shown, [NETWORK, LINEAR])
    dashes = alt.Scale(domain=shown, range=[[1, 0], [5, 4]])
    lines = base.mark_line().encode(
        y=alt.Y("response:Q", title=share),
        color=colour,
        strokeDash=alt.StrokeDash("name:N", legend=colour["legend"], scale=dashes, sort=None),
        tooltip=tips(("name:N",), ("value:Q", axis, ".2f"), ("response:Q", share, ".2f")),
    )
    marks = [
        base.transform_filter(f"isValid(datum.{rule})")
        .mark_rule(strokeDash=[2, 2])
        .encode(x=alt.X(f"mean({rule}):Q", title=axis), color=alt.value(INK))
        for rule in _RULES
    ]
    band = band.encode(y=alt.Y("low:Q", title=share), y2="high:Q")
    chart = alt.layer(band, lines, *marks, data=long)
    chart = chart.properties(width=WIDTH // 2 - 40, height=190)
    chart = chart.facet(alt.Facet("panel:N", sort=list(panels.values())), columns=2)
    chart = chart.resolve_scale(x="independent", y="independent")
    return titled(chart, t(f"intervention.title.curves_{name}", language))


def attributions_of_forecasts(
    attributions: pd.DataFrame, method: str, language: Language = "en"
) -> alt.LayerChart:
    """Draw the relevance of each input in each month's forecast, stacked to its log-odds.

    Parameters
    ----------
    attributions : DataFrame
        One rule, data set and method: month, score, one column an input, absorbed (log-odds).
    method : str
        amount or occurrence.
    language : str
        en or ja.

    Returns
    -------
    LayerChart
        Bars above 0 raise the log-odds of intervention, bars below lower them; points are the sum.
    """
    names = {name: t(f"intervention.input.{name}", language) for name in INPUT_COLOURS}
    unit = t("intervention.axis.log_odds", language)
    total = t("intervention.legend.sum", language)
    rows = attributions.assign(label=[label(month) for month in attributions["month"]])
    table = rows.melt(["label", "score"], list(names), "input", "relevance")
    # The points have a legend of their own: they have no colour of an input.
    table = table.assign(
        name=table["input"].map(names), order=table["input"].map(list(names).index), total=total
    )
    base = alt.Chart(table).encode(x=_ordinal_months(rows["month"]))
    bars = base.mark_bar().encode(
        y=alt.Y("relevance:Q", title=unit),
        color=colours(list(names.values()), list(INPUT_COLOURS.values())),
        order=alt.Order("order:Q"),
        tooltip=tips(("label:N",), ("name:N",), ("relevance:Q", unit, "+.2f")),
    )
    points = base.transform_filter("datum.order === 0").mark_point(filled=True, size=30, color=INK)
    points = points.encode(
        y=alt.Y("score:Q", title=unit),
        shape=alt.Shape("total:N", scale=alt.Scale(domain=[total], range=["circle"])),
        tooltip=tips(("label:N",), ("score:Q", total, "+.2f")),
    )
    chart = alt.layer(bars, points).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t(f"intervention.title.attribution_{method}", language))


def threshold_text(threshold: float, language: Language) -> str:
    """Return a threshold as text; NaN where the response has none."""
    if not np.isfinite(threshold):
        return t("intervention.legend.no_threshold", language)
    return t("intervention.legend.threshold", language, at=threshold)


def _reading(response: pd.Series, language: Language) -> str:
    """Return threshold or peak of a curve as text."""
    if not np.isfinite(response["peak"]):
        return threshold_text(float(response["threshold"]), language)
    at, low, high = (
        f"{value:.3g}".replace("-", "\u2212") if np.isfinite(value) else "\u2026"
        for value in response[["peak", "half_from", "half_to"]]
    )
    return t("intervention.legend.peak", language, at=at, low=low, high=high)


def _with_actual(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return amounts by series: the network's and the linear model's, and the actual ones."""
    keys = [name for name in ("period", "data", "month") if name in predictions]
    rows = predictions[predictions["model"].isin(["network", "linear"])]
    models = rows.assign(amount=rows["forecast"], series=rows["model"], std=rows["forecast_std"])
    actual = rows.assign(amount=rows["actual"], series="actual", std=0.0).drop_duplicates(keys)
    table = pd.concat([actual, models]).fillna({"std": 0.0})[[*keys, "series", "amount", "std"]]
    return table.sort_values([*keys, "series"], ignore_index=True)


def _series_colours(language: Language) -> alt.Color:
    """Return the colours of actual amounts and both models, with a legend of their names."""
    series = {"actual": ACTUAL, "network": NETWORK, "linear": LINEAR}
    names = {key: t(f"intervention.value.{key}", language) for key in series}
    # The data hold keys, so that both languages share one table; the legend has the names.
    legend = alt.Legend(labelExpr=f"{names}[datum.label]".replace("'", '"'))
    scale = alt.Scale(domain=list(series), range=list(series.values()))
    return alt.Color("series:N", scale=scale, legend=legend)


def _ordinal_months(months: pd.Series) -> alt.X:
    """Return an axis of single months, about 14 of them with a name."""
    names = sorted({label(month) for month in months})
    axis = alt.Axis(
        values=names[:: max(1, len(names) // 14)],
        labelAngle=-50, labelAlign="right", labelOverlap=False, title=None,
    )  # fmt: skip
    return alt.X("label:O", axis=axis)
