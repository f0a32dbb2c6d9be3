"""The factors: how far each sets long and short apart, and how its relevance follows its value."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.figures.factors import BINS, MOST
from konkyo.report.interactive.style import (
    INK,
    MUTED,
    as_float32,
    axis,
    bar,
    base_layout,
    colour_of,
    escape_html,
    places,
)
from konkyo.report.tables.figure_data import largest
from konkyo.report.tables.labels import feature_names, value_words


def factor_bars(
    means: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> go.Figure:
    """Draw each input's mean relevance in the long and in the short portfolio (figure 9).

    Takes what `figures.factors.factor_bars` takes, and of `means` also p and p_adjusted, which are
    told where one points.
    """
    shown = largest(means, "difference", most)
    count = len(shown)
    names = feature_names(labels, language)
    heads = [escape_html(names.get(name, name)) for name in shown["feature"]]
    told = [
        f"{head}: p {p:.2g}, {t('legend.corrected', language)} {adjusted:.2g}"
        for head, p, adjusted in zip(heads, shown["p"], shown["p_adjusted"], strict=True)
    ]
    traces = [
        bar(
            shown[side],
            t(f"portfolio.{side}", language),
            colour_of(side),
            told,
            "%{customdata}<br>%{x:+.4f}",
        )
        for side in ("long", "short")
    ]
    notes = []
    # In pixels from the edge, so that the columns stay apart on a narrow page.
    for head, column, edge in (
        ("legend.test", "stars", 30),
        ("legend.corrected", "stars_adjusted", 86),
    ):
        look: dict[str, Any] = {"xref": "paper", "x": 1, "xshift": edge, "xanchor": "center"}
        look["showarrow"] = False
        top = {"yref": "paper", "y": 1, "yanchor": "bottom", "font": {"size": 10, "color": MUTED}}
        notes.append({**look, **top, "text": t(head, language)})
        notes += [
            {**look, "y": row, "text": stars, "font": {"size": 12, "color": MUTED}}
            for row, stars in enumerate(shown[column])
            if stars
        ]
    return base_layout(
        traces,
        t("title.factor_bars", language),
        height=150 + 22 * count,
        margin={"l": 8, "r": 118, "t": 60, "b": 8},
        barmode="group",
        bargap=0.25,
        annotations=notes,
        xaxis=axis(t("axis.mean_relevance", language)),
        yaxis=places(heads),
    )


def factor_scatter(
    points: pd.DataFrame,
    shape: pd.DataFrame,
    labels: pd.DataFrame,
    feature: str,
    language: Language = "en",
) -> go.Figure:
    """Draw an input's value against its relevance (the paper's figure 10).

    Takes what `figures.factors.factor_scatter` takes, and of `points` also stock and month, which a
    point tells.
    """
    own, curve = points[points["feature"] == feature], shape[shape["feature"] == feature]
    name = escape_html(feature_names(labels, language).get(feature, feature))
    traces: list[go.Scatter | go.Bar] = []
    for side in ("long", "short"):
        rows = own[own["side"] == side]
        stocks = zip(rows["stock"], rows["month"], strict=True)
        traces.append(
            go.Scatter(
                x=as_float32(rows["value"]),
                y=as_float32(rows["relevance"]),
                name=t(f"portfolio.{side}", language),
                mode="markers",
                marker={"color": colour_of(side), "size": 4.5, "opacity": 0.5},
                customdata=[f"{escape_html(stock)}, {label(month)}" for stock, month in stocks],
                hovertemplate="%{customdata}<br>%{x:.3g}: %{y:+.4f}",
                legendgroup=side,
            )
        )
        traces += _histograms(own, side)
    band = np.concatenate([curve["high"], curve["low"].to_numpy()[::-1]])
    there = np.concatenate([curve["value"], curve["value"].to_numpy()[::-1]])
    traces += [
        go.Scatter(
            x=as_float32(there),
            y=as_float32(band),
            name=t("legend.band", language),
            fill="toself",
            mode="none",
            fillcolor="rgba(128,128,128,0.25)",
            hoverinfo="skip",
        ),
        go.Scatter(
            x=as_float32(curve["value"]),
            y=as_float32(curve["relevance"]),
            name=t("legend.smoothed_mean", language),
            mode="lines",
            line={"color": INK, "width": 2.6},
            hovertemplate="%{x:.3g}: %{y:+.4f}",
        ),
    ]
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "fixedrange": True}
    return base_layout(
        traces,
        t("title.factor_scatter", language, name=name),
        height=480,
        barmode="overlay",
        bargap=0,
        xaxis=axis(escape_html(value_words(labels, feature, language)), domain=[0, 0.84]),
        yaxis=axis(t("axis.relevance", language), domain=[0, 0.82]),
        xaxis2={"domain": [0.86, 1], "anchor": "y", **bare},
        yaxis2={"domain": [0.84, 1], "anchor": "x", **bare},
    )


def _histograms(own: pd.DataFrame, side: str) -> list[go.Bar]:
    """Return the counts of values (above) and of relevances (on the right) of one side."""
    bars = []
    for column, across in (("value", False), ("relevance", True)):
        edges = np.histogram_bin_edges(own[column].to_numpy(float), bins=BINS)
        counts = np.histogram(own.loc[own["side"] == side, column], bins=edges)[0]
        middles, width = (edges[1:] + edges[:-1]) / 2, edges[1] - edges[0]
        look = {
            "marker": {"color": colour_of(side), "opacity": 0.5, "line": {"width": 0}},
            "width": width,
            "legendgroup": side,
            "showlegend": False,
            "hoverinfo": "skip",
        }
        if across:
            place = {"x": counts, "y": as_float32(middles), "orientation": "h", "xaxis": "x2"}
        else:
            place = {"x": as_float32(middles), "y": counts, "yaxis": "y2"}
        bars.append(go.Bar(**place, **look))
    return bars
