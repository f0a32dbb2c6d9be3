"""Month by month: how good the ranking was and what the spread earned."""

import pandas as pd
import plotly.graph_objects as go

from konkyo.i18n import Language, t
from konkyo.report.figures.monthly import YEAR, rank_ic_series, spread_series
from konkyo.report.interactive.style import (
    INK,
    as_float32,
    axis,
    base_layout,
    colour_of,
    dates,
    line,
)


def monthly_rank_ic(
    returns: pd.DataFrame, model: str = "network", language: Language = "en"
) -> go.Figure:
    """Draw the rank information coefficient of every decision month and its mean of 12 months.

    Takes what `figures.monthly.monthly_rank_ic` takes.
    """
    series, title = rank_ic_series(returns, model, language)
    figure = _bars(series["month"], series["rank_ic"], title, ".3f", language)
    figure.update_xaxes(title_text=t("axis.decision_month", language))
    figure.update_yaxes(title_text=t("axis.rank_ic", language))
    return figure


def monthly_spread(
    returns: pd.DataFrame, model: str = "network", language: Language = "en"
) -> go.Figure:
    """Draw the return of the long-short portfolio in every month and its mean of 12 months.

    Takes what `figures.monthly.monthly_spread` takes.
    """
    series, title = spread_series(returns, model, language)
    figure = _bars(series["earned"], series["spread"], title, ".1%", language)
    figure.update_xaxes(title_text=t("axis.earned_month", language))
    figure.update_yaxes(title_text=t("axis.return", language), tickformat=".0%")
    return figure


def _bars(
    months: pd.Series, values: pd.Series, title: str, form: str, language: Language
) -> go.Figure:
    colours = [colour_of("long" if value >= 0 else "short") for value in values]
    bars = go.Bar(
        x=dates(months),
        y=as_float32(values),
        name=t("legend.one_month", language),
        marker={"color": colours, "opacity": 0.65, "line": {"width": 0}},
        hovertemplate="%{x|%Y-%m}: %{y:" + form + "}<extra></extra>",
        showlegend=False,
    )
    mean = line(
        months,
        values.rolling(YEAR).mean(),
        t("legend.mean_of_12", language),
        INK,
        width=2,
        hovertemplate="%{x|%Y-%m}: %{y:" + form + "}",
    )
    return base_layout([bars, mean], title, xaxis=axis(), yaxis=axis(), showlegend=True)
