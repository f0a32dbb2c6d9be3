"""The market series: when they set long and short apart, and which stocks they moved."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from konkyo.figures.arrange import decile_ends
from konkyo.figures.fonts import lettered
from konkyo.figures.style import COLOURS, canvas, plain, sheet, year_axis
from konkyo.figures.texts import Language, feature_names, text
from konkyo.months import label, ordinal

MOST = 16
"""Attributes that figure 12 has room for."""
_NEAR = 14


def market_lines(
    over_time: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> Figure:
    """Draw the long portfolio's mean relevance less the short one's, month by month (figure 11).

    Parameters
    ----------
    over_time : DataFrame
        What `reading.market.market_over_time` returns: month, feature, difference (units of the
        score), marked.
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.

    Returns
    -------
    Figure
        One panel a market series, on one scale; the marked months are named.
    """
    names = feature_names(labels, language)
    features = over_time["feature"].unique()
    figure = sheet(8.0, 1.1 + 1.75 * len(features))
    panels = figure.subplots(len(features), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    reach = over_time["difference"].abs().max() * 1.35
    for axes, feature in zip(panels, features, strict=True):
        own = over_time[over_time["feature"] == feature].sort_values("month")
        plain(axes)
        axes.axhline(0, color="#666666", linewidth=0.8)
        axes.plot(own["month"], own["difference"], color="#0072B2", linewidth=1.3)
        axes.set_title(names.get(feature, feature), loc="left", fontsize=9)
        axes.set_ylim(-reach, reach)
        _marks(axes, own[own["marked"]])
        axes.margins(x=0.02)
    year_axis(panels[-1], over_time["month"])
    panels[-1].set_xlabel(text("decision_month", language), fontsize=9)
    figure.supylabel(text("relevance_difference", language), fontsize=9)
    figure.suptitle(
        text("market_lines", language), x=0.01, ha="left", fontsize=11, fontweight="bold"
    )
    return lettered(figure, language)


def _marks(axes: Axes, marked: pd.DataFrame) -> None:
    """Name the marked months, a name above another where two months stand close together."""
    axes.plot(
        marked["month"], marked["difference"], "o", color=COLOURS["long"], markersize=4, zorder=4
    )
    for up in (True, False):
        own = marked[(marked["difference"] >= 0) == up]
        level, last = 0, -_NEAR
        for place, row in zip(ordinal(own["month"]), own.to_dict("records"), strict=True):
            level = level + 1 if place - last < _NEAR else 0
            last = place
            axes.annotate(
                label(row["month"]), (row["month"], row["difference"]),
                (0, (1 if up else -1) * (5 + 8 * level)), textcoords="offset points",
                ha="center", va="bottom" if up else "top", fontsize=7, color="#333333",
                in_layout=False,
            )  # fmt: skip


def market_decile_bars(
    deciles: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> Figure:
    """Draw which stocks a market series moved most, up and down, in one month (figure 12).

    Parameters
    ----------
    deciles : DataFrame
        What `reading.market.market_deciles` returns, one feature and one month: relevance_decile,
        stocks, relevance (mean, units of the score), attribute, value (mean, known at t).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many attributes, by absolute difference.

    Returns
    -------
    Figure
        Two bars an attribute: its mean in the highest and in the lowest decile of relevance.
    """
    table, ends = decile_ends(deciles, most)
    names = feature_names(labels, language)
    feature, month = str(deciles["feature"].iloc[0]), label(deciles["month"].iloc[0])
    title = text("market_decile_bars", language, name=names.get(feature, feature), month=month)
    count = len(table)
    figure, axes = canvas(title, height=1.8 + 0.27 * count, along="x")
    place = np.arange(count)
    for row, column, side, shift in ((1, "high", "long", -0.2), (0, "low", "short", 0.2)):
        axes.barh(
            place + shift, table[column], height=0.38, color=COLOURS[side],
            label=decile_words(ends.iloc[row], language),
        )  # fmt: skip
    axes.set_yticks(place, [names.get(name, name) for name in table["attribute"]], fontsize=8.5)
    axes.set_ylim(count - 0.4, -0.6)
    axes.axvline(0, color="#666666", linewidth=0.8)
    axes.set_xlabel(text("attribute_mean", language), fontsize=9)
    figure.legend(
        *axes.get_legend_handles_labels(), frameon=False, fontsize=8.5, ncols=2,
        loc="outside lower center",
    )  # fmt: skip
    return lettered(figure, language)


def decile_words(end: pd.Series, language: Language) -> str:
    """Return the legend of one decile: its number, its stocks, its mean relevance."""
    return text(
        "market_decile",
        language,
        decile=int(end["relevance_decile"]),
        count=int(end["stocks"]),
        relevance=float(end["relevance"]),
    )
