"""Over time: relevance by group, effects, exposures, and the inputs that turn portfolios over."""

import altair as alt
import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.shapes import (
    PANEL,
    group_colours,
    month_lines,
    month_map,
    paired_bars,
    row_names,
    smoothed_lines,
)
from konkyo.report.charts.theme import (
    WIDTH,
    colours,
    diverging,
    per_cent,
    rolling_mean,
    titled,
    zero_rule,
)
from konkyo.report.style import COLOURS, SERIES
from konkyo.report.tables.figure_data import largest, mean_turnover
from konkyo.report.tables.labels import feature_names, sector_name

SECTORS = 5
BARS, FEATURES = 20, 20
SCALE = 0.98
"""The effects' scale ends at this quantile of their size, so that one month does not fade all."""


def group_lines(
    groups: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> alt.VConcatChart:
    """Return how much each input group moves the scores, and separates long and short.

    Parameters
    ----------
    groups : DataFrame
        What `tables.history.groups_over_time` returns: month, group, difference (units of the
        score), share (a fraction).
    labels : DataFrame
        feature, en, ja, the groups among the features.
    language : str
        en or ja.

    Returns
    -------
    VConcatChart
        Above, the difference of mean relevance between long and short; below, the group's share
        of all absolute relevance. Thin lines are months, thick ones 12-month means. A group
        without any relevance is left out.
    """
    sizes = groups.groupby("group", sort=False)["share"].max()
    names = feature_names(labels, language)
    shown = {str(group): names.get(str(group), str(group)) for group in sizes.index[sizes > 0]}
    paint = colours(list(shown.values()), group_colours([*shown]), symbol="stroke")
    table = groups.assign(name=groups["group"].map(shown)).dropna(subset="name")
    table = table.sort_values("month", kind="stable")
    upper = smoothed_lines(
        table.assign(value=table["difference"]),
        alt.Y("value:Q", title=t("axis.difference_short", language)),
        paint,
        digits="+.3f",
        language=language,
        bare=True,
    )
    lower = smoothed_lines(
        table.assign(value=table["share"]),
        alt.Y("value:Q", **per_cent("axis.share_of_relevance", language)),
        paint,
        digits=".1%",
        language=language,
    )
    chart = alt.vconcat(upper, lower, spacing=14).resolve_scale(x="shared")
    return titled(chart, t("title.group_lines", language), t("note.thin_lines", language))


def effect_map(effects: pd.DataFrame, labels: pd.DataFrame, language: Language = "en") -> alt.Chart:
    """Return every attribute's effect on the scores in every month.

    Parameters
    ----------
    effects : DataFrame
        What `tables.history.effects` returns: month, feature, effect (units of the score; NaN
        where the value does not vary).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.

    Returns
    -------
    Chart
        A heat map, the attribute of the largest mean absolute effect on top: red where high
        values raise the score, blue where they lower it, grey where there is no effect. An
        attribute that never has one is left out.
    """
    wide = effects.pivot_table(index="feature", columns="month", values="effect", dropna=False)
    size = wide.abs().mean(axis=1)
    wide = wide.loc[size[size > 0].sort_values(ascending=False, kind="stable").index]
    sizes = np.abs(wide.to_numpy(float))
    sizes = sizes[np.isfinite(sizes)]
    limit = float(np.quantile(sizes, SCALE)) if sizes.any() else 1.0
    effect = t("axis.effect", language)
    chart = month_map(
        wide,
        labels,
        diverging("value", limit, effect),
        digits="+.3f",
        value=effect,
        language=language,
    )
    return titled(chart, t("title.effect_map", language))


def exposure_lines(
    exposure: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", sectors: int = SECTORS
) -> alt.VConcatChart:
    """Return the portfolios' size and sectors over time.

    Parameters
    ----------
    exposure : DataFrame
        What `tables.exposure.exposure` returns: month, kind (sector | size), name, long, short,
        difference; fractions.
    labels : DataFrame
        feature, en, ja: a sector is called as its dummy is.
    language : str
        en or ja.
    sectors : int
        So many sectors, those of the largest mean absolute difference.

    Returns
    -------
    VConcatChart
        Above, the mean size of long and short as a percentile; below, where any sector differs,
        the 12-month mean of the difference between the shares of their stocks that belong to it.
    """
    sides = {side: t(f"portfolio.{side}", language) for side in ("long", "short")}
    size = exposure[exposure["kind"] == "size"].sort_values("month")
    size = size.melt("month", list(sides), "side", "value")
    lines = sector_lines(exposure, sectors)
    panels: list[alt.LayerChart] = [
        smoothed_lines(
            size.assign(name=size["side"].map(sides)),
            alt.Y("value:Q", scale=alt.Scale(zero=False), **per_cent("axis.size", language)),
            colours(list(sides.values()), [COLOURS[side] for side in sides], symbol="stroke"),
            digits=".1%",
            language=language,
            bare=bool(lines),
            level=0.5,
        )
    ]
    if lines:
        names = feature_names(labels, language)
        called = [sector_name(name, names, language) for name in lines]
        table = pd.concat(
            line.assign(name=name) for line, name in zip(lines.values(), called, strict=True)
        )
        chart = month_lines(
            table.rename(columns={"difference": "value"}),
            alt.Y("value:Q", **per_cent("axis.sector_difference", language)),
            colours(called, SERIES[: len(called)], symbol="stroke"),
            digits="+.1%",
            month=t("axis.decision_month", language),
        )
        panels.append(alt.layer(chart, zero_rule()).properties(width=WIDTH, height=PANEL))
    joined = alt.vconcat(*panels, spacing=14).resolve_scale(x="shared", color="independent")
    title, note = ("exposure_lines", "exposure") if lines else ("size_lines", "thin_lines")
    return titled(joined, t(f"title.{title}", language), t(f"note.{note}", language))


def sector_lines(exposure: pd.DataFrame, most: int) -> dict[str, pd.DataFrame]:
    """Return the sectors of the largest mean absolute difference: month, difference (12 months)."""
    sector_rows = exposure[exposure["kind"] == "sector"].sort_values("month")
    size = sector_rows.assign(size=sector_rows["difference"].abs()).groupby("name")["size"].mean()
    lines = {}
    for name in size[size > 0].sort_values(ascending=False, kind="stable").index[:most]:
        series = sector_rows.loc[sector_rows["name"] == name, ["month", "difference"]]
        lines[str(name)] = series.assign(difference=rolling_mean(series["difference"]))
    return lines


def exposure_bars(
    exposure: pd.DataFrame,
    labels: pd.DataFrame,
    language: Language = "en",
    month: pd.Timestamp | None = None,
    most: int = BARS,
) -> alt.LayerChart:
    """Return the sectors of the long and the short portfolio.

    Parameters
    ----------
    exposure : DataFrame
        What `tables.exposure.exposure` returns, with sectors.
    labels : DataFrame
        feature, en, ja: a sector is called as its dummy is.
    language : str
        en or ja.
    month : Timestamp, optional
        A decision month; by default the mean of all months.
    most : int
        At most so many sectors, by absolute difference.

    Returns
    -------
    LayerChart
        Two bars a sector, in per cent of the portfolio's stocks; by difference.
    """
    shares = sector_shares(exposure, month, most)
    names = feature_names(labels, language)
    heads = [sector_name(name, names, language) for name in shares["name"]]
    sides = {side: t(f"portfolio.{side}", language) for side in ("long", "short")}
    x = alt.X("value:Q", title=t("axis.share_of_stocks", language), axis=alt.Axis(format=".0%"))
    when = t("legend.all_months", language) if month is None else label(month)
    chart = paired_bars(shares, heads, sides, x=x, digits=".1%")
    return titled(chart, t("title.exposure_bars", language, when=when))


def sector_shares(exposure: pd.DataFrame, month: pd.Timestamp | None, most: int) -> pd.DataFrame:
    """Return name, long, short, difference of the sectors, the most overweighted first."""
    sector_rows = exposure[exposure["kind"] == "sector"]
    months = sector_rows["month"].nunique()
    if month is not None:
        sector_rows, months = sector_rows[sector_rows["month"] == month], 1
    # A sector that a month does not have counts with a share of 0.
    sums = sector_rows.groupby("name", sort=False)[["long", "short", "difference"]].sum() / months
    top = largest(sums.reset_index(), "difference", most)
    return top.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def relevance_turnover_bars(
    turnover: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = FEATURES
) -> alt.LayerChart:
    """Return the turnover due to changes of each input's relevance.

    Parameters
    ----------
    turnover : DataFrame
        What `tables.exposure.relevance_turnover` returns: month, side, feature, turnover (a
        fraction of the portfolio a month, one way).
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs with bars of their own.

    Returns
    -------
    LayerChart
        Two bars an input, in per cent a month. The legend has the portfolios' total turnover,
        which is the bars and what the note says of the other inputs.
    """
    table, rest = mean_turnover(turnover, most)
    sides = {}
    for side in ("long", "short"):
        total = 100 * (table[side].sum() + rest[side])
        sides[side] = f"{t(f'portfolio.{side}', language)}: {total:.1f}%"
    bars = table[(table[["long", "short"]] != 0).any(axis=1)]
    names = row_names(bars["feature"].tolist(), labels, language)
    x = alt.X("value:Q", title=t("axis.turnover", language), axis=alt.Axis(format="~%"))
    shares = {side: 100 * rest[side] for side in ("long", "short")}
    note = t("note.turnover", language, count=rest["count"], **shares) if rest["count"] else ""
    chart = paired_bars(bars, names, sides, x=x, digits=".2%")
    return titled(chart, t("title.relevance_turnover", language), note)
