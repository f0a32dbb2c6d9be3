"""Stage backtest: scores of all models to quantile portfolios, returns and metrics."""

from typing import Any

import pandas as pd

from konkyo import backtest, config
from konkyo.artifacts import HERE, require_months
from konkyo.backtest.scores import NETWORK
from konkyo.io import read_parquet, write_csv, write_json, write_parquet
from konkyo.pipeline import locking, stage


@stage
@locking.writing
def main() -> None:
    """Write data/backtest, data/metrics.json and data/plots."""
    print(lines(run(config.load())))


def run(params: config.Params) -> dict[str, Any]:
    """Form the portfolios of all months; return the metrics by model."""
    n_quantiles = params.backtest.n_quantiles
    scores = backtest.join_scores(
        read_parquet(HERE.panel_index, ["month", "stock", "ret"]),
        read_scores(),
        read_parquet(HERE.baselines),
    )
    ranked = backtest.assign_quantiles(scores, n_quantiles)
    # Raises if the network has no month with returns; a baseline may have none.
    backtest.with_realised_returns(ranked[ranked["model"] == NETWORK])
    returns = backtest.monthly_returns(ranked, n_quantiles, params.backtest.cost_bps)
    performance = backtest.performance(returns)
    quantiles = backtest.quantiles(ranked)
    cumulative = backtest.cumulative(returns)
    metrics = backtest.metrics_dict(ranked, returns, performance, quantiles)

    write_parquet(ranked, HERE.portfolios)
    write_csv(returns, HERE.returns)
    write_csv(performance, HERE.backtest / "performance.csv")
    write_csv(quantiles, HERE.backtest / "quantiles.csv")
    write_csv(cumulative, HERE.backtest / "cumulative.csv")
    write_json(metrics, HERE.metrics)

    # `dvc plots` reads the network's series from these.
    monthly = returns[returns["model"] == NETWORK]
    write_csv(monthly[["month", "spread", "rank_ic", "turnover"]], HERE.plots / "monthly.csv")
    wide = (
        cumulative[cumulative["model"] == NETWORK]
        .pivot_table(index="month", columns="portfolio", values="cumulative")
        .reset_index()
    )
    write_csv(wide[["month", "long", "short", "spread", "market"]], HERE.plots / "cumulative.csv")
    return metrics


def read_scores() -> pd.DataFrame:
    """Read the network's scores (month, stock, score) from one Parquet file a month."""
    columns = ["month", "stock", "score"]
    tables = [read_parquet(path, columns) for path in require_months(HERE.attributions)]
    return pd.concat(tables, ignore_index=True)


def lines(metrics: dict[str, Any]) -> str:
    """Return months, spread return and rank IC of each model, one line a model."""
    return "\n".join(_line(model, values) for model, values in metrics.items())


def _line(model: str, values: dict[str, Any]) -> str:
    line = f"{model}: {values['months']} months"
    if values["months"]:
        line += (
            f", spread {100 * values['spread']['annual_return']:.1f} per cent a year, "
            f"rank IC {values.get('rank_ic', float('nan')):.4f} "
            f"(t {values.get('rank_ic_t', float('nan')):.1f})"
        )
    if without := values["months_without_portfolios"]:
        line += f"; {without} more without portfolios: fewer distinct scores than quantiles"
    return line
