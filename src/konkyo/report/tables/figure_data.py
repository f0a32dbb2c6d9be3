"""Tables in the order in which figures and the workbook show them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

SIDES = ("short", "named", "long")
ABSORBED = "absorbed"


def heat_grid(
    table: pd.DataFrame, most: int, columns: Sequence[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Arrange the stocks of a month and the inputs that matter most to them as figure 8.

    Parameters
    ----------
    table : DataFrame
        What `tables.stocks.stock_table` returns, one month.
    most : int
        At most so many inputs, by mean absolute relevance over the rows, largest first.
    columns : sequence of str
        These inputs instead, in their order.

    Returns
    -------
    rows : DataFrame
        side, stock, sector, rank, score and rest of each row: short, named, long, each from the
        lowest score up. rest is the relevance of what is not shown, `absorbed` included: a row's
        relevances and it add up to its score.
    value, relevance : DataFrame
        [rows, inputs]: the input's value, and its relevance in units of the score.
    """
    # A named stock may also be among the longest: side and stock make the row.
    keys = ["side", "rank", "stock"]
    table = table.assign(side=pd.Categorical(table["side"], SIDES, ordered=True))
    rows = table.drop_duplicates(keys).sort_values(
        keys, ascending=[True, False, True], ignore_index=True
    )
    inputs = table[table["feature"] != ABSORBED]
    wide = inputs.set_index([*keys, "feature"])[["value", "relevance"]]
    wide = wide.unstack("feature")  # noqa: PD010 # a pivot table drops inputs that are all missing
    wide = wide.loc[pd.MultiIndex.from_frame(rows[keys])].reset_index(drop=True)
    # In the order of the table, so that equal columns do not change places.
    sizes = wide["relevance"].abs().mean()[inputs["feature"].unique()]
    largest_first = sizes.sort_values(ascending=False, kind="stable").index[:most]
    shown = list(columns) or list(largest_first)
    value, relevance = wide["value"][shown], wide["relevance"][shown]
    rows = rows[["side", "stock", "sector", "rank", "score"]].astype({"side": str})
    return rows.assign(rest=rows["score"] - relevance.sum(axis=1)), value, relevance


def score_steps(changes: pd.DataFrame, stock: str, most: int) -> pd.DataFrame:
    """Return a stock's way from last month's score to this month's, one input a step.

    Parameters
    ----------
    changes : DataFrame
        What `tables.stocks.score_changes` returns; of several months the newest is shown.
    stock : str
        A stock of the table.
    most : int
        At most so many inputs have a step of their own, by absolute change; the others share one.

    Returns
    -------
    DataFrame
        feature ("before", inputs, "others", "absorbed", "now"), count (inputs in the step),
        start, end (of the step's bar, scores), change. `attrs` holds month, the decision month.
    """
    stock_rows = changes[changes["stock"] == stock]
    stock_rows = stock_rows[stock_rows["month"] == stock_rows["month"].max()]
    before, now = float(stock_rows["before"].iloc[0]), float(stock_rows["now"].iloc[0])
    inputs = stock_rows[stock_rows["feature"] != ABSORBED]
    ordered = inputs.iloc[np.argsort(-inputs["relevance_change"].abs().to_numpy(), kind="stable")]
    first, other = ordered[:most], ordered[most:]
    steps = [
        (str(name), 1, float(change))
        for name, change in zip(first["feature"], first["relevance_change"], strict=True)
    ]
    if len(other):
        steps.append(("others", len(other), float(other["relevance_change"].sum())))
    # What is absorbed is what is left, so that the steps lead to the score of now.
    steps.append((ABSORBED, 1, now - before - sum(change for _, _, change in steps)))
    ends = before + np.cumsum([change for _, _, change in steps])
    frame = pd.DataFrame(
        {
            "feature": ["before", *(name for name, _, _ in steps), "now"],
            "count": [1, *(count for _, count, _ in steps), 1],
            "start": [0.0, before, *ends[:-1], 0.0],
            "end": [before, *ends, now],
        }
    )
    frame["change"] = frame["end"] - frame["start"]
    frame.attrs["month"] = stock_rows["month"].iloc[0]
    return frame


def largest(table: pd.DataFrame, column: str, most: int) -> pd.DataFrame:
    """Return the rows of greatest absolute value in a column, greatest first, ties in order."""
    order = np.argsort(-table[column].abs().to_numpy(), kind="stable")[:most]
    return table.iloc[order].reset_index(drop=True)


def quantile_ends(quantiles: pd.DataFrame, most: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the mean attributes of the two end quantiles, and what the quantiles are.

    Parameters
    ----------
    quantiles : DataFrame
        What `tables.market.market_quantiles` returns, one feature and one month.
    most : int
        At most so many attributes, by absolute difference between the ends.

    Returns
    -------
    DataFrame
        attribute, low, high (means of the first and the last quantile), difference; by difference.
    DataFrame
        relevance_quantile, stocks, relevance of the first and the last quantile.
    """
    first, last = quantiles["relevance_quantile"].min(), quantiles["relevance_quantile"].max()
    wide = quantiles.pivot_table(index="attribute", columns="relevance_quantile", values="value")
    table = pd.DataFrame({"low": wide[first], "high": wide[last]}).reset_index()
    table["difference"] = table["high"] - table["low"]
    top = largest(table, "difference", most).sort_values(
        "difference", ascending=False, kind="stable"
    )
    ends = quantiles[quantiles["relevance_quantile"].isin([first, last])]
    ends = ends.drop_duplicates("relevance_quantile").sort_values("relevance_quantile")
    return (
        top.reset_index(drop=True),
        ends[["relevance_quantile", "stocks", "relevance"]].reset_index(drop=True),
    )


def mean_turnover(turnover: pd.DataFrame, most: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the mean monthly turnover by feature and side.

    Parameters
    ----------
    turnover : DataFrame
        What `tables.exposure.relevance_turnover` returns.
    most : int
        At most so many features, by the sum of both sides.

    Returns
    -------
    DataFrame
        feature, long, short: fractions of the portfolio a month, one way; largest first.
    dict
        count, long, short of all other features together. Added to the table's columns they are
        the portfolios' mean turnover.
    """
    months = turnover["month"].nunique()
    wide = turnover.pivot_table(
        index="feature", columns="side", values="turnover", aggfunc="sum", sort=False
    ).reindex(columns=["long", "short"], fill_value=0.0)
    wide = wide / months
    ordered = wide.loc[wide.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    other = ordered[most:]
    rest = {"count": len(other), "long": other["long"].sum(), "short": other["short"].sum()}
    return ordered[:most].rename_axis("feature").reset_index()[["feature", "long", "short"]], rest


def numbers(values: np.ndarray) -> list[str]:
    """Return one input's values in as few characters as tell them, all with the same decimals.

    Dummies are 1 and 0, ranks 0.53, market series 12.4 or 2345, what is tiny 4.4e-10; NaN is
    nothing.
    """
    finite = values[np.isfinite(values)]
    size = np.abs(finite).max(initial=0)
    is_whole = bool(np.isin(finite, (0, 1)).all()) or size >= 100
    digits = 0 if is_whole else 1 if size >= 10 else 2 if size >= 0.1 else 3
    form = f".{digits}f" if size >= 0.001 or size == 0 else ".1e"
    return ["" if np.isnan(value) else format(value, form) for value in values]
