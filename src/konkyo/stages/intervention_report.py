"""Stage intervention-report: figures, tables and the page of the second study."""

from pathlib import Path

import pandas as pd

from konkyo import figures, params
from konkyo.files import read_json, replacing, write_csv
from konkyo.intervention import page, tables
from konkyo.stages import stage

FORECAST = Path("data/intervention/forecast")
RECORDS = Path("data/intervention/records/source.json")
OUT = Path("data/intervention/report")


@stage
def main() -> None:
    """Write data/intervention/report."""
    everything = params.load()
    chosen, dpi = everything.intervention, everything.report.dpi
    read = {name: pd.read_csv(FORECAST / f"{name}.csv") for name in page.TABLES}
    answers = pd.read_parquet(FORECAST / "answers.parquet")
    surfaces = pd.read_parquet(FORECAST / "surfaces.parquet")
    points = pd.read_parquet(FORECAST / "points.parquet")
    read["grounds"]["month"] = pd.to_datetime(read["grounds"]["month"])

    drawn = page.draw(answers, surfaces, points, read, chosen)
    for name, figure in drawn.items():
        figures.save(figure, OUT / f"{name}.png", dpi)
    made = tables.all_tables(answers)
    for name, table in made.items():
        write_csv(table, OUT / f"{name}.csv")
    with replacing(OUT / "study.md") as scratch:
        text = page.write(read_json(RECORDS), read, made, list(drawn), chosen)
        scratch.write_text(text, encoding="utf-8")
    print(f"{len(drawn)} figures, {len(made)} tables and study.md in {OUT}")


if __name__ == "__main__":
    main()
