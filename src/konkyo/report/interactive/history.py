"""Relevance over time: by group of inputs, and the effect of every attribute."""

import pandas as pd
import plotly.graph_objects as go

from konkyo.i18n import Language, t
from konkyo.report.figures.history import effect_grid, effect_limit, group_colour
from konkyo.report.figures.monthly import YEAR
from konkyo.report.interactive.style import (
    DIVERGING,
    as_float32,
    axis,
    base_layout,
    colour_bar,
    dates,
    escape_html,
    line,
    places,
)
from konkyo.report.tables.labels import feature_names


def group_lines(groups: pd.DataFrame, labels: pd.DataFrame, language: Language = "en") -> go.Figure:
    """Draw how much each group of inputs moves the scores, and sets long and short apart.

    Takes what `figures.history.group_lines` takes. Lines are means of 12 months; pointing at one
    tells the month's own.
    """
    traces, names = [], feature_names(labels, language)
    for group, series in groups.groupby("group", sort=False):
        own = series.sort_values("month")
        for column, panel, form in (("difference", "y", "+.3f"), ("share", "y2", ".1%")):
            traces.append(
                line(
                    own["month"],
                    own[column].rolling(YEAR, min_periods=1).mean(),
                    escape_html(names.get(str(group), str(group))),
                    group_colour(str(group)),
                    width=2,
                    customdata=as_float32(own[column]),
                    hovertemplate="%{x|%Y-%m}: %{customdata:" + form + "}",
                    legendgroup=str(group),
                    showlegend=panel == "y",
                    xaxis="x",
                    yaxis=panel,
                )
            )
    return base_layout(
        traces,
        t("title.group_means", language),
        height=600,
        xaxis=axis(t("axis.decision_month", language), anchor="y2", type="date"),
        yaxis=axis(t("axis.difference_short", language), domain=[0.53, 1]),
        yaxis2=axis(
            t("axis.share_of_relevance", language),
            domain=[0, 0.47],
            tickformat=".0%",
            rangemode="tozero",
        ),
    )


def effect_map(effects: pd.DataFrame, labels: pd.DataFrame, language: Language = "en") -> go.Figure:
    """Draw every attribute's effect on the scores in every month.

    Takes what `figures.history.effect_map` takes.
    """
    wide = effect_grid(effects)
    limit = effect_limit(wide)
    names = feature_names(labels, language)
    heads = [escape_html(names.get(str(name), str(name))) for name in wide.index]
    cells = go.Heatmap(
        x=dates(pd.DatetimeIndex(wide.columns)),
        y=list(range(len(wide))),
        z=as_float32(wide),
        customdata=[[head] * wide.shape[1] for head in heads],
        colorscale=DIVERGING,
        zmin=-limit,
        zmax=limit,
        colorbar=colour_bar(t("axis.effect", language)),
        hovertemplate="%{customdata}<br>%{x|%Y-%m}: %{z:+.3f}<extra></extra>",
    )
    return base_layout(
        [cells],
        t("title.effect_map", language),
        height=170 + 19 * len(wide),
        xaxis=axis(type="date", side="top", showgrid=False),
        yaxis=places(heads, range=[len(wide) - 0.5, -0.5]),
    )
