"""Shapes that several figures share: bars, waterfalls, lines over months.

A figure is one of them with the encoding of its values, from a tidy table: `paired_bars`,
`waterfall`, `month_lines` and `smoothed_lines`.
"""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from konkyo.i18n import Language, t
from konkyo.report.charts.theme import (
    ROW,
    WIDTH,
    colours,
    months,
    rolling_mean,
    rows,
    tips,
    zero_rule,
)
from konkyo.report.style import COLOURS, INK, LOWERS, MUTED, OTHER, RAISES
from konkyo.report.tables.labels import feature_names

PANEL = 170
"""Pixels of height of a panel above or below another one."""


def row_names(features: Sequence[str], labels: pd.DataFrame, language: Language) -> list[str]:
    """Return the labels of features; where two are alike, each with the feature's own name."""
    names = feature_names(labels, language)
    plain = pd.Series([names.get(feature, feature) for feature in features], dtype=object)
    alike = plain.duplicated(keep=False)
    return [
        f"{name} ({feature})" if twice else name
        for name, feature, twice in zip(plain, features, alike, strict=True)
    ]


def paired_bars(
    table: pd.DataFrame | alt.NamedData,
    names: Sequence[str],
    sides: Mapping[str, str],
    *,
    x: alt.X,
    digits: str,
    paint: Sequence[str] = (COLOURS["long"], COLOURS["short"]),
) -> alt.LayerChart:
    """Return two bars a row.

    Parameters
    ----------
    table : DataFrame or NamedData
        One row a name, a column for each side; further columns are ignored. A page hands over by
        name: place (0, 1, 2... downwards), row (the name), side and value, a row for each bar.
    names : sequence of str
        What the rows are called, downwards.
    sides : mapping
        For each column of bars its name in the legend.
    x : alt.X
        The encoding of "value:Q".
    digits : str
        The format of a value in the tooltip.
    paint : sequence of str
        The sides' colours.
    """
    called = list(sides.values())
    bars, size = table, {"height": ROW, "usermeta": {"row": ROW // 2}}
    if isinstance(table, pd.DataFrame):
        bars = table[list(sides)].set_axis(called, axis=1).assign(row=list(names))
        bars, size = bars.melt("row", var_name="side"), {"height": ROW * len(names)}
    chart = alt.Chart(bars).mark_bar()
    chart = chart.encode(
        y=rows("row", names),
        yOffset=alt.YOffset("side:N", sort=called),
        x=x,
        color=colours(called, paint, "side"),
        tooltip=tips(("row:N",), ("side:N",), ("value:Q", x["title"], digits)),
    )
    return alt.layer(chart, zero_rule("x")).properties(**size)


def waterfall(steps: alt.NamedData, axis: str) -> alt.LayerChart:
    """Return bars that start where the one above ended, each with its change in numbers.

    Parameters
    ----------
    steps : NamedData
        The page hands its rows over: place (0, 1, 2... downwards), name (one a row), start, end,
        change (end - start), total (the bar is a score and no step), and where there are standard
        errors low, high (end less and plus one) and reliable: other bars are faded.
    axis : str
        The title of the axis.
    """
    paint = (
        alt.when("datum.total")
        .then(alt.value(MUTED))
        .when("datum.change < 0")
        .then(alt.value(LOWERS))
        .otherwise(alt.value(RAISES))
    )
    base = alt.Chart(steps).encode(y=rows("name", [], ticks=False))
    x = alt.X("start:Q", title=axis, scale=alt.Scale(zero=False, padding=46))
    faded = alt.when("datum.reliable === false").then(alt.value(0.35)).otherwise(alt.value(1))
    bars = base.mark_bar().encode(x=x, x2="end:Q", color=paint, fillOpacity=faded)
    whiskers = (
        base.transform_calculate(
            lowest="isValid(datum.low) ? datum.low : datum.end",
            highest="isValid(datum.high) ? datum.high : datum.end",
        )
        .mark_rule(color=INK, strokeWidth=1.5)
        .encode(x=alt.X("lowest:Q", title=axis), x2="highest:Q")
    )
    words = (
        base.transform_calculate(edge="max(datum.start, datum.end, datum.high || datum.end)")
        .mark_text(align="left", dx=4, fontSize=10, color=MUTED)
        .encode(x=alt.X("edge:Q", title=axis), text=alt.Text("change:Q", format="+.3f"))
    )
    zero = base.mark_rule(strokeWidth=1, color=INK).encode(x=alt.XDatum(0))
    chart = alt.layer(bars, whiskers, words, zero)
    # The page sets the height by the rows that it hands over.
    return chart.properties(width=WIDTH, height=ROW, usermeta={"row": ROW})


def group_colours(groups: Sequence[str]) -> list[str]:
    """Return the colours of input groups; `market` has another than the market portfolio."""
    return [COLOURS.get("market_group" if g == "market" else g, OTHER) for g in groups]


def month_lines(
    table: pd.DataFrame,
    y: alt.Y,
    paint: alt.Color | alt.ColorValue,
    *,
    digits: str,
    month: str,
    bare: bool = False,
    **mark: float,
) -> alt.Chart:
    """Return one line a name.

    Parameters
    ----------
    table : DataFrame
        month, name, value.
    y : alt.Y
        The encoding of "value:Q", with a title.
    paint : alt.Color or alt.ColorValue
        Of the names.
    digits : str
        The format of a value in the tooltip.
    month : str
        What the months are.
    bare : bool
        Without labels of months, for a panel above another one.
    **mark
        Looks of the lines.
    """
    chart = alt.Chart(table).mark_line(point="transparent", **mark)
    return chart.encode(
        x=months("month", table["month"], "" if bare else month, labels=not bare),
        y=y,
        color=paint,
        tooltip=tips(("month:T", month, "%Y-%m"), ("name:N",), ("value:Q", y["title"], digits)),
    )


def smoothed_lines(
    table: pd.DataFrame,
    y: alt.Y,
    paint: alt.Color,
    *,
    digits: str,
    language: Language,
    bare: bool = False,
    level: float = 0.0,
) -> alt.LayerChart:
    """Return noisy monthly series as thin lines, their 12-month means as thick ones.

    Parameters
    ----------
    table, y, paint, digits, bare
        As of `month_lines`; sorted by month within a name.
    language : str
        en or ja.
    level : float
        Where a rule is drawn across.
    """
    means = table.groupby("name", sort=False)["value"].transform(rolling_mean)
    month = t("axis.decision_month", language)
    look = {"strokeWidth": 0.8, "opacity": 0.4}
    table = table[["month", "name", "value"]].assign(mean=means)
    thin = month_lines(table, y, paint, digits=digits, month=month, bare=bare, **look)
    thick = thin.mark_line(strokeWidth=2).encode(y=alt.Y("mean:Q", title=y["title"]))
    return alt.layer(thin, zero_rule(level=level), thick).properties(width=WIDTH, height=PANEL)
