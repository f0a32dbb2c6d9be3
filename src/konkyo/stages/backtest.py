"""backtest: scores of every model become portfolios, returns, performance and metrics."""

import pandas as pd

from konkyo import backtest, params
from konkyo.artifacts import HERE, require_months
from konkyo.files import read_parquet, write_csv, write_json, write_parquet
from konkyo.stages import lock, stage


def read_scores() -> pd.DataFrame:
    """Read the network's scores (month, stock, score) from one Parquet file a month."""
    columns = ["month", "stock", "score"]
    tables = [read_parquet(path, columns) for path in require_months(HERE.attributions)]
    return pd.concat(tables, ignore_index=True)


@stage
@lock.writing
def main() -> None:
    """Read scores and returns, write data/backtest, data/metrics.json and data/plots."""
    print(run(params.load()))


def run(chosen: params.Params) -> str:
    """Make the portfolios of all months anew and return each model's figures, one a line."""
    choice = chosen.backtest
    scores = backtest.gather(
        read_parquet(HERE.panel_index, ["month", "stock", "ret"]),
        read_scores(),
        read_parquet(HERE.baselines),
    )
    ranked = backtest.rank(scores, choice.portfolios)
    returns = backtest.monthly(ranked, choice.portfolios, choice.cost)
    performance = backtest.performance(returns)
    deciles = backtest.deciles(ranked)
    cumulative = backtest.cumulative(returns)
    metrics = backtest.nested(returns, performance, deciles)

    write_parquet(ranked, HERE.portfolios)
    write_csv(returns, HERE.returns)
    write_csv(performance, HERE.backtest / "performance.csv")
    write_csv(deciles, HERE.backtest / "deciles.csv")
    write_csv(cumulative, HERE.backtest / "cumulative.csv")
    write_json(metrics, HERE.metrics)

    network = returns[returns["model"] == "network"]
    write_csv(network[["month", "spread", "rank_ic", "turnover"]], HERE.plots / "monthly.csv")
    lines = cumulative[cumulative["model"] == "network"]
    wide = lines.pivot_table(index="month", columns="portfolio", values="cumulative").reset_index()
    write_csv(wide[["month", "long", "short", "spread", "market"]], HERE.plots / "cumulative.csv")

    return "\n".join(
        f"{model}: {figures['months']} months, "
        f"spread {100 * figures['spread']['annual_return']:.1f} per cent a year, "
        f"rank IC {figures.get('rank_ic', float('nan')):.4f} "
        f"(t {figures.get('rank_ic_t', float('nan')):.1f})"
        for model, figures in metrics.items()
    )
