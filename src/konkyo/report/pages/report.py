"""The report: the paper's chapter 4 as one page, from the overview down to a single stock."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from konkyo.config import Report
from konkyo.dates import label, parse
from konkyo.errors import ArtifactError
from konkyo.i18n import LANGUAGES, Text, section
from konkyo.report.pages.codec import compress, pack
from konkyo.report.pages.html import Page, minus, render, shell
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.sentences import RULES

SECTIONS = ("overview", "factors", "stock", "market", "time", "trust", "files")
SCRIPT_TEXTS = ("sentence", "stock", "column", "legend.no_sector", "report.not_ranked")
"""What the page's scripts fill: tables and keys of the catalogue."""
PICKED = ("factor_scatter", "market_quantile_bars")
"""Figures that there are several of, named family/feature: each family has a picker."""
_MEASURES = (
    "annual_return",
    "annual_volatility",
    "sharpe_ratio",
    "max_drawdown",
    "hit_rate",
    "months",
)
_PERCENT = ("annual_return", "annual_volatility", "max_drawdown", "hit_rate")


def report(
    e: ExplainedPanel,
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Mapping[str, Any]],
    labels: pd.DataFrame,
    chosen: Report,
    largest: int = 8,
    others: Sequence[tuple[Text, str]] = (),
) -> str:
    """Return the whole report as one HTML document.

    Parameters
    ----------
    e : Evidence
        Every score with its grounds; the page's single stock is read from it.
    tables : mapping
        performance (model, portfolio and the measures as fractions) and factor_means (what
        `reading.factors.factor_means` returns).
    figures : mapping
        For each language, Plotly figures by name: those of the room `interactive` by their
        functions' names, and of the families in `PICKED` one a feature as "family/feature". A
        figure that is missing leaves its place out.
    labels : DataFrame
        What `reading.labels.labels` returns for `e.names`, or for more.
    chosen : Report
        The section of params.yaml: which month and stocks are shown first, which language.
    largest : int
        How many inputs of every stock the page carries singly; see `pages.pack`.
    others : sequence of (Text, str)
        Further pages and their addresses as seen from this one.

    Returns
    -------
    str
        Needs neither network nor other files.

    Raises
    ------
    ArtifactError
        An input has no label, or there is no ranking in the month chosen.
    """
    missing = sorted(set(e.names) - set(labels["feature"]))
    if missing:
        raise ArtifactError(f"no label for {', '.join(missing)}: make labels for the inputs' names")
    labels = labels.drop_duplicates("feature").set_index("feature").loc[e.names].reset_index()
    plain: dict[str, dict[str, Any]] = {
        language: {name: figure.to_plotly_json() for name, figure in figures[language].items()}
        for language in LANGUAGES
    }
    packed = pack(e, chosen.n_extremes, chosen.watchlist, largest)
    months = e.months()
    month = months[-1] if chosen.month == "newest" else parse(chosen.month)
    e.rows(month)
    first = {"month": label(month), "stocks": chosen.n_extremes, "named": list(chosen.watchlist)}
    words = {
        "labels": labels.drop(columns="feature").to_dict("records"),
        "rules": RULES,
        "texts": section(*SCRIPT_TEXTS),
    }
    names = {
        row["feature"]: Text(row["en"], row["ja"])
        for row in labels[["feature", "en", "ja"]].to_dict("records")
    }
    shown = plain["en"]
    picked = {family: _of(family, shown, names) for family in PICKED}
    body = render(
        "report.html",
        months=months,
        label=label,
        without=[label(month) for month in e.months_without_portfolios()],
        count=len(e.index),
        inputs=len(e.names),
        best=e.best,
        figures=shown,
        picked=picked,
        stocks=chosen.n_extremes,
        performance=_performance(tables["performance"]),
        others=others,
        measures=[(key, Text.of(f"performance.{key}")) for key in _MEASURES],
        means=_means(tables["factor_means"], names),
        scatters=[feature for feature, _ in picked["factor_scatter"]],
    )
    data = {
        "pack/head.json": packed.head,
        **{f"pack/{name}": block for name, block in packed.months.items()},
        "words.json": _json(words),
        "chosen.json": _json(first),
    }
    return shell(
        Page(
            title=Text.of("report.page_title"),
            body=body,
            sections=[(name, Text.of(f"report.section.{name}")) for name in SECTIONS],
            data=data,
            figures=plain,
            styles=("report.css",),
            scripts=("unpack.js", "words.js", "stock.js", "month.js", "report.js"),
            language=chosen.language,
        )
    )


def _of(
    family: str, figures: Mapping[str, Any], names: Mapping[str, Text]
) -> list[tuple[str, Text]]:
    """Return the features that a family has a figure of, and what they are called."""
    features = [name.partition("/")[2] for name in figures if name.startswith(f"{family}/")]
    return [(feature, names.get(feature, Text.same(feature))) for feature in features]


def _performance(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of figure 7: names in both languages, numbers as shown and as sorted by."""
    rows = []
    for record in table.to_dict("records"):
        cells = [(_shown(key, record[key]), record[key]) for key in _MEASURES]
        rows.append(
            {
                "model": Text.of_name("model", str(record["model"])),
                "portfolio": Text.of_name("portfolio", str(record["portfolio"])),
                "cells": [(shown, "" if pd.isna(value) else value) for shown, value in cells],
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


def _shown(key: str, value: float) -> str:
    if pd.isna(value):
        return "–"
    if key == "months":
        return str(int(value))
    return minus(f"{100 * value:.1f}" if key in _PERCENT else f"{value:.2f}")


def _json(value: Any) -> bytes:
    return compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
