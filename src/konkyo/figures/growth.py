"""Compounded value over time, of portfolios and of models."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from konkyo.figures.style import COLOURS, OTHER, canvas, label_ends, value_axis, year_axis


def portfolio_growth(cumulative: pd.DataFrame, model: str = "network") -> Figure:
    """Draw what 1 invested in each portfolio became (the paper's figure 6).

    Parameters
    ----------
    cumulative : DataFrame
        month (in which the return was earned), model, portfolio, cumulative (a fraction).
    model : str
        The model whose portfolios are drawn: long, short, spread and market.

    Returns
    -------
    Figure
        One line a portfolio, from 1 at the first decision month, on a log scale.
    """
    chosen = cumulative[cumulative["model"] == model]
    lines = {
        name: chosen[chosen["portfolio"] == name] for name in ("long", "market", "short", "spread")
    }
    return _growth(lines, f"Growth of 1: portfolios of the {model}", emphasis="spread")


def model_growth(cumulative: pd.DataFrame, models: Sequence[str] | None = None) -> Figure:
    """Draw what the long-short portfolio of each model became.

    Parameters
    ----------
    cumulative : DataFrame
        month (in which the return was earned), model, portfolio, cumulative (a fraction).
    models : sequence of str, optional
        Which models; by default all that cover as many months as the longest one, since a
        placebo scored every n-th month compounds over fewer months and cannot be compared.

    Returns
    -------
    Figure
        One line a model, from 1 at the first decision month, on a log scale.
    """
    spread = cumulative[cumulative["portfolio"] == "spread"]
    if models is None:
        months = spread.groupby("model")["month"].nunique()
        models = list(months.index[months == months.max()])
    lines = {name: spread[spread["model"] == name] for name in models}
    return _growth(lines, "Growth of 1: long - short of each model", emphasis="network")


def _growth(lines: dict[str, pd.DataFrame], title: str, emphasis: str) -> Figure:
    figure, axes = canvas(title)
    ends = {}
    for name, series in lines.items():
        ordered = series.sort_values("month")
        start = ordered["month"].iloc[0] - pd.offsets.MonthEnd(1)
        value = [1.0, *(1.0 + ordered["cumulative"])]
        axes.plot(
            [start, *ordered["month"]],
            value,
            color=COLOURS.get(name, OTHER),
            linewidth=2.0 if name == emphasis else 1.3,
            label=name,
        )
        ends[name] = (ordered["month"].iloc[-1], value[-1])
    axes.axhline(1.0, color="#999999", linewidth=0.8, zorder=1)
    value_axis(axes, "value of 1 invested")
    axes.margins(x=0)
    year_axis(axes, pd.concat([series["month"] for series in lines.values()]))
    label_ends(axes, ends)
    return figure
