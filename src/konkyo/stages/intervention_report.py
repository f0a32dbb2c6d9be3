"""Stage intervention-report: figures, tables and the page of the second study."""

from pathlib import Path
from typing import Any

import pandas as pd

from konkyo import figures, params
from konkyo.figures.texts import Language
from konkyo.intervention import drawing, page, tables
from konkyo.io import atomic_write, read_csv, read_json, read_parquet, write_csv
from konkyo.stages import lock, stage

FORECAST = Path("data/intervention/forecast")
PENALTIES = Path("data/intervention/models/penalties.csv")
RECORDS = Path("data/intervention/records/source.json")
OUT = Path("data/intervention/report")


@stage
@lock.writing_study
def main() -> None:
    """Write data/intervention/report."""
    everything = params.load()
    chosen, language = everything.intervention, everything.report.language
    languages: tuple[Language, ...] = ("en", "ja")
    read = {name: read_csv(FORECAST / f"{name}.csv") for name in page.TABLES}
    read["grounds"]["month"] = pd.to_datetime(read["grounds"]["month"])
    wide = ("answers", "surfaces", "points")
    frames = read | {name: read_parquet(FORECAST / f"{name}.parquet") for name in wide}

    drawn = drawing.pictures(frames, chosen, language)
    for name, figure in drawn.items():
        figures.save(figure, OUT / f"{name}.png", everything.report.dpi)
    made = tables.all_tables(frames["answers"])
    for name, table in made.items():
        write_csv(table, OUT / f"{name}.csv")
    shown: dict[str, dict[str, Any]] = {
        spoken: {
            name: figure.to_plotly_json()
            for name, figure in drawing.interactive(frames, chosen, spoken).items()
        }
        for spoken in languages
    }
    read["penalties"] = read_csv(PENALTIES)
    with atomic_write(OUT / "intervention.html") as scratch:
        text = page.write(read_json(RECORDS), read, made, shown, chosen, language)
        scratch.write_text(text, encoding="utf-8")
    print(f"{len(drawn)} figures, {len(made)} tables and intervention.html in {OUT}")
