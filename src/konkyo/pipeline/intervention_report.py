"""Stage intervention-report: figures, tables and the page of the second study."""

from typing import Any

import pandas as pd

from konkyo import config
from konkyo.artifacts import HERE
from konkyo.i18n import Language
from konkyo.intervention import figures as drawing
from konkyo.intervention import page, tables
from konkyo.io import atomic_write, read_csv, read_json, read_parquet, write_csv
from konkyo.pipeline import locking, stage
from konkyo.report import figures


@stage
@locking.writing_study
def main() -> None:
    """Write data/intervention/report."""
    everything = config.load()
    chosen, language = everything.intervention, everything.report.language
    forecast, out = HERE.intervention_forecast, HERE.intervention_report
    languages: tuple[Language, ...] = ("en", "ja")
    read = {name: read_csv(forecast / f"{name}.csv") for name in page.TABLES}
    read["grounds"]["month"] = pd.to_datetime(read["grounds"]["month"])
    wide = ("answers", "surfaces", "points")
    frames = read | {name: read_parquet(forecast / f"{name}.parquet") for name in wide}

    drawn = drawing.pictures(frames, chosen, language)
    for name, figure in drawn.items():
        figures.save(figure, out / f"{name}.png", everything.report.dpi)
    made = tables.all_tables(frames["answers"])
    for name, table in made.items():
        write_csv(table, out / f"{name}.csv")
    shown: dict[str, dict[str, Any]] = {
        spoken: {
            name: figure.to_plotly_json()
            for name, figure in drawing.interactive(frames, chosen, spoken).items()
        }
        for spoken in languages
    }
    read["penalties"] = read_csv(HERE.intervention_models / "penalties.csv")
    source = read_json(HERE.intervention_records / "source.json")
    with atomic_write(out / "intervention.html") as scratch:
        text = page.write(source, read, made, shown, chosen, language)
        scratch.write_text(text, encoding="utf-8")
    print(f"{len(drawn)} figures, {len(made)} tables and intervention.html in {out}")
