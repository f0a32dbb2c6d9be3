"""report: figures as PNG and tables as CSV and Markdown, from the files of backtest and verify."""

import shutil
from pathlib import Path

import pandas as pd

from konkyo import figures, params
from konkyo.errors import ArtifactError
from konkyo.files import replacing
from konkyo.stages import stage

BACKTEST, VERIFY = Path("data/backtest"), Path("data/verify")
OUT = Path("data/report")
TABLES = ("performance", "deciles", "returns", "cumulative")
CHECKS = ("deletion", "randomised")


def read(path: Path) -> pd.DataFrame:
    """Read a CSV file of an earlier stage, its months as dates."""
    if not path.exists():
        raise ArtifactError(f"{path} is not here: run `dvc repro {path.parent.name}`")
    frame = pd.read_csv(path)
    for column in frame.columns.intersection(["month", "earned"]):
        frame[column] = pd.to_datetime(frame[column])
    return frame


@stage
def main() -> None:
    """Read data/backtest and data/verify, write data/report."""
    dpi = params.load().report.dpi
    tables = {name: read(BACKTEST / f"{name}.csv") for name in TABLES}
    checks = {name: read(VERIFY / f"{name}.csv") for name in CHECKS}
    # The agreement is there only where the source knows the truth.
    checks |= {path.stem: read(path) for path in sorted(VERIFY.glob("*.csv"))}

    drawn = {
        "cumulative": figures.portfolio_growth(tables["cumulative"]),
        "models": figures.model_growth(tables["cumulative"]),
        "rank_ic": figures.monthly_rank_ic(tables["returns"]),
        "spread": figures.monthly_spread(tables["returns"]),
        "deciles": figures.decile_returns(tables["deciles"]),
        "deletion": figures.deletion_curves(checks["deletion"]),
    }
    if "agreement" in checks:
        drawn["truth"] = figures.truth_agreement(checks["agreement"])
    for name, figure in drawn.items():
        figures.save(figure, OUT / f"{name}.png", dpi)
    copied = [BACKTEST / f"{name}.csv" for name in TABLES]
    copied += [VERIFY / f"{name}.csv" for name in checks]
    for path in copied:
        with replacing(OUT / path.name) as scratch:
            shutil.copyfile(path, scratch)
    with replacing(OUT / "performance.md") as scratch:
        scratch.write_text(figures.performance_markdown(tables["performance"]), encoding="utf-8")
    print(f"{len(drawn)} figures and {len(copied)} tables in {OUT}")


if __name__ == "__main__":
    main()
