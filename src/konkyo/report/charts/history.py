"""Over time: relevance by group, effects of the characteristics, sizes and sectors."""

import altair as alt
import numpy as np
import pandas as pd

from konkyo.i18n import Language, t
from konkyo.report.charts.shapes import PANEL, group_colours, month_lines, row_names, smoothed_lines
from konkyo.report.charts.theme import (
    ROW,
    WIDTH,
    colours,
    months,
    per_cent,
    rolling_mean,
    rows,
    tips,
    titled,
    zero_rule,
)
from konkyo.report.style import COLOURS, GRID, LOWERS, PAPER, RAISES, SERIES
from konkyo.report.tables.labels import feature_names, sector_name

SECTORS = 5
"""Sectors with a line of their own."""

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
    names = row_names([str(name) for name in wide.index], labels, language)
    cells = wide.set_axis(names, axis=0).rename_axis("row").reset_index()
    cells = cells.melt("row", var_name="month", value_name="value").dropna(subset="value")
    # Cells are a few pixels wide: without an overlap the seams between them would show.
    month = cells.pop("month").astype("datetime64[s]")
    cells["start"], cells["end"] = month - pd.offsets.MonthBegin(1), month + pd.Timedelta(days=6)
    effect, decision = t("axis.effect", language), t("axis.decision_month", language)
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(
            domain=[-limit, 0, limit], range=[LOWERS, PAPER, RAISES], clamp=True, interpolate="lab"
        ),
        legend=alt.Legend(title=effect, format="~g", type="gradient"),
    )
    chart = alt.Chart(cells).mark_rect(clip=True)
    chart = chart.encode(
        x=months("start", wide.columns.to_series(), decision),
        x2="end:T",
        y=rows("row", names, grid=False),
        color=colour,
        tooltip=tips(("row:N",), ("start:T", decision, "%Y-%m"), ("value:Q", effect, "+.3f")),
    )
    view = alt.ViewBackground(fill=GRID)
    chart = chart.properties(width=WIDTH, height=ROW * len(names), view=view)
    return titled(chart, t("title.effect_map", language))


def exposure_lines(
    exposure: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
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

    Returns
    -------
    VConcatChart
        Above, the mean size of long and short as a percentile; below, where any sector differs,
        the 12-month mean of the difference between the shares of their stocks that belong to it,
        for the `SECTORS` of the largest mean absolute difference.
    """
    exposure = exposure.sort_values("month", kind="stable")
    sides = {side: t(f"portfolio.{side}", language) for side in ("long", "short")}
    size = exposure[exposure["kind"] == "size"].rename(columns=sides)
    shares = exposure[exposure["kind"] == "sector"]
    gaps = shares.pivot_table(index="month", columns="name", values="difference")
    apart = gaps.abs().mean().loc[lambda means: means > 0].nlargest(SECTORS).index
    panels: list[alt.LayerChart] = []
    if len(size):
        upper = smoothed_lines(
            size.drop(columns="name").melt("month", [*sides.values()], var_name="name"),
            alt.Y("value:Q", scale=alt.Scale(zero=False), **per_cent("axis.size", language)),
            colours([*sides.values()], [COLOURS[side] for side in sides], symbol="stroke"),
            digits=".1%",
            language=language,
            bare=len(apart) > 0,
            level=0.5,
        )
        panels.append(upper)
    if len(apart):
        names = feature_names(labels, language)
        gaps = gaps[apart].rename(columns=lambda name: sector_name(name, names, language))
        lines = month_lines(
            gaps.apply(rolling_mean).reset_index().melt("month", var_name="name"),
            alt.Y("value:Q", **per_cent("axis.sector_difference", language)),
            colours([*gaps], SERIES[: len(apart)], symbol="stroke"),
            digits="+.1%",
            month=t("axis.decision_month", language),
        )
        panels.append(alt.layer(lines, zero_rule()).properties(width=WIDTH, height=PANEL))
    chart = alt.vconcat(*panels, spacing=14).resolve_scale(x="shared", color="independent")
    title, note = ("exposure_lines", "exposure") if len(apart) else ("size_lines", "thin_lines")
    return titled(chart, t(f"title.{title}", language), t(f"note.{note}", language))
