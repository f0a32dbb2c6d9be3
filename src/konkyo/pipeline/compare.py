"""compare: two runs side by side, from MLflow alone."""

import os
from pathlib import Path

import altair as alt
import pandas as pd

from konkyo import config, io
from konkyo.artifacts import HERE
from konkyo.errors import TrackingError
from konkyo.i18n import LANGUAGES, Language, Text, t
from konkyo.monitoring.run_comparison import compare_month, compare_runs
from konkyo.pipeline import stage
from konkyo.report.charts.shapes import PANEL, month_lines
from konkyo.report.charts.theme import WIDTH, colours, per_cent, titled
from konkyo.report.pages.html import Page, Table, render, sections, shell
from konkyo.report.style import COLOURS

SECTIONS = ("performance", "attribution", "disagreement")
FORMS = {
    "performance": {
        "annual_return": "+.1%", "sharpe_ratio": ".2f", "alpha_t": "+.1f", "difference": "+.1%",
        "difference_t": "+.1f", "common_months": ".0f",
    },
    "attribution": {"annual": "+.1%", "t": "+.1f"},
    "means": {"difference": "+.4f"},
    "stocks": {"rank": ".0f", "difference": "+.0f"},
    "inputs": {"difference": ".4f"},
}  # fmt: skip
"""Format of each table's numbers; a name stands for its columns of both runs."""


@stage
def main(one: str, other: str) -> None:
    """Compare two runs, given by name or id, and write data/compare.

    Raises
    ------
    TrackingError
        A run is not in the store or lacks its tables, or both have no decision month in common.
    """
    params = config.load()
    # mlflow takes seconds to import; an error in params.yaml is reported without it.
    from konkyo.tracking import run_tables, store

    target = store.target(params.track, Path.cwd(), os.environ)
    client = store.connect(target.uri)
    runs = [run_tables.read_run(client, target.experiment, wanted) for wanted in (one, other)]
    months = sorted(set(runs[0].months) & set(runs[1].months))
    if not months:
        raise TrackingError(
            f"{runs[0].name} and {runs[1].name} have no decision month in common: compare runs of "
            "the same records"
        )
    tables = compare_runs(runs[0].tables, runs[1].tables)
    newest = [run_tables.read_attributions(client, run, months[-1]) for run in runs]
    tables |= compare_month(*newest)
    for name, table in tables.items():
        io.write_csv(table, HERE.compare / f"{name}.csv")
    names = (runs[0].name, runs[1].name)
    with io.atomic_write(HERE.compare / "compare.html") as scratch:
        text = page(tables, names, months[-1], params.report.language)
        scratch.write_text(text, encoding="utf-8")
    for row in tables["performance"].to_dict("records"):
        print(
            f"{row['portfolio']}: Sharpe ratio net {row['sharpe_ratio_1']:.2f} ({names[0]}), "
            f"{row['sharpe_ratio_2']:.2f} ({names[1]}); difference {100 * row['difference']:+.1f} "
            f"per cent a year (t {row['difference_t']:.1f})"
        )
    print(f"see {HERE.compare}")


def page(
    tables: dict[str, pd.DataFrame], names: tuple[str, str], month: str, language: Language
) -> str:
    """Return the page: tables of `compare_runs` and `compare_month`, and the overlap as a chart."""
    charts: dict[str, dict[str, alt.TopLevelMixin]] = {
        one: {"overlap_lines": overlap_lines(tables["overlap"], one)} for one in LANGUAGES
    }
    body = render(
        "compare.html",
        names=names,
        month=month,
        charts=charts["en"],
        tables={name: _table(name, tables[name], names) for name in FORMS},
    )
    title = Text.of("compare.page_title", one=names[0], other=names[1])
    return shell(Page(title, body, sections("compare", SECTIONS), charts=charts, language=language))


def overlap_lines(overlap: pd.DataFrame, language: Language) -> alt.Chart:
    """Return the share of common stocks of each leg by month."""
    legs = {leg: t(f"portfolio.{leg}", language) for leg in ("long", "short")}
    chart = month_lines(
        overlap.assign(name=overlap["leg"].map(legs), value=overlap["share"]),
        alt.Y("value:Q", **per_cent("axis.overlap", language)),
        colours(list(legs.values()), [COLOURS[leg] for leg in legs], symbol="stroke"),
        digits=".0%",
        month=t("axis.decision_month", language),
    ).properties(width=WIDTH, height=PANEL)
    return titled(chart, t("title.overlap_lines", language))


def _table(name: str, frame: pd.DataFrame, names: tuple[str, str]) -> Table:
    """Return a table whose columns of both runs are headed by the runs' names."""
    heads, forms = {}, {}
    for column in frame.columns:
        stem, _, run = str(column).rpartition("_") if str(column)[-2:] in ("_1", "_2") else (
            str(column), "", ""
        )  # fmt: skip
        words = Text.of_name("compare.column", stem)
        if run:
            label = names[int(run) - 1]
            words = Text(f"{words.en}: {label}", f"{words.ja}：{label}")
        heads[str(column)] = words
        if stem in FORMS[name]:
            forms[str(column)] = FORMS[name][stem]
    if "portfolio" in frame:
        portfolios = [Text.of_name("portfolio", str(one)) for one in frame["portfolio"]]
        frame = frame.assign(portfolio=portfolios)
    return Table.of(frame, heads, forms)
