"""Factors: mean relevance in long and short, relevance against the input's value."""

import altair as alt
import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.shapes import paired_bars, row_names
from konkyo.report.charts.theme import colours, row_letters, tips, titled, zero_rule
from konkyo.report.style import COLOURS, INK, MUTED
from konkyo.report.tables.figure_data import largest
from konkyo.report.tables.labels import feature_names, value_words

MOST = 30
"""Inputs that figure 9 has room for."""
BINS = 30
_STARS = (("legend.test", "stars", 34), ("legend.corrected", "stars_adjusted", 92))


def factor_bars(
    means: pd.DataFrame, labels: pd.DataFrame, language: Language = "en", most: int = MOST
) -> alt.LayerChart:
    """Return each input's mean relevance in the long and in the short portfolio.

    The paper's figure 9, of one decision month, or the means over all months.

    Parameters
    ----------
    means : DataFrame
        What `tables.factors.factor_means` or `factor_means_over_time` returns: feature, long, short
        (units of the score), difference, stars, stars_adjusted; and month, if it is of one.
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
    top = largest(means[(means[["long", "short"]] != 0).any(axis=1)], "difference", most)
    names = row_names(top["feature"].tolist(), labels, language)
    sides = {side: t(f"portfolio.{side}", language) for side in ("long", "short")}
    x = alt.X("value:Q", title=t("axis.mean_relevance", language))
    chart = paired_bars(top, names, sides, x=x, digits="+.4f")
    stars = top[["stars", "stars_adjusted"]].assign(row=names)
    text: list[alt.Chart] = []
    for key, column, edge in _STARS:
        # In pixels from the right edge, so that the columns stay apart on a narrow page.
        right = alt.XValue(alt.expr(f"width + {edge}"))
        text.append(
            alt.Chart(stars)
            .mark_text(fontSize=12, dy=3)
            .encode(x=right, y=alt.Y("row:N", sort=names, bandPosition=0.5), text=f"{column}:N")
        )
        head = alt.Chart(alt.Data(values=[{}])).mark_text(fontSize=10, color=MUTED)
        text.append(head.encode(x=right, y=alt.YValue(-8), text=alt.TextValue(t(key, language))))
    chart = alt.layer(*chart.layer, *text).properties(height=chart.height)
    chart = chart.add_params(row_letters())
    if "month" in means:
        key, month = "factor_bars", label(means["month"].iloc[0])
        title = t("title.factor_bars", language, month=month)
    else:
        key, title = "factor_bars_over_time", t("title.factor_bars_over_time", language)
    return titled(chart, title, t(f"note.{key}", language, shown=len(top), count=len(means)))


def factor_bars_over_time(
    means: pd.DataFrame, labels: pd.DataFrame, language: Language = "en"
) -> alt.LayerChart:
    """Return figure 9 over all months, of what `tables.factors.factor_means_over_time` returns."""
    return factor_bars(means, labels, language)


def factor_scatter(
    points: pd.DataFrame,
    shape: pd.DataFrame,
    labels: pd.DataFrame,
    feature: str,
    language: Language = "en",
) -> alt.VConcatChart:
    """Return an input's value against its relevance (the paper's figure 10).

    Parameters
    ----------
    points : DataFrame
        What `tables.factors.factor_points` returns: feature, side, value (known at t), relevance
        (units of the score), stock, month; a sample of the long and the short portfolio.
    shape : DataFrame
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
    sample, curve = points[points["feature"] == feature], shape[shape["feature"] == feature]
    name = feature_names(labels, language).get(feature, feature)
    sides = {side: t(f"portfolio.{side}", language) for side in ("long", "short")}
    band, mean = t("legend.band", language), t("legend.smoothed_mean", language)
    paint = colours(
        [*sides.values(), band, mean],
        [COLOURS["long"], COLOURS["short"], "#A0A0A0", INK],
        "side",
        symbol="circle",
        width=470,
    )
    edges = {
        column: alt.Scale(domain=_range(sample[column], curve, column), nice=False, zero=False)
        for column in ("value", "relevance")
    }
    titles = {
        "value": value_words(labels, feature, language),
        "relevance": t("axis.relevance", language),
    }
    x = alt.X("value:Q", title=titles["value"], scale=edges["value"])
    y = alt.Y("relevance:Q", title=titles["relevance"], scale=edges["relevance"])
    dots = sample[["side", "value", "relevance"]].replace({"side": sides})
    dots["who"] = sample["stock"].astype(str) + sample["month"].dt.strftime(", %Y-%m")
    marks = (
        alt.Chart(dots)
        .mark_circle(size=18, opacity=1, fillOpacity=0.5)
        .encode(
            x=x,
            y=y,
            color=paint,
            tooltip=tips(
                ("who:N",),
                ("value:Q", titles["value"], ".3~g"),
                ("relevance:Q", titles["relevance"], "+.4f"),
            ),
        )
    )
    smooth = alt.Chart(curve[["value", "relevance", "low", "high"]])
    area = smooth.mark_area(opacity=1, fillOpacity=0.3).encode(
        x=x, y=alt.Y("low:Q", title=titles["relevance"]), y2="high:Q", color=alt.ColorDatum(band)
    )
    line = smooth.mark_line(strokeWidth=2.4).encode(x=x, y=y, color=alt.ColorDatum(mean))
    main = alt.layer(area, marks, zero_rule(), line).properties(width=470, height=300)
    above = _histogram(sample, sides, "value", edges["value"], paint)
    relevance_histogram = _histogram(sample, sides, "relevance", edges["relevance"], paint)
    row = alt.hconcat(main, relevance_histogram.properties(width=70, height=300), spacing=4)
    chart = alt.vconcat(above.properties(width=470, height=56), row, spacing=4)
    return titled(chart, t("title.factor_scatter", language, name=name))


def _range(values: pd.Series, curve: pd.DataFrame, column: str) -> list[float]:
    ends = [curve["low"], curve["high"]] if column == "relevance" else [curve["value"]]
    every = np.concatenate([values.to_numpy(float), *(end.to_numpy(float) for end in ends)])
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    margin = 0.03 * (high - low) or 0.5
    return [low - margin, high + margin]


def _histogram(
    sample: pd.DataFrame, sides: dict[str, str], column: str, scale: alt.Scale, paint: alt.Color
) -> alt.Chart:
    """Return the counts of long and short in the same bins: of values upwards, else rightwards."""
    edges = np.histogram_bin_edges(sample[column].to_numpy(float), bins=BINS)
    table = pd.concat(
        pd.DataFrame(
            {
                "side": name,
                "low": edges[:-1],
                "high": edges[1:],
                "count": np.histogram(sample.loc[sample["side"] == side, column], bins=edges)[0],
            }
        )
        for side, name in sides.items()
    )
    # Counts of values go upwards, those of relevances to the right.
    along, across = ("x", "y") if column == "value" else ("y", "x")
    kinds = {"x": alt.X, "y": alt.Y, "x2": alt.X2Datum, "y2": alt.Y2Datum}
    axes = {
        along: kinds[along]("low:Q", scale=scale, axis=None),
        f"{along}2": "high:Q",
        across: kinds[across]("count:Q", axis=None, stack=None),
        f"{across}2": kinds[f"{across}2"](0),
    }
    return (
        alt.Chart(table[table["count"] > 0])
        .mark_bar(opacity=1, fillOpacity=0.5)
        .encode(color=paint, **axes)
    )
