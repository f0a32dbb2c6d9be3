"""The page of the study: its tables and charts in one HTML file, in two languages."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from markupsafe import Markup

from konkyo.config import Intervention, InterventionPeriod
from konkyo.i18n import Language, Text, t
from konkyo.intervention import published
from konkyo.intervention.samples import ALL_PERIODS
from konkyo.intervention.tables import FAMILIES
from konkyo.report.pages.html import Page, Table, number_cell, render, sections, shell

SECTIONS = ("overview", "periods", "forecasts", "tables", "attribution", "paper")
TABLES = (
    "fit", "scores", "tests", "seed_variation", "calibration", "responses", "curves",
    "attributions",
)  # fmt: skip
"""CSV files of the forecasts that the page and the figures read."""


def period_name(period: InterventionPeriod, language: Language) -> str:
    """Return the display name of a period: its months and the authority's direction."""
    key = f"intervention.period.{period.direction}"
    return t(key, language, first=period.first, last=period.last)


def figure_number(first: int, period: int, config: Intervention) -> str:
    """Return the number of a period's figure in the paper, which has four periods.

    Parameters
    ----------
    first : int
        Number of the figure of the first period.
    period : int
        Number of the period, from 1.
    config : Intervention
        With another number of periods all four numbers are returned, such as 2-5.
    """
    return str(first + period - 1) if len(config.periods) == 4 else f"{first}\u2013{first + 3}"


def page(
    source: Mapping[str, Any],
    frames: Mapping[str, pd.DataFrame],
    *,
    tables: Mapping[str, pd.DataFrame],
    charts: Mapping[str, Mapping[str, alt.TopLevelMixin]],
    config: Intervention,
    language: Language,
) -> str:
    """Return the page as one HTML document that needs neither network nor other files.

    Parameters
    ----------
    source : mapping
        Provenance of the records, of `records.facts_of`.
    frames : mapping
        `TABLES`, penalties and records, by name.
    tables : mapping
        The tables of the forecast months, of `tables.all_tables`.
    charts : mapping
        For each language, charts by name.
    config : Intervention
        The section of params.yaml.
    language : str
        The language shown first.
    """
    return shell(
        Page(
            title=Text.of("intervention.page_title"),
            body=body(source, frames, tables=tables, config=config),
            sections=sections("intervention", SECTIONS),
            charts=charts,
            language=language,
        )
    )


def body(
    source: Mapping[str, Any],
    frames: Mapping[str, pd.DataFrame],
    *,
    tables: Mapping[str, pd.DataFrame],
    config: Intervention,
) -> Markup:
    """Return the sections of the page; whatever comes from data is escaped."""
    periods = [
        {
            "number": i,
            "name": Text(period_name(period, "en"), period_name(period, "ja")),
            "tables": [
                (
                    Text.of(
                        f"intervention.family.{family}", number=figure_number(first, i, config)
                    ),
                    f"intervention.table.{family}",
                    _table(tables[f"{family}_{i}"]),
                )
                for family, first in FAMILIES.items()
            ],
        }
        for i, period in enumerate(config.periods, start=1)
    ]
    names = tuple(period.name for period in config.periods)
    penalties = frames["penalties"]
    if not penalties.empty:
        penalties = penalties.pivot_table(
            index=["period", "method"], columns="weight_decay", values="loss"
        ).reset_index()
    scores = frames["scores"]
    pooled = scores["period"] == ALL_PERIODS
    return render(
        "intervention.html",
        source=source,
        config=config,
        periods=periods,
        responses=_table(frames["responses"]),
        cuts_of_zero=sum(
            int((tables[f"method_1_{i['number']}"]["cut"] == 0).sum()) for i in periods
        ),
        forecast_months=sum(len(tables[f"amounts_{i['number']}"]) for i in periods),
        rate_end="rate_end" in frames["records"],
        all_periods=_table(scores[pooled].drop(columns="period")),
        scores=_table(scores[~pooled]),
        tests=_table(frames["tests"]),
        seed_variation=_table(frames["seed_variation"]),
        penalties=_table(penalties),
        fit=_table(frames["fit"].dropna(axis=1, how="all")),
        published=_table(published.beside_the_paper(tables, names)),
    )


def _table(frame: pd.DataFrame) -> Table:
    """Return a data frame as a table: columns and categories by their display names."""
    forms = [_format(frame[name]) for name in frame.columns]
    heads = [
        (Text.of_name("intervention.column", str(name)), form is not None)
        for name, form in zip(frame.columns, forms, strict=True)
    ]
    rows = [
        [
            (Text.of_name("intervention.value", str(value)), None)
            if form is None and pd.notna(value)
            else number_cell(value, form or "")
            for value, form in zip(row, forms, strict=True)
        ]
        for row in frame.itertuples(index=False, name=None)
    ]
    return Table(heads, rows)


def _format(column: pd.Series) -> str | None:
    """Return the format of a column's numbers by their size; None where it is text."""
    if not pd.api.types.is_numeric_dtype(column):
        return None
    numbers = column.dropna().to_numpy(dtype=float)
    if (numbers == np.round(numbers)).all():
        return ",.0f"
    return ",.1f" if np.abs(numbers).max() >= 100 else ",.3f"
