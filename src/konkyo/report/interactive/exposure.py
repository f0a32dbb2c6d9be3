"""What the portfolios hold beside the grounds: size, sectors, and which inputs turn them over."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from konkyo.i18n import Language, t
from konkyo.report.figures.exposure import (
    BARS,
    FEATURES,
    SECTORS,
    rest_words,
    sector_lines,
    sector_shares,
    sector_words,
    turnover_words,
)
from konkyo.report.figures.monthly import YEAR
from konkyo.report.figures.style import SERIES
from konkyo.report.interactive.style import (
    axis,
    bar,
    base_layout,
    colour_of,
    escape_html,
    line,
    places,
)
from konkyo.report.tables.figure_data import mean_turnover
from konkyo.report.tables.labels import feature_names, sector_name


def exposure_lines(
    exposure: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", sectors: int = SECTORS
) -> go.Figure:
    """Draw the portfolios' size and sectors over time.

    Takes what `figures.exposure.exposure_lines` takes.
    """
    names = feature_names(labels, language)
    size = exposure[exposure["kind"] == "size"].sort_values("month")
    told: dict[str, Any] = {"hovertemplate": "%{x|%Y-%m}: %{y:.1%}", "xaxis": "x"}
    traces = []
    for side in ("long", "short"):
        values, name = size[side], t(f"portfolio.{side}", language)
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
                escape_html(sector_name(name, names, language)),
                colour,
                yaxis="y2",
                legend="legend2",
                **told,
            )
        )
    return base_layout(
        traces,
        t("title.exposure_lines", language),
        height=660,
        xaxis=axis(t("axis.decision_month", language), anchor="y2", type="date"),
        yaxis=axis(t("axis.size", language), domain=[0.54, 1], tickformat=".0%"),
        yaxis2=axis(t("axis.sector_difference", language), domain=[0, 0.46], tickformat=".0%"),
        legend2={"orientation": "h", "x": 0, "y": -0.1, "yanchor": "top"},
    )


def exposure_bars(
    exposure: pd.DataFrame,
    labels: pd.DataFrame,
    language: Language = "en",
    month: pd.Timestamp | None = None,
    most: int = BARS,
) -> go.Figure:
    """Draw the sectors of the long and the short portfolio.

    Takes what `figures.exposure.exposure_bars` takes.
    """
    shares = sector_shares(exposure, month, most)
    title, heads = sector_words(shares, labels, month, language)
    return _pairs(shares, heads, title, t("axis.share_of_stocks", language), language)


def relevance_turnover_bars(
    turnover: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = FEATURES
) -> go.Figure:
    """Draw the turnover that each input's relevance brought about.

    Takes what `figures.exposure.relevance_turnover_bars` takes; the note on the other inputs stands
    under the axis.
    """
    table, rest = mean_turnover(turnover, most)
    names = feature_names(labels, language)
    heads = [names.get(name, name) for name in table["feature"]]
    title, units = t("title.relevance_turnover", language), t("axis.turnover", language)
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
    names = [escape_html(head) for head in heads]
    traces = [
        bar(
            table[side],
            t(f"portfolio.{side}", language),
            colour_of(side),
            names,
            "%{customdata}: %{x:.1%}<extra></extra>",
        )
        for side in ("long", "short")
    ]
    return base_layout(
        traces,
        title,
        height=150 + 22 * len(table),
        barmode="group",
        bargap=0.25,
        xaxis=axis(units, tickformat=".0%"),
        yaxis=places(names),
    )
