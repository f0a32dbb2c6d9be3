"""The single stock: the inputs of the longest and the shortest, and what changed a score."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.figures.stocks import MOST, STEPS, change_words, step_colours
from konkyo.report.figures.style import clipped
from konkyo.report.interactive.style import (
    DIVERGING,
    INK,
    MUTED,
    as_float32,
    axis,
    base_layout,
    colour_bar,
    escape_html,
    places,
)
from konkyo.report.tables.figure_data import heat_grid, numbers, score_steps
from konkyo.report.tables.labels import feature_names, sector_name

_HEAD = 16.0
_LEAST = 1000


def stock_heat(
    table: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> go.Figure:
    """Draw the inputs of the longest and the shortest stocks of a month (the paper's figure 8).

    Takes what `figures.stocks.stock_heat` takes. A cell's value and relevance are told where one
    points; the last column is the relevance of all else: each row adds up to its score.
    """
    grid, names = heat_grid(table, most), feature_names(labels, language)
    rows = len(grid.rows)
    stocks = [escape_html(stock) for stock in grid.rows["stock"]]
    heads = [escape_html(names.get(name, name)) for name in grid.features]
    cells = go.Heatmap(
        z=as_float32(grid.relevance),
        text=[list(row) for row in zip(*map(numbers, grid.value.T), strict=True)],
        texttemplate="%{text}",
        textfont={"size": 10},
        customdata=[[f"{stock}<br>{head}" for head in heads] for stock in stocks],
        colorscale=DIVERGING,
        zmin=-grid.limit,
        zmax=grid.limit,
        xgap=1,
        ygap=1,
        colorbar=colour_bar(t("axis.relevance", language)),
        hovertemplate="%{customdata}: %{text}<br>%{z:+.3f}<extra></extra>",
    )
    rest = go.Scatter(
        x=[len(heads)] * rows,
        y=list(range(rows)),
        text=[f"{value:+.2f}" for value in grid.rest],
        mode="text",
        textfont={"size": 10, "color": MUTED},
        hoverinfo="skip",
        showlegend=False,
    )
    columns = [escape_html(clipped(names.get(name, name), _HEAD)) for name in grid.features]
    columns.append(t("legend.rest", language))
    sides = grid.rows["side"].to_numpy()
    edges = np.flatnonzero(sides[1:] != sides[:-1]) + 0.5
    return base_layout(
        [cells, rest],
        t("title.stock_heat", language, month=label(table["month"].iloc[0])),
        height=300 + 22 * rows,
        xaxis=places(
            columns,
            side="top",
            tickangle=-50,
            ticklabeloverflow="allow",
            range=[-0.5, len(heads) + 0.5],
        ),
        margin={"l": 8, "r": 80, "t": 60, "b": 8},
        meta={"least": _LEAST},
        yaxis=places(_row_heads(grid.rows, names, language), range=[rows - 0.5, -0.5]),
        shapes=[
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": edge,
                "y1": edge,
                "line": {"color": INK, "width": 1.5},
            }
            for edge in edges
        ],
    )


def _row_heads(rows: pd.DataFrame, names: dict[str, str], language: Language) -> list[str]:
    heads = []
    for row in rows.to_dict("records"):
        sector = sector_name(row["sector"], names, language)
        stock = escape_html(row["stock"])
        words = f"{row['rank']}  <b>{stock}</b>  {escape_html(sector)}  {row['score']:+.2f}"
        heads.append(words)
    return heads


def change_bars(
    changes: pd.DataFrame,
    labels: pd.DataFrame,
    stock: str,
    language: Language = "en",
    most: int = STEPS,
) -> go.Figure:
    """Draw what led from a stock's score of last month to this month's, input by input.

    Takes what `figures.stocks.change_bars` takes.
    """
    steps = score_steps(changes, stock, most)
    title, names = change_words(steps, labels, stock, language)
    count = len(steps)
    bars = go.Bar(
        x=as_float32(steps["change"]),
        base=as_float32(steps["start"]),
        y=list(range(count)),
        orientation="h",
        width=0.66,
        marker={"color": step_colours(steps)},
        text=[f"{change:+.3f}" for change in steps["change"]],
        textposition="outside",
        textfont={"size": 10, "color": MUTED},
        cliponaxis=False,
        customdata=[escape_html(name) for name in names],
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )
    return base_layout(
        [bars],
        escape_html(title),
        height=120 + 24 * count,
        margin={"l": 8, "r": 40, "t": 50, "b": 8},
        xaxis=axis(t("column.score", language)),
        yaxis=places([escape_html(name) for name in names]),
    )
