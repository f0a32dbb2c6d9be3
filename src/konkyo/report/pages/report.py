"""The report: the paper's chapter 4 as one page, from the overview down to a single stock."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from konkyo.config import Report
from konkyo.dates import label, parse
from konkyo.errors import ArtifactError
from konkyo.i18n import LANGUAGES, Language, Text, section, t
from konkyo.report.charts.factors import factor_bars, factor_scatter
from konkyo.report.charts.shapes import waterfall
from konkyo.report.pages.codec import pack, pack_factors
from konkyo.report.pages.html import Page, Table, pack_json, render, shell
from konkyo.report.pages.portfolio import group_names, headline, section_tables
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import positions
from konkyo.report.tables.reliability import most_reliable
from konkyo.report.tables.sentences import RULES

SECTIONS = ("overview", "portfolio", "factors", "stock", "market", "time", "trust", "files")
SCRIPT_TEXTS = (
    "sentence", "stock", "column", "group", "portfolio", "legend.no_sector", "report.not_ranked",
    "report.difference", "report.p_adjusted", "report.no_portfolios",
)  # fmt: skip
"""What the page's scripts fill: tables and keys of the catalogue."""
PICKED = ("factor_scatter", "market_quantile_bars")
"""Charts that there are several of, named family/feature: each family has a picker."""
PERFORMANCE = {
    "annual_return": ".1f",
    "annual_return_arithmetic": ".1f",
    "annual_volatility": ".1f",
    "return_risk_ratio": ".2f",
    "sharpe_ratio": ".2f",
    "max_drawdown": ".1f",
    "hit_rate": ".1f",
    "months": ".0f",
}
_FRACTIONS = (
    *("annual_return", "annual_return_arithmetic", "annual_volatility"),
    *("max_drawdown", "hit_rate"),
)


