"""compare: two runs side by side, from MLflow alone."""

import os
from pathlib import Path

import pandas as pd

from konkyo import config, dates, io
from konkyo.artifacts import HERE
from konkyo.errors import TrackingError
from konkyo.i18n import Language, Text
from konkyo.monitoring.run_comparison import compare_month, compare_runs
from konkyo.pipeline import stage
from konkyo.report.pages.html import Page, Table, number_formats, render, sections, shell


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
    """Return the comparison as one HTML document; whatever comes from the runs is escaped."""
    shown = {name: _table(frame, names) for name, frame in tables.items()}
    body = render("compare.html", names=names, month=month, tables=shown)
    title = Text.of("compare.heading", one=names[0], other=names[1])
    return shell(Page(title, body, sections("compare", list(tables)), language=language))


def _table(frame: pd.DataFrame, names: tuple[str, str]) -> Table:
    """Return a table whose columns that end in _1 and _2 have the names of the runs."""
    heads = {}
    for column in map(str, frame.columns):
        stem, _, run = column.rpartition("_")
        if run not in ("1", "2"):
            heads[column] = Text.of_name("compare.column", column)
            continue
        words, name = Text.of_name("compare.column", stem), names[int(run) - 1]
        heads[column] = Text(f"{words.en}: {name}", f"{words.ja}：{name}")
    if "month" in frame:
        frame = frame.assign(month=frame["month"].map(dates.label))
    for column in frame.columns.intersection(["portfolio", "leg"]):
        frame = frame.assign(
            **{column: [Text.of_name("portfolio", name) for name in frame[column]]}
        )
    return Table.of(frame, heads, number_formats(frame))
