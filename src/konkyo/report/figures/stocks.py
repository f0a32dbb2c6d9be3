"""The single stock: the inputs of the longest and the shortest, and what changed a score."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import (
    COLOURS,
    DIVERGING,
    LOWERS,
    RAISES,
    clipped,
    new_figure,
    note,
    rows_canvas,
    suptitle,
    width_of,
)
from konkyo.report.tables.figure_data import heat_grid, numbers, score_steps
from konkyo.report.tables.labels import feature_names, sector_name

MOST = 24
"""Inputs that figure 8 has room for."""
STEPS = 14
_ROW, _COLUMN = 0.235, 0.43
_SECTOR, _STOCK = 15.0, 11.0


def stock_heat(
    table: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> Figure:
    """Draw the inputs of the longest and the shortest stocks of a month (the paper's figure 8).

    Parameters
    ----------
    table : DataFrame
        What `reading.stocks.stock_table` returns: month, side, stock, sector, rank, score,
        feature, value (known at t), relevance.
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs, by mean absolute relevance among the stocks.

    Returns
    -------
    Figure
        Rows are stocks, the longest on top; columns are inputs. A cell's number is the input's
        value and its colour the relevance: red raises the score, white does nothing, blue lowers
        it, on one scale for the table.
    """
    grid, names = heat_grid(table, most), feature_names(labels, language)
    rows, columns = grid.value.shape
    figure = new_figure(4.2 + _COLUMN * (columns + 1), 2.5 + _ROW * rows)
    axes = figure.add_subplot()
    picture = axes.imshow(
        grid.relevance, cmap=DIVERGING, vmin=-grid.limit, vmax=grid.limit, aspect="auto"
    )
    # Text inside the axes is kept out of the layout, which would measure every number twice.
    small: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7, "in_layout": False}
    for column in range(columns):
        for row, value in enumerate(numbers(grid.value[:, column])):
            axes.text(column, row, value, **small)
    for row, rest in enumerate(grid.rest):
        axes.text(columns, row, f"{rest:+.2f}", color="#555555", **small)
    axes.set_xlim(-0.5, columns + 0.5)
    heads = [names.get(name, name) for name in grid.features] + [t("legend.rest", language)]
    axes.set_xticks(
        range(columns + 1), heads, rotation=50, ha="left", rotation_mode="anchor", fontsize=8
    )
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    _row_heads(axes, grid.rows, names, language)
    for edge in np.flatnonzero(grid.rows["side"].to_numpy()[1:] != grid.rows["side"][:-1]):
        axes.axhline(edge + 0.5, color="#000000", linewidth=0.9)
    bar = figure.colorbar(
        picture, ax=axes, orientation="horizontal", shrink=0.4, aspect=45, pad=0.02
    )
    bar.ax.set_xlabel(t("axis.relevance", language), fontsize=8)
    bar.ax.tick_params(labelsize=7.5)
    bar.outline.set_visible(False)
    suptitle(figure, t("title.stock_heat", language, month=label(table["month"].iloc[0])))
    note(figure, t("note.stock_heat", language, shown=columns, left=grid.left))
    return apply_font(figure, language)


def _row_heads(axes: Axes, rows: pd.DataFrame, names: dict[str, str], language: Language) -> None:
    """Write rank, stock, sector and score left of the rows, each in a column as wide as it needs.

    The columns are texts and no table, whose cells matplotlib would draw one by one.
    """
    sectors = [sector_name(sector, names, language) for sector in rows["sector"]]
    columns: list[tuple[str, list[str], float, bool]] = [
        ("column.score", [f"{score:+.2f}" for score in rows["score"]], 5, True),
        ("column.sector", sectors, _SECTOR, False),
        ("column.stock", rows["stock"].astype("str").tolist(), _STOCK, False),
        ("column.rank", rows["rank"].astype("str").tolist(), 6, True),
    ]
    right = -6.0
    for key, words, most, to_the_right in columns:
        shown = [clipped(word, most) for word in [t(key, language), *words]]
        width = 8 * max(width_of(word) for word in shown)
        for place, word in enumerate(shown, start=-1):
            axes.annotate(
                word, (0, place), (right if to_the_right else right - width, 0),
                xycoords=("axes fraction", "data"), textcoords="offset points",
                ha="right" if to_the_right else "left", va="center", annotation_clip=False,
                fontsize=7.5 if place < 0 else 8,
                fontweight="bold" if key == "score" and place >= 0 else "normal",
                color="#555555" if place < 0 else
                COLOURS[rows["side"].iloc[place]] if key == "rank" else "#000000",
            )  # fmt: skip
        right -= width + 8


def change_bars(
    changes: pd.DataFrame,
    labels: pd.DataFrame,
    stock: str,
    language: Language = "en",
    most: int = STEPS,
) -> Figure:
    """Draw what led from a stock's score of last month to this month's, input by input.

    Parameters
    ----------
    changes : DataFrame
        What `reading.stocks.score_changes` returns; the stock's newest month is drawn.
    labels : DataFrame
        feature, en, ja.
    stock : str
        A stock of the table.
    language : str
        en or ja.
    most : int
        At most so many inputs with a bar of their own.

    Returns
    -------
    Figure
        A bar a step, from the score before on top to the score now: the steps add up.
    """
    steps = score_steps(changes, stock, most)
    title, names = change_words(steps, labels, stock, language)
    figure, axes = rows_canvas(title, names, step=0.27)
    axes.barh(
        range(len(steps)), steps["change"], left=steps["start"], color=step_colours(steps),
        height=0.66,
    )  # fmt: skip
    for place, end in enumerate(steps["end"][:-1]):
        axes.plot([end, end], [place - 0.33, place + 1.33], color="#888888", linewidth=0.6)
    for place, step in enumerate(steps.to_dict("records")):
        axes.annotate(
            f"{step['change']:+.3f}", (max(step["start"], step["end"]), place), (3, 0),
            textcoords="offset points", va="center", fontsize=7.5, color="#555555",
        )  # fmt: skip
    axes.margins(x=0.1)
    axes.axvline(0, color="#666666", linewidth=0.8)
    axes.set_xlabel(t("column.score", language), fontsize=9)
    return apply_font(figure, language)


def change_words(
    steps: pd.DataFrame, labels: pd.DataFrame, stock: str, language: Language
) -> tuple[str, list[str]]:
    """Return the title of a stock's steps and the name of each."""
    now = steps.attrs["month"]
    months = {"before": label(now - pd.offsets.MonthEnd(1)), "now": label(now)}
    names = feature_names(labels, language)
    words = []
    for step in steps.to_dict("records"):
        key = str(step["feature"])
        if key in months:
            words.append(t("legend.score_of", language, month=months[key]))
        elif key == "others":
            words.append(t("legend.others", language, count=step["count"]))
        else:
            words.append(names.get(key, key))
    return t("title.change_bars", language, stock=stock, **months), words


def step_colours(steps: pd.DataFrame) -> list[str]:
    """Return grey for the two scores, red for what raised the score, blue for what lowered it."""
    return [
        COLOURS["market"] if name in ("before", "now") else RAISES if change > 0 else LOWERS
        for name, change in zip(steps["feature"], steps["change"], strict=True)
    ]
