"""Relevance over time: by group of inputs, and the effect of every attribute."""

import pandas as pd
import plotly.graph_objects as go

from konkyo.figures.history import effect_grid, effect_limit, group_colour
from konkyo.figures.monthly import YEAR
from konkyo.figures.texts import Language, feature_names, text
from konkyo.interactive.style import (
    DIVERGING,
    axis,
    dates,
    line,
    places,
    safe,
    short,
    slim,
)


def group_lines(groups: pd.DataFrame, labels: pd.DataFrame, language: Language = "en") -> go.Figure:
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
    plotly Figure
        Above, the difference of mean relevance between long and short; below, the group's share
        of all absolute relevance. Means of 12 months; pointing at a line tells the month's own.
    """
    traces, names = [], feature_names(labels, language)
    for group, series in groups.groupby("group", sort=False):
        own = series.sort_values("month")
        for column, panel, form in (("difference", "y", "+.3f"), ("share", "y2", ".1%")):
            traces.append(
                line(
                    own["month"],
                    own[column].rolling(YEAR, min_periods=1).mean(),
                    safe(names.get(str(group), str(group))),
                    group_colour(str(group)),
                    width=2,
                    customdata=short(own[column]),
                    hovertemplate="%{x|%Y-%m}: %{customdata:" + form + "}",
                    legendgroup=str(group),
                    showlegend=panel == "y",
                    xaxis="x",
                    yaxis=panel,
                )
            )
    mean = text("mean_of_12", language)
    return slim(
        traces,
        text("group_lines", language),
        height=600,
        xaxis=axis(text("decision_month", language), anchor="y2", type="date"),
        yaxis=axis(f"{text('difference_short', language)}, {mean}", domain=[0.53, 1]),
        yaxis2=axis(
            f"{text('share_of_relevance', language)}, {mean}",
            domain=[0, 0.47],
            tickformat=".0%",
            rangemode="tozero",
        ),
    )


def effect_map(effects: pd.DataFrame, labels: pd.DataFrame, language: Language = "en") -> go.Figure:
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
    plotly Figure
        A heat map, the attribute of the largest mean absolute effect on top: red where high
        values raise the score, blue where they lower it.
    """
    wide = effect_grid(effects)
    limit = effect_limit(wide)
    names = feature_names(labels, language)
    heads = [safe(names.get(str(name), str(name))) for name in wide.index]
    cells = go.Heatmap(
        x=dates(pd.DatetimeIndex(wide.columns)),
        y=list(range(len(wide))),
        z=short(wide),
        customdata=[[head] * wide.shape[1] for head in heads],
        colorscale=DIVERGING,
        zmin=-limit,
        zmax=limit,
        colorbar={
            "orientation": "h",
            "len": 0.6,
            "thickness": 10,
            "y": -0.02,
            "yanchor": "top",
            "outlinewidth": 0,
            "title": {"text": text("effect_axis", language), "side": "bottom"},
        },
        hovertemplate="%{customdata}<br>%{x|%Y-%m}: %{z:+.3f}<extra></extra>",
    )
    return slim(
        [cells],
        text("effect_map", language),
        height=170 + 19 * len(wide),
        margin={"l": 8, "r": 12, "t": 70, "b": 8},
        xaxis=axis(type="date", side="top", showgrid=False),
        yaxis=places(heads, range=[len(wide) - 0.5, -0.5]),
    )
