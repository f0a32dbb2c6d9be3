"""Stage intervention-report: figures, tables and the page of the second study."""

import altair as alt

from konkyo import config, date_text
from konkyo.artifacts import HERE
from konkyo.i18n import LANGUAGES
from konkyo.intervention import page, tables
from konkyo.io import atomic_write, read_csv, read_json, read_parquet, write_csv
from konkyo.pipeline import locking, stage
from konkyo.report.charts.theme import save_pngs


@stage
@locking.writing_study
def main() -> None:
    """Write data/intervention/report."""
    params = config.load()
    study, language = params.intervention, params.report.language
    forecast, out = HERE.intervention_forecast, HERE.intervention_report
    frames = {name: read_csv(forecast / f"{name}.csv") for name in page.TABLES}
    frames["attributions"]["month"] = date_text.period_ends(frames["attributions"]["month"])
    frames |= {
        name: read_parquet(forecast / f"{name}.parquet")
        for name in ("predictions", "surfaces", "points")
    }
    frames["records"] = read_parquet(HERE.intervention_records / "records.parquet")
    frames["penalties"] = read_csv(HERE.intervention_models / "penalties.csv")

    charts: dict[str, dict[str, alt.TopLevelMixin]] = {
        spoken: page.charts(frames, study, spoken) for spoken in LANGUAGES
    }
    save_pngs(
        {out / f"{name}.png": chart for name, chart in charts[language].items()}, params.report.dpi
    )
    by_month = tables.all_tables(frames["predictions"])
    for name, table in by_month.items():
        write_csv(table, out / f"{name}.csv")
    text = page.page(
        read_json(HERE.intervention_records / "source.json"),
        frames,
        tables=by_month,
        charts=charts,
        config=study,
        language=language,
    )
    with atomic_write(out / "intervention.html") as scratch:
        scratch.write_text(text, encoding="utf-8")
    print(f"{len(charts[language])} figures, {len(by_month)} tables and intervention.html in {out}")
