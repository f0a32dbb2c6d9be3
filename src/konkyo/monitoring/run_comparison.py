"""Two runs side by side: returns, what earned them, ranks, and where they disagree."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from konkyo.backtesting import newey_west_t
from konkyo.backtesting.scores import NETWORK

MOST = 15
"""Stocks and inputs of the largest disagreement that are named."""
_KEY = ["month", "leg"]


def compare_runs(
    one: Mapping[str, pd.DataFrame], other: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the tables of a comparison; columns of the runs end in `_1` and `_2`.

    Parameters
    ----------
    one, other : mapping
        Of each run portfolio_performance, portfolio_returns, return_attribution_summary,
        factor_means and holdings.

    Returns
    -------
    dict
        performance (portfolio, net return, Sharpe ratio and alpha's t of both; difference of the
        mean net returns a year over common months, and its Newey-West t), attribution (portfolio,
        group, annual and t of both), means (figure 9: feature, difference of both), overlap (month,
        leg, share of the first run's stocks that the second holds in that leg too).
    """
    returns = [_network(run["portfolio_returns"]) for run in (one, other)]
    both = returns[0].merge(returns[1], on=["portfolio", "earned"], suffixes=("_1", "_2"))
    both["difference"] = both["net_1"] - both["net_2"]
    gaps = pd.DataFrame(
        [
            {
                "portfolio": portfolio,
                "difference": 12 * part["difference"].mean(),
                "difference_t": newey_west_t(part["earned"], part["difference"]),
                "common_months": len(part),
            }
            for portfolio, part in both.groupby("portfolio", sort=False)
        ]
    )
    performance = _side_by_side(
        [_network(run["portfolio_performance"]) for run in (one, other)],
        ["portfolio"], ["annual_return", "sharpe_ratio", "alpha_t"],
    )  # fmt: skip
    groups = [run["return_attribution_summary"] for run in (one, other)]
    groups = [table[table["kind"] == "group"] for table in groups]
    return {
        "performance": performance.merge(gaps, on="portfolio"),
        "attribution": _side_by_side(groups, ["portfolio", "feature"], ["annual", "t"]),
        "means": _by_size(
            _side_by_side(
                [run["factor_means"] for run in (one, other)], ["feature"], ["difference"]
            ),
            "difference_1",
        ),
        "overlap": _overlap(one["holdings"], other["holdings"]),
    }


def compare_month(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return where two runs disagree in a month.

    Parameters
    ----------
    one, other : DataFrame
        stock, score, relevances and absorbed of each run.

    Returns
    -------
    dict
        stocks (stock, rank_1, rank_2 among the common stocks, 1 is the best; input, that whose
        relevance differs most) and inputs (feature, mean absolute difference of relevance), the
        largest disagreements first; an input that one run lacks counts as 0 there.
    """
    stocks = one[["stock"]].merge(other[["stock"]], on="stock")["stock"]
    sides = [table.set_index("stock").loc[stocks].drop(columns="month") for table in (one, other)]
    ranks = [side["score"].rank(ascending=False, method="first").astype("int64") for side in sides]
    left, right = (side.drop(columns=["score", "absorbed"]) for side in sides)
    gap = left.sub(right, fill_value=0.0).fillna(0.0).abs()
    table = pd.DataFrame({"stock": stocks, "rank_1": ranks[0].array, "rank_2": ranks[1].array})
    table["input"] = np.asarray(gap.columns)[gap.to_numpy().argmax(1)]
    table["difference"] = table["rank_1"] - table["rank_2"]
    means = gap.mean().rename("difference").rename_axis("feature").reset_index()
    return {"stocks": _by_size(table, "difference"), "inputs": _by_size(means, "difference")}


def _network(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["model"] == NETWORK]


def _side_by_side(tables: list[pd.DataFrame], keys: list[str], values: list[str]) -> pd.DataFrame:
    one, other = (table[[*keys, *values]] for table in tables)
    return one.merge(other, on=keys, how="outer", suffixes=("_1", "_2"), sort=False)


def _by_size(table: pd.DataFrame, column: str) -> pd.DataFrame:
    order = table[column].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].head(MOST).reset_index(drop=True)


def _overlap(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    counts = one.groupby(_KEY)["stock"].size()
    common = one.merge(other, on=[*_KEY, "stock"]).groupby(_KEY)["stock"].size()
    months = other["month"].unique()
    share = (common.reindex(counts.index, fill_value=0) / counts).rename("share").reset_index()
    return share[share["month"].isin(months)].reset_index(drop=True)
