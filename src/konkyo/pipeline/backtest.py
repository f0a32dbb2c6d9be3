"""backtest: scores of every model become portfolios, returns, performance and metrics."""

from typing import Any

import pandas as pd

from konkyo import backtest, config
from konkyo.artifacts import HERE, require_months
from konkyo.backtest.scores import NETWORK
from konkyo.io import read_parquet, write_csv, write_json, write_parquet
from konkyo.pipeline import locking, stage


def read_scores() -> pd.DataFrame:
    """Read the network's scores (month, stock, score) from one Parquet file a month."""
    columns = ["month", "stock", "score"]
    tables = [read_parquet(path, columns) for path in require_months(HERE.attributions)]
    return pd.concat(tables, ignore_index=True)


@stage
@locking.writing
def main() -> None:
    """Read scores and returns, write data/backtest, data/metrics.json and data/plots."""
    print(run(config.load()))


def run(chosen: config.Params) -> str:
    """Make the portfolios of all months anew and return each model's figures, one a line."""
    choice = chosen.backtest
    scores = backtest.join_scores(
        read_parquet(HERE.panel_index, ["month", "stock", "ret"]),
        read_scores(),
        read_parquet(HERE.baselines),
    )
    ranked = backtest.assign_quantiles(scores, choice.n_quantiles)
    # A baseline may have none; without the network's own there is nothing to report.
    backtest.with_realised_returns(ranked[ranked["model"] == NETWORK])
    returns = backtest.monthly_returns(ranked, choice.n_quantiles, choice.cost_bps)
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

    network = returns[returns["model"] == "network"]
    write_csv(network[["month", "spread", "rank_ic", "turnover"]], HERE.plots / "monthly.csv")
    lines = cumulative[cumulative["model"] == "network"]
    wide = lines.pivot_table(index="month", columns="portfolio", values="cumulative").reset_index()
    write_csv(wide[["month", "long", "short", "spread", "market"]], HERE.plots / "cumulative.csv")

    return "\n".join(_line(model, figures) for model, figures in metrics.items())


def _line(model: str, figures: dict[str, Any]) -> str:
    """Return what is printed of a model."""
    line = f"{model}: {figures['months']} months"
    if figures["months"]:
        line += (
            f", spread {100 * figures['spread']['annual_return']:.1f} per cent a year, "
            f"rank IC {figures.get('rank_ic', float('nan')):.4f} "
            f"(t {figures.get('rank_ic_t', float('nan')):.1f})"
        )
    if without := figures["months_without_portfolios"]:
        line += f"; {without} more without portfolios: fewer different scores than portfolios"
    return line
