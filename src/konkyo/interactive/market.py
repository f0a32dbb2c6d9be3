"""The market series: when they set long and short apart, and which stocks they moved."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.figures.arrange import decile_ends
from konkyo.figures.market import MOST, decile_words
from konkyo.figures.style import SERIES
from konkyo.figures.texts import Language, feature_names, text
from konkyo.interactive.style import axis, colour_of, dates, line, places, safe, short, slim
from konkyo.months import label


def market_lines(
    over_time: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> go.Figure:
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
    plotly Figure
        One panel a market series, on one scale; the marked months have a point and tell theirs.
    """
    names = feature_names(labels, language)
    features = over_time["feature"].unique()
    count = len(features)
    reach = float(over_time["difference"].abs().max()) * 1.2
    traces, layout, notes = [], {}, []
    for place, feature in enumerate(features):
        own = over_time[over_time["feature"] == feature].sort_values("month")
        number = "" if place == 0 else str(place + 1)
        name, top = safe(names.get(feature, feature)), 1 - place / count
        told: dict[str, Any] = {
            "hovertemplate": "%{x|%Y-%m}: %{y:+.4f}<extra></extra>",
            "showlegend": False,
        }
        panel: dict[str, Any] = {"xaxis": "x", "yaxis": f"y{number}", **told}
        traces.append(line(own["month"], own["difference"], name, SERIES[0], **panel))
        marked = own[own["marked"]]
        traces.append(
            go.Scatter(
                x=dates(marked["month"]),
                y=short(marked["difference"]),
                mode="markers",
                marker={"color": colour_of("long"), "size": 7},
                **panel,
            )
        )
        layout[f"yaxis{number}"] = axis(
            domain=[top - 0.84 / count, top - 0.1 / count], range=[-reach, reach]
        )
        notes.append(
            {
                "text": f"<b>{name}</b>",
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": top - 0.1 / count,
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
        notes += _names(marked, f"y{number}")
    layout[f"yaxis{'' if count < 3 else (count + 1) // 2}"]["title"] = axis(
        text("relevance_difference", language)
    )["title"]
    return slim(
        traces,
        text("market_lines", language),
        height=110 + 170 * count,
        margin={"l": 8, "r": 12, "t": 44, "b": 8},
        annotations=notes,
        xaxis=axis(
            text("decision_month", language), anchor=f"y{'' if count == 1 else count}", type="date"
        ),
        **layout,
    )


def _names(marked: pd.DataFrame, panel: str) -> list[dict[str, object]]:
    """Name the marked months: above where long is higher, below where short is."""
    return [
        {
            "text": label(row["month"]),
            "xref": "x",
            "yref": panel,
            "x": f"{row['month']:%Y-%m-%d}",
            "y": float(row["difference"]),
            "showarrow": False,
            "yshift": 12 if row["difference"] >= 0 else -12,
            "font": {"size": 10},
        }
        for row in marked.to_dict("records")
    ]


def market_decile_bars(
    deciles: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> go.Figure:
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
    plotly Figure
        Two bars an attribute: its mean in the highest and in the lowest decile of relevance.
    """
    table, ends = decile_ends(deciles, most)
    names = feature_names(labels, language)
    feature, month = str(deciles["feature"].iloc[0]), label(deciles["month"].iloc[0])
    heads = [safe(names.get(name, name)) for name in table["attribute"]]
    traces = [
        go.Bar(
            x=short(table[column]),
            y=np.arange(len(table)),
            orientation="h",
            name=decile_words(ends.iloc[row], language),
            marker={"color": colour_of(side)},
            customdata=heads,
            hovertemplate="%{customdata}: %{x:+.2f}<extra></extra>",
        )
        for row, column, side in ((1, "high", "long"), (0, "low", "short"))
    ]
    name = safe(names.get(feature, feature))
    return slim(
        traces,
        text("market_decile_bars", language, name=name, month=month),
        height=160 + 24 * len(table),
        barmode="group",
        bargap=0.25,
        xaxis=axis(text("attribute_mean", language)),
        yaxis=places(heads),
    )
