"""Month by month: how good the ranking was and what the spread earned."""

import pandas as pd
from matplotlib.figure import Figure

from konkyo.i18n import Language, display_name, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import COLOURS, canvas, percent_axis, year_axis

YEAR = 12


def monthly_rank_ic(
    returns: pd.DataFrame, model: str = "network", language: Language = "en"
) -> Figure:
    """Draw the rank information coefficient of every decision month and its mean of 12 months.

    Parameters
    ----------
    returns : DataFrame
        month (the decision date), model, rank_ic.
    model : str
        The model that is drawn.
    language : str
        en or ja.

    Returns
    -------
    Figure
        One bar a month; the line is the mean of the last 12 decision months, where there are 12.
    """
    series, title = rank_ic_series(returns, model, language)
    figure = _bars(series["month"], series["rank_ic"], title, language)
    axes = figure.axes[0]
    axes.set_ylabel(t("axis.rank_ic", language), fontsize=9)
    axes.set_xlabel(t("axis.decision_month", language), fontsize=9)
    return apply_font(figure, language)


def rank_ic_series(
    returns: pd.DataFrame, model: str, language: Language
) -> tuple[pd.DataFrame, str]:
    """Return a model's months in order, and the title that says their mean."""
    series = returns[returns["model"] == model].sort_values("month")
    name, mean = display_name("model", model, language), series["rank_ic"].mean()
    return series, t("title.monthly_rank_ic", language, model=name, mean=mean)


def monthly_spread(
    returns: pd.DataFrame, model: str = "network", language: Language = "en"
) -> Figure:
    """Draw the return of the long-short portfolio in every month and its mean of 12 months.

    Parameters
    ----------
    returns : DataFrame
        earned (the month in which the return was earned), model, spread (a fraction).
    model : str
        The model that is drawn.
    language : str
        en or ja.

    Returns
    -------
    Figure
        One bar a month, in per cent; the line is the mean of the last 12 months, where there are
        12.
    """
    series, title = spread_series(returns, model, language)
    figure = _bars(series["earned"], series["spread"], title, language)
    axes = figure.axes[0]
    percent_axis(axes, "axis.return", language)
    axes.set_xlabel(t("axis.earned_month", language), fontsize=9)
    return apply_font(figure, language)


def spread_series(
    returns: pd.DataFrame, model: str, language: Language
) -> tuple[pd.DataFrame, str]:
    """Return a model's months in the order earned, and the title that says their mean."""
    series = returns[returns["model"] == model].sort_values("earned")
    name, mean = display_name("model", model, language), 100 * series["spread"].mean()
    return series, t("title.monthly_spread", language, model=name, mean=mean)


def _bars(months: pd.Series, values: pd.Series, title: str, language: Language) -> Figure:
    figure, axes = canvas(title)
    colours = [COLOURS["long"] if value >= 0 else COLOURS["short"] for value in values]
    axes.bar(months, values, width=24, color=colours, alpha=0.55, linewidth=0)
    axes.plot(
        months,
        values.rolling(YEAR).mean(),
        color="#000000",
        linewidth=1.8,
        label=t("legend.mean_of_12", language),
    )
    axes.axhline(0.0, color="#666666", linewidth=0.8)
    axes.margins(x=0.01)
    year_axis(axes, months)
    axes.legend(frameon=False, fontsize=9, loc="best")
    return figure
