"""Compounded value over time, of portfolios and of models."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from konkyo.i18n import Language, display_name, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import COLOURS, OTHER, canvas, label_ends, value_axis, year_axis


def portfolio_growth(
    cumulative: pd.DataFrame, model: str = "network", language: Language = "en"
) -> Figure:
    """Draw what 1 invested in each portfolio became (the paper's figure 6).

    Parameters
    ----------
    cumulative : DataFrame
        month (in which the return was earned), model, portfolio, cumulative (a fraction).
    model : str
        The model whose portfolios are drawn: long, short, spread and market.
    language : str
        en or ja.

    Returns
    -------
    Figure
        One line a portfolio, from 1 at the first decision month, on a log scale.
    """
    lines = portfolio_lines(cumulative, model)
    title = t("title.portfolio_growth", language, model=display_name("model", model, language))
    return _growth(lines, title, "portfolio", "spread", language)


def model_growth(
    cumulative: pd.DataFrame, models: Sequence[str] | None = None, language: Language = "en"
) -> Figure:
    """Draw what the long-short portfolio of each model became.

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
    Figure
        One line a model, from 1 at the first decision month, on a log scale.
    """
    lines = model_lines(cumulative, models)
    return _growth(lines, t("title.model_growth", language), "model", "network", language)


def portfolio_lines(cumulative: pd.DataFrame, model: str) -> dict[str, pd.DataFrame]:
    """Return the series of one model's portfolios, from 1 at the first decision month.

    Parameters
    ----------
    cumulative : DataFrame
        month (in which the return was earned), model, portfolio, cumulative (a fraction).
    model : str
        The model.

    Returns
    -------
    dict of str to DataFrame
        By portfolio: month, value; in order.
    """
    chosen = cumulative[cumulative["model"] == model]
    return {
        name: _from_one(chosen[chosen["portfolio"] == name])
        for name in ("long", "market", "short", "spread")
    }


def model_lines(cumulative: pd.DataFrame, models: Sequence[str] | None) -> dict[str, pd.DataFrame]:
    """Return the long-short series of several models, from 1 at their first decision month.

    Parameters
    ----------
    cumulative : DataFrame
        month (in which the return was earned), model, portfolio, cumulative (a fraction).
    models : sequence of str, optional
        Which; by default all that cover as many months as the longest one.

    Returns
    -------
    dict of str to DataFrame
        By model: month, value; in order.
    """
    spread = cumulative[cumulative["portfolio"] == "spread"]
    if models is None:
        months = spread.groupby("model")["month"].nunique()
        models = list(months.index[months == months.max()])
    return {name: _from_one(spread[spread["model"] == name]) for name in models}


def _from_one(series: pd.DataFrame) -> pd.DataFrame:
    ordered = series.sort_values("month")
    start = ordered["month"].iloc[0] - pd.offsets.MonthEnd(1)
    return pd.DataFrame(
        {"month": [start, *ordered["month"]], "value": [1.0, *(1.0 + ordered["cumulative"])]}
    )


def _growth(
    lines: dict[str, pd.DataFrame], title: str, section: str, emphasis: str, language: Language
) -> Figure:
    figure, axes = canvas(title)
    ends = {}
    for name, series in lines.items():
        axes.plot(
            series["month"],
            series["value"],
            color=COLOURS.get(name, OTHER),
            linewidth=2.0 if name == emphasis else 1.3,
            label=name,
        )
        ends[name] = (series["month"].iloc[-1], series["value"].iloc[-1])
    axes.axhline(1.0, color="#999999", linewidth=0.8, zorder=1)
    value_axis(axes, language)
    axes.margins(x=0)
    year_axis(axes, pd.concat([series["month"][1:] for series in lines.values()]))
    label_ends(axes, ends, section, language)
    return apply_font(figure, language)
