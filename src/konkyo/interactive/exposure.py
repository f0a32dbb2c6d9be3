"""What the portfolios hold beside the grounds: size, sectors, and which inputs turn them over."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from konkyo.figures.arrange import mean_turnover
from konkyo.figures.exposure import (
    BARS,
    FEATURES,
    SECTORS,
    rest_words,
    sector_lines,
    sector_shares,
    turnover_words,
    when,
)
from konkyo.figures.monthly import YEAR
from konkyo.figures.style import SERIES
from konkyo.figures.texts import Language, feature_names, sector_name, text
from konkyo.interactive.style import axis, colour_of, line, places, safe, short, slim


def exposure_lines(
    exposure: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", sectors: int = SECTORS
) -> go.Figure:
    """Draw the portfolios' size and sectors over time.

    Parameters
    ----------
    exposure : DataFrame
        What `reading.exposure.exposure` returns: month, kind (sector | size), name, long, short,
        difference; fractions.
    labels : DataFrame
        feature, en, ja: a sector is called as its dummy is.
    language : str
        en or ja.
    sectors : int
        So many sectors, those of the largest mean absolute difference.

    Returns
    -------
    plotly Figure
        Above, the mean size of long and short as a percentile; below, the difference between
        the shares of their stocks that belong to a sector, means of 12 months.
    """
    names = feature_names(labels, language)
    size = exposure[exposure["kind"] == "size"].sort_values("month")
    told: dict[str, Any] = {"hovertemplate": "%{x|%Y-%m}: %{y:.1%}", "xaxis": "x"}
    traces = []
    for side in ("long", "short"):
        values, name = size[side], text(side, language)
        smooth = values.rolling(YEAR, min_periods=1).mean()
        thin: dict[str, Any] = {"opacity": 0.4, "legendgroup": side, "showlegend": False}
        traces.append(line(size["month"], values, name, colour_of(side), 0.8, **told, **thin))
        bold: dict[str, Any] = {"legendgroup": side, "hoverinfo": "skip", "xaxis": "x"}
        traces.append(line(size["month"], smooth, name, colour_of(side), 2.2, **bold))
    for colour, (name, series) in zip(
        SERIES, sector_lines(exposure, sectors).items(), strict=False
    ):
        traces.append(
            line(
                series["month"],
                series["difference"],
                safe(sector_name(name, names, language)),
                colour,
                yaxis="y2",
                legend="legend2",
                **told,
            )
        )
    return slim(
        traces,
        text("exposure_lines", language),
        height=660,
        xaxis=axis(text("decision_month", language), anchor="y2", type="date"),
        yaxis=axis(text("size_axis", language), domain=[0.58, 1], tickformat=".0%"),
        yaxis2=axis(text("sector_axis", language), domain=[0, 0.44], tickformat=".0%"),
        legend2={"orientation": "h", "x": 0, "y": 0.45, "yanchor": "bottom"},
    )


def exposure_bars(
    exposure: pd.DataFrame,
    labels: pd.DataFrame,
    language: Language = "en",
    month: pd.Timestamp | None = None,
    most: int = BARS,
) -> go.Figure:
    """Draw the sectors of the long and the short portfolio.

    Parameters
    ----------
    exposure : DataFrame
        What `reading.exposure.exposure` returns.
    labels : DataFrame
        feature, en, ja: a sector is called as its dummy is.
    language : str
        en or ja.
    month : Timestamp, optional
        A decision month; by default the mean of all months.
    most : int
        At most so many sectors, by absolute difference.

    Returns
    -------
    plotly Figure
        Two bars a sector, in per cent of the portfolio's stocks; by difference.
    """
    shares = sector_shares(exposure, month, most)
    names = feature_names(labels, language)
    heads = [sector_name(name, names, language) for name in shares["name"]]
    title = text("exposure_bars", language, when=when(month, language))
    return _pairs(shares, heads, title, text("share_of_stocks", language), language)


def relevance_turnover_bars(
    turnover: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = FEATURES
) -> go.Figure:
    """Draw the turnover that each input's relevance brought about.

    Parameters
    ----------
    turnover : DataFrame
        What `reading.exposure.relevance_turnover` returns: month, side, feature, turnover (a
        fraction of the portfolio a month, one way).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs with bars of their own.

    Returns
    -------
    plotly Figure
        Two bars an input, in per cent a month. The legend has the portfolios' whole turnover,
        which is the bars and what the note says of the other inputs.
    """
    table, rest = mean_turnover(turnover, most)
    names = feature_names(labels, language)
    heads = [names.get(name, name) for name in table["feature"]]
    title, units = text("relevance_turnover", language), text("turnover_axis", language)
    if rest["count"]:
        units += f"<br>{rest_words(rest, language)}"
    figure = _pairs(table, heads, title, units, language)
    for trace, side in zip(figure.data, ("long", "short"), strict=True):
        trace.name = turnover_words(side, table, rest, language)
    return figure


def _pairs(
    table: pd.DataFrame,
    heads: Sequence[str],
    title: str,
    units: str,
    language: Language,
) -> go.Figure:
    """Draw the columns long and short as two bars a row, in per cent."""
    names = [safe(head) for head in heads]
    traces = [
        go.Bar(
            x=short(table[side]),
            y=list(range(len(table))),
            orientation="h",
            name=text(side, language),
            marker={"color": colour_of(side)},
            customdata=names,
            hovertemplate="%{customdata}: %{x:.1%}<extra></extra>",
        )
        for side in ("long", "short")
    ]
    return slim(
        traces,
        title,
        height=150 + 22 * len(table),
        barmode="group",
        bargap=0.25,
        xaxis=axis(units, tickformat=".0%"),
        yaxis=places(names),
    )
