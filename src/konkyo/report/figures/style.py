"""What all figures share: size, colours, axes, labels at the ends of lines."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from unicodedata import east_asian_width

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import ConciseDateFormatter, YearLocator, date2num
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from scipy.optimize import isotonic_regression

from konkyo.i18n import Language, display_name, t
from konkyo.io import atomic_write

# Okabe and Ito's colours, which eyes of every kind tell apart. Long is on the red side and short on
# the blue one, as what raises a score is red and what lowers it is blue.
COLOURS = {
    "long": "#D55E00",
    "short": "#0072B2",
    "spread": "#000000",
    "spread_net": "#CC79A7",
    "market": "#7A7A7A",
    "network": "#000000",
    "ridge": "#0072B2",
    "placebo": "#E69F00",
    "named": "#009E73",
    "characteristic": "#0072B2",
    "sector": "#E69F00",
    "calendar": "#CC79A7",
    "market_group": "#009E73",
    "absorbed": "#7A7A7A",
}
OTHER = "#009E73"
SERIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7A7A7A")
# Ends of the diverging scale, ColorBrewer's RdBu: black figures stay readable on both.
RAISES, LOWERS = "#D6604D", "#4393C3"
DIVERGING = LinearSegmentedColormap.from_list("relevance", [LOWERS, "#FFFFFF", RAISES])
_YEARS_WITHOUT_STEPS = 12
_TITLE: dict[str, Any] = {"fontsize": 11, "fontweight": "bold"}
_NOTE = 7.5
_YEAR = 12

Along = Literal["x", "y", "both"]


def canvas(title: str) -> tuple[Figure, Axes]:
    """Return an empty figure (8 x 4.5 inches) and its axes, free of any global state."""
    figure = new_figure(8.0, 4.5)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", **_TITLE)
    despine(axes)
    return figure, axes


def rows_canvas(title: str, names: Sequence[str], step: float = 0.25) -> tuple[Figure, Axes]:
    """Return an empty figure and axes for one bar or two a row, `names` downwards.

    The title begins at the edge of the figure, since long names move the axes to the right.
    """
    count = len(names)
    figure = new_figure(8.0, 1.4 + step * count)
    suptitle(figure, title)
    axes = figure.add_subplot()
    despine(axes, "x")
    axes.set_yticks(range(count), list(names), fontsize=8.5)
    axes.set_ylim(count - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def new_figure(width: float, height: float) -> Figure:
    """Return a figure without axes, in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def suptitle(figure: Figure, title: str) -> None:
    """Write the title of a figure whose axes do not begin at its edge."""
    figure.suptitle(title, x=0.01, ha="left", **_TITLE)


def despine(axes: Axes, along: Along = "y") -> None:
    """Take from axes what carries no number: the frame above and on the right, one grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=along, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9)


def note(figure: Figure, words: str) -> None:
    """Write a note under everything, in small letters."""
    em = 0.97 * figure.get_figwidth() * 72 / _NOTE
    figure.supxlabel(wrapped(words, em), x=0.01, ha="left", fontsize=_NOTE, color="#555555")


def key_below(figure: Figure, axes: Axes, columns: int) -> Legend:
    """Put the legend under the axes, where it covers nothing."""
    return figure.legend(
        *axes.get_legend_handles_labels(), frameon=False, fontsize=8.5, ncols=columns,
        loc="outside lower center",
    )  # fmt: skip


def months_and_mean(
    axes: Axes, months: pd.Series, values: pd.Series, colour: str, name: str
) -> None:
    """Draw a noisy monthly series thin, and its mean of 12 months (fewer at first) thick."""
    axes.plot(months, values, color=colour, linewidth=0.7, alpha=0.4)
    smooth = values.rolling(_YEAR, min_periods=1).mean()
    axes.plot(months, smooth, color=colour, linewidth=1.9, label=name)


def width_of(words: str) -> float:
    """Return about how wide a text is drawn, in sizes of its font: Japanese letters are square."""
    return sum(1.0 if east_asian_width(letter) in "WF" else 0.6 for letter in words)


def clipped(words: str, width: float) -> str:
    """Return a text no wider than this (in sizes of its font), with an ellipsis where it is cut."""
    if width_of(words) <= width:
        return words
    kept = len(words)
    while width_of(words[:kept]) > width - 1:
        kept -= 1
    return words[:kept].rstrip() + "…"


def wrapped(words: str, width: float) -> str:
    """Return a text in lines of about this width (in sizes of its font).

    Lines break at spaces, and between any two Japanese letters.
    """
    lines, line = [], ""
    for part in re.findall(r"[ -~]+?(?: |$|(?=[^ -~]))|[^ -~]", words):
        if line and width_of(line + part.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += part
    return "\n".join([*lines, line])


def save(figure: Figure, path: Path, dpi: int) -> None:
    """Write a figure in the format of the path's suffix, replacing the file whole."""
    figure.set_dpi(dpi)
    engine = figure.get_layout_engine()
    if engine is not None:
        # Where an engine is set, savefig draws everything twice, once for the layout alone.
        engine.execute(figure)
        figure.set_layout_engine(None)
    with atomic_write(path) as scratch:
        figure.savefig(scratch, dpi=dpi)
    figure.set_layout_engine(engine)


