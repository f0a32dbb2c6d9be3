"""The page of the study: its charts and tables in one HTML file, in two languages."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
from markupsafe import Markup

from konkyo import dates
from konkyo.config import Intervention, InterventionPeriod
from konkyo.i18n import Language, Text, t
from konkyo.intervention.attribution import RULES
from konkyo.intervention.samples import ALL_PERIODS, IN_SAMPLE, METHODS
from konkyo.intervention.surface import SURFACES
from konkyo.intervention.tables import FAMILIES, beside_the_paper
from konkyo.report.charts import intervention as series
from konkyo.report.charts import intervention_surface as surface
from konkyo.report.pages.html import Page, Table, number_formats, render, sections, shell

SECTIONS = ("overview", "periods", "forecasts", "tables", "attribution", "paper")
TABLES = ("fit", "scores", "tests", "responses", "curves", "attributions")
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


def charts(
    frames: Mapping[str, pd.DataFrame], config: Intervention, language: Language
) -> dict[str, alt.TopLevelMixin]:
    """Draw every figure.

    Parameters
    ----------
    frames : mapping
        predictions, surfaces, points, curves, responses and attributions, of the stage
        intervention-forecast, and the records.
    config : Intervention
        Periods.
    language : str
        en or ja.

    Returns
    -------
    dict
        By name: rate (figure 1), fitted_<period> (2 to 5); of both second inputs of figures 6-1
        and 6-2, surface_<input>_<period> and map_<input>_<period>; curves_<input>, forecasts and
        attribution_<method>. Periods are numbered from 1. Figures 7 to 18 are the tables.
    """
    names = {period.name: period_name(period, language) for period in config.periods}
    responses, curves = frames["responses"], frames["curves"]
    thresholds = responses[responses["input"] == "change"].set_index("period")["threshold"]
    amounts = frames["predictions"][frames["predictions"]["method"] == "amount"]
    attributions = frames["attributions"]
    realised = (attributions["data"] == "I") & (attributions["rule"] == RULES[0])
    starts = [dates.parse(period.first) for period in config.periods]
    drawn: dict[str, alt.TopLevelMixin] = {
        "rate": series.rate_and_intervention(frames["records"], starts, "1", language)
    }
    for i, period in enumerate(config.periods, start=1):
        name = names[period.name]
        fits = amounts[(amounts["period"] == period.name) & (amounts["data"] == IN_SAMPLE)]
        number = figure_number(2, i, config)
        drawn[f"fitted_{i}"] = series.fitted_intervention(fits, name, number, language)
        points = frames["points"][frames["points"]["period"] == period.name]
        # The threshold is a move against the authority's direction: a fall where it sells yen.
        sign = -1 if period.direction == "sell" else 1
        for number, inputs in zip(("6-1", "6-2"), SURFACES, strict=True):
            second = inputs[1]
            surfaces = frames["surfaces"]
            chosen = (surfaces["period"] == period.name) & (surfaces["surface"] == second)
            grid = surfaces[chosen].rename(columns={"second": second})
            common: dict[str, Any] = {"inputs": inputs, "period": name, "language": language}
            drawn[f"surface_{second}_{i}"] = surface.reaction_wireframe(
                grid, points, number=number, **common
            )
            drawn[f"map_{second}_{i}"] = surface.reaction_map(
                grid, points, threshold=sign * float(thresholds[period.name]), **common
            )
    for key, of_input in responses.groupby("input", sort=False):
        drawn[f"curves_{key}"] = series.response_curves(
            curves[curves["input"] == key], of_input, names, language
        )
    drawn["forecasts"] = series.forecast_intervention(amounts[amounts["out_of_sample"]], language)
    for method in METHODS:
        rows = attributions[realised & (attributions["method"] == method)]
        drawn[f"attribution_{method}"] = series.attributions_of_forecasts(rows, method, language)
    return drawn


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
        period_options=[(period["number"], period["name"]) for period in periods],
        responses=_table(frames["responses"]),
        cuts_of_zero=sum(
            int((tables[f"method_1_{i['number']}"]["cut"] == 0).sum()) for i in periods
        ),
        forecast_months=sum(len(tables[f"amounts_{i['number']}"]) for i in periods),
        rate_end="rate_end" in frames["records"],
        all_periods=_table(scores[pooled].drop(columns="period")),
        scores=_table(scores[~pooled]),
        tests=_table(frames["tests"]),
        penalties=_table(penalties),
        fit=_table(frames["fit"].dropna(axis=1, how="all")),
        published=_table(beside_the_paper(tables, names)),
    )


def _table(frame: pd.DataFrame) -> Table:
    """Return a table with its columns and values in both languages."""
    frame = frame.set_axis([str(name) for name in frame], axis=1)
    formats = number_formats(frame)
    for name in set(frame) - set(formats):
        words = [Text.of_name("intervention.value", str(value)) for value in frame[name]]
        frame[name] = pd.Series(words, frame.index).where(frame[name].notna())
    heads = {name: Text.of_name("intervention.column", name) for name in frame}
    return Table.of(frame, heads, formats)
