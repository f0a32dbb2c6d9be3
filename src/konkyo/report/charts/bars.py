"""Horizontal bars: two of them a row, and steps that lead from one score to another."""

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from konkyo.i18n import Language
from konkyo.report.charts.theme import ROW, WIDTH, colours, row_letters, rows, tips, zero_rule
from konkyo.report.style import COLOURS, INK, LOWERS, MUTED, RAISES
from konkyo.report.tables.labels import feature_names


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
    table: pd.DataFrame,
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
    table : DataFrame
        One row a name, a column for each side; further columns are ignored.
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
    parts = [
        pd.DataFrame({"row": list(names), "side": name, "value": table[side].to_numpy(float)})
        for side, name in sides.items()
    ]
    called = list(sides.values())
    bars = (
        alt.Chart(pd.concat(parts))
        .mark_bar()
        .encode(
            y=rows("row", names),
            yOffset=alt.YOffset("side:N", sort=called),
            x=x,
            color=colours(called, paint, "side"),
            tooltip=tips(("row:N",), ("side:N",), ("value:Q", x["title"], digits)),
        )
    )
    height = ROW * len(names)
    return alt.layer(bars, zero_rule("x")).properties(height=height).add_params(row_letters())


def waterfall(steps: pd.DataFrame | alt.NamedData, axis: str) -> alt.LayerChart:
    """Return bars that start where the one above ended, each with its change in numbers.

    Parameters
    ----------
    steps : DataFrame or NamedData
        place (0, 1, 2... downwards), name (one a row), start, end, change (end - start) and total
        (the bar is a score and no step). A page hands the rows over by name.
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
    y = rows("name", [], ticks=False)
    y["sort"] = alt.SortField("place")
    base = alt.Chart(steps).encode(y=y)
    x = alt.X("start:Q", title=axis, scale=alt.Scale(zero=False, padding=46))
    bars = base.mark_bar().encode(x=x, x2="end:Q", color=paint)
    words = (
        base.transform_calculate(edge="max(datum.start, datum.end)")
        .mark_text(align="left", dx=4, fontSize=10, color=MUTED)
        .encode(x=alt.X("edge:Q", title=axis), text=alt.Text("change:Q", format="+.3f"))
    )
    zero = base.mark_rule(strokeWidth=1, color=INK).encode(x=alt.XDatum(0))
    chart = alt.layer(bars, words, zero).add_params(row_letters())
    if isinstance(steps, pd.DataFrame):
        return chart.properties(width=WIDTH, height=ROW * len(steps))
    # The page sets the height by the rows that it hands over.
    return chart.properties(width=WIDTH, height=ROW, usermeta={"row": ROW})
