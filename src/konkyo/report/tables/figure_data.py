"""Tables in the order in which figures and the workbook show them."""

import numpy as np
import pandas as pd


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
