"""Mean return from the worst scores to the best."""

from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from konkyo.figures.style import COLOURS, NAMES, canvas, percent_axis


def decile_returns(deciles: pd.DataFrame, model: str = "network") -> Figure:
    """Draw the mean annual return of every decile, that of full-length baselines beside it.

    Parameters
    ----------
    deciles : DataFrame
        model, decile (1 worst to the best), annual_return (arithmetic, a fraction), months.
    model : str
        The model drawn as bars; other models with as many months are drawn as points.

    Returns
    -------
    Figure
        One bar a decile, in per cent a year.
    """
    figure, axes = canvas(f"Mean annual return by decile of score: {model} (bars)")
    bars = deciles[deciles["model"] == model].sort_values("decile")
    last = bars["decile"].max()
    ends = {1: COLOURS["short"], last: COLOURS["long"]}
    axes.bar(
        bars["decile"],
        bars["annual_return"],
        width=0.7,
        color=[ends.get(decile, COLOURS["market"]) for decile in bars["decile"]],
        alpha=0.8,
    )
    others = deciles[(deciles["model"] != model) & (deciles["months"] >= bars["months"].max())]
    for (name, points), marker in zip(others.groupby("model"), cycle("Do^"), strict=False):
        axes.plot(
            points["decile"],
            points["annual_return"],
            linestyle="none",
            marker=marker,
            markersize=5,
            markerfacecolor="#FFFFFF",
            markeredgecolor="#000000",
            label=NAMES.get(str(name), str(name)),
        )
    if not others.empty:
        axes.legend(frameon=False, fontsize=9, loc="best")
    axes.axhline(0.0, color="#666666", linewidth=0.8)
    axes.xaxis.set_major_locator(FixedLocator(bars["decile"].tolist()))
    axes.set_xlabel(f"decile of score: 1 worst (short), {last} best (long)", fontsize=9)
    percent_axis(axes, "arithmetic mean return a year")
    return figure
