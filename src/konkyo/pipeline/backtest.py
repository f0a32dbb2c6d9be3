"""Stage backtest: scores of every model to portfolios, returns, performance and metrics."""

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from konkyo import backtest
from konkyo.artifacts import HERE, require_months
from konkyo.backtest.costs import CostRates
from konkyo.backtest.portfolio_tables import Inputs, portfolio_tables
from konkyo.backtest.scores import NETWORK
from konkyo.config import Backtest, Params, flatten, load
from konkyo.features import store
from konkyo.io import read_parquet, write_csv, write_json, write_parquet
from konkyo.pipeline import locking, stage

CHARACTERISTICS = {
    "beta": r"beta_\d+",
    "momentum": r"return_12|return_(?!1$)\d+",
    "volatility": r"volatility_\d+",
}
"""The features of the panel that exposures are measured by: the first of them that matches."""


@dataclass(frozen=True)
class BacktestResult:
    """Tables and figures of all models; see the functions of `konkyo.backtest`."""

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


@stage
@locking.writing
def main() -> None:
    """Read scores and returns, write data/backtest, data/metrics.json and data/plots."""
    print(run(load()))


def run(config: Params) -> BacktestResult:
    """Backtest all months: load scores and returns, compute, save."""
    panel = store.read(HERE.panel)
    attributions = pd.concat(
        map(read_parquet, require_months(HERE.attributions)), ignore_index=True
    )
    scores = backtest.join_scores(
        panel.index, attributions[["month", "stock", "score"]], read_parquet(HERE.baselines)
    )
    market, skip_months = read_parquet(HERE.market), config.prepare.skip_months
    benchmark = backtest.benchmark_returns(
        panel.index, market, config.backtest.benchmark, skip_months
    )
    result = compute(scores, config.backtest, benchmark, skip_months)
    save(result)
    inputs = Inputs(
        rows=_portfolio_rows(result.ranked, panel),
        relevance=attributions[panel.names].to_numpy("float32"),
        catalogue=panel.catalogue,
        records=read_parquet(HERE.stocks),
        market=market,
        benchmark=benchmark,
        skip_months=skip_months,
    )
    save_portfolios(*portfolio_tables(inputs, config.backtest))
    return result


def _portfolio_rows(ranked: pd.DataFrame, panel: store.Panel) -> pd.DataFrame:
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


def compute(
    scores: pd.DataFrame, config: Backtest, benchmark: pd.Series, skip_months: int = 0
) -> BacktestResult:
    """Return portfolios, returns, performance and metrics of every model.

    Parameters
    ----------
    scores : pandas.DataFrame
        month, stock, model, score, ret: what `backtest.join_scores` returns.
    config : Backtest
        The backtest section of params.yaml.
    benchmark : pandas.Series
        What `backtest.benchmark_returns` returns.
    skip_months : int
        Months left out between a decision and the month that it earns.

    Raises
    ------
    KonkyoError
        The network has no month with portfolios and a realised return.
    """
    ranked = backtest.assign_quantiles(scores, config.n_quantiles)
    # Baselines may have no such month; without the network's there is nothing to report.
    backtest.with_realised_returns(ranked[ranked["model"] == NETWORK])
    returns = backtest.monthly_returns(
        ranked, config.n_quantiles, CostRates.of(config), skip_months=skip_months
    )
    beside = returns.columns.get_loc("market") + 1
    returns.insert(beside, "benchmark", returns["month"].map(benchmark))
    performance = backtest.performance(returns)
    quantiles = backtest.performance_by_quantile(ranked)
    return BacktestResult(
        ranked=ranked,
        returns=returns,
        performance=performance,
        quantiles=quantiles,
        cumulative=backtest.cumulative(returns),
        metrics=backtest.metrics_dict(
            ranked, returns, performance=performance, quantiles=quantiles
        ),
    )


def save(result: BacktestResult) -> None:
    """Write the tables, the metrics, and the network's series that `dvc plots` draws."""
    write_parquet(result.ranked, HERE.portfolios)
    write_csv(result.returns, HERE.returns)
    write_csv(result.performance, HERE.backtest / "performance.csv")
    write_csv(result.quantiles, HERE.backtest / "quantiles.csv")
    write_csv(result.cumulative, HERE.backtest / "cumulative.csv")
    write_json(result.metrics, HERE.metrics)
    write_json(summary(result.metrics), HERE.summary)

    returns = result.returns[result.returns["model"] == NETWORK]
    write_csv(returns[["month", "spread", "rank_ic", "turnover"]], HERE.plots / "monthly.csv")
    lines = result.cumulative[result.cumulative["model"] == NETWORK]
    wide = lines.pivot_table(index="month", columns="portfolio", values="cumulative").reset_index()
    write_csv(
        wide.reindex(columns=["month", "long", "short", "spread", "market", "benchmark"]),
        HERE.plots / "cumulative.csv",
    )


def summary(metrics: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the figures by which runs are compared, by model: the metrics of `dvc exp show`."""
    compared: dict[str, dict[str, float]] = {}
    for model, names in COMPARED.items():
        flat = flatten(metrics.get(model, {}))
        compared[model] = {name: flat[name] for name in names if name in flat}
    return compared


def save_portfolios(tables: dict[str, pd.DataFrame], figures: dict[str, Any]) -> None:
    """Write the tables of the portfolios as they are held, and their figures."""
    for name, table in tables.items():
        write_csv(table, HERE.portfolio / f"{name}.csv")
    for name in ("holdings", "trades"):
        write_parquet(tables[name], HERE.portfolio / f"{name}.parquet")
    write_json(figures, HERE.portfolio_metrics)


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
