"""The single stock: inputs of the top and bottom stocks, and what changed a score."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from konkyo.dates import label
from konkyo.i18n import Language, t
from konkyo.report.charts.shapes import row_names, waterfall
from konkyo.report.charts.theme import diverging, text_on, tips, titled
from konkyo.report.style import COLOURS, INK, MUTED, clipped, width_of
from konkyo.report.tables.figure_data import heat_grid, numbers, score_steps
from konkyo.report.tables.labels import feature_names, sector_name

MOST = 24
"""Inputs that figure 8 has room for."""
STEPS = 14
_ROW, _COLUMN = 19, 34
_HEAD, _SECTOR, _STOCK = 22.0, 15.0, 11.0
"""Widths in em at which an input, a sector and a stock are cut."""


def stock_heat(
    table: pd.DataFrame,
    labels: pd.DataFrame,
    language: Language = "en",
    *,
    most: int = MOST,
    columns: Sequence[str] = (),
    in_per_cent: bool = False,
) -> alt.LayerChart:
    """Return the inputs of the top and bottom stocks of a month (the paper's figure 8).

    Parameters
    ----------
    table : DataFrame
        What `tables.stocks.stock_table` returns: month, side, stock, sector, rank, score,
        feature, value (known at t), relevance.
    labels : DataFrame
        feature, en, ja.
    language : str
        en or ja.
    most : int
        At most so many inputs, by mean absolute relevance among the stocks.
    columns : sequence of str
        These inputs instead, in their order.
    in_per_cent : bool
        Whether the score is a predicted return, shown in per cent.

    Returns
    -------
    LayerChart
        Rows are stocks, shorts on top, from the lowest score to the highest; columns are inputs. A
        cell's number is the input's value and its colour the relevance: red raises the score, white
        does nothing, blue lowers it, on one scale for the table; faded where it is not reliable.
    """
    rows, value, relevance = heat_grid(table, most, columns)
    flags = table[["stock", "feature", "reliable"]] if "reliable" in table else table[:0]
    reliable = {(row[0], row[1]): row[2] for row in flags.itertuples(index=False)}
    if not columns:
        # A month's dummies, for one, are zero for all stocks in every other month.
        relevance = relevance.loc[:, (relevance != 0).any()]
    shown = relevance.columns.tolist()
    names = row_names(shown, labels, language)
    stocks = rows["stock"].astype(str)
    cells = pd.concat(
        pd.DataFrame(
            {
                "place": range(len(rows)),
                "stock": stocks,
                "column": name,
                "value": numbers(value[feature].to_numpy()),
                "relevance": relevance[feature],
                "reliable": [reliable.get((stock, feature), True) for stock in rows["stock"]],
            }
        )
        for feature, name in zip(shown, names, strict=True)
    )
    rest = t("legend.rest", language)
    x = alt.X(
        "column:N",
        sort=[*names, rest],
        scale=alt.Scale(domain=[*names, rest]),
        axis=alt.Axis(orient="top", labelAngle=-50, labelAlign="left", title=None, labelLimit=230),
    )
    y = alt.Y("place:O", axis=None)
    title = t("axis.relevance", language)
    limit = float(relevance.abs().to_numpy().max(initial=0)) or 1.0
    base = alt.Chart(cells).encode(x=x, y=y)
    squares = base.mark_rect().encode(
        fillOpacity=alt.when(alt.datum.reliable).then(alt.value(1)).otherwise(alt.value(0.3)),
        color=diverging("relevance", limit, title),
        tooltip=tips(("stock:N",), ("column:N",), ("value:N",), ("relevance:Q", title, "+.3f")),
    )
    inside = base.mark_text(fontSize=9).encode(text="value:N", color=text_on("relevance"))
    others = pd.DataFrame(
        {"place": range(len(rows)), "column": rest, "text": rows["rest"].map("{:+.2f}".format)}
    )
    remainder = alt.Chart(others).mark_text(fontSize=9, color=MUTED)
    heads, left = _row_heads(rows, labels, language, in_per_cent=in_per_cent)
    layers = [squares, inside, remainder.encode(x=x, y=y, text="text:N"), *heads]
    for edge in np.flatnonzero(rows["side"] != rows["side"].shift())[1:]:
        line = alt.Chart(alt.Data(values=[{}])).mark_rule(color=INK, strokeWidth=1)
        layers.append(line.encode(y=alt.YValue(int(edge) * _ROW)))
    width = _COLUMN * (len(names) + 1)
    chart = alt.layer(*layers).properties(width=width, height=_ROW * len(rows))
    others_count = table["feature"].nunique() - 1 - len(shown)
    note = t("note.stock_heat", language, shown=len(shown), left=others_count)
    if columns:
        note = t("note.stock_heat_columns", language, left=others_count)
    month = label(table["month"].iloc[0])
    return titled(chart, t("title.stock_heat", language, month=month), note, width + left)


def _row_heads(
    rows: pd.DataFrame, labels: pd.DataFrame, language: Language, *, in_per_cent: bool
) -> tuple[list[alt.Chart], int]:
    """Return rank, stock, sector and score as columns of texts, and their width in pixels.

    A column is as wide as its longest text; without sectors there is no column of them.
    """
    names = feature_names(labels, language)
    head, form = ("predicted_return", "{:+.2%}") if in_per_cent else ("score", "{:+.2f}")
    columns = [
        (f"column.{head}", rows["score"].map(form.format).tolist(), 10.0, "right"),
        ("column.stock", rows["stock"].astype("str").tolist(), _STOCK, "left"),
        ("column.rank", rows["rank"].astype("str").tolist(), 6.0, "right"),
    ]
    if rows["sector"].replace("", None).notna().any():
        sectors = [sector_name(sector, names, language) for sector in rows["sector"]]
        columns.insert(1, ("column.sector", sectors, _SECTOR, "left"))
    right, charts = 8.0, []
    for key, texts, most, align in columns:
        head, *cells = [clipped(text, most) for text in [t(key, language), *texts]]
        width = 10.5 * max(width_of(text) for text in [head, *cells]) + 4
        edge = alt.XValue(-right if align == "right" else -right - width)
        table = pd.DataFrame({"place": range(len(rows)), "text": cells, "side": rows["side"]})
        paint = alt.ColorValue(INK)
        if key == "column.rank":
            paint = (
                alt.when(alt.datum.side == "long")
                .then(alt.value(COLOURS["long"]))
                .when(alt.datum.side == "short")
                .then(alt.value(COLOURS["short"]))
                .otherwise(alt.value(COLOURS["named"]))
            )
        mark = {"align": align, "fontSize": 10}
        text = (
            alt.Chart(table)
            .mark_text(**mark)
            .encode(x=edge, y=alt.Y("place:O", axis=None), text="text:N", color=paint)
        )
        title = alt.Chart(alt.Data(values=[{}])).mark_text(**mark, color=MUTED)
        charts += [text, title.encode(x=edge, y=alt.YValue(-9), text=alt.TextValue(head))]
        right += width + 9
    return charts, int(right)


def change_bars(
    changes: pd.DataFrame,
    labels: pd.DataFrame,
    stock: str,
    language: Language = "en",
    most: int = STEPS,
) -> alt.LayerChart:
    """Return what led from a stock's score of last month to this month's, input by input.

    Parameters
    ----------
    changes : DataFrame
        What `tables.stocks.score_changes` returns; the stock's newest month is drawn.
    labels : DataFrame
        feature, en, ja.
    stock : str
        A stock of the table.
    language : str
        en or ja.
    most : int
        At most so many inputs with a bar of their own.

    Returns
    -------
    LayerChart
        A bar a step, from the score before on top to the score now: the steps add up.
    """
    steps = score_steps(changes, stock, most)
    now = steps.attrs["month"]
    months = {"before": label(now - pd.offsets.MonthEnd(1)), "now": label(now)}
    names = row_names([str(feature) for feature in steps["feature"]], labels, language)
    for row, step in enumerate(steps.to_dict("records")):
        key = str(step["feature"])
        if key in months:
            names[row] = t("legend.score_of", language, month=months[key])
        elif key == "others":
            names[row] = t("legend.others", language, count=step["count"])
    table = steps[["start", "end", "change"]].assign(
        place=range(len(steps)), name=names, total=steps["feature"].isin(list(months))
    )
    # A step of zero moves nothing.
    table = table[table["total"] | (table["change"] != 0)]
    chart = waterfall(table, t("column.score", language))
    return titled(chart, t("title.change_bars", language, stock=stock, **months))
