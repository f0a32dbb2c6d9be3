"""Intervention over time: what happened, what the models fitted and what they forecast."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from konkyo.i18n import Language, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import canvas, despine, new_figure, suptitle, year_axis

ACTUAL, NETWORK, LINEAR = "#B8B8B8", "#0072B2", "#D55E00"
RELEVANCE = {
    "change": "#0072B2",
    "change_before": "#56B4E9",
    "deviation": "#E69F00",
    "balance": "#009E73",
    "absorbed": "#BBBBBB",
}
"""Colour of each input, and of what is absorbed: with the rule rescale the usual month's score."""


def fitted_intervention(answers: pd.DataFrame, period: str, language: Language = "en") -> Figure:
    """Draw a period's intervention with the network's and the linear model's fit (figures 2 to 5).

    Parameters
    ----------
    answers : DataFrame
        One period, method 1, in-sample: month, model (network, linear), forecast and actual
        (million dollars, positive where yen was sold).
    period : str
        What the period is called.
    language : str
        en or ja.

    Returns
    -------
    Figure
        Bars of what happened, a line a model.
    """
    figure, axes = canvas(t("intervention.title.fitted", language, period=period))
    actual = answers.drop_duplicates("month").sort_values("month")
    axes.bar(
        actual["month"],
        actual["actual"],
        width=24,
        color=ACTUAL,
        label=t("intervention.value.actual", language),
    )
    for model, colour in (("network", NETWORK), ("linear", LINEAR)):
        own = answers[answers["model"] == model].sort_values("month")
        axes.plot(
            own["month"],
            own["forecast"],
            color=colour,
            linewidth=1.5,
            label=t(f"intervention.value.{model}", language),
        )
    axes.axhline(0, color="#666666", linewidth=0.8)
    axes.set_ylabel(t("intervention.axis.amount", language), fontsize=9)
    axes.margins(x=0.01)
    _legend_below(figure, axes)
    year_axis(axes, answers["month"])
    return apply_font(figure, language)


def forecast_intervention(answers: pd.DataFrame, language: Language = "en") -> Figure:
    """Draw the forecast months of all periods, one panel a data set.

    Parameters
    ----------
    answers : DataFrame
        Method 1, forecast months: period, month, data (I, II), model (network, linear), forecast,
        spread (between seeds; the network's), actual (million dollars).
    language : str
        en or ja.

    Returns
    -------
    Figure
        Months stand side by side, so that periods need no gap; a line parts the periods.
    """
    figure = new_figure(8.0, 6.4)
    panels = figure.subplots(2, 1, sharex=True)
    months = answers[["period", "month"]].drop_duplicates().sort_values("month")
    place = pd.Series(np.arange(len(months)), index=months["month"])
    for axes, data in zip(panels, ("I", "II"), strict=True):
        own = answers[answers["data"] == data]
        actual = own.drop_duplicates("month")
        axes.bar(
            place[actual["month"]], actual["actual"], color=ACTUAL, width=0.8,
            label=t("intervention.value.actual", language),
        )  # fmt: skip
        for model, colour, marker in (("network", NETWORK, "o"), ("linear", LINEAR, "x")):
            points = own[own["model"] == model]
            axes.errorbar(
                place[points["month"]],
                points["forecast"],
                yerr=points["spread"].fillna(0) if model == "network" else None,
                color=colour,
                marker=marker,
                markersize=4.5,
                linestyle="none",
                elinewidth=1.2,
                label=t(f"intervention.value.{model}", language),
            )
        for edge in np.flatnonzero(months["period"].to_numpy()[1:] != months["period"][:-1]):
            axes.axvline(edge + 0.5, color="#999999", linewidth=0.8, linestyle=":")
        axes.axhline(0, color="#666666", linewidth=0.8)
        despine(axes)
        axes.tick_params(labelsize=8)
        unit = t("intervention.axis.amount", language)
        axes.set_ylabel(f"{unit}\n{t(f'intervention.legend.data_{data}', language)}", fontsize=8)
    _legend_below(figure, panels[0], t("intervention.legend.seeds", language))
    suptitle(figure, t("intervention.title.forecasts", language))
    _month_axis(panels[1], months["month"])
    return apply_font(figure, language)


def grounds_of_forecasts(grounds: pd.DataFrame, method: str, language: Language = "en") -> Figure:
    """Draw what each input adds to each month's forecast, as bars that add up to its log-odds.

    Parameters
    ----------
    grounds : DataFrame
        One rule, data set and method: month, score, one column an input, absorbed (log-odds).
    method : str
        amount or occurrence.
    language : str
        en or ja.

    Returns
    -------
    Figure
        Bars upwards speak for intervention, bars downwards against it; points are the sum.
    """
    figure, axes = canvas(t(f"intervention.title.grounds_{method}", language))
    own = grounds.sort_values("month")
    place = np.arange(len(own))
    up, down = np.zeros(len(own)), np.zeros(len(own))
    for name, colour in RELEVANCE.items():
        value = own[name].to_numpy()
        axes.bar(
            place, value, bottom=np.where(value >= 0, up, down), color=colour, width=0.8,
            label=input_text(name, language),
        )  # fmt: skip
        up, down = up + np.clip(value, 0, None), down + np.clip(value, None, 0)
    axes.plot(
        place,
        own["score"],
        "o",
        color="#000000",
        markersize=3.5,
        label=t("intervention.legend.sum", language),
    )
    axes.axhline(0, color="#666666", linewidth=0.8)
    axes.set_ylabel(t("intervention.axis.log_odds", language), fontsize=9)
    _month_axis(axes, own["month"])
    _legend_below(figure, axes)
    return apply_font(figure, language)


def calibration_curve(calibration: pd.DataFrame, language: Language = "en") -> Figure:
    """Draw how often intervention came against how probable it was said to be.

    Parameters
    ----------
    calibration : DataFrame
        data, model, months, forecast, frequency.
    language : str
        en or ja.

    Returns
    -------
    Figure
        One panel a data set; the size of a point is its number of months.
    """
    figure = new_figure(8.0, 4.5)
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
            axes.plot(
                [],
                [],
                marker,
                color=colour,
                markersize=6,
                label=t(f"intervention.value.{model}", language),
            )
        axes.set_title(t(f"intervention.legend.data_{data}", language), fontsize=9)
        axes.set_xlim(-0.06, 1.06)
        axes.set_ylim(-0.08, 1.08)
        despine(axes, "both")
        axes.set_xlabel(t("intervention.axis.probability", language), fontsize=9)
    panels[0].set_ylabel(t("intervention.axis.frequency", language), fontsize=9)
    suptitle(figure, t("intervention.title.calibration", language))
    _legend_below(figure, panels[0])
    return apply_font(figure, language)


def _month_axis(axes: Axes, months: pd.Series) -> None:
    step = max(1, len(months) // 14)
    axes.set_xticks(
        np.arange(len(months))[::step],
        [f"{m:%Y-%m}" for m in months.iloc[::step]],
        rotation=60,
        ha="right",
        rotation_mode="anchor",
    )


def _legend_below(figure: Figure, axes: Axes, title: str | None = None) -> None:
    """Put the legend under the axes, where it covers nothing."""
    figure.legend(
        *axes.get_legend_handles_labels(), frameon=False, fontsize=9, ncols=3, title=title,
        title_fontsize=8, loc="outside lower center",
    )  # fmt: skip


def input_text(name: str, language: Language) -> str:
    """Return what an input is called, "absorbed" too: by the rescale rule the baseline's score."""
    if name == "absorbed":
        return t("intervention.legend.usual", language)
    return t(f"intervention.input.{name}", language)
