"""The report: the paper's chapter 4 as one page, from the overview down to a single stock."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from konkyo.config import Report
from konkyo.dates import label, parse
from konkyo.errors import ArtifactError
from konkyo.i18n import LANGUAGES, Text, section, t
from konkyo.report.charts.bars import waterfall
from konkyo.report.pages.codec import compress, pack
from konkyo.report.pages.html import Page, minus, render, shell
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.performance import COLUMNS, cell
from konkyo.report.tables.sentences import RULES

SECTIONS = ("overview", "factors", "stock", "market", "time", "trust", "files")
SCRIPT_TEXTS = ("sentence", "stock", "column", "legend.no_sector", "report.not_ranked")
"""What the page's scripts fill: tables and keys of the catalogue."""
PICKED = ("factor_scatter", "market_quantile_bars")
"""Charts that there are several of, named family/feature: each family has a picker."""
STEPS = ("stock_attribution", "stock_change")
"""Charts without data: stock.js hands them the steps of the stock and month shown."""
_MEASURES = COLUMNS[2:]


def report(
    panel: ExplainedPanel,
    tables: Mapping[str, pd.DataFrame],
    *,
    charts: Mapping[str, Mapping[str, alt.TopLevelMixin]],
    labels: pd.DataFrame,
    config: Report,
    largest: int = 8,
    others: Sequence[tuple[Text, str]] = (),
    records: Mapping[str, Any] | None = None,
) -> str:
    """Return the whole report as one HTML document.

    Parameters
    ----------
    panel : ExplainedPanel
        Every score with its attribution: the source of the page's single stock.
    tables : mapping
        performance (model, portfolio and the measures as fractions) and factor_means (what
        `tables.factors.factor_means` returns).
    charts : mapping
        For each language, what `charts.report.page_charts` returns. A chart that is missing
        leaves its place out.
    labels : DataFrame
        What `tables.labels.labels` returns for `e.names`, or for more.
    config : Report
        The section of params.yaml: the month, stocks and language that are shown first.
    largest : int
        How many inputs of every stock the page carries singly; see `pages.codec`.
    others : sequence of (Text, str)
        Further pages and their addresses as seen from this one.
    records : mapping, optional
        source, stocks, first_month, last_month, point_in_time and survivorship_free, as
        `data.records.facts_of` returns them: the page says in its first lines what they are.

    Returns
    -------
    str
        Needs neither network nor other files.

    Raises
    ------
    ArtifactError
        An input has no label, or no stock was ranked in the month of `config`.
    """
    missing = sorted(set(panel.names) - set(labels["feature"]))
    if missing:
        raise ArtifactError(f"no label for {', '.join(missing)}: make labels for the inputs' names")
    labels = labels.drop_duplicates("feature").set_index("feature").loc[panel.names].reset_index()
    steps = {
        language: {
            name: waterfall(alt.NamedData("steps"), t("column.score", language)) for name in STEPS
        }
        for language in LANGUAGES
    }
    packed = pack(panel, config.n_extremes, config.watchlist, largest)
    months = panel.months()
    month = months[-1] if config.month == "newest" else parse(config.month)
    panel.rows(month)
    first = {"month": label(month), "stocks": config.n_extremes, "named": list(config.watchlist)}
    words = {
        "labels": labels.drop(columns="feature").to_dict("records"),
        "rules": RULES,
        "texts": section(*SCRIPT_TEXTS),
    }
    names = {
        row["feature"]: Text(row["en"], row["ja"])
        for row in labels[["feature", "en", "ja"]].to_dict("records")
    }
    picked = {family: _of(family, charts["en"], names) for family in PICKED}
    body = render(
        "report.html",
        months=months,
        label=label,
        without=[label(month) for month in panel.months_without_portfolios()],
        count=len(panel.index),
        inputs=len(panel.names),
        best=panel.best,
        charts=charts["en"],
        picked=picked,
        stocks=config.n_extremes,
        performance=_performance(tables["performance"]),
        others=others,
        records=records,
        measures=[(key, Text.of(f"performance.{key}")) for key in _MEASURES],
        means=_means(tables["factor_means"], names),
        scatters=[feature for feature, _ in picked["factor_scatter"]],
    )
    data = {
        "pack/head.json": packed.head,
        **{f"pack/{name}": block for name, block in packed.months.items()},
        "words.json": _json(words),
        "first.json": _json(first),
    }
    return shell(
        Page(
            title=Text.of("report.page_title"),
            body=body,
            sections=[(name, Text.of(f"report.section.{name}")) for name in SECTIONS],
            data=data,
            charts={language: {**charts[language], **steps[language]} for language in LANGUAGES},
            styles=("report.css",),
            scripts=("unpack.js", "words.js", "stock.js", "month.js", "report.js"),
            language=config.language,
        )
    )


def _of(
    family: str, charts: Mapping[str, alt.TopLevelMixin], names: Mapping[str, Text]
) -> list[tuple[str, Text]]:
    """Return the features that a family has a chart of, and what they are called."""
    features = [name.partition("/")[2] for name in charts if name.startswith(f"{family}/")]
    return [(feature, names.get(feature, Text.same(feature))) for feature in features]


def _performance(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of figure 7: names in both languages, numbers as shown and as sorted by."""
    rows = []
    for record in table.to_dict("records"):
        cells = [(minus(cell(key, record[key])), record[key]) for key in _MEASURES]
        rows.append(
            {
                "model": Text.of_name("model", str(record["model"])),
                "portfolio": Text.of_name("portfolio", str(record["portfolio"])),
                "cells": [(text, "" if pd.isna(value) else value) for text, value in cells],
            }
        )
    return rows


def _means(table: pd.DataFrame, names: Mapping[str, Text]) -> list[dict[str, Any]]:
    """Return the rows of figure 9's table, the largest difference first."""
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    return [
        {
            **record,
            "name": names[record["feature"]],
            "group": Text.of(f"group.{record['group']}"),
            "t": "" if pd.isna(record["t"]) else record["t"],
        }
        for record in table.loc[order].to_dict("records")
    ]


def _json(value: Any) -> bytes:
    return compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
