"""Stage report: every table as CSV, every figure as PNG and interactive, and one page of it all."""

import shutil
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from konkyo import figures, interactive, params, reading
from konkyo.errors import ArtifactError
from konkyo.io import atomic_write, digest_of, read_csv, read_parquet, write_csv
from konkyo.pages.drawing import draw
from konkyo.pages.report import report
from konkyo.pages.shell import LANGUAGES, Words
from konkyo.panel import store
from konkyo.stages import grounds, lock, stage

BACKTEST, VERIFY = Path("data/backtest"), Path("data/verify")
SEARCHES, SECOND_STUDY = Path("data/tuning"), Path("data/intervention/report/intervention.html")
OUT = Path("data/report")
TABLES = ("performance", "deciles", "returns", "cumulative")
CHECKS = ("deletion", "randomised")
_LONGEST = 75
"""Characters of a file's name; one of Japanese takes three of the 255 bytes that it may have."""


def read(path: Path) -> pd.DataFrame:
    """Read a table of an earlier stage, the months of a CSV file as dates."""
    if not path.exists():
        raise ArtifactError(f"{path} is not here: run `dvc repro {path.parent.name}`")
    if path.suffix == ".parquet":
        return read_parquet(path)
    frame = read_csv(path)
    for column in frame.columns.intersection(["month", "earned"]):
        frame[column] = pd.to_datetime(frame[column])
    return frame


def read_evidence() -> tuple[reading.Evidence, pd.DataFrame]:
    """Read panel, grounds and portfolios; return them with the labels of the features."""
    panel = store.read(grounds.PANEL)
    evidence = reading.gather(
        panel.index,
        panel.features,
        panel.catalogue,
        grounds.read_grounds(grounds.files()),
        read(BACKTEST / "portfolios.parquet"),
    )
    return evidence, grounds.read_labels(panel.catalogue)


def others() -> list[tuple[Words, str]]:
    """Return the pages of searches and of the second study that have been made, by address."""
    found = [
        (Words(f"search: {path.parent.name}", f"探索：{path.parent.name}"), path)
        for path in sorted(SEARCHES.glob("*/tuning.html"))
    ]
    if SECOND_STUDY.exists():
        found.append((Words("foreign exchange intervention", "為替介入"), SECOND_STUDY))
    return [(name, Path("..", path.relative_to("data")).as_posix()) for name, path in found]


@stage
@lock.writing
def main() -> None:
    """Read what the earlier stages wrote, write data/report."""
    chosen = params.load().report
    brought = {name: read(BACKTEST / f"{name}.csv") for name in TABLES}
    # The agreement is there only where the source knows the truth.
    brought |= {name: read(VERIFY / f"{name}.csv") for name in CHECKS}
    brought |= {path.stem: read(path) for path in sorted(VERIFY.glob("*.csv"))}
    evidence, labels = read_evidence()
    made = reading.tables(evidence, labels, chosen)
    tables = brought | made

    drawn = draw(figures, tables, labels, chosen.language)
    for name, figure in tqdm(drawn.items(), "pictures", unit="figure"):
        figures.save(figure, OUT / f"{_file(name)}.png", chosen.dpi)
    moving = {language: draw(interactive, tables, labels, language) for language in LANGUAGES}
    for name, figure in moving[chosen.language].items():
        interactive.write(figure, OUT / "interactive", _file(name), chosen.language)
    page = report(evidence, tables, moving, labels, chosen, others=others())
    with atomic_write(OUT / "report.html") as scratch:
        scratch.write_text(page, encoding="utf-8")
    shares = made["groups"].pivot_table(index="month", columns="group", values="share")
    for name, table in {**made, "group_shares": shares.reset_index()}.items():
        write_csv(table, OUT / f"{name}.csv")
    for name in brought:
        source = (BACKTEST if name in TABLES else VERIFY) / f"{name}.csv"
        with atomic_write(OUT / f"{name}.csv") as scratch:
            shutil.copyfile(source, scratch)
    with atomic_write(OUT / "performance.md") as scratch:
        scratch.write_text(figures.performance_markdown(tables["performance"]), encoding="utf-8")
    print(
        f"{len(drawn)} figures, {len(tables)} tables and report.html "
        f"({len(page.encode()) / 1e6:.1f} MB) in {OUT}"
    )


def _file(name: str) -> str:
    """Return a figure's name as that of a file; a stock's code may hold any character and many."""
    plain = "-".join(
        "".join(c if c.isalnum() or c in "_." else "_" for c in part) for part in name.split("/")
    )
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}-{digest_of(name)[:8]}"
