"""The tables behind every figure: pure functions of one `ExplainedPanel`."""

import pandas as pd

from konkyo import dates
from konkyo.config import Report
from konkyo.errors import KonkyoError
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.exposure import exposure
from konkyo.report.tables.factors import (
    factor_means,
    factor_means_over_time,
    factor_points,
    factor_shape,
    positions,
    top_factors,
)
from konkyo.report.tables.history import effects, groups_over_time
from konkyo.report.tables.market import (
    largest_month,
    market_over_time,
    market_quantiles,
    top_market,
)
from konkyo.report.tables.reliability import reliable_later, reliable_shares
from konkyo.report.tables.sentences import sentences
from konkyo.report.tables.stocks import stock_table

FACTORS, SERIES, POINTS, SEED = 6, 3, 400, 1


def tables(panel: ExplainedPanel, labels: pd.DataFrame, config: Report) -> dict[str, pd.DataFrame]:
    """Return the tables by name.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.
    labels : DataFrame
        What `labels.labels` returns for `panel.names`.
    config : Report
        The section of params.yaml. Where it leaves the inputs of figures 10 to 12 open, those are
        taken that set long and short apart most.

    Returns
    -------
    dict
        stocks, sentences (figure 8 and what is said of its stocks), factor_means (9),
        factor_points, factor_shape (10) of the month; market_over_time (11) and market_quantiles
        (12) where there are market inputs; factor_means_over_time, groups, effects, exposure;
        with standard errors reliable_shares and reliable_later.

    Raises
    ------
    KonkyoError
        A month, a stock or an input of params.yaml is not there: says what is.
    """
    month = panel.months()[-1] if config.month == "newest" else dates.parse(config.month)
    positions(panel, config.columns)
    stocks = stock_table(panel, month, config.n_extremes, config.watchlist)
    codes = list(dict.fromkeys(stocks["stock"]))
    rows = panel.rows(month)
    stock_rows = rows.start + pd.Index(panel.index["stock"].iloc[rows]).get_indexer(codes)
    means = factor_means(panel, month, config.stars)
    factors = list(config.factors) or top_factors(means, FACTORS)
    series = list(config.market) or top_market(panel, SERIES)
    market_inputs = [panel.names[column] for column in panel.columns("market")]
    unknown = [name for name in series if name not in market_inputs]
    if unknown:
        raise KonkyoError(
            f"report.market names {', '.join(unknown)}, no market input: choose from "
            f"{', '.join(market_inputs) or 'none, as the panel has none'}"
        )
    market_tables = _of_market(panel, series, config.market_month) if series else {}
    return {
        "stocks": stocks,
        "sentences": sentences(panel, stock_rows, labels),
        "factor_means": means,
        "factor_means_over_time": factor_means_over_time(panel),
        "factor_points": factor_points(panel, factors, month, POINTS, SEED),
        "factor_shape": factor_shape(panel, factors, month),
        **market_tables,
        "groups": groups_over_time(panel),
        "effects": effects(panel),
        "exposure": exposure(panel),
        **_of_errors(panel),
    }


def _of_errors(panel: ExplainedPanel) -> dict[str, pd.DataFrame]:
    """Return the tables of reliable relevances, none without standard errors."""
    if panel.reliable is None:
        return {}
    return {"reliable_shares": reliable_shares(panel), "reliable_later": reliable_later(panel)}


def _of_market(panel: ExplainedPanel, series: list[str], month: str) -> dict[str, pd.DataFrame]:
    """Return the tables of figures 11 and 12."""
    over_time = market_over_time(panel, series)
    quantiles = [
        market_quantiles(
            panel,
            name,
            largest_month(over_time, name) if month == "largest" else dates.parse(month),
        )
        for name in series
    ]
    return {
        "market_over_time": over_time,
        "market_quantiles": pd.concat(quantiles, ignore_index=True),
    }
