"""Factors: mean relevance in long and short, relevance against the input's value."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.shapes import paired_bars, row_names
from konkyo.report.charts.theme import BY_PLACE, colours, tips, titled, zero_rule
from konkyo.report.style import COLOURS, INK, MUTED
from konkyo.report.tables.figure_data import largest
from konkyo.report.tables.labels import feature_names, value_words

MOST = 30
"""Inputs that figure 9 has room for."""
BINS = 30
GAPS = {name: f"{{{name}}}" for name in ("month", "shown", "count")}
"""What a page fills in title and note of a chart whose rows it hands over."""
_STARS = (("legend.test", "stars", 34), ("legend.corrected", "stars_adjusted", 92))


def factor_bars(
    means: pd.DataFrame | alt.NamedData,
    labels: pd.DataFrame,
    language: Language = "en",
    most: int = MOST,
) -> alt.LayerChart:
    """Return each input's mean relevance in the long and in the short portfolio.

    The paper's figure 9, of one decision month, or the means over all months.

    Parameters
    ----------
    means : DataFrame or NamedData
        What `tables.factors.factor_means` or `factor_means_over_time` returns: feature, long, short
        (units of the score), difference, stars, stars_adjusted; and month, if it is of one. A page
        hands the rows of `paired_bars` over by name, with the stars in one of an input's two.
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs, by absolute difference.

    Returns
    -------
    LayerChart
        Two bars an input, the largest difference on top; on the right the stars of the test and
        those adjusted for testing all inputs at once.
    """
    names: list[str] = []
    gaps: Mapping[str, object] = GAPS
    table, stars, key = means, means, "factor_bars"
    if isinstance(means, pd.DataFrame):
        table = largest(means[(means[["long", "short"]] != 0).any(axis=1)], "difference", most)
        names = row_names(table["feature"].tolist(), labels, language)
        stars = table[["stars", "stars_adjusted"]].assign(row=names)
        gaps = {"shown": len(table), "count": len(means)}
        if "month" in means:
            gaps = {**gaps, "month": label(means["month"].iloc[0])}
        else:
            key = "factor_bars_over_time"
    sides = {side: t(f"portfolio.{side}", language) for side in ("long", "short")}
    x = alt.X("value:Q", title=t("axis.mean_relevance", language))
    chart = paired_bars(table, names, sides, x=x, digits="+.4f")
    order = names or BY_PLACE
    for head, column, edge in _STARS:
        # In pixels from the right edge, so that the columns stay apart on a narrow page.
        right = alt.XValue(alt.expr(f"width + {edge}"))
        marks = alt.Chart(stars).mark_text(fontSize=12, dy=3)
        y = alt.Y("row:N", sort=order, bandPosition=0.5)
        title = alt.Chart(alt.Data(values=[{}])).mark_text(fontSize=10, color=MUTED)
        chart += marks.encode(x=right, y=y, text=f"{column}:N")
        chart += title.encode(x=right, y=alt.YValue(-8), text=alt.TextValue(t(head, language)))
    title, note = t(f"title.{key}", language, **gaps), t(f"note.{key}", language, **gaps)
    return titled(chart, title, note)


def factor_bars_over_time(
    means: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> alt.LayerChart:
    """Return figure 9 over all months, of what `tables.factors.factor_means_over_time` returns."""
    return factor_bars(means, labels, language)


def factor_scatter(
    points: pd.DataFrame | alt.NamedData,
    shape: pd.DataFrame | alt.NamedData,
    labels: pd.DataFrame,
    feature: str,
    language: Language = "en",
) -> alt.VConcatChart:
    """Return an input's value against its relevance in one month (the paper's figure 10).

    Parameters
    ----------
    points : DataFrame or NamedData
        What `tables.factors.factor_points` returns: feature, side, value (known at t), relevance
        (units of the score), stock, month; the long and the short portfolio. A page hands over
        side (its name), value, relevance and who.
    shape : DataFrame or NamedData
        What `tables.factors.factor_shape` returns: feature, value, relevance (mean over all
        stocks near the value), low, high (percentiles).
    labels : DataFrame
        feature, en, ja, unit, unit_ja.
    feature : str
        The input.
    language : str
        en or ja.

    Returns
    -------
    VConcatChart
        The scatter with the smoothed mean and its band, and the distributions of values and
        relevances of long and short above and on the right.
    """
    sides = {side: t(f"portfolio.{side}", language) for side in ("long", "short")}
    month = GAPS["month"]
    if isinstance(points, pd.DataFrame) and isinstance(shape, pd.DataFrame):
        sample = points[points["feature"] == feature]
        month = label(sample["month"].iloc[0])
        points = sample[["side", "value", "relevance"]].replace({"side": sides})
        points["who"] = sample["stock"].astype(str)
        shape = shape.loc[shape["feature"] == feature, ["value", "relevance", "low", "high"]]
    band, mean = t("legend.band", language), t("legend.smoothed_mean", language)
    paint = colours(
        [*sides.values(), band, mean],
        [COLOURS["long"], COLOURS["short"], "#A0A0A0", INK],
        "side",
        symbol="circle",
        width=470,
    )
    exact = alt.Scale(nice=False, zero=False, padding=8)
    bins = alt.Bin(maxbins=BINS, nice=False)
    x_title, y_title = value_words(labels, feature, language), t("axis.relevance", language)
    x = alt.X("value:Q", title=x_title, scale=exact)
    y = alt.Y("relevance:Q", title=y_title, scale=exact)
    tooltip = tips(("who:N",), ("value:Q", x_title, ".3~g"), ("relevance:Q", y_title, "+.4f"))
    marks = alt.Chart(points).mark_circle(size=18, opacity=1, fillOpacity=0.5)
    smooth = alt.Chart(shape)
    area = smooth.mark_area(opacity=1, fillOpacity=0.3).encode(
        x=x, y=alt.Y("low:Q", title=y_title, scale=exact), y2="high:Q", color=alt.ColorDatum(band)
    )
    line = smooth.mark_line(strokeWidth=2.4).encode(x=x, y=y, color=alt.ColorDatum(mean))
    dots = marks.encode(x=x, y=y, color=paint, tooltip=tooltip)
    main = alt.layer(area, dots, zero_rule(), line).properties(width=470, height=300)
    # Counts in the same bins for both: of values upwards, of relevances to the right.
    counts = [
        alt.Chart(points)
        .transform_bin([f"{column}_low", f"{column}_high"], column, bin=bins)
        .transform_aggregate(count="count()", groupby=[f"{column}_low", f"{column}_high", "side"])
        .mark_bar(opacity=1, fillOpacity=0.5)
        for column in ("value", "relevance")
    ]
    number = {"axis": None, "stack": None}
    above = counts[0].encode(
        x=alt.X("value_low:Q", scale=exact, axis=None),
        x2="value_high:Q",
        y=alt.Y("count:Q", **number),
        y2=alt.Y2Datum(0),
        color=paint,
    )
    # Not drawn, but it gives the upper plot the range of the one below.
    above += smooth.mark_point(opacity=0).encode(x=alt.X("value:Q", scale=exact, axis=None))
    beside = counts[1].encode(
        y=alt.Y("relevance_low:Q", scale=exact, axis=None),
        y2="relevance_high:Q",
        x=alt.X("count:Q", **number),
        x2=alt.X2Datum(0),
        color=paint,
    )
    row = alt.hconcat(main, beside.properties(width=70, height=300), spacing=4)
    row = row.resolve_scale(y="shared")
    chart = alt.vconcat(above.properties(width=470, height=56), row, spacing=4)
    name = feature_names(labels, language).get(feature, feature)
    return titled(chart, t("title.factor_scatter", language, name=name, month=month))
