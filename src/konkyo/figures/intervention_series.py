"""Intervention over time: what happened, what the models fitted and what they forecast."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from konkyo.figures.style import canvas, year_axis

ACTUAL, NETWORK, LINEAR = "#B8B8B8", "#0072B2", "#D55E00"
_RELEVANCE = {
    "change": "#0072B2",
    "change_before": "#56B4E9",
    "deviation": "#E69F00",
    "balance": "#009E73",
    "absorbed": "#BBBBBB",
}
NAMES = {
    "change": "change of the rate",
    "change_before": "change one month before",
    "deviation": "deviation from parity",
    "balance": "trade balance",
    "absorbed": "biases and epsilon",
}


def fitted_intervention(answers: pd.DataFrame, title: str) -> Figure:
    """Draw a period's intervention with the network's and the linear model's fit (figures 2 to 5).

    Parameters
    ----------
    answers : DataFrame
        One period, method 1, in-sample: month, model (network, linear), forecast and actual
        (million dollars, positive where yen was sold).
    title : str
        The period.

    Returns
    -------
    Figure
        Bars of what happened, a line a model.
    """
    figure, axes = canvas(title)
    _lines(axes, answers, {"network": NETWORK, "linear": LINEAR})
    _legend_below(figure, axes)
    year_axis(axes, answers["month"])
    return figure


def forecast_intervention(answers: pd.DataFrame, title: str) -> Figure:
    """Draw the forecast months of all periods, one panel a data set.

    Parameters
    ----------
    answers : DataFrame
        Method 1, forecast months: period, month, data (I, II), model (network, linear), forecast,
        actual (million dollars).
    title : str
        What is drawn.

    Returns
    -------
    Figure
        Months stand side by side, so that periods need no gap; a line parts the periods.
    """
    figure, first = canvas(title)
    figure.set_size_inches(8.0, 6.4)
    first.remove()
    panels = figure.subplots(2, 1, sharex=True)
    months = answers[["period", "month"]].drop_duplicates().sort_values("month")
    place = pd.Series(np.arange(len(months)), index=months["month"])
    for axes, data in zip(panels, ("I", "II"), strict=True):
        own = answers[answers["data"] == data]
        actual = own.drop_duplicates("month")
        axes.bar(place[actual["month"]], actual["actual"], color=ACTUAL, width=0.8, label="actual")
        for model, colour, marker in (("network", NETWORK, "o"), ("linear", LINEAR, "x")):
            points = own[own["model"] == model]
            axes.plot(
                place[points["month"]],
                points["forecast"],
                color=colour,
                marker=marker,
                markersize=4.5,
                linestyle="none",
                label=model,
            )
        for edge in np.flatnonzero(months["period"].to_numpy()[1:] != months["period"][:-1]):
            axes.axvline(edge + 0.5, color="#999999", linewidth=0.8, linestyle=":")
        axes.axhline(0, color="#666666", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=8)
        known = "realised inputs" if data == "I" else "published inputs"
        axes.set_ylabel(f"million dollars, yen sold +\ndata set {data}: {known}", fontsize=8)
    _legend_below(figure, panels[0])
    panels[0].set_title(title, loc="left", fontsize=11, fontweight="bold")
    step = max(1, len(months) // 14)
    panels[1].set_xticks(
        np.arange(len(months))[::step],
        [f"{m:%Y-%m}" for m in months["month"].iloc[::step]],
        rotation=60,
        ha="right",
        rotation_mode="anchor",
    )
    return figure


def grounds_of_forecasts(grounds: pd.DataFrame, title: str) -> Figure:
    """Draw what each input adds to each month's forecast, as bars that add up to its log-odds.

    Parameters
    ----------
    grounds : DataFrame
        One data set and method: month, score, one column an input, absorbed (log-odds).
    title : str
        What is drawn.

    Returns
    -------
    Figure
        Bars upwards speak for intervention, bars downwards against it; points are the sum.
    """
    figure, axes = canvas(title)
    own = grounds.sort_values("month")
    place = np.arange(len(own))
    up, down = np.zeros(len(own)), np.zeros(len(own))
    for name, colour in _RELEVANCE.items():
        value = own[name].to_numpy()
        axes.bar(
            place, value, bottom=np.where(value >= 0, up, down), color=colour, width=0.8,
            label=NAMES[name],
        )  # fmt: skip
        up, down = up + np.clip(value, 0, None), down + np.clip(value, None, 0)
    axes.plot(place, own["score"], "o", color="#000000", markersize=3.5, label="sum: log-odds")
    axes.axhline(0, color="#666666", linewidth=0.8)
    axes.set_ylabel("log-odds of the forecast", fontsize=9)
    step = max(1, len(own) // 14)
    axes.set_xticks(
        place[::step],
        [f"{m:%Y-%m}" for m in own["month"].iloc[::step]],
        rotation=60,
        ha="right",
        rotation_mode="anchor",
    )
    _legend_below(figure, axes)
    return figure


def calibration_curve(calibration: pd.DataFrame, title: str) -> Figure:
    """Draw how often intervention came against how probable it was said to be.

    Parameters
    ----------
    calibration : DataFrame
        data, model, months, forecast, frequency.
    title : str
        What is drawn.

    Returns
    -------
    Figure
        Points on the diagonal are calibrated; their area is the number of months.
    """
    figure, first = canvas(title)
    figure.set_size_inches(8.0, 4.6)
    first.remove()
    panels = figure.subplots(1, 2, sharey=True)
    for axes, data in zip(panels, ("I", "II"), strict=True):
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        for model, colour, marker in (("network", NETWORK, "o"), ("logit", LINEAR, "D")):
            own = calibration[(calibration["model"] == model) & (calibration["data"] == data)]
            axes.plot(own["forecast"], own["frequency"], color=colour, linewidth=0.9, alpha=0.6)
            size = 12 * own["months"]
            axes.scatter(
                own["forecast"], own["frequency"], size, color=colour, marker=marker, alpha=0.7
            )
            axes.plot([], [], marker, color=colour, markersize=6, label=model)
        axes.set_title(f"data set {data}", fontsize=9)
        axes.set_xlim(-0.06, 1.06)
        axes.set_ylim(-0.08, 1.08)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#EEEEEE", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=9)
        axes.set_xlabel("mean probability, bins of one fifth", fontsize=9)
    panels[0].set_ylabel("share of months with intervention", fontsize=9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    _legend_below(figure, panels[0])
    return figure


def _legend_below(figure: Figure, axes: Axes) -> None:
    """Put the legend under the axes, where it covers nothing."""
    figure.legend(
        *axes.get_legend_handles_labels(), frameon=False, fontsize=9, ncols=3,
        loc="outside lower center",
    )  # fmt: skip


def _lines(axes: Axes, answers: pd.DataFrame, models: dict[str, str]) -> None:
    actual = answers.drop_duplicates("month").sort_values("month")
    axes.bar(actual["month"], actual["actual"], width=24, color=ACTUAL, label="actual")
    for model, colour in models.items():
        own = answers[answers["model"] == model].sort_values("month")
        axes.plot(own["month"], own["forecast"], color=colour, linewidth=1.5, label=model)
    axes.axhline(0, color="#666666", linewidth=0.8)
    axes.set_ylabel("million dollars, positive where yen is sold", fontsize=9)
    axes.margins(x=0.01)
