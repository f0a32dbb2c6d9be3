"""Every table of the report, computed from the evidence by one choice of months, stocks, inputs."""

import pandas as pd

from konkyo import dates
from konkyo.config import Report
from konkyo.errors import KonkyoError
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.exposure import exposure, relevance_turnover
from konkyo.report.tables.factors import factor_means, factor_points, factor_shape, top_factors
from konkyo.report.tables.history import effects, groups_over_time
from konkyo.report.tables.market import (
    largest_month,
    market_over_time,
    market_quantiles,
    top_market,
)
from konkyo.report.tables.sentences import sentences
from konkyo.report.tables.stocks import score_changes, stock_table

FACTORS, SERIES, POINTS, SEED = 6, 3, 400, 1


def tables(e: ExplainedPanel, labels: pd.DataFrame, chosen: Report) -> dict[str, pd.DataFrame]:
    """Return the tables by name.

    Parameters
    ----------
    e : Evidence
        The grounds.
    labels : DataFrame
        What `labels.labels` returns for `e.names`.
    chosen : Report
        The section of params.yaml. Where it leaves the inputs of figures 10 to 12 open, those are
        taken that set long and short apart most.

    Returns
    -------
    dict
        stocks, sentences, changes (figure 8 and what is said of its stocks), factor_means (9),
        factor_points, factor_shape (10), market_over_time (11) and market_quantiles (12) where
        there are market inputs, and over time groups, effects, exposure, relevance_turnover.

    Raises
    ------
    KonkyoError
        A month, a stock or an input of params.yaml is not there: says what is.
    """
    month = e.months()[-1] if chosen.month == "newest" else dates.parse(chosen.month)
    stocks = stock_table(e, month, chosen.n_extremes, chosen.watchlist)
    codes = list(dict.fromkeys(stocks["stock"]))
    rows = e.rows(month)
    own = rows.start + pd.Index(e.index["stock"].iloc[rows]).get_indexer(codes)
    means = factor_means(e)
    factors = list(chosen.factors) or top_factors(means, FACTORS)
    series = list(chosen.market) or top_market(e, SERIES)
    there = [e.names[column] for column in e.columns("market")]
    strange = [name for name in series if name not in there]
    if strange:
        raise KonkyoError(
            f"report.market names {', '.join(strange)}, no market input: choose from "
            f"{', '.join(there) or 'none, as the panel has none'}"
        )
    found = _of_market(e, series, chosen.market_month) if series else {}
    return {
        "stocks": stocks,
        "sentences": sentences(e, own, labels),
        "changes": score_changes(e, month, codes),
        "factor_means": means,
        "factor_points": factor_points(e, factors, POINTS, SEED),
        "factor_shape": factor_shape(e, factors),
        **found,
        "groups": groups_over_time(e),
        "effects": effects(e),
        "exposure": exposure(e),
        "relevance_turnover": relevance_turnover(e),
    }


def _of_market(e: ExplainedPanel, series: list[str], month: str) -> dict[str, pd.DataFrame]:
    """Return the tables of figures 11 and 12."""
    over_time = market_over_time(e, series)
    quantiles = [
        market_quantiles(
            e,
            name,
            largest_month(over_time, name) if month == "largest" else dates.parse(month),
        )
        for name in series
    ]
    return {
        "market_over_time": over_time,
        "market_quantiles": pd.concat(quantiles, ignore_index=True),
    }
