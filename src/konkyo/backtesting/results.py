"""The backtest of all models: tables, figures, and the rows of the portfolios as they are held."""

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from konkyo.backtesting.costs import CostRates
from konkyo.backtesting.metrics import metrics_dict
from konkyo.backtesting.performance import cumulative, performance, performance_by_quantile
from konkyo.backtesting.portfolios import assign_quantiles, with_realised_returns
from konkyo.backtesting.returns import monthly_returns
from konkyo.backtesting.scores import NETWORK
from konkyo.config import Backtest, flatten
from konkyo.features.store import Panel

CHARACTERISTICS = {
    "beta": r"beta_\d+",
    "momentum": r"return_12|return_(?!1$)\d+",
    "volatility": r"volatility_\d+",
}
"""The features of the panel that exposures are measured by: the first of them that matches."""


@dataclass(frozen=True)
class BacktestResult:
    """Tables and figures of all models; see the functions of `konkyo.backtesting`."""

    ranked: pd.DataFrame
    returns: pd.DataFrame
    performance: pd.DataFrame
    quantiles: pd.DataFrame
    cumulative: pd.DataFrame
    metrics: dict[str, Any]

    def __str__(self) -> str:
        """Return the lines that the command prints: one a model."""
        return "\n".join(_line(model, figures) for model, figures in self.metrics.items())


_SPREAD = ("rank_ic", "spread.annual_return", "spread.sharpe_ratio")
COMPARED = {
    NETWORK: (
        *("months", "rank_ic_t", "turnover", *_SPREAD),
        *("spread.max_drawdown", "spread_net.annual_return", "spread_net.sharpe_ratio"),
    ),
    "ridge": _SPREAD,
}
"""Figures of the summary: a dozen, out of data/metrics.json."""


def compute(
    scores: pd.DataFrame, config: Backtest, benchmark: pd.Series, skip_months: int = 0
) -> BacktestResult:
    """Return portfolios, returns, performance and metrics of every model.

    Parameters
    ----------
    scores : pandas.DataFrame
        month, stock, model, score, ret: what `join_scores` returns.
    config : Backtest
        The backtest section of params.yaml.
    benchmark : pandas.Series
        What `benchmark_returns` returns.
    skip_months : int
        Months left out between a decision and the month that it earns.

    Raises
    ------
    KonkyoError
        The network has no month with portfolios and a realised return.
    """
    ranked = assign_quantiles(scores, config.n_quantiles)
    # Baselines may have no such month; without the network's there is nothing to report.
    with_realised_returns(ranked[ranked["model"] == NETWORK])
    returns = monthly_returns(
        ranked, config.n_quantiles, CostRates.of(config), skip_months=skip_months
    )
    beside = returns.columns.get_loc("market") + 1
    returns.insert(beside, "benchmark", returns["month"].map(benchmark))
    measures, quantiles = performance(returns), performance_by_quantile(ranked)
    return BacktestResult(
        ranked=ranked,
        returns=returns,
        performance=measures,
        quantiles=quantiles,
        cumulative=cumulative(returns),
        metrics=metrics_dict(ranked, returns, performance=measures, quantiles=quantiles),
    )


def portfolio_rows(ranked: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    """Return the ranked rows with sector, market value and standardised characteristics."""
    index = panel.index.rename(columns={"size": "market_value"})
    columns = index[["month", "stock", "sector", "market_value"]].copy()
    if index["market_value"].notna().any():
        percentile = index.groupby("month")["market_value"].rank(pct=True)
        columns["size"] = (2 * percentile - 1).fillna(0.0)
    for name, pattern in CHARACTERISTICS.items():
        if matching := [other for other in panel.names if re.fullmatch(pattern, other)]:
            feature = panel.features[:, panel.names.index(matching[0])]
            columns[name] = feature.astype("float64")
    return ranked.merge(columns, on=["month", "stock"], how="left")


def summary(metrics: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the figures by which runs are compared, by model: the metrics of `dvc exp show`."""
    compared: dict[str, dict[str, float]] = {}
    for model, names in COMPARED.items():
        flat = flatten(metrics.get(model, {}))
        compared[model] = {name: flat[name] for name in names if name in flat}
    return compared


def _line(model: str, figures: dict[str, Any]) -> str:
    line = f"{model}: {figures['months']} months"
    if figures["months"]:
        line += (
            f", spread {100 * figures['spread']['annual_return']:.1f} per cent a year, "
            f"rank IC {figures.get('rank_ic', float('nan')):.4f} "
            f"(t {figures.get('rank_ic_t', float('nan')):.1f})"
        )
    if without := figures["months_without_portfolios"]:
        line += f"; {without} more without portfolios: fewer different scores than portfolios"
    if legless := figures.get("months_without_leg_return"):
        line += f"; {legless} more left out: no stock of a leg has a return"
    if figures.get("spread", {}).get("max_drawdown") == -1:
        line += "; the spread lost 100 per cent or more in a month: worth 0 from there on"
    return line
