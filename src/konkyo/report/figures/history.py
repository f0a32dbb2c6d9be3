"""Relevance over time: by group of inputs, and the effect of every attribute."""

import numpy as np
import pandas as pd
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from konkyo.i18n import Language, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import (
    COLOURS,
    DIVERGING,
    OTHER,
    despine,
    key_below,
    months_and_mean,
    new_figure,
    percent_axis,
    suptitle,
    year_axis,
)
from konkyo.report.tables.labels import feature_names

SCALE = 0.98
"""The effects' scale ends at this quantile of their size, so that one month does not fade all."""


def group_colour(group: str) -> str:
    """Return a group's colour; `market` alone has the market portfolio's in the base table."""
    return COLOURS.get("market_group" if group == "market" else group, OTHER)


def group_lines(groups: pd.DataFrame, labels: pd.DataFrame, language: Language = "en") -> Figure:
    """Draw how much each group of inputs moves the scores, and sets long and short apart.

    Parameters
    ----------
    groups : DataFrame
        What `reading.history.groups_over_time` returns: month, group, difference (units of the
        score), share (a fraction).
    labels : DataFrame
        feature, en, ja, the groups among the features.
    language : str
        en or ja.

    Returns
    -------
    Figure
        Above, the difference of mean relevance between long and short; below, the group's share
        of all absolute relevance. Thin lines are months, thick ones means of 12.
    """
    names = feature_names(labels, language)
    figure = new_figure(8.0, 6.2)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, column in ((upper, "difference"), (lower, "share")):
        despine(axes)
        for group, series in groups.groupby("group", sort=False):
            own, colour = series.sort_values("month"), group_colour(str(group))
            name = names.get(str(group), str(group))
            months_and_mean(axes, own["month"], own[column], colour, name)
        axes.axhline(0, color="#666666", linewidth=0.8)
        axes.margins(x=0.01)
    upper.set_ylabel(t("axis.difference_short", language), fontsize=9)
    percent_axis(lower, "axis.share_of_relevance", language)
    lower.set_ylim(bottom=0)
    year_axis(lower, groups["month"])
    below = f"{t('axis.decision_month', language)}\n{t('note.thin_lines', language)}"
    lower.set_xlabel(below, fontsize=9)
    suptitle(figure, t("title.group_lines", language))
    key_below(figure, upper, columns=5)
    return apply_font(figure, language)


def effect_map(effects: pd.DataFrame, labels: pd.DataFrame, language: Language = "en") -> Figure:
    """Draw every attribute's effect on the scores in every month.

    Parameters
    ----------
    effects : DataFrame
        What `reading.history.effects` returns: month, feature, effect (units of the score; NaN
        where the value does not vary).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.

    Returns
    -------
    Figure
        A heat map, the attribute of the largest mean absolute effect on top: red where high
        values raise the score, blue where they lower it.
    """
    wide = effect_grid(effects)
    names = feature_names(labels, language)
    figure = new_figure(9.0, 1.9 + 0.2 * len(wide))
    axes = figure.add_subplot()
    first, last = date2num(wide.columns[0]), date2num(wide.columns[-1])
    limit = effect_limit(wide)
    picture = axes.imshow(
        wide.to_numpy(), cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto",
        interpolation="nearest", extent=(first - 30, last, len(wide) - 0.5, -0.5),
    )  # fmt: skip
    axes.xaxis_date()
    year_axis(axes, wide.columns.to_series())
    axes.set_yticks(range(len(wide)), [names.get(str(name), str(name)) for name in wide.index])
    axes.tick_params(labelsize=8.5)
    axes.spines[:].set_visible(False)
    axes.set_facecolor("#DDDDDD")
    axes.set_xlabel(t("axis.decision_month", language), fontsize=9)
    bar = figure.colorbar(
        picture,
        ax=axes,
        orientation="horizontal",
        shrink=0.5,
        aspect=50,
        pad=0.01,
        extend="both",
        ticks=MaxNLocator(5),
    )
    bar.ax.set_xlabel(t("axis.effect", language), fontsize=8.5)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    suptitle(figure, t("title.effect_map", language))
    return apply_font(figure, language)


def effect_grid(effects: pd.DataFrame) -> pd.DataFrame:
    """Return the effects as features x months, the largest mean absolute effect first."""
    wide = effects.pivot_table(index="feature", columns="month", values="effect", dropna=False)
    return wide.loc[wide.abs().mean(axis=1).sort_values(ascending=False, kind="stable").index]


def effect_limit(wide: pd.DataFrame) -> float:
    """Return the end of the effects' one scale, above 0."""
    sizes = np.abs(wide.to_numpy(float))
    known = sizes[np.isfinite(sizes)]
    return float(np.quantile(known, SCALE)) if known.any() else 1.0
