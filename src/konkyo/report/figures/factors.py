"""The factors: how far each sets long and short apart, and how its relevance follows its value."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from konkyo.i18n import Language, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import (
    COLOURS,
    despine,
    key_below,
    new_figure,
    note,
    rows_canvas,
    suptitle,
)
from konkyo.report.tables.figure_data import largest
from konkyo.report.tables.labels import feature_names, value_words

MOST = 30
"""Inputs that figure 9 has room for."""
BINS = 30

Direction = Literal["vertical", "horizontal"]


def factor_bars(
    means: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> Figure:
    """Draw each input's mean relevance in the long and in the short portfolio (figure 9).

    Parameters
    ----------
    means : DataFrame
        What `reading.factors.factor_means` returns: feature, long, short (units of the score),
        difference, stars, stars_adjusted.
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs, by absolute difference.

    Returns
    -------
    Figure
        Two bars an input, the largest difference on top; on the right the stars of Welch's test
        and those after the correction for testing all inputs at once.
    """
    shown = largest(means, "difference", most)
    count = len(shown)
    names = feature_names(labels, language)
    heads = [names.get(name, name) for name in shown["feature"]]
    figure, axes = rows_canvas(t("title.factor_bars", language), heads, step=0.235)
    for shift, side in ((-0.2, "long"), (0.2, "short")):
        axes.barh(
            np.arange(count) + shift, shown[side], height=0.38, color=COLOURS[side],
            label=t(f"portfolio.{side}", language),
        )  # fmt: skip
    axes.axvline(0, color="#666666", linewidth=0.8)
    axes.set_xlabel(t("axis.mean_relevance", language), fontsize=9)
    columns = (("legend.test", "stars", 1.05), ("legend.corrected", "stars_adjusted", 1.17))
    for head, column, edge in columns:
        look: dict[str, Any] = {
            "transform": axes.get_yaxis_transform(),
            "ha": "center",
            "fontsize": 8,
        }
        axes.text(edge, -0.9, t(head, language), va="bottom", color="#555555", **look)
        for row, stars in enumerate(shown[column]):
            # The letters of the star stand high in their line.
            axes.text(edge, row + 0.14, stars, va="center", **look)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    note(figure, t("note.factor_bars", language, shown=count, count=len(means)))
    return apply_font(figure, language)


def factor_scatter(
    points: pd.DataFrame,
    shape: pd.DataFrame,
    labels: pd.DataFrame,
    feature: str,
    language: Language = "en",
) -> Figure:
    """Draw an input's value against its relevance (the paper's figure 10).

    Parameters
    ----------
    points : DataFrame
        What `reading.factors.factor_points` returns: feature, side, value (known at t), relevance
        (units of the score); a sample of the long and the short portfolio.
    shape : DataFrame
        What `reading.factors.factor_shape` returns: feature, value, relevance (mean over all
        stocks near the value), low, high (percentiles).
    labels : DataFrame
        feature, en, ja, unit, unit_ja.
    feature : str
        The input.
    language : str
        en or ja.

    Returns
    -------
    Figure
        The scatter with the smoothed mean and its band, and how values and relevances of long
        and short are distributed, above and on the right.
    """
    own, curve = points[points["feature"] == feature], shape[shape["feature"] == feature]
    name = feature_names(labels, language).get(feature, feature)
    figure = new_figure(7.2, 5.4)
    panels = figure.add_gridspec(2, 2, width_ratios=(4, 1), height_ratios=(1, 4))
    axes = figure.add_subplot(panels[1, 0])
    above = figure.add_subplot(panels[0, 0], sharex=axes)
    beside = figure.add_subplot(panels[1, 1], sharey=axes)
    despine(axes, "both")
    for side in ("long", "short"):
        rows = own[own["side"] == side]
        look: dict[str, Any] = {"color": COLOURS[side], "linewidth": 0}
        axes.scatter(
            rows["value"],
            rows["relevance"],
            s=9,
            alpha=0.45,
            label=t(f"portfolio.{side}", language),
            **look,
        )
    axes.fill_between(
        curve["value"], curve["low"], curve["high"], color="#000000", alpha=0.12, linewidth=0,
        label=t("legend.band", language),
    )  # fmt: skip
    axes.plot(
        curve["value"], curve["relevance"], color="#000000", linewidth=2.2,
        label=t("legend.smoothed_mean", language),
    )  # fmt: skip
    axes.axhline(0, color="#666666", linewidth=0.8)
    _histograms(above, own, "value", "vertical")
    _histograms(beside, own, "relevance", "horizontal")
    axes.set_xlabel(value_words(labels, feature, language), fontsize=9)
    axes.set_ylabel(t("axis.relevance", language), fontsize=9)
    suptitle(figure, t("title.factor_scatter", language, name=name))
    for handle in key_below(figure, axes, columns=4).legend_handles:
        if isinstance(handle, PathCollection):
            handle.set(alpha=1.0, sizes=[25])
    return apply_font(figure, language)


def _histograms(axes: Axes, own: pd.DataFrame, column: str, orientation: Direction) -> None:
    edges = np.histogram_bin_edges(own[column].to_numpy(float), bins=BINS)
    for side in ("long", "short"):
        axes.hist(
            own.loc[own["side"] == side, column], bins=edges.tolist(), orientation=orientation,
            histtype="stepfilled", alpha=0.45, color=COLOURS[side],
        )  # fmt: skip
    axes.set_axis_off()
