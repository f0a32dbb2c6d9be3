"""Month by month: how good the ranking was and what the spread earned."""

import pandas as pd
from matplotlib.figure import Figure

from konkyo.figures.style import COLOURS, canvas, percent_axis, year_axis

_YEAR = 12


def monthly_rank_ic(returns: pd.DataFrame, model: str = "network") -> Figure:
    """Draw the rank information coefficient of every decision month and its mean of 12 months.

    Parameters
    ----------
    returns : DataFrame
        month (the decision date), model, rank_ic.
    model : str
        The model that is drawn.

    Returns
    -------
    Figure
        One bar a month; the line is the mean of the last 12 decision months, where there are 12.
    """
    series = returns[returns["model"] == model].sort_values("month")
    title = f"Rank information coefficient of the {model}: mean {series['rank_ic'].mean():.3f}"
    figure = _bars(series["month"], series["rank_ic"], title)
    axes = figure.axes[0]
    axes.set_ylabel("rank correlation of score and next return", fontsize=9)
    axes.set_xlabel("decision month", fontsize=9)
    return figure


def monthly_spread(returns: pd.DataFrame, model: str = "network") -> Figure:
    """Draw the return of the long-short portfolio in every month and its mean of 12 months.

    Parameters
    ----------
    returns : DataFrame
        earned (the month in which the return was earned), model, spread (a fraction).
    model : str
        The model that is drawn.

    Returns
    -------
    Figure
        One bar a month, in per cent; the line is the mean of the last 12 months, where there are
        12.
    """
    series = returns[returns["model"] == model].sort_values("earned")
    title = (
        f"Long - short of the {model}: mean {100 * series['spread'].mean():.2f} per cent a month"
    )
    figure = _bars(series["earned"], series["spread"], title)
    axes = figure.axes[0]
    percent_axis(axes, "return")
    axes.set_xlabel("month earned", fontsize=9)
    return figure


def _bars(months: pd.Series, values: pd.Series, title: str) -> Figure:
    figure, axes = canvas(title)
    colours = [COLOURS["long"] if value >= 0 else COLOURS["short"] for value in values]
    axes.bar(months, values, width=24, color=colours, alpha=0.55, linewidth=0)
    axes.plot(
        months,
        values.rolling(_YEAR).mean(),
        color="#000000",
        linewidth=1.8,
        label="mean of 12 months",
    )
    axes.axhline(0.0, color="#666666", linewidth=0.8)
    axes.margins(x=0.01)
    year_axis(axes, months)
    axes.legend(frameon=False, fontsize=9, loc="best")
    return figure
