"""Charts of the intervention study: fits, forecasts, response curves, attributions, calibration."""

import altair as alt
import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.theme import HEIGHT, WIDTH, colours, months, titled
from konkyo.report.style import INK, MUTED

ACTUAL, NETWORK, LINEAR = "#B8B8B8", "#0072B2", "#D55E00"
INPUT_COLOURS = {
    "change": "#0072B2",
    "change_before": "#56B4E9",
    "deviation": "#E69F00",
    "balance": "#009E73",
    "absorbed": "#BBBBBB",
}
"""Colour of each input; `absorbed` is the score of the baseline month by the rescale rule."""
_MONTH = alt.Tooltip("month:T", title=" ", format="%Y-%m")


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
    rate, amount = (t(f"intervention.axis.{key}", language) for key in ("rate", "amount"))
    table = records[["month", "rate", "intervention"]]
    rules = alt.Chart(pd.DataFrame({"month": starts})).mark_rule(strokeDash=[2, 2])
    panels = []
    for name, title, last in (("rate", rate, False), ("intervention", amount, True)):
        x = months("month", records["month"], labels=last, band=last)
        scale = alt.Scale(zero=last)
        base = alt.Chart(table.dropna(subset=name)).encode(
            x=x,
            y=alt.Y(f"{name}:Q", title=title, scale=scale),
            tooltip=[_MONTH, alt.Tooltip(f"{name}:Q", title=title, format=",.6~g")],
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
    table = _with_actual(predictions)
    unit = t("intervention.axis.amount", language)
    span = alt.X("yearmonth(month):T", title=None, axis=alt.Axis(format="%Y-%m", grid=False))
    base = alt.Chart(table).encode(
        x=span,
        y=alt.Y("amount:Q", title=unit),
        color=_series_colours(language),
        tooltip=[_MONTH, alt.Tooltip("amount:Q", title=unit, format=",.0f")],
    )
    bars = base.transform_filter("datum.series === 'actual'").mark_bar()
    # A line through the middle of each bar, not through the first day of its month.
    lines = base.transform_filter("datum.series !== 'actual'").mark_line(clip=True)
    lines = lines.encode(x=span.copy().bandPosition(0.5))
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
    panels = dict(zip(("I", "II"), _data_names(language), strict=True))
    rows = predictions[predictions["data"].isin(panels)]
    table = _with_actual(rows).assign(
        panel=lambda frame: frame["data"].map(panels),
        label=lambda frame: [label(month) for month in frame["month"]],
    )
    first = table.groupby("period")["month"].transform("min")
    table["starts"] = (table["month"] == first) & (first != table["month"].min())
    unit = t("intervention.axis.amount", language)
    y = alt.Y("amount:Q", title=unit)
    base = alt.Chart(table).encode(
        x=_ordinal_months(table["month"]), y=y, color=_series_colours(language)
    )
    tooltip = [
        alt.Tooltip("label:N", title=" "),
        alt.Tooltip("amount:Q", title=unit, format=",.0f"),
    ]
    bars = base.transform_filter("datum.series === 'actual'").mark_bar().encode(tooltip=tooltip)
    # A layer a model, not a channel: a second legend of the same series would say nothing.
    points = [
        base.transform_filter(f"datum.series === '{model}'")
        .mark_point(filled=True, size=36, shape=shape)
        .encode(tooltip=tooltip)
        for model, shape in (("network", "circle"), ("linear", "diamond"))
    ]
    errors = base.transform_filter("datum.std > 0").mark_rule(strokeWidth=1.4)
    errors = errors.transform_calculate(
        low="datum.amount - datum.std", high="datum.amount + datum.std"
    )
    errors = errors.encode(y=alt.Y("low:Q", title=unit), y2="high:Q")
    starts = alt.Chart(table).transform_filter("datum.starts").mark_rule(strokeDash=[2, 2])
    starts = starts.encode(x=_ordinal_months(table["month"]).bandPosition(0))
    chart = alt.layer(bars, starts, errors, *points, data=table)
    chart = chart.properties(width=WIDTH, height=220).facet(
        alt.Facet("panel:N", sort=_data_names(language)), columns=1
    )
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
        period: f"{shown}: {_reading(at.loc[period], language)}"
        for period, shown in periods.items()
    }
    # Every fourth of the 401 points gives the same line at this size.
    table = pd.concat([curves[curves["period"] == period].iloc[::4] for period in periods])
    table = table.assign(panel=table["period"].map(panels))
    rules = ["threshold", "peak", "half_from", "half_to"]
    for rule in rules:
        table[rule] = table["period"].map(at[rule])
    series = {"network": "share"} | ({"true_share": "true_share"} if "true_share" in table else {})
    long = pd.concat(
        [
            table.assign(
                name=t(f"intervention.value.{key}", language),
                response=table[column],
                std=table["std"] if key == "network" else 0.0,
            )
            for key, column in series.items()
        ]
    ).dropna(subset="response")
    long = long[["panel", *rules, "value", "name", "response", "std"]]
    names = list(long["name"].unique())
    share = t("intervention.axis.share", language)
    axis = t(f"intervention.axis.{'move' if name == 'change' else name}", language)
    # By its ends: of a panel without a threshold Vega would take the extent of nothing.
    ends = alt.Scale(
        domain=[float(long["value"].min()), float(long["value"].max())], nice=False, zero=False
    )
    base = alt.Chart(long).encode(x=alt.X("value:Q", title=axis, scale=ends))
    band = base.transform_filter("datum.std > 0").transform_calculate(
        # The amount of a response is never negative.
        low="max(0, datum.response - datum.std)",
        high="datum.response + datum.std",
    )
    band = band.mark_area(opacity=0.2, color=NETWORK).encode(
        y=alt.Y("low:Q", title=share), y2="high:Q"
    )
    colour = colours(names, [NETWORK, LINEAR])
    dashes = alt.Scale(domain=names, range=[[1, 0], [5, 4]])
    lines = base.mark_line().encode(
        y=alt.Y("response:Q", title=share),
        color=colour,
        strokeDash=alt.StrokeDash("name:N", legend=colour["legend"], scale=dashes, sort=None),
        tooltip=[
            alt.Tooltip("name:N", title=" "),
            alt.Tooltip("value:Q", title=axis, format=".2f"),
            alt.Tooltip("response:Q", title=share, format=".2f"),
        ],
    )
    marks = [
        base.transform_filter(f"isValid(datum.{rule})")
        .mark_rule(strokeDash=[2, 2])
        .encode(x=alt.X(f"mean({rule}):Q", title=axis), color=alt.value(INK))
        for rule in rules
    ]
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
    names = {name: input_name(name, language) for name in INPUT_COLOURS}
    unit = t("intervention.axis.log_odds", language)
    total = t("intervention.legend.sum", language)
    rows = attributions.assign(label=[label(month) for month in attributions["month"]])
    table = rows.melt(["label", "score"], list(names), "input", "relevance")
    table["name"] = table["input"].map(names)
    table["order"] = table["input"].map({name: i for i, name in enumerate(names)})
    # The points have a legend of their own: they have no colour of an input.
    table["total"] = total
    base = alt.Chart(table).encode(x=_ordinal_months(rows["month"]))
    bars = base.mark_bar().encode(
        y=alt.Y("relevance:Q", title=unit),
        color=colours(list(names.values()), list(INPUT_COLOURS.values())),
        order=alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip("label:N", title=" "),
            alt.Tooltip("name:N", title=" "),
            alt.Tooltip("relevance:Q", title=unit, format="+.2f"),
        ],
    )
    points = base.transform_filter("datum.order === 0").mark_point(filled=True, size=30, color=INK)
    points = points.encode(
        y=alt.Y("score:Q", title=unit),
        shape=alt.Shape("total:N", scale=alt.Scale(domain=[total], range=["circle"])),
        tooltip=[
            alt.Tooltip("label:N", title=" "),
            alt.Tooltip("score:Q", title=total, format="+.2f"),
        ],
    )
    chart = alt.layer(bars, points).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t(f"intervention.title.attribution_{method}", language))


