"""Stage report: every table as CSV, every chart as PNG, and one page of them all."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from joblib.externals.loky import ProcessPoolExecutor

from konkyo.artifacts import HERE
from konkyo.backtesting.scores import NETWORK
from konkyo.cache import digest_of
from konkyo.config import LARGEST_AUTOCORRELATION, LARGEST_EPSILON_SHARE, Params, load
from konkyo.features import store
from konkyo.features.characteristics import raw_values
from konkyo.i18n import LANGUAGES, Text
from konkyo.io import atomic_write, read_json, read_parquet, read_parquets, write_csv
from konkyo.pipeline import locking, report_inputs, stage
from konkyo.report import tables as report_tables
from konkyo.report.charts.report import month_charts, page_charts
from konkyo.report.charts.theme import save_pngs, to_spec
from konkyo.report.pages.report import epsilon_share, report
from konkyo.report.tables.explained_panel import ExplainedPanel, build

TABLES = ("performance", "quantiles", "returns", "cumulative")
CHECKS = ("deletion", "cascading_randomisation")
_LONGEST = 75
"""Characters of a file's name; one of Japanese takes three of the 255 bytes that it may have."""


def read_panel(values: str) -> tuple[ExplainedPanel, pd.DataFrame]:
    """Read panel, attributions and portfolios; return them with the labels of the features.

    Parameters
    ----------
    values : str
        report.values: "raw" adds the characteristics before standardisation.
    """
    panel = store.read(HERE.panel)
    explained = build(
        panel.index,
        panel.features,
        panel.catalogue,
        read_parquets(report_inputs.files()),
        report_inputs.read_table(HERE.portfolios),
    )
    if values == "raw":
        columns = explained.columns("characteristic")
        raw = explained.features.copy()
        names = [explained.names[column] for column in columns]
        raw[:, columns] = raw_values(read_parquet(HERE.stocks), explained.index, names).to_numpy()
        explained = replace(explained, raw=raw)
    return report_inputs.with_errors(explained), report_inputs.read_labels(panel.catalogue)


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


def notices(
    tables: Mapping[str, pd.DataFrame],
    source: Mapping[str, Any],
    metrics: Mapping[str, Any],
    params: Params,
) -> list[Text]:
    """Return what a reader of the page should know first.

    Parameters
    ----------
    tables : mapping
        performance, and absorption where the attribution methods were evaluated.
    source, metrics : mapping
        data/records/source.json and data/metrics.json.
    params : Params
        params.yaml.
    """
    sentences = []
    correlation = source.get("return_rank_autocorrelation") or 0.0
    if abs(correlation) > LARGEST_AUTOCORRELATION and not params.prepare.skip_months:
        sentences.append(Text.of("report.averaged", correlation=f"{correlation:.2f}"))
    if params.prepare.skip_months:
        sentences.append(Text.of("report.skipped", months=params.prepare.skip_months))
    performance = tables["performance"]
    lost = performance["portfolio"].isin(["spread", "spread_net"]) & (
        performance["max_drawdown"] <= -1
    )
    for model in performance.loc[lost, "model"].unique():
        sentences.append(Text.of("report.lost", model=Text.of_name("model", str(model))))
    if legless := metrics.get(NETWORK, {}).get("months_without_leg_return"):
        sentences.append(Text.of("report.without_leg", count=legless))
    share = epsilon_share(tables)
    if share is not None and share > LARGEST_EPSILON_SHARE:
        sentences.append(
            Text.of(
                "report.epsilon_large",
                share=f"{100 * share:.0f}",
                limit=f"{100 * LARGEST_EPSILON_SHARE:.0f}",
            )
        )
    return sentences


@stage
@locking.writing
def main() -> None:
    """Read what the earlier stages wrote, write data/report."""
    params = load()
    config = params.report
    # ground_truth.csv exists only where the source has the true contributions.
    paths = {name: HERE.backtest / f"{name}.csv" for name in TABLES}
    paths |= {name: HERE.verify / f"{name}.csv" for name in CHECKS}
    paths |= {path.stem: path for path in sorted(HERE.verify.glob("*.csv"))}
    if HERE.reliability.exists():
        paths["reliability_months"] = HERE.reliability
    paths |= {path.stem: path for path in sorted(HERE.portfolio.glob("*.csv"))}
    # Trades are the largest, and follow from the holdings.
    paths.pop("trades", None)
    tables = {
        name: report_inputs.read_table(path) for name, path in paths.items() if name != "holdings"
    }
    panel, labels = read_panel(config.values)
    computed = report_tables.tables(panel, labels, config)
    tables |= computed

    charts: dict[str, dict[str, Any]] = {
        language: {
            name: to_spec(chart) for name, chart in page_charts(tables, labels, language).items()
        }
        for language in LANGUAGES
    }
    in_per_cent = params.prepare.label == "raw"
    pictures = charts[config.language] | month_charts(tables, labels, config.language)
    source = read_json(HERE.source)
    paths_of = {HERE.report / f"{_file(name)}.png": chart for name, chart in pictures.items()}
    # Vega holds Python's lock while it draws, so that a thread would not draw beside the page.
    with ProcessPoolExecutor(1) as painter:
        painted = painter.submit(save_pngs, paths_of, config.dpi)
        page = report(
            panel,
            tables,
            source=source,
            charts=charts,
            labels=labels,
            config=config,
            related=related_pages(),
            notices=notices(tables, source, read_json(HERE.metrics), params),
            in_per_cent=in_per_cent,
        )
        painted.result()
    with atomic_write(HERE.report / "report.html") as scratch:
        scratch.write_text(page, encoding="utf-8")
    for name, table in computed.items():
        write_csv(table, HERE.report / f"{name}.csv")
    for name, path in paths.items():
        with atomic_write(HERE.report / f"{name}.csv") as scratch:
            shutil.copyfile(path, scratch)
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
