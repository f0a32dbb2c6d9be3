"""report: figures as PNG and tables as CSV and Markdown, from the backtest's files."""

import shutil
from pathlib import Path

import pandas as pd

from konkyo import figures, params
from konkyo.errors import ArtifactError
from konkyo.files import replacing
from konkyo.stages import stage

BACKTEST = Path("data/backtest")
OUT = Path("data/report")
TABLES = ("performance", "deciles", "returns", "cumulative")


def read(path: Path) -> pd.DataFrame:
    """Read a CSV file of the backtest, its months as dates."""
    if not path.exists():
        raise ArtifactError(f"{path} is not here: run `dvc repro backtest`")
    frame = pd.read_csv(path)
    for column in frame.columns.intersection(["month", "earned"]):
        frame[column] = pd.to_datetime(frame[column])
    return frame


@stage
def main() -> None:
    """Read data/backtest, write data/report."""
    dpi = params.load().report.dpi
    tables = {name: read(BACKTEST / f"{name}.csv") for name in TABLES}

    drawn = {
        "cumulative": figures.portfolio_growth(tables["cumulative"]),
        "models": figures.model_growth(tables["cumulative"]),
        "rank_ic": figures.monthly_rank_ic(tables["returns"]),
        "spread": figures.monthly_spread(tables["returns"]),
        "deciles": figures.decile_returns(tables["deciles"]),
    }
    for name, figure in drawn.items():
        figures.save(figure, OUT / f"{name}.png", dpi)
    for name in TABLES:
        with replacing(OUT / f"{name}.csv") as scratch:
            shutil.copyfile(BACKTEST / f"{name}.csv", scratch)
    with replacing(OUT / "performance.md") as scratch:
        scratch.write_text(figures.performance_markdown(tables["performance"]), encoding="utf-8")
    print(f"{len(drawn)} figures and {len(TABLES)} tables in {OUT}")


if __name__ == "__main__":
    main()
