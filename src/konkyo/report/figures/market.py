"""The market series: when they set long and short apart, and which stocks they moved."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import num2date
from matplotlib.figure import Figure

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import (
    COLOURS,
    despine,
    key_below,
    new_figure,
    rows_canvas,
    separate_labels,
    suptitle,
    year_axis,
)
from konkyo.report.tables.figure_data import quantile_ends
from konkyo.report.tables.labels import feature_names

MOST = 16
"""Attributes that figure 12 has room for."""
_NAME = 0.075
"""The width of a month's name, as a share of a panel."""


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
    figure = new_figure(8.0, 1.1 + 1.75 * len(features))
    panels = figure.subplots(len(features), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, feature in zip(panels, features, strict=True):
        own = over_time[over_time["feature"] == feature].sort_values("month")
        despine(axes)
        axes.axhline(0, color="#666666", linewidth=0.8)
        axes.plot(own["month"], own["difference"], color="#0072B2", linewidth=1.3)
        axes.set_title(names.get(feature, feature), loc="left", fontsize=9)
        axes.margins(x=0.02)
    panels[0].set_ylim(*difference_range(over_time))
    for axes, feature in zip(panels, features, strict=True):
        _marks(axes, over_time[(over_time["feature"] == feature) & over_time["marked"]])
    year_axis(panels[-1], over_time["month"])
    panels[-1].set_xlabel(t("axis.decision_month", language), fontsize=9)
    figure.supylabel(t("axis.relevance_difference", language), fontsize=9)
    suptitle(figure, t("title.market_lines", language))
    return apply_font(figure, language)


def difference_range(over_time: pd.DataFrame) -> tuple[float, float]:
    """Return the panels' one range: zero, all differences, and room for names where marks are."""
    low = min(float(over_time["difference"].min()), 0.0)
    high = max(float(over_time["difference"].max()), 0.0)
    marked = over_time.loc[over_time["marked"], "difference"]
    span = (high - low) or 1.0
    below, above = (0.28 if side.any() else 0.06 for side in (marked < 0, marked >= 0))
    return low - below * span, high + above * span


def name_places(marked: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Return where to write the names of marked months so that they stand apart.

    Parameters
    ----------
    marked : DataFrame
        month, difference.
    first, last : Timestamp
        The ends of the panel.

    Returns
    -------
    DataFrame
        month, difference, up (the name stands at the upper edge) and place, from 0 at `first` to
        1 at `last`.
    """
    span = last - first
    parts = []
    for up in (True, False):
        own = marked[(marked["difference"] >= 0) == up].sort_values("month")
        along = ((own["month"] - first) / span).to_numpy(float)
        apart = np.clip(separate_labels(along, _NAME), _NAME / 2, 1 - _NAME / 2)
        parts.append(own[["month", "difference"]].assign(up=up, place=apart))
    return pd.concat(parts, ignore_index=True)


def _marks(axes: Axes, marked: pd.DataFrame) -> None:
    """Name the marked months at the panel's edge, with lines to them."""
    axes.plot(
        marked["month"], marked["difference"], "o", color=COLOURS["long"], markersize=4, zorder=4
    )
    first, last = (pd.Timestamp(num2date(end)).tz_localize(None) for end in axes.get_xlim())
    for row in name_places(marked, first, last).to_dict("records"):
        axes.annotate(
            label(row["month"]), (row["month"], row["difference"]),
            (row["place"], 0.98 if row["up"] else 0.02), textcoords="axes fraction", ha="center",
            va="top" if row["up"] else "bottom", fontsize=7.5, color="#333333", in_layout=False,
            arrowprops={"arrowstyle": "-", "color": "#999999", "linewidth": 0.6, "shrinkB": 3},
        )  # fmt: skip


def market_quantile_bars(
    quantiles: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> Figure:
    """Draw which stocks a market series moved most, up and down, in one month (figure 12).

    Parameters
    ----------
    quantiles : DataFrame
        What `tables.market.market_quantiles` returns, one feature and one month:
        relevance_quantile, stocks, relevance (mean, units of the score), attribute, value (mean,
        known at t).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many attributes, by absolute difference.

    Returns
    -------
    Figure
        Two bars an attribute: its mean in the highest and in the lowest quantile of relevance.
    """
    table, ends = quantile_ends(quantiles, most)
    title, heads = quantile_heads(quantiles, table, labels, language)
    figure, axes = rows_canvas(title, heads, step=0.27)
    for row, column, side, shift in ((1, "high", "long", -0.2), (0, "low", "short", 0.2)):
        axes.barh(
            np.arange(len(heads)) + shift, table[column], height=0.38, color=COLOURS[side],
            label=quantile_words(ends.iloc[row], language),
        )  # fmt: skip
    axes.axvline(0, color="#666666", linewidth=0.8)
    axes.set_xlabel(t("axis.attribute_mean", language), fontsize=9)
    key_below(figure, axes, columns=2)
    return apply_font(figure, language)


def quantile_heads(
    quantiles: pd.DataFrame, table: pd.DataFrame, labels: pd.DataFrame, language: Language
) -> tuple[str, list[str]]:
    """Return the title, with the series and the month, and what each attribute is called."""
    names = feature_names(labels, language)
    feature, month = str(quantiles["feature"].iloc[0]), label(quantiles["month"].iloc[0])
    title = t("title.market_quantile_bars", language, name=names.get(feature, feature), month=month)
    return title, [names.get(name, name) for name in table["attribute"]]


def quantile_words(end: pd.Series, language: Language) -> str:
    """Return the legend of one quantile: its number, its stocks, its mean relevance."""
    return t(
        "legend.market_quantile",
        language,
        quantile=int(end["relevance_quantile"]),
        count=int(end["stocks"]),
        relevance=float(end["relevance"]),
    )
