"""The page of the study: its tables and interactive figures in one HTML file, in two languages."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from konkyo.config import Intervention, InterventionPeriod
from konkyo.i18n import Language, Text, t
from konkyo.intervention import published
from konkyo.intervention.accuracy import ALL
from konkyo.report.pages.html import Page, render, shell

SECTIONS = ("overview", "periods", "forecasts", "tables", "grounds", "paper")
TABLES = (
    "fit", "scores", "tests", "spread", "calibration", "thresholds", "curves", "grounds",
)  # fmt: skip
"""What the page and the figures read of the forecasts' folder."""


def period_name(period: InterventionPeriod, language: Language) -> str:
    """Return what a period is called: its months and what the authority does."""
    key = f"intervention.period.{period.direction}"
    return t(key, language, first=period.first, last=period.last)


def write(
    source: Mapping[str, Any],
    read: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Mapping[str, Mapping[str, Any]]],
    params: Intervention,
    language: Language,
) -> str:
    """Return the page as one HTML document that needs neither network nor other files.

    Parameters
    ----------
    source : mapping
        Facts about the records.
    read, tables : mapping
        `TABLES` and penalties; the tables of the forecast months, of `tables.all_tables`.
    figures : mapping
        For each language, Plotly figures as plain objects, by name.
    params : Intervention
        The section of params.yaml.
    language : str
        The language shown first.
    """
    return shell(
        Page(
            title=Text.of("intervention.page_title"),
            body=body(source, read, tables, params),
            sections=[(name, Text.of(f"intervention.section.{name}")) for name in SECTIONS],
            figures=figures,
            language=language,
        )
    )


def body(
    source: Mapping[str, Any],
    read: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    params: Intervention,
) -> Markup:
    """Return the sections of the page, whatever comes from data escaped."""
    periods = [
        {
            "place": place,
            "name": Text(period_name(period, "en"), period_name(period, "ja")),
            "tables": [
                (f"{kind}_{place}", _table(tables[f"{kind}_{place}"]))
                for kind in ("amounts", "answers", "occurrence")
            ],
        }
        for place, period in enumerate(params.periods, start=1)
    ]
    penalties = read["penalties"]
    if not penalties.empty:
        penalties = penalties.pivot_table(
            index=["period", "data", "method"], columns="weight_decay", values="loss"
        ).reset_index()
    scores = read["scores"]
    return render(
        "intervention.html",
        source=source,
        params=params,
        periods=periods,
        thresholds=_table(read["thresholds"]),
        whole=_table(scores[scores["period"] == ALL].drop(columns="period")),
        scores=_table(scores[scores["period"] != ALL]),
        tests=_table(read["tests"]),
        spread=_table(read["spread"]),
        penalties=_table(penalties),
        fit=_table(read["fit"].dropna(axis=1, how="all")),
        published=_table(published.scored(params.scoring)),
    )


def _table(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table as the template shows it: heads, and cells with what they are sorted by."""
    digits = [_digits(frame[name]) for name in frame.columns]
    return {
        "heads": [
            (Text.of_name("intervention.column", str(name)), places is not None)
            for name, places in zip(frame.columns, digits, strict=True)
        ],
        "rows": [
            [_cell(value, places) for value, places in zip(row, digits, strict=True)]
            for row in frame.itertuples(index=False, name=None)
        ],
    }


def _digits(column: pd.Series) -> int | None:
    """Return how many digits a column's numbers show behind the point; None where it is words."""
    if not pd.api.types.is_numeric_dtype(column):
        return None
    numbers = column.dropna().to_numpy(dtype=float)
    if (numbers == np.round(numbers)).all():
        return 0
    return 1 if np.abs(numbers).max() >= 100 else 3


def _cell(value: Any, digits: int | None) -> dict[str, Any]:
    """Return a cell: its words, and for a number the number itself."""
    if pd.isna(value):
        return {"words": Text.same("–"), "value": ""}
    if digits is None:
        return {"words": Text.of_name("intervention.value", str(value)), "value": None}
    shown = f"{float(value):,.{digits}f}"
    return {"words": Text.same(shown), "value": float(value)}
