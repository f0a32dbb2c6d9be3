"""The single stock: the inputs of the longest and the shortest, and what changed a score."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from konkyo.figures.arrange import heat_grid, numbers, score_steps
from konkyo.figures.stocks import MOST, STEPS, change_words, step_colours
from konkyo.figures.texts import Language, feature_names, sector_name, text
from konkyo.interactive.style import DIVERGING, INK, MUTED, axis, places, safe, short, slim
from konkyo.months import label


def stock_heat(
    table: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> go.Figure:
    """Draw the inputs of the longest and the shortest stocks of a month (the paper's figure 8).

    Parameters
    ----------
    table : DataFrame
        What `reading.stocks.stock_table` returns: month, side, stock, sector, rank, score,
        feature, value (known at t), relevance.
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs, by mean absolute relevance among the stocks.

    Returns
    -------
    plotly Figure
        Rows are stocks, the longest on top; columns are inputs. A cell's number is the input's
        value and its colour the relevance, on one scale; both are told where one points.
    """
    grid, names = heat_grid(table, most), feature_names(labels, language)
    rows = len(grid.rows)
    stocks = [safe(stock) for stock in grid.rows["stock"]]
    heads = [safe(names.get(name, name)) for name in grid.features]
    cells = go.Heatmap(
        z=short(grid.relevance),
        text=np.array([numbers(column) for column in grid.value.T]).T.tolist(),
        texttemplate="%{text}",
        textfont={"size": 10},
        customdata=np.broadcast_to(np.array(stocks)[:, None], grid.value.shape).tolist(),
        colorscale=DIVERGING,
        zmin=-grid.limit,
        zmax=grid.limit,
        xgap=1,
        ygap=1,
        colorbar={
            "orientation": "h",
            "len": 0.5,
            "thickness": 10,
            "y": 0,
            "yanchor": "top",
            "outlinewidth": 0,
            "title": {"text": text("relevance", language), "side": "bottom"},
        },
        hovertemplate="%{customdata}<br>%{x}: %{text}<br>%{z:+.3f}<extra></extra>",
    )
    sides = grid.rows["side"].to_numpy()
    edges = np.flatnonzero(sides[1:] != sides[:-1]) + 0.5
    figure = slim(
        [cells],
        text("stock_heat", language, month=label(table["month"].iloc[0])),
        height=300 + 22 * rows,
        xaxis=places(heads, side="top", tickangle=-50, range=[-0.5, len(heads) - 0.5]),
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
    # The number of a place says nothing to who points at it; the input's name does.
    figure.data[0].x = list(range(len(heads)))
    return figure


def _row_heads(rows: pd.DataFrame, names: dict[str, str], language: Language) -> list[str]:
    heads = []
    for row in rows.to_dict("records"):
        sector = sector_name(row["sector"], names, language)
        words = f"{row['rank']}  <b>{safe(row['stock'])}</b>  {safe(sector)}  {row['score']:+.2f}"
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

    Parameters
    ----------
    changes : DataFrame
        What `reading.stocks.score_changes` returns; the stock's newest month is drawn.
    labels : DataFrame
        feature, en, ja.
    stock : str
        A stock of the table.
    language : str
        en or ja.
    most : int
        At most so many inputs with a bar of their own.

    Returns
    -------
    plotly Figure
        A bar a step, from the score before on top to the score now: the steps add up.
    """
    steps = score_steps(changes, stock, most)
    title, names = change_words(steps, labels, stock, language)
    count = len(steps)
    bars = go.Bar(
        x=short(steps["change"]),
        base=short(steps["start"]),
        y=list(range(count)),
        orientation="h",
        width=0.66,
        marker={"color": step_colours(steps)},
        text=[f"{change:+.3f}" for change in steps["change"]],
        textposition="outside",
        textfont={"size": 10, "color": MUTED},
        cliponaxis=False,
        customdata=[safe(name) for name in names],
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )
    return slim(
        [bars],
        safe(title),
        height=120 + 24 * count,
        margin={"l": 8, "r": 40, "t": 50, "b": 8},
        xaxis=axis(text("score", language)),
        yaxis=places([safe(name) for name in names]),
    )