def year_axis(axes: Axes, months: pd.Series) -> None:
    """Mark years on the x axis; a short record (under two years) shows its months."""
    first, last = months.min(), months.max()
    years = last.year - first.year + 1
    if years > 2:
        axes.xaxis.set_major_locator(YearLocator(1 if years <= _YEARS_WITHOUT_STEPS else 2))
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))


def percent_axis(axes: Axes, what: str, language: Language = "en", along: Along = "y") -> None:
    """Show an axis's fractions as per cent; `what` is the key of what is measured."""
    axis = axes.xaxis if along == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))
    axis.set_label_text(t("axis.per_cent", language, what=t(what, language)), fontsize=9)


def value_axis(axes: Axes, language: Language = "en") -> None:
    """Put the y axis on a log scale that reads 0.5, 1, 2, 5: equal steps are equal returns.

    Call it after the lines are drawn: how many marks there are follows from how far they range.
    """
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if high / low < 1.6:
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    else:
        wide = high / low > 5
        marks = (1.0, 2.0, 5.0) if wide else (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0)
        axes.yaxis.set_major_locator(LogLocator(base=10.0, subs=marks))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylabel(t("axis.value_of_one", language), fontsize=9)


def separate_labels(places: Sequence[float], gap: float) -> np.ndarray:
    """Return places in order, at least a gap apart and as near (by squares) as can be."""
    if not len(places):
        return np.empty(0)
    steps = gap * np.arange(len(places))
    # Apart by a gap is in order once the steps are taken off, and nearest is a regression then.
    return isotonic_regression(np.asarray(places, dtype=float) - steps).x + steps


def label_ends(
    axes: Axes,
    ends: dict[str, tuple[pd.Timestamp, float]],
    section: str,
    language: Language = "en",
) -> None:
    """Write each line's name beside its last point, moved apart where names would overlap.

    Parameters
    ----------
    axes : Axes
        Axes with their final limits and scales; the labels stand to the right of them.
    ends : dict
        The name of a line (a key of `COLOURS` where it has one) and its last point.
    section : str
        The catalogue's section of these names: model or portfolio.
    language : str
        en or ja.
    """
    gap = 0.055
    scale = axes.transData
    heights = {
        name: axes.transAxes.inverted().transform(scale.transform((date2num(x), y)))[1]
        for name, (x, y) in ends.items()
    }
    order = sorted(heights, key=lambda name: heights[name])
    places = separate_labels([heights[name] for name in order], gap)
    for name, place in zip(order, places, strict=True):
        axes.annotate(
            display_name(section, name, language),
            xy=(1.01, place),
            xycoords="axes fraction",
            color=COLOURS.get(name, OTHER),
            fontsize=9,
            va="center",
            annotation_clip=False,
        )
