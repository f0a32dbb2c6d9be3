"""Over time: relevance by input group, effects of the attributes, size and sector exposure."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from konkyo.i18n import Language, t
from konkyo.report.charts.bars import row_names
from konkyo.report.charts.theme import (
    ROW,
    colours,
    diverging,
    months,
    per_cent,
    rolling_mean,
    row_letters,
    rows,
    titled,
    zero_rule,
)
from konkyo.report.style import COLOURS, GRID, OTHER, SERIES, width_of
from konkyo.report.tables.labels import feature_names, sector_name

SECTORS = 5
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
    present = [str(name) for name in sizes.index[sizes > 0]]
    names = feature_names(labels, language)
    called = [names.get(group, group) for group in present]
    # The inputs' group `market` has another colour than the market portfolio.
    paint = [COLOURS.get("market_group" if g == "market" else g, OTHER) for g in present]
    parts = []
    for group, name in zip(present, called, strict=True):
        series = groups[groups["group"] == group].sort_values("month")
        parts.append(series[["month", "difference", "share"]].assign(name=name))
    difference = alt.Y("value:Q", title=t("axis.difference_short", language))
    share = alt.Y("value:Q", **per_cent("axis.share_of_relevance", language))
    upper, lower = (
        _thin_and_thick(
            parts, column, y, digits, colours(called, paint, symbol="stroke"), language, last=last
        )
        for column, y, digits, last in (
            ("difference", difference, "+.3f", False),
            ("share", share, ".1%", True),
        )
    )
    chart = alt.vconcat(upper, lower, spacing=14).resolve_scale(x="shared")
    return titled(chart, t("title.group_lines", language), t("note.thin_lines", language))


def _thin_and_thick(
    parts: Sequence[pd.DataFrame],
    column: str,
    y: alt.Y,
    digits: str,
    paint: alt.Color,
    language: Language,
    *,
    last: bool,
    height: int = 170,
) -> alt.LayerChart:
    """Return a noisy monthly series thin and its 12-month mean thick, for each table of `parts`."""
    table = pd.concat(
        part[["month", "name"]].assign(value=part[column], mean=rolling_mean(part[column]))
        for part in parts
    )
    month = t("axis.decision_month", language)
    x = months("month", table["month"], month if last else "", labels=last)
    base = alt.Chart(table).encode(x=x, color=paint)
    thin = base.mark_line(strokeWidth=0.8, opacity=0.4, point="transparent").encode(
        y=y,
        tooltip=[
            alt.Tooltip("month:T", format="%Y-%m", title=month),
            alt.Tooltip("name:N", title=" "),
            alt.Tooltip("value:Q", format=digits, title=y["title"]),
        ],
    )
    thick = base.mark_line(strokeWidth=2).encode(y=alt.Y("mean:Q", title=y["title"]))
    return alt.layer(thin, zero_rule(), thick).properties(width=640, height=height)


def effect_map(
    effects: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> alt.LayerChart | alt.Chart:
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
    wide = effect_grid(effects)
    names = row_names([str(name) for name in wide.index], labels, language)
    table = wide.set_axis(names, axis=0).rename_axis("row").reset_index()
    table = table.melt("row", var_name="month", value_name="effect").dropna(subset="effect")
    # Cells are a few pixels wide: without an overlap the seams between them would show.
    table["start"] = pd.to_datetime(table["month"]) - pd.offsets.MonthBegin(1)
    table["end"] = pd.to_datetime(table["month"]) + pd.Timedelta(days=6)
    table = table.drop(columns="month")
    month, effect = t("axis.decision_month", language), t("axis.effect", language)
    chart = (
        alt.Chart(table)
        .mark_rect(clip=True)
        .encode(
            x=months("start", wide.columns.to_series(), month),
            x2="end:T",
            y=rows("row", names, grid=False),
            color=diverging("effect", effect_limit(wide), effect),
            tooltip=[
                alt.Tooltip("row:N", title=" "),
                alt.Tooltip("start:T", format="%Y-%m", title=month),
                alt.Tooltip("effect:Q", format="+.3f", title=effect),
            ],
        )
    )
    step = ROW if max(map(width_of, names), default=0) > 20 else 17
    chart = chart.properties(
        width=620, height=step * len(names), view=alt.ViewBackground(fill=GRID)
    ).add_params(row_letters())
    return titled(chart, t("title.effect_map", language))


def effect_grid(effects: pd.DataFrame) -> pd.DataFrame:
    """Return the effects as features x months, the largest mean absolute effect first."""
    wide = effects.pivot_table(index="feature", columns="month", values="effect", dropna=False)
    size = wide.abs().mean(axis=1)
    return wide.loc[size[size > 0].sort_values(ascending=False, kind="stable").index]


def effect_limit(wide: pd.DataFrame) -> float:
    """Return the end of the effects' one scale, above 0."""
    sizes = np.abs(wide.to_numpy(float))
    sizes = sizes[np.isfinite(sizes)]
    return float(np.quantile(sizes, SCALE)) if sizes.any() else 1.0


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
        Above, the mean size of long and short as a percentile; below, the difference between the
        shares of their stocks that belong to a sector, where there are sectors.
    """
    size = exposure[exposure["kind"] == "size"].sort_values("month")
    sides = {side: t(f"portfolio.{side}", language) for side in ("long", "short")}
    lines = sector_lines(exposure, sectors)
    parts = [size[["month"]].assign(value=size[side], name=name) for side, name in sides.items()]
    y = alt.Y("value:Q", scale=alt.Scale(zero=False), **per_cent("axis.size", language))
    paint = colours(list(sides.values()), [COLOURS[side] for side in sides], symbol="stroke")
    panels = []
    if len(size):
        upper = _thin_and_thick(parts, "value", y, ".1%", paint, language, last=not lines)
        half = alt.Chart(alt.Data(values=[{}])).mark_rule().encode(y=alt.YDatum(0.5))
        panels.append(
            alt.layer(upper.layer[0], half, upper.layer[2]).properties(width=640, height=170)
        )
    if lines:
        names = feature_names(labels, language)
        called = [sector_name(name, names, language) for name in lines]
        table = pd.concat(
            line.assign(name=name) for line, name in zip(lines.values(), called, strict=True)
        )
        month, what = t("axis.decision_month", language), "axis.sector_difference"
        chart = (
            alt.Chart(table)
            .mark_line(point="transparent")
            .encode(
                x=months("month", exposure["month"], month),
                y=alt.Y("difference:Q", **per_cent(what, language)),
                color=colours(called, SERIES[: len(called)], symbol="stroke"),
                tooltip=[
                    alt.Tooltip("month:T", format="%Y-%m", title=month),
                    alt.Tooltip("name:N", title=" "),
                    alt.Tooltip("difference:Q", format="+.1%", title=t(what, language)),
                ],
            )
        )
        panels.append(alt.layer(chart, zero_rule()).properties(width=640, height=170))
    chart = alt.vconcat(*panels, spacing=14).resolve_scale(x="shared", color="independent")
    return titled(chart, t("title.exposure_lines", language), t("note.exposure", language))


def sector_lines(exposure: pd.DataFrame, most: int) -> dict[str, pd.DataFrame]:
    """Return the sectors of the largest mean absolute difference: month, difference (12 months)."""
    sector_rows = exposure[exposure["kind"] == "sector"].sort_values("month")
    size = sector_rows.assign(size=sector_rows["difference"].abs()).groupby("name")["size"].mean()
    lines = {}
    for name in size[size > 0].sort_values(ascending=False, kind="stable").index[:most]:
        series = sector_rows.loc[sector_rows["name"] == name, ["month", "difference"]]
        lines[str(name)] = series.assign(difference=rolling_mean(series["difference"]))
    return lines
