"""Stage backtest: scores of every model to portfolios, returns, performance and metrics."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from konkyo import backtest
from konkyo.artifacts import HERE, require_months
from konkyo.backtest.scores import NETWORK
from konkyo.config import Backtest, Params, flatten, load
from konkyo.io import read_parquet, write_csv, write_json, write_parquet
from konkyo.pipeline import locking, stage


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
    scores = backtest.join_scores(
        index := read_parquet(HERE.panel_index, ["month", "stock", "size", "ret"]),
        read_network_scores(),
        read_parquet(HERE.baselines),
    )
    market = read_parquet(HERE.market) if config.backtest.benchmark else None
    benchmark = backtest.benchmark_returns(
        index, market, config.backtest.benchmark, config.prepare.skip_months
    )
    result = compute(scores, config.backtest, benchmark, config.prepare.skip_months)
    save(result)
    return result


def read_network_scores() -> pd.DataFrame:
    """Read the network's scores (month, stock, score) from one Parquet file a month."""
    columns = ["month", "stock", "score"]
    tables = [read_parquet(path, columns) for path in require_months(HERE.attributions)]
    return pd.concat(tables, ignore_index=True)


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
        ranked, config.n_quantiles, config.cost_bps, skip_months=skip_months
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
