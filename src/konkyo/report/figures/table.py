"""The performance table, as Markdown and as a picture."""

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from konkyo.i18n import Language, display_name, t
from konkyo.report.figures.fonts import apply_font
from konkyo.report.figures.style import new_figure, suptitle

COLUMNS = (
    "model",
    "portfolio",
    "annual_return",
    "annual_volatility",
    "sharpe_ratio",
    "max_drawdown",
    "hit_rate",
    "months",
)
_PERCENT = ("annual_return", "annual_volatility", "max_drawdown", "hit_rate")


def performance_markdown(performance: pd.DataFrame) -> str:
    """Return the performance table (the paper's figure 7) as a Markdown table.

    Parameters
    ----------
    performance : DataFrame
        model, portfolio and the measures, as fractions.

    Returns
    -------
    str
        One line a model and portfolio, fractions as per cent with one decimal, ending in a
        newline. A figure that is not defined is a dash.
    """
    rows = ["| " + " | ".join(t(f"performance.{name}", "en") for name in COLUMNS) + " |"]
    rows.append("|" + "|".join(" --- " if i < 2 else " ---: " for i in range(len(COLUMNS))) + "|")
    for record in performance[list(COLUMNS)].to_dict("records"):
        cells = (cell(str(name), value) for name, value in record.items())
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def performance_table(performance: pd.DataFrame, language: Language = "en") -> Figure:
    """Draw the performance table (the paper's figure 7).

    Parameters
    ----------
    performance : DataFrame
        model, portfolio and the measures, as fractions.
    language : str
        en or ja.

    Returns
    -------
    Figure
        One line a model and portfolio, fractions as per cent; a line parts the models.
    """
    height = 0.26
    count = len(performance)
    figure = new_figure(10.0, height * (count + 4))
    axes = figure.add_subplot()
    axes.set_axis_off()
    suptitle(figure, t("title.performance", language))
    axes.set_xlim(0, 1)
    axes.set_ylim(count - 0.4, -2.0)
    right = np.linspace(0.48, 0.995, len(COLUMNS) - 2)
    edges = [0.005, 0.205, *right]
    align = ["left", "left", *["right"] * len(right)]
    for edge, side, name in zip(edges, align, COLUMNS, strict=True):
        # The unit has a line of its own: the columns are no wider than that.
        head = t(f"performance.{name}", language).replace(", %", "\n%").replace("、%", "\n%")
        axes.text(edge, -0.7, head, ha=side, va="bottom", fontsize=8.5, color="#555555")
        for place, value in enumerate(performance[name].tolist()):
            words = (
                display_name(name, str(value), language) if side == "left" else cell(name, value)
            )
            axes.text(edge, place, words, ha=side, va="center", fontsize=9)
    axes.axhline(-0.5, color="#000000", linewidth=0.9)
    for place, (one, other) in enumerate(pairwise(performance["model"])):
        axes.axhline(place + 0.5, color="#CCCCCC" if one == other else "#000000", linewidth=0.5)
    return apply_font(figure, language)


def cell(name: str, value: object) -> str:
    """Return a measure as it is written in the table."""
    if not isinstance(value, float):
        return str(value)
    if pd.isna(value):
        return "-"
    return f"{100 * value:.1f}" if name in _PERCENT else f"{value:.2f}"
