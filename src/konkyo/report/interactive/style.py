"""What all interactive figures share: a slim layout, colours for light and dark, hostile names."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.report.figures.style import COLOURS, LOWERS, RAISES

INK, MUTED, GRID, PAPER = "#24292f", "#6e7781", "#dfe3e8", "#fefefe"
DARK = {INK: "#e6edf3", MUTED: "#929ba5", GRID: "#343a42", PAPER: "#0f141a"}
"""The colours that a dark page replaces wherever they stand in a figure's JSON; all others are
read on both. The figures carry those of a light page and are transparent behind."""

CLEAR = "rgba(0,0,0,0)"
DIVERGING = [[0.0, LOWERS], [0.5, PAPER], [1.0, RAISES]]
FONT = "system-ui, 'IPAexGothic', sans-serif"


def colour_of(name: str, default: str = "#009E73") -> str:
    """Return a series's colour; what is black on paper is the page's ink."""
    colour = COLOURS.get(name, default)
    return INK if colour == "#000000" else colour


def base_layout(traces: Iterable[Any], title: str, height: int = 420, **layout: Any) -> go.Figure:
    """Return a figure without a template, transparent, its legend in a row under the title.

    Parameters
    ----------
    traces : iterable
        Traces of plotly.graph_objects.
    title : str
        The title; a page may take it out of the layout and write it as its own heading.
    height : int
        Pixels; the width is the page's.
    **layout
        Taken over into the layout; axes by the names xaxis, yaxis, xaxis2...
    """
    axes = {"x": "xaxis", "y": "yaxis"}
    for key in axes.values():
        layout.setdefault(key, {})
    for key in [key for key in layout if key.startswith(("xaxis", "yaxis"))]:
        layout[key] = _AXIS | layout[key]
    figure = go.Figure(
        data=list(traces),
        layout={
            "title": {"text": title, "x": 0, "xref": "paper", "font": {"size": 15}},
            "font": {"family": FONT, "size": 12, "color": INK},
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "height": height,
            "margin": {"l": 8, "r": 12, "t": 60, "b": 8},
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
            "hoverlabel": {"font": {"family": FONT}},
            **layout,
        },
    )
    figure.layout.template = None
    return figure


def colour_bar(title: str, **settings: Any) -> dict[str, Any]:
    """Return a colour bar that lies below the figure."""
    font = {"size": 11, "color": MUTED}
    return {
        "orientation": "h",
        "len": 0.5,
        "thickness": 10,
        "y": 0,
        "yanchor": "top",
        "outlinewidth": 0,
        "title": {"text": title, "side": "bottom", "font": font},
        **settings,
    }


_AXIS = {
    "automargin": True,
    "gridcolor": GRID,
    "zerolinecolor": MUTED,
    "zerolinewidth": 1,
    "tickfont": {"size": 11},
    "title": {"font": {"size": 12, "color": MUTED}},
}


def axis(title: str = "", **settings: Any) -> dict[str, Any]:
    """Return an axis with a title in small, muted letters."""
    font = {"size": 12, "color": MUTED}
    return {"title": {"text": title, "font": font}, **settings}


def places(names: Sequence[str], **settings: Any) -> dict[str, Any]:
    """Return an axis that writes a name at 0, 1, 2...: equal names stay apart.

    It reads downwards: the first is on top.
    """
    count = len(names)
    return {
        "tickmode": "array",
        "tickvals": list(range(count)),
        "ticktext": list(names),
        "range": [count - 0.4, -0.6],
        "showgrid": False,
        "zeroline": False,
        **settings,
    }


def dates(months: "pd.Series | pd.DatetimeIndex") -> list[str]:
    """Return months as YYYY-MM-DD, which a date axis takes."""
    return pd.DatetimeIndex(months).strftime("%Y-%m-%d").tolist()


def as_float32(values: Any) -> np.ndarray:
    """Return numbers in 32 bits: a figure's JSON is half as large."""
    return np.asarray(values, dtype=np.float32)


def escape_html(name: object) -> str:
    """Return a user's name so that plotly, which reads tags in texts, shows it as it is."""
    return escape(str(name), quote=False)


def bar(values: Any, name: str, colour: str, told: Sequence[str], hover: str) -> go.Bar:
    """Return bars to the right or left, one a place; `told` is what a place's hover text tells."""
    return go.Bar(
        x=as_float32(values),
        y=list(range(len(told))),
        orientation="h",
        name=name,
        marker={"color": colour},
        customdata=list(told),
        hovertemplate=hover,
    )


def line(
    months: "pd.Series | pd.DatetimeIndex",
    values: Any,
    name: str,
    colour: str,
    width: float = 1.6,
    **settings: Any,
) -> go.Scatter:
    """Return a line over months."""
    return go.Scatter(
        x=dates(months),
        y=as_float32(values),
        name=name,
        mode="lines",
        line={"color": colour, "width": width},
        **settings,
    )