def report(
    panel: ExplainedPanel,
    tables: Mapping[str, pd.DataFrame],
    *,
    source: Mapping[str, Any],
    charts: Mapping[str, Mapping[str, alt.TopLevelMixin]],
    labels: pd.DataFrame,
    config: Report,
    largest: int = 8,
    related: Sequence[tuple[Text, str]] = (),
    notices: Sequence[Text] = (),
    in_per_cent: bool = False,
) -> str:
    """Return the whole report as one HTML document.

    Parameters
    ----------
    panel : ExplainedPanel
        Every score with its attribution: the source of the page's single stock.
    tables : mapping
        performance (model, portfolio and the measures as fractions), factor_shape, whose features
        are those of figure 10, and those of `backtest.portfolio_tables`, if any.
    source : mapping
        Provenance of the records, of `ingest`: source, point_in_time, survivorship_free.
    charts : mapping
        For each language, what `charts.report.page_charts` returns. A chart that is missing
        leaves its place out.
    labels : DataFrame
        What `tables.labels.labels` returns for `panel.names`, or for more.
    config : Report
        The section of params.yaml: the month, stocks and language that are shown first.
    largest : int
        How many inputs of every stock the page carries singly; see `pages.codec`.
    related : sequence of (Text, str)
        Further pages and their addresses as seen from this one.
    notices : sequence of Text
        Sentences about the records and results that a reader should know first.
    in_per_cent : bool
        Whether the score is a predicted return, shown in per cent.

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
    names = group_names(labels)
    labels = labels.drop_duplicates("feature").set_index("feature").loc[panel.names].reset_index()
    months = panel.months()
    month = months[-1] if config.month == "newest" else parse(config.month)
    panel.rows(month)
    factors = list(tables["factor_shape"]["feature"].drop_duplicates())
    charts = {
        language: {**charts[language], **charts_to_fill(labels, factors, language)}
        for language in LANGUAGES
    }
    picked = {
        family: [
            (name, names[name.partition("/")[2]])
            for name in charts["en"]
            if name.startswith(family)
        ]
        for family in PICKED
    }
    has_portfolios = "portfolio_performance" in tables
    absent = {
        *(() if picked["market_quantile_bars"] else ("market",)),
        *(() if has_portfolios else ("portfolio",)),
    }
    sections = [name for name in SECTIONS if name not in absent]
    body = render(
        "report.html",
        months=[label(month) for month in months],
        source=Text.of_name("source", source["source"]),
        point_in_time=_stated("point_in_time", source),
        survivorship=_stated("survivorship_free", source),
        without=[label(month) for month in panel.months_without_portfolios()],
        count=len(panel.index),
        inputs=len(panel.names),
        charts=charts["en"],
        errors=panel.error is not None,
        reliable=reliable_sentence(panel, tables, names, month),
        picked=picked,
        performance=_performance(tables["performance"]),
        headline=headline(tables, names) if has_portfolios else [],
        portfolio=section_tables(tables, names) if has_portfolios else {},
        related=related,
        notices=notices,
        epsilon_share=epsilon_share(tables),
    )
    words = {
        "labels": labels.drop(columns="feature").to_dict("records"),
        "rules": RULES,
        "texts": section(*SCRIPT_TEXTS),
        "in_per_cent": in_per_cent,
    }
    first = {
        "month": label(month),
        "n_extremes": config.n_extremes,
        "watchlist": list(config.watchlist),
        "columns": positions(panel, config.columns).tolist(),
    }
    return shell(
        Page(
            title=Text.of("report.page_title"),
            body=body,
            sections=[(name, Text.of(f"report.section.{name}")) for name in sections],
            data={
                **pack(panel, config.n_extremes, config.watchlist, largest, factors),
                **pack_factors(panel, factors, config.stars),
                "words.json": pack_json(words),
                "first.json": pack_json(first),
            },
            charts=charts,
            styles=("report.css",),
            scripts=("unpack.js", "words.js", "stock.js", "factors.js", "report.js"),
            language=config.language,
        )
    )


def charts_to_fill(
    labels: pd.DataFrame, factors: Sequence[str], language: Language
) -> dict[str, alt.TopLevelMixin]:
    """Return the charts without data: scripts hand them the rows of the month or stock shown."""
    steps = waterfall(alt.NamedData("steps"), t("column.score", language))
    points, curve = alt.NamedData("points"), alt.NamedData("curve")
    return {
        "stock_attribution": steps,
        "stock_change": steps,
        "factor_bars": factor_bars(alt.NamedData("bars"), labels, language),
        **{
            f"factor_scatter/{feature}": factor_scatter(points, curve, labels, feature, language)
            for feature in factors
        },
    }


HARDLY_ANY = 0.005
"""Share of reliable relevances below which the page says that there is hardly any."""


def reliable_sentence(
    panel: ExplainedPanel,
    tables: Mapping[str, pd.DataFrame],
    names: Mapping[str, Text],
    month: pd.Timestamp,
) -> Text | None:
    """Return how many relevances of a month are reliable and which; None without standard errors.

    Parameters
    ----------
    panel : ExplainedPanel
        Relevances and their flags.
    tables : mapping
        reliability_months: month, reliable_share, placebo_share, of the stage attribute.
    names : mapping of str to Text
        Of the inputs.
    month : Timestamp
        The month.
    """
    if panel.reliable is None:
        return None
    months = tables["reliability_months"]
    until = months[months["month"] <= month]
    share = float(until["reliable_share"].iloc[-1])
    placebo = until["placebo_share"].dropna()
    inputs = [
        Text.of("report.reliable_input", name=names[str(name)], share=f"{100 * part:.0f}")
        for name, part in most_reliable(panel, month)[:3].items()
    ]
    key = "report.hardly_reliable" if share < HARDLY_ANY else "report.reliable"
    return Text.of(
        key,
        month=label(month),
        share=f"{100 * share:.1f}",
        placebo=""
        if placebo.empty
        else Text.of("report.reliable_placebo", share=f"{100 * placebo.iloc[-1]:.1f}"),
        inputs=Text.join(inputs),
    )


def epsilon_share(tables: Mapping[str, pd.DataFrame]) -> float | None:
    """Return the share of the scores that LRP's epsilon takes, None where it was not measured."""
    absorption = tables.get("absorption", pd.DataFrame())
    sizes = absorption.iloc[0] if len(absorption) else {"score": 0.0}
    return float(sizes["epsilon"] / sizes["score"]) if sizes["score"] else None


def _stated(key: str, source: Mapping[str, Any]) -> Text:
    """Return what the provenance states of the records, or that it states nothing."""
    return Text.of(f"report.{key}.{str(source.get(key)).lower()}")


def _performance(performance: pd.DataFrame) -> Table:
    """Return figure 7, fractions in per cent."""
    names = {
        column: [Text.of_name(column, str(name)) for name in performance[column]]
        for column in ("model", "portfolio")
    }
    frame = performance.assign(**{name: 100 * performance[name] for name in _FRACTIONS}, **names)
    heads = {name: Text.of_name("performance", name) for name in (*names, *PERFORMANCE)}
    return Table.of(frame, heads, PERFORMANCE)
