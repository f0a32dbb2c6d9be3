"""Stage report: every table as CSV, every chart as PNG, and one page of them all."""

import shutil
from typing import Any

import pandas as pd

from konkyo.artifacts import HERE
from konkyo.cache import digest_of
from konkyo.config import load
from konkyo.features import store
from konkyo.i18n import LANGUAGES, Text
from konkyo.io import atomic_write, read_json, write_csv
from konkyo.pipeline import locking, report_inputs, stage
from konkyo.report import tables as report_tables
from konkyo.report.charts.report import page_charts, stock_charts
from konkyo.report.charts.theme import save_pngs, to_spec
from konkyo.report.pages.report import report
from konkyo.report.tables.performance import performance_markdown

TABLES = ("performance", "quantiles", "returns", "cumulative")
CHECKS = ("deletion", "cascading_randomisation")
_LONGEST = 75
"""Characters of a file's name; one of Japanese takes three of the 255 bytes that it may have."""


def read_evidence() -> tuple[report_tables.ExplainedPanel, pd.DataFrame]:
    """Read panel, attributions and portfolios; return them with the labels of the features."""
    panel = store.read(HERE.panel)
    evidence = report_tables.build(
        panel.index,
        panel.features,
        panel.catalogue,
        report_inputs.read_attributions(report_inputs.files()),
        report_inputs.read_table(HERE.portfolios),
    )
    return evidence, report_inputs.read_labels(panel.catalogue)


def related_pages() -> list[tuple[Text, str]]:
    """Return the pages of searches and of the second study that exist, by address."""
    pages = [
        (Text.of("report.search_page", study=path.parent.name), path)
        for path in sorted(HERE.tuning.glob("*/tuning.html"))
    ]
    second_study = HERE.intervention_report / "intervention.html"
    if second_study.exists():
        pages.append((Text.of("report.intervention_page"), second_study))
    return [(name, f"../{path.relative_to(HERE.data).as_posix()}") for name, path in pages]


@stage
@locking.writing
def main() -> None:
    """Read what the earlier stages wrote, write data/report."""
    config = load().report
    # ground_truth.csv exists only where the source has the true contributions.
    paths = {name: HERE.backtest / f"{name}.csv" for name in TABLES}
    paths |= {name: HERE.verify / f"{name}.csv" for name in CHECKS}
    paths |= {path.stem: path for path in sorted(HERE.verify.glob("*.csv"))}
    panel, labels = read_evidence()
    computed = report_tables.tables(panel, labels, config)
    tables = {name: report_inputs.read_table(path) for name, path in paths.items()} | computed

    charts: dict[str, dict[str, Any]] = {
        language: {
            name: to_spec(chart) for name, chart in page_charts(tables, labels, language).items()
        }
        for language in LANGUAGES
    }
    pictures = charts[config.language] | stock_charts(tables, labels, config.language)
    save_pngs(
        {HERE.report / f"{_file(name)}.png": chart for name, chart in pictures.items()}, config.dpi
    )
    page = report(
        panel,
        tables,
        source=read_json(HERE.source),
        charts=charts,
        labels=labels,
        config=config,
        related=related_pages(),
    )
    with atomic_write(HERE.report / "report.html") as scratch:
        scratch.write_text(page, encoding="utf-8")
    shares = computed["groups"].pivot_table(index="month", columns="group", values="share")
    for name, table in {**computed, "group_shares": shares.reset_index()}.items():
        write_csv(table, HERE.report / f"{name}.csv")
    for name, path in paths.items():
        with atomic_write(HERE.report / f"{name}.csv") as scratch:
            shutil.copyfile(path, scratch)
    with atomic_write(HERE.report / "performance.md") as scratch:
        scratch.write_text(performance_markdown(tables["performance"]), encoding="utf-8")
    print(
        f"{len(pictures)} figures, {len(tables)} tables and report.html "
        f"({len(page.encode()) / 1e6:.1f} MB) in {HERE.report}"
    )


def _file(name: str) -> str:
    """Return a figure's name as that of a file; a stock's code may hold any character and many."""
    plain = "-".join(
        "".join(c if c.isalnum() or c in "_." else "_" for c in part) for part in name.split("/")
    )
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}-{digest_of(name)[:8]}"
