"""The factors: how far each sets long and short apart, and how its relevance follows its value."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.figures.arrange import largest
from konkyo.figures.factors import BINS, MOST
from konkyo.figures.texts import Language, feature_names, text, value_words
from konkyo.interactive.style import INK, MUTED, axis, colour_of, places, safe, short, slim
from konkyo.months import label


def factor_bars(
    means: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> go.Figure:
    """Draw each input's mean relevance in the long and in the short portfolio (figure 9).

    Parameters
    ----------
    means : DataFrame
        What `reading.factors.factor_means` returns: feature, long, short (units of the score),
        difference, p, p_adjusted, stars, stars_adjusted.
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs, by absolute difference.

    Returns
    -------
    plotly Figure
        Two bars an input, the largest difference on top; on the right the stars of Welch's test
        and those after the correction for testing all inputs at once.
    """
    shown = largest(means, "difference", most)
    count = len(shown)
    names = feature_names(labels, language)
    heads = [safe(names.get(name, name)) for name in shown["feature"]]
    told = [
        f"{head}: p {p:.2g}, {text('corrected', language)} {adjusted:.2g}"
        for head, p, adjusted in zip(heads, shown["p"], shown["p_adjusted"], strict=True)
    ]
    traces = [
        go.Bar(
            x=short(shown[side]),
            y=list(range(count)),
            orientation="h",
            name=text(side, language),
            marker={"color": colour_of(side)},
            customdata=told,
            hovertemplate="%{customdata}<br>%{x:+.4f}",
        )
        for side in ("long", "short")
    ]
    columns = (("test", "stars", 1.03), ("corrected", "stars_adjusted", 1.1))
    notes = []
    for head, column, edge in columns:
        look = {"xref": "paper", "x": edge, "showarrow": False, "xanchor": "center"}
        notes.append({**look, "y": -0.9, "text": text(head, language), "font": {"size": 10}})
        notes += [
            {**look, "y": row, "text": stars, "font": {"size": 12, "color": MUTED}}
            for row, stars in enumerate(shown[column])
            if stars
        ]
    return slim(
        traces,
        text("factor_bars", language),
        height=150 + 22 * count,
        margin={"l": 8, "r": 80, "t": 76, "b": 8},
        barmode="group",
        bargap=0.25,
        annotations=notes,
        xaxis=axis(text("mean_relevance", language)),
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

    Parameters
    ----------
    points : DataFrame
        What `reading.factors.factor_points` returns: feature, month, stock, side, value (known at
        t), relevance (units of the score); a sample of the long and the short portfolio.
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
    plotly Figure
        The scatter with the smoothed mean and its band, and how values and relevances of long
        and short are distributed, above and on the right. A point tells its stock and month.
    """
    own, curve = points[points["feature"] == feature], shape[shape["feature"] == feature]
    name = safe(feature_names(labels, language).get(feature, feature))
    traces: list[go.Scatter | go.Bar] = []
    for side in ("long", "short"):
        rows = own[own["side"] == side]
        stocks = zip(rows["stock"], rows["month"], strict=True)
        traces.append(
            go.Scatter(
                x=short(rows["value"]),
                y=short(rows["relevance"]),
                name=text(side, language),
                mode="markers",
                marker={"color": colour_of(side), "size": 4.5, "opacity": 0.5},
                customdata=[f"{safe(stock)}, {label(month)}" for stock, month in stocks],
                hovertemplate="%{customdata}<br>%{x:.3g}: %{y:+.4f}",
                legendgroup=side,
            )
        )
        traces += _histograms(own, side)
    band = np.concatenate([curve["high"], curve["low"].to_numpy()[::-1]])
    there = np.concatenate([curve["value"], curve["value"].to_numpy()[::-1]])
    traces += [
        go.Scatter(
            x=short(there),
            y=short(band),
            name=text("band", language),
            fill="toself",
            mode="none",
            fillcolor="rgba(128,128,128,0.25)",
            hoverinfo="skip",
        ),
        go.Scatter(
            x=short(curve["value"]),
            y=short(curve["relevance"]),
            name=text("smoothed_mean", language),
            mode="lines",
            line={"color": INK, "width": 2.6},
            hovertemplate="%{x:.3g}: %{y:+.4f}",
        ),
    ]
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "fixedrange": True}
    return slim(
        traces,
        text("factor_scatter", language, name=name),
        height=480,
        barmode="overlay",
        bargap=0,
        xaxis=axis(safe(value_words(labels, feature, language)), domain=[0, 0.84]),
        yaxis=axis(text("relevance", language), domain=[0, 0.82]),
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
            place = {"x": counts, "y": short(middles), "orientation": "h", "xaxis": "x2"}
        else:
            place = {"x": short(middles), "y": counts, "yaxis": "y2"}
        bars.append(go.Bar(**place, **look))
    return bars
