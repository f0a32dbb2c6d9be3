"""backtest: scores of every model become portfolios, returns, performance and metrics."""

from pathlib import Path

import pandas as pd

from konkyo import backtest, params
from konkyo.errors import ArtifactError
from konkyo.io import read_parquet, write_csv, write_json, write_parquet
from konkyo.stages import lock, stage

PANEL = Path("data/panel/index.parquet")
ATTRIBUTIONS = Path("data/attributions")
BASELINES = Path("data/models/baselines.parquet")
OUT = Path("data/backtest")
METRICS = Path("data/metrics.json")
PLOTS = Path("data/plots")


def read(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file of an earlier stage."""
    if not path.exists():
        raise ArtifactError(f"{path} is not here: an earlier stage writes it; run `dvc repro`")
    return read_parquet(path, columns=columns)


def read_scores(folder: Path) -> pd.DataFrame:
    """Read the network's scores (month, stock, score) from one Parquet file a month."""
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise ArtifactError(
            f"{folder} holds no Parquet file, and one a month is needed: run `dvc repro attribute`"
        )
    return pd.concat([read(file, ["month", "stock", "score"]) for file in files], ignore_index=True)


@stage
@lock.writing
def main() -> None:
    """Read scores and returns, write data/backtest, data/metrics.json and data/plots."""
    print(run(params.load()))


def run(chosen: params.Params) -> str:
    """Make the portfolios of all months anew and return each model's figures, one a line."""
    choice = chosen.backtest
    scores = backtest.gather(
        read(PANEL, ["month", "stock", "ret"]), read_scores(ATTRIBUTIONS), read(BASELINES)
    )
    ranked = backtest.rank(scores, choice.portfolios)
    returns = backtest.monthly(ranked, choice.portfolios, choice.cost)
    performance = backtest.performance(returns)
    deciles = backtest.deciles(ranked)
    cumulative = backtest.cumulative(returns)
    metrics = backtest.nested(returns, performance, deciles)

    write_parquet(ranked, OUT / "portfolios.parquet")
    write_csv(returns, OUT / "returns.csv")
    write_csv(performance, OUT / "performance.csv")
    write_csv(deciles, OUT / "deciles.csv")
    write_csv(cumulative, OUT / "cumulative.csv")
    write_json(metrics, METRICS)

    network = returns[returns["model"] == "network"]
    write_csv(network[["month", "spread", "rank_ic", "turnover"]], PLOTS / "monthly.csv")
    lines = cumulative[cumulative["model"] == "network"]
    wide = lines.pivot_table(index="month", columns="portfolio", values="cumulative").reset_index()
    write_csv(wide[["month", "long", "short", "spread", "market"]], PLOTS / "cumulative.csv")

    return "\n".join(
        f"{model}: {figures['months']} months, "
        f"spread {100 * figures['spread']['annual_return']:.1f} per cent a year, "
        f"rank IC {figures.get('rank_ic', float('nan')):.4f} "
        f"(t {figures.get('rank_ic_t', float('nan')):.1f})"
        for model, figures in metrics.items()
    )
