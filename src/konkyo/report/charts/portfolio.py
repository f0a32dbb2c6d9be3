"""What earned the return, and what is left after risk, cost and size."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from konkyo.i18n import Language, t
from konkyo.report.charts.shapes import PANEL, group_colours, month_lines, paired_bars
from konkyo.report.charts.theme import (
    HEIGHT,
    ROW,
    WIDTH,
    colours,
    per_cent,
    rolling_mean,
    tips,
    titled,
    zero_rule,
)
from konkyo.report.style import COLOURS, INK, SERIES
from konkyo.report.tables.labels import feature_names

PORTFOLIOS = ("equal_weighted", "score_weighted", "sector_neutral")
"""Those of the return attribution: quantiles (Shapley values), and two that are linear."""


def portfolio_charts(
    tables: Mapping[str, pd.DataFrame], labels: pd.DataFrame, language: Language = "en"
) -> dict[str, alt.TopLevelMixin]:
    """Return the charts of the section on portfolios.

    Parameters
    ----------
    tables : mapping
        What `backtest.portfolio_tables` returns.
    labels : DataFrame
        feature, en, ja, the groups among the features.
    language : str
        en or ja.

    Returns
    -------
    dict
        By name, without those that have nothing to show.
    """
    performance = tables["portfolio_performance"]
    main = performance.loc[performance["main"], "portfolio"].iloc[0]
    exposures = tables["portfolio_exposures"]
    charts: dict[str, alt.TopLevelMixin] = {
        "return_attribution_bars": attribution_bars(
            tables["return_attribution_summary"], labels, language
        ),
        "return_attribution_lines": attribution_lines(
            tables["return_attribution_groups"], labels, language
        ),
        "horizon_bars": horizon_bars(tables["horizon_ic"], language),
        "buffer_bars": buffer_bars(tables["buffer"], language),
    }
    if len(exposures.columns) > 2:
        of_main = exposures[exposures["portfolio"] == main].drop(columns="portfolio")
        charts["characteristic_lines"] = characteristic_lines(of_main, language)
    if len(tables["rolling_regression"]):
        charts["rolling_alpha"] = rolling_alpha(tables["rolling_regression"], language)
    if "capacity" in tables:
        charts["capacity_line"] = capacity_line(tables["capacity"], language)
    return charts


def attribution_bars(
    summary: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> alt.LayerChart:
    """Return what each group of inputs earned a year, a bar a portfolio.

    Parameters
    ----------
    summary : DataFrame
        portfolio, kind (group), feature, annual (a fraction).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    """
    groups = summary[summary["kind"] == "group"]
    wide = groups.pivot_table(index="feature", columns="portfolio", values="annual", sort=False)
    wide = wide[(wide != 0).any(axis=1)]
    shown = [name for name in PORTFOLIOS if name in wide]
    names = feature_names(labels, language)
    chart = paired_bars(
        wide.reset_index(),
        [names.get(str(group), str(group)) for group in wide.index],
        {name: t(f"portfolio.{name}", language) for name in shown},
        x=alt.X("value:Q", **per_cent("axis.contribution", language)),
        digits="+.1%",
        paint=(INK, COLOURS["named"], COLOURS["placebo"]),
    )
    chart = chart.properties(height=2 * ROW * len(wide))
    title = t("title.return_attribution_bars", language)
    return titled(chart, title, t("note.return_attribution", language))


def attribution_lines(
    groups: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> alt.LayerChart:
    """Return the cumulated contributions of the groups to the spread of the quantiles.

    Parameters
    ----------
    groups : DataFrame
        portfolio, month, feature (a group), contribution (a fraction).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    """
    table = groups[groups["portfolio"] == PORTFOLIOS[0]].sort_values("month", kind="stable")
    names = feature_names(labels, language)
    moves = table.groupby("feature", sort=False)["contribution"].apply(lambda part: part.any())
    shown = {str(name): names.get(str(name), str(name)) for name in moves.index[moves]}
    total = table.groupby("month", as_index=False)["contribution"].sum()
    every = t("portfolio.spread", language)
    table = pd.concat([table.assign(name=table["feature"].map(shown)), total.assign(name=every)])
    table = table.dropna(subset="name")
    table["value"] = table.groupby("name", sort=False)["contribution"].cumsum()
    inks = group_colours([*shown])
    chart = month_lines(
        table[["month", "name", "value"]],
        alt.Y("value:Q", **per_cent("axis.contribution_sum", language)),
        colours([*shown.values(), every], [*inks, INK], symbol="stroke"),
        digits="+.1%",
        month=t("axis.decision_month", language),
    )
    chart = alt.layer(chart, zero_rule()).properties(width=WIDTH, height=HEIGHT)
    return titled(chart, t("title.return_attribution_lines", language))


def horizon_bars(horizon: pd.DataFrame, language: Language = "en") -> alt.LayerChart:
    """Return the rank IC of the score with the single month that is h months ahead.

    Parameters
    ----------
    horizon : DataFrame
        horizon (months), rank_ic, t_newey_west, months.
    language : str
        en or ja.
    """
    y = alt.Y("rank_ic:Q", title=t("axis.rank_ic", language))
    bars = alt.Chart(horizon).mark_bar(color=SERIES[0])
    bars = bars.encode(
        x=alt.X("horizon:O", title=t("axis.horizon", language), axis=alt.Axis(labelAngle=0)),
        y=y,
        tooltip=tips(
            ("horizon:O", t("axis.horizon", language)), ("rank_ic:Q", y["title"], "+.4f"),
            ("t_newey_west:Q", "t", "+.1f"),
        ),
    )  # fmt: skip
    chart = alt.layer(bars, zero_rule()).properties(width=WIDTH, height=PANEL)
    return titled(chart, t("title.horizon_bars", language))


def buffer_bars(buffer: pd.DataFrame, language: Language = "en") -> alt.LayerChart:
    """Return gross and net return a year against the buffer.

    Parameters
    ----------
    buffer : DataFrame
        buffer (quantiles), gross, net (a year, fractions), turnover (one-way, a month).
    language : str
        en or ja.
    """
    rows = [
        t("legend.buffer", language, buffer=row.buffer, turnover=f"{100 * row.turnover:.0f}")
        for row in buffer.itertuples()
    ]
    sides = {"gross": t("portfolio.spread", language), "net": t("portfolio.spread_net", language)}
    x = alt.X("value:Q", **per_cent("axis.annual_return_mean", language))
    inks = (COLOURS["spread"], COLOURS["spread_net"])
    chart = paired_bars(buffer, rows, sides, x=x, digits="+.1%", paint=inks)
    return titled(chart, t("title.buffer_bars", language), t("note.buffer", language))


def characteristic_lines(exposures: pd.DataFrame, language: Language = "en") -> alt.LayerChart:
    """Return the exposure of long less short to characteristics, 12-month means.

    Parameters
    ----------
    exposures : DataFrame
        month and a column a characteristic, standardised.
    language : str
        en or ja.
    """
    table = exposures.sort_values("month").melt("month", var_name="column", value_name="value")
    table["value"] = table.groupby("column", sort=False)["value"].transform(rolling_mean)
    names = {name: t(f"characteristic.{name}", language) for name in table["column"].unique()}
    chart = month_lines(
        table.assign(name=table["column"].map(names)).drop(columns="column"),
        alt.Y("value:Q", title=t("axis.exposure", language)),
        colours(list(names.values()), SERIES[: len(names)], symbol="stroke"),
        digits="+.2f",
        month=t("axis.decision_month", language),
    )
    chart = alt.layer(chart, zero_rule()).properties(width=WIDTH, height=PANEL)
    return titled(chart, t("title.characteristic_lines", language))


def rolling_alpha(rolling: pd.DataFrame, language: Language = "en") -> alt.LayerChart:
    """Return the alpha a year of the last 36 months, by their last month.

    Parameters
    ----------
    rolling : DataFrame
        month, factor, coefficient (alpha a year, a fraction), t.
    language : str
        en or ja.
    """
    alpha = rolling[rolling["factor"] == "alpha"].assign(name="alpha")
    chart = month_lines(
        alpha[["month", "name", "coefficient"]].rename(columns={"coefficient": "value"}),
        alt.Y("value:Q", **per_cent("axis.alpha", language)),
        alt.value(INK),
        digits="+.1%",
        month=t("axis.earned_month", language),
    )
    chart = alt.layer(chart, zero_rule()).properties(width=WIDTH, height=PANEL)
    return titled(chart, t("title.rolling_alpha", language))


def capacity_line(capacity: pd.DataFrame, language: Language = "en") -> alt.LayerChart:
    """Return the net return a year against assets under management.

    Parameters
    ----------
    capacity : DataFrame
        aum (the records' currency), net (a fraction).
    language : str
        en or ja.
    """
    # Far beyond capacity the square root law gives losses of no meaning.
    table = capacity.assign(net=np.maximum(capacity["net"], -0.5))
    scale = alt.Scale(type="log")
    x = alt.X("aum:Q", title=t("axis.aum", language), scale=scale, axis=alt.Axis(format="~e"))
    y = alt.Y("net:Q", **per_cent("axis.annual_return_mean", language))
    line = alt.Chart(table).mark_line(point=True, color=INK)
    line = line.encode(x=x, y=y, tooltip=tips(("aum:Q", "AUM", "~e"), ("net:Q", " ", "+.1%")))
    chart = alt.layer(line, zero_rule()).properties(width=WIDTH, height=PANEL)
    return titled(chart, t("title.capacity_line", language))
