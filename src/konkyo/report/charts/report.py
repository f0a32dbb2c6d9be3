"""All charts of the report, from its tables by name."""

from collections.abc import Mapping

import altair as alt
import pandas as pd
from altair.utils.schemapi import debug_mode

from konkyo.i18n import Language
from konkyo.report.charts.evaluation import deletion_curves, truth_agreement
from konkyo.report.charts.factors import factor_bars, factor_bars_over_time, factor_scatter
from konkyo.report.charts.history import effect_map, exposure_lines, group_lines
from konkyo.report.charts.market import market_lines, market_quantile_bars
from konkyo.report.charts.performance import (
    full_length_models,
    model_growth,
    monthly_rank_ic,
    monthly_spread,
    portfolio_growth,
    quantile_returns,
)
from konkyo.report.charts.portfolio import portfolio_charts
from konkyo.report.charts.reliability import reliable_later_bars, reliable_lines

_UNLABELLED = (
    (portfolio_growth, "cumulative"),
    (monthly_rank_ic, "returns"),
    (monthly_spread, "returns"),
    (quantile_returns, "quantiles"),
    (deletion_curves, "deletion"),
    (truth_agreement, "ground_truth"),
    (reliable_lines, "reliable_shares"),
    (reliable_later_bars, "reliable_later"),
)
_LABELLED = (
    (factor_bars_over_time, "factor_means_over_time"),
    (market_lines, "market_over_time"),
    (group_lines, "groups"),
    (effect_map, "effects"),
    (exposure_lines, "exposure"),
)


# Altair validates every part of a chart against the schema, which takes as long as the rest; the
# tests build every chart with that on.
@debug_mode(False)
def page_charts(
    tables: Mapping[str, pd.DataFrame], labels: pd.DataFrame, language: Language
) -> dict[str, alt.TopLevelMixin]:
    """Return the charts of the report's page.

    Parameters
    ----------
    tables : mapping
        Those of `konkyo.report.tables`, of the backtest (cumulative, returns, quantiles) and of
        the evaluation (deletion; agreement where the ground truth is known), by name.
    labels : DataFrame
        What `tables.labels` returns for the features.
    language : str
        en or ja.

    Returns
    -------
    dict
        Charts by the names of their functions, without those that have no table or nothing to
        show. market_quantile_bars is one an input, named family/input.
    """
    charts = {
        chart.__name__: chart(tables[name], language=language)
        for chart, name in _UNLABELLED
        if name in tables
    }
    charts |= {
        chart.__name__: chart(tables[name], labels, language)
        for chart, name in _LABELLED
        if name in tables and len(tables[name])
    }
    # The network alone is the long-short line of portfolio_growth.
    if len(full_length_models(tables["cumulative"])) > 1:
        charts["model_growth"] = model_growth(tables["cumulative"], language=language)
    if "portfolio_performance" in tables:
        charts |= portfolio_charts(tables, labels, language)
    if "market_quantiles" in tables:
        for feature, quantiles in tables["market_quantiles"].groupby("feature", sort=False):
            bars = market_quantile_bars(quantiles, labels, language)
            charts[f"market_quantile_bars/{feature}"] = bars
    return charts


@debug_mode(False)
def month_charts(
    tables: Mapping[str, pd.DataFrame],
    labels: pd.DataFrame,
    language: Language,
) -> dict[str, alt.TopLevelMixin]:
    """Return the charts of one month, which are pictures only: the page has every month.

    Parameters
    ----------
    tables, labels, language
        As of `page_charts`.

    Returns
    -------
    dict
        factor_bars (figure 9), factor_scatter/input (10); figure 8 is a table of the page.
    """
    charts: dict[str, alt.TopLevelMixin] = {}
    # A month that formed no portfolios has no long and no short to compare.
    if tables["factor_means"]["difference"].notna().any():
        charts["factor_bars"] = factor_bars(tables["factor_means"], labels, language)
    points, shapes = tables["factor_points"], tables["factor_shape"]
    for feature in points["feature"].drop_duplicates():
        scatter = factor_scatter(points, shapes, labels, feature, language)
        charts[f"factor_scatter/{feature}"] = scatter
    return charts