def calibration_curve(calibration: pd.DataFrame, language: Language = "en") -> alt.FacetChart:
    """Draw the observed frequency of intervention against the predicted probability.

    Parameters
    ----------
    calibration : DataFrame
        data, model, months, forecast, frequency.
    language : str
        en or ja.

    Returns
    -------
    FacetChart
        One panel a data set; the area of a point is its number of months.
    """
    names = {model: t(f"intervention.value.{model}", language) for model in ("network", "logit")}
    panels = dict(zip(("I", "II"), _data_names(language), strict=True))
    rows = calibration[calibration["data"].isin(panels)]
    table = rows.assign(name=rows["model"].map(names), panel=rows["data"].map(panels)).sort_values(
        ["data", "model", "forecast"]
    )
    unit = alt.Scale(domain=[-0.04, 1.04], nice=False)
    titles = [t(f"intervention.axis.{key}", language) for key in ("probability", "frequency")]
    x = alt.X("forecast:Q", title=titles[0], scale=unit)
    y = alt.Y("frequency:Q", title=titles[1], scale=unit)
    color = colours(list(names.values()), [NETWORK, LINEAR])
    base = alt.Chart(table).encode(x=x, y=y, color=color)
    lines = base.mark_line(strokeWidth=1, opacity=0.6)
    points = base.mark_point(filled=True, opacity=0.75).encode(
        size=alt.Size("months:Q", legend=None, scale=alt.Scale(range=[30, 400], zero=True)),
        tooltip=[
            alt.Tooltip("name:N", title=" "),
            alt.Tooltip("forecast:Q", title=titles[0], format=".2f"),
            alt.Tooltip("frequency:Q", title=titles[1], format=".2f"),
            alt.Tooltip("months:Q", title=t("intervention.column.months", language)),
        ],
    )
    diagonal = (
        alt.Chart(table)
        .mark_rule(color=MUTED, strokeWidth=1)
        .encode(x=alt.datum(0.0), x2=alt.datum(1.0), y=alt.datum(0.0), y2=alt.datum(1.0))
    )
    chart = alt.layer(diagonal, lines, points, data=table)
    chart = chart.properties(width=WIDTH // 2 - 30, height=WIDTH // 2 - 30)
    chart = chart.facet(alt.Facet("panel:N", sort=_data_names(language)), columns=2)
    return titled(chart, t("intervention.title.calibration", language))


def input_name(name: str, language: Language) -> str:
    """Return the display name of an input; `absorbed` is the score of the baseline month."""
    if name == "absorbed":
        return t("intervention.legend.baseline", language)
    return t(f"intervention.input.{name}", language)


def threshold_text(threshold: float, language: Language) -> str:
    """Return a threshold as text; NaN where the response has none."""
    if not np.isfinite(threshold):
        return t("intervention.legend.no_threshold", language)
    return t("intervention.legend.threshold", language, at=threshold)


def _reading(response: pd.Series, language: Language) -> str:
    """Return threshold or peak of a curve as text."""
    if not np.isfinite(response["peak"]):
        return threshold_text(float(response["threshold"]), language)
    low, high = (
        f"{value:.3g}".replace("-", "\u2212") if np.isfinite(value) else "\u2026"
        for value in response[["half_from", "half_to"]]
    )
    peak = f"{response['peak']:.3g}".replace("-", "\u2212")
    return t("intervention.legend.peak", language, at=peak, low=low, high=high)


def _with_actual(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return amounts by series: the network's and the linear model's, and the actual ones."""
    keys = [name for name in ("period", "data", "month") if name in predictions]
    rows = predictions[predictions["model"].isin(["network", "linear"])]
    actual = rows.drop_duplicates(keys).assign(
        amount=lambda frame: frame["actual"], series="actual", std=0.0
    )
    models = rows.assign(
        amount=rows["forecast"], series=rows["model"], std=rows["forecast_std"].fillna(0.0)
    )
    table = pd.concat([actual, models])[[*keys, "series", "amount", "std"]]
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
    step = max(1, len(names) // 14)
    axis = alt.Axis(
        values=names[::step], labelAngle=-50, labelAlign="right", labelOverlap=False, title=None
    )
    return alt.X("label:O", axis=axis)


def _data_names(language: Language) -> list[str]:
    return [t(f"intervention.legend.data_{key}", language) for key in ("I", "II")]
