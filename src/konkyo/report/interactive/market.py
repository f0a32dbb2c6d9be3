"""The market series: when they set long and short apart, and which stocks they moved."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.figures.market import (
    MOST,
    difference_range,
    name_places,
    quantile_heads,
    quantile_words,
)
from konkyo.report.figures.style import SERIES
from konkyo.report.interactive.style import (
    MUTED,
    as_float32,
    axis,
    bar,
    base_layout,
    colour_of,
    dates,
    escape_html,
    line,
    places,
)
from konkyo.report.tables.figure_data import quantile_ends
from konkyo.report.tables.labels import feature_names


def market_lines(
    over_time: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> go.Figure:
    """Draw the long portfolio's mean relevance less the short one's, month by month (figure 11).

    Takes what `figures.market.market_lines` takes.
    """
    names = feature_names(labels, language)
    features = over_time["feature"].unique()
    count = len(features)
    edges = difference_range(over_time)
    traces, layout, notes = [], {}, []
    for place, feature in enumerate(features):
        own = over_time[over_time["feature"] == feature].sort_values("month")
        number = "" if place == 0 else str(place + 1)
        name, top = escape_html(names.get(feature, feature)), 1 - place / count
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
                y=as_float32(marked["difference"]),
                mode="markers",
                marker={"color": colour_of("long"), "size": 7},
                **panel,
            )
        )
        layout[f"yaxis{number}"] = axis(
            domain=[top - 0.84 / count, top - 0.1 / count], range=list(edges)
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
        notes += _names(marked, f"y{number}", over_time["month"], edges)
    layout[f"yaxis{'' if count < 3 else (count + 1) // 2}"]["title"] = axis(
        t("axis.relevance_difference", language)
    )["title"]
    return base_layout(
        traces,
        t("title.market_lines", language),
        height=110 + 170 * count,
        margin={"l": 8, "r": 12, "t": 44, "b": 8},
        annotations=notes,
        xaxis=axis(
            t("axis.decision_month", language),
            anchor=f"y{'' if count == 1 else count}",
            type="date",
        ),
        **layout,
    )


def _names(
    marked: pd.DataFrame, panel: str, months: pd.Series, edges: tuple[float, float]
) -> list[dict[str, Any]]:
    """Name the marked months at the panel's edge, with lines to them."""
    first, last = months.min(), months.max()
    low, high = edges
    return [
        {
            "text": label(row["month"]),
            "xref": "x",
            "yref": panel,
            "x": f"{row['month']:%Y-%m-%d}",
            "y": float(row["difference"]),
            "axref": "x",
            "ayref": panel,
            "ax": f"{first + row['place'] * (last - first):%Y-%m-%d}",
            "ay": high if row["up"] else low,
            "yanchor": "top" if row["up"] else "bottom",
            "arrowhead": 0,
            "arrowwidth": 0.7,
            "arrowcolor": MUTED,
            "font": {"size": 10},
        }
        for row in name_places(marked, first, last).to_dict("records")
    ]


def market_quantile_bars(
    quantiles: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> go.Figure:
    """Draw which stocks a market series moved most, up and down, in one month (figure 12).

    Takes what `figures.market.market_quantile_bars` takes.
    """
    table, ends = quantile_ends(quantiles, most)
    title, words = quantile_heads(quantiles, table, labels, language)
    heads = [escape_html(word) for word in words]
    traces = [
        bar(
            table[column],
            quantile_words(ends.iloc[row], language),
            colour_of(side),
            heads,
            "%{customdata}: %{x:+.2f}<extra></extra>",
        )
        for row, column, side in ((1, "high", "long"), (0, "low", "short"))
    ]
    return base_layout(
        traces,
        escape_html(title),
        height=160 + 24 * len(table),
        barmode="group",
        bargap=0.25,
        xaxis=axis(t("axis.attribute_mean", language)),
        yaxis=places(heads),
    )
