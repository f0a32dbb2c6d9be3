"""Stage backtest: scores of every model to portfolios, returns, performance and metrics."""

from typing import Any

import pandas as pd

from konkyo import backtesting
from konkyo.artifacts import HERE, require_months
from konkyo.backtesting.portfolio_tables import Inputs, portfolio_tables
from konkyo.backtesting.results import BacktestResult, compute, portfolio_rows, summary
from konkyo.backtesting.scores import NETWORK
from konkyo.config import Params, load
from konkyo.features import store
from konkyo.io import read_parquet, read_parquets, write_csv, write_json, write_parquet
from konkyo.pipeline import locking, stage


@stage
@locking.writing
def main() -> None:
    """Read scores and returns, write data/backtest, data/metrics.json and data/plots."""
    print(run(load()))


def run(config: Params) -> BacktestResult:
    """Backtest all months: load scores and returns, compute, save."""
    panel = store.read(HERE.panel)
    attributions = read_parquets(require_months(HERE.attributions))
    scores = backtesting.join_scores(
        panel.index, attributions[["month", "stock", "score"]], read_parquet(HERE.baselines)
    )
    market, skip_months = read_parquet(HERE.market), config.prepare.skip_months
    benchmark = backtesting.benchmark_returns(
        panel.index, market, config.backtest.benchmark, skip_months
    )
    result = compute(scores, config.backtest, benchmark, skip_months)
    save(result)
    inputs = Inputs(
        rows=portfolio_rows(result.ranked, panel),
        relevance=attributions[panel.names].to_numpy("float32"),
        catalogue=panel.catalogue,
        records=read_parquet(HERE.stocks),
        market=market,
        benchmark=benchmark,
        skip_months=skip_months,
    )
    save_portfolios(*portfolio_tables(inputs, config.backtest))
    return result


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


def save_portfolios(tables: dict[str, pd.DataFrame], figures: dict[str, Any]) -> None:
    """Write the tables of the portfolios as they are held, and their figures."""
    for name, table in tables.items():
        write_csv(table, HERE.portfolio / f"{name}.csv")
    for name in ("holdings", "trades"):
        write_parquet(tables[name], HERE.portfolio / f"{name}.parquet")
    write_json(figures, HERE.portfolio_metrics)
