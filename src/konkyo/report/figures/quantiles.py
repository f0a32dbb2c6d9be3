"""Mean return from the worst scores to the best."""

from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from konkyo.i18n import Language, display_name, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import COLOURS, canvas, percent_axis


def quantile_returns(
    quantiles: pd.DataFrame, model: str = "network", language: Language = "en"
) -> Figure:
    """Draw the mean annual return of every quantile, that of full-length baselines beside it.

    Parameters
    ----------
    quantiles : DataFrame
        model, quantile (1 worst to the best), annual_return (arithmetic, a fraction), months.
    model : str
        The model drawn as bars; other models with as many months are drawn as points.
    language : str
        en or ja.

    Returns
    -------
    Figure
        One bar a quantile, in per cent a year.
    """
    figure, axes = canvas(
        t("title.quantile_returns", language, model=display_name("model", model, language))
    )
    bars, others = quantile_rows(quantiles, model)
    last = bars["quantile"].max()
    ends = {1: COLOURS["short"], last: COLOURS["long"]}
    axes.bar(
        bars["quantile"],
        bars["annual_return"],
        width=0.7,
        color=[ends.get(quantile, COLOURS["market"]) for quantile in bars["quantile"]],
        alpha=0.8,
    )
    for (name, points), marker in zip(others.groupby("model"), cycle("Do^"), strict=False):
        axes.plot(
            points["quantile"],
            points["annual_return"],
            linestyle="none",
            marker=marker,
            markersize=5,
            markerfacecolor="#FFFFFF",
            markeredgecolor="#000000",
            label=display_name("model", str(name), language),
        )
    if not others.empty:
        axes.legend(frameon=False, fontsize=9, loc="best")
    axes.axhline(0.0, color="#666666", linewidth=0.8)
    axes.xaxis.set_major_locator(FixedLocator(bars["quantile"].tolist()))
    axes.set_xlabel(t("axis.quantile", language, last=last), fontsize=9)
    percent_axis(axes, "axis.annual_return_mean", language)
    return apply_font(figure, language)


def quantile_rows(quantiles: pd.DataFrame, model: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of the model, worst first, and those of the others with as many months."""
    bars = quantiles[quantiles["model"] == model].sort_values("quantile")
    others = (quantiles["model"] != model) & (quantiles["months"] >= bars["months"].max())
    return bars, quantiles[others]
