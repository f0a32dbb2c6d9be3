"""The one ranking of a month: ranks and equal-count portfolios by score."""

from hashlib import blake2b

import numpy as np
import pandas as pd

from konkyo.dates import label, ordinal
from konkyo.errors import KonkyoError

TIE_TOLERANCE = 1e-12
"""Neighbouring scores closer than this share of the month's largest |score| are equal.

Scores are float64: a market series that breaks shifts all of a month's scores by one large number,
and what differs between them after that is rounding, some 1e-16 of that number.
"""
_SEED = 1
_KEY = ["model", "month"]


class NoPortfoliosError(KonkyoError):
    """No month has as many different scores as portfolios."""


def assign_quantiles(scores: pd.DataFrame, portfolios: int) -> pd.DataFrame:
    """Rank the scored stocks of each (model, month) and form equal-count portfolios.

    With n stocks the one at position k (0 is the worst) goes to portfolio
    floor((k + 1/2) * portfolios / n) + 1 in the lower half, and the upper half mirrors the lower
    one. Sizes therefore differ by one at most, and the first and the last portfolio hold equally
    many stocks (an odd n in two portfolios aside).

    Stocks of equal score are ordered by a draw that each has in that month, a hash of (seed, month,
    stock): not by their codes, and whatever the row order, the model, the other stocks or the other
    months. So that reversed scores reverse the whole order, ties included, and exchange long and
    short exactly, the scores themselves say in which direction all ties of a month go by the draws:
    of the two stocks of lowest draw that differ in score, the better one decides.

    A month with fewer different scores than portfolios forms none: its ranks stay, but which stocks
    are long and which short would be the draws' choice.

    Parameters
    ----------
    scores : DataFrame
        month, stock, model, score (all known at t), ret (earned from t to t+1, a fraction or
        NaN); rows unique by (model, month, stock), in any order, no score NaN.
    portfolios : int
        How many portfolios; with ten they are the quantiles of the paper's figure 6.

    Returns
    -------
    DataFrame
        month, stock, model, score, rank, quantile, ret; sorted by (model, month, stock). `rank`
        runs from 1 (best score) to n, `quantile` (Int64) from 1 (worst scores) to `portfolios`
        (best); it is missing in the months that form no portfolios. Nothing later than t is used.

    Raises
    ------
    KonkyoError
        A month has fewer scored stocks than portfolios.
    """
    month = ordinal(scores["month"])
    stock, codes = pd.factorize(scores["stock"], sort=True)
    model, _ = pd.factorize(scores["model"], sort=True)
    score = scores["score"].to_numpy(dtype="float64")
    order = np.lexsort((stock, score, month, model))
    group = pd.DataFrame({"model": model[order], "month": month[order]}).groupby(_KEY)
    own = group.ngroup().to_numpy()
    n = group["month"].transform("size").to_numpy()
    if (n < portfolios).any():
        at = int(np.argmax(n < portfolios))
        row = scores.iloc[order[at]]
        raise KonkyoError(
            f"{row['model']}: {label(row['month'])} has {n[at]} scored stocks, fewer than "
            f"backtest.n_quantiles = {portfolios}: lower backtest.n_quantiles, raise "
            "prepare.universe_size, or start at a later prepare.first_month"
        )

    level, levels = _levels(score[order], own)
    draw = _draws(month[order], stock[order], codes.to_numpy(), levels < n)
    draw = np.where(_ascending(own, level, draw), draw, ~draw)
    # The rows of a month stay together, so that position and n still fit.
    order = order[np.lexsort((draw, level, own))]
    position = group.cumcount().to_numpy()
    upper = 2 * position + 1 > n
    from_end = np.where(upper, n - 1 - position, position)
    step = (2 * from_end + 1) * portfolios // (2 * n)
    place, quantile = (np.empty(len(order), dtype="int64") for _ in range(2))
    place[order] = n - position
    quantile[order] = np.where(levels < portfolios, 0, np.where(upper, portfolios - step, step + 1))

    formed = pd.Series(quantile, dtype="Int64").where(quantile > 0).array
    ranked = scores.assign(rank=place, quantile=formed).iloc[np.lexsort((stock, month, model))]
    columns = ["month", "stock", "model", "score", "rank", "quantile", "ret"]
    return ranked[columns].reset_index(drop=True)


def months_without(ranked: pd.DataFrame) -> pd.Series:
    """Return how many of each model's scored months form no portfolios.

    Parameters
    ----------
    ranked : DataFrame
        What `rank` returns.
    """
    formed = ranked["quantile"].notna().groupby([ranked["model"], ranked["month"]]).any()
    return (~formed).groupby("model").sum()


def _levels(score: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the level of each score in its month, and how many levels its month has.

    Parameters
    ----------
    score, own : ndarray
        [rows], sorted by the number of the month, `own`, then by score.

    Returns
    -------
    tuple of ndarray
        [rows] each; the level runs from 1 (the lowest score) up, the same for equal scores.
    """
    by_month = pd.Series(np.abs(score)).groupby(own)
    far = np.diff(score, prepend=np.nan) > TIE_TOLERANCE * by_month.transform("max").to_numpy()
    first = np.diff(own, prepend=-1) != 0
    count = pd.Series(far | first).groupby(own)
    return count.cumsum().to_numpy(), count.transform("sum").to_numpy()


def _draws(month: np.ndarray, stock: np.ndarray, codes: np.ndarray, tied: np.ndarray) -> np.ndarray:
    """Return each stock's draw in its month, [rows] uint64; 0 in months without ties."""
    draw = np.zeros(len(month), dtype="uint64")
    for row in np.flatnonzero(tied):
        text = f"{_SEED} {month[row]} {codes[stock[row]]}".encode()
        draw[row] = int.from_bytes(blake2b(text, digest_size=8).digest(), "little")
    return draw


def _ascending(own: np.ndarray, level: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Return whether the ties of a row's month go up with the draws; [rows].

    Reversed scores give the other direction. Where all scores are equal there is none, and the
    ranks are the draws'.
    """
    order = np.lexsort((draw, own))
    drawn = pd.DataFrame({"own": own[order], "level": level[order]})
    lowest = drawn.groupby("own")["level"].transform("first")
    other = drawn[drawn["level"] != lowest].groupby("own")["level"].first()
    first = drawn.groupby("own")["level"].first()
    # A month of one level has no other: compared with NaN it is False.
    return (first > other.reindex(first.index)).reindex(own).to_numpy()


def with_realised_returns(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the months that formed portfolios and realised at least one return.

    The last decision month of the records is ranked for the month to come and has no return.

    Parameters
    ----------
    ranked : DataFrame
        What `rank` returns.

    Returns
    -------
    DataFrame
        The same columns and order, stocks without a return included.

    Raises
    ------
    KonkyoError
        No month has a realised return, or none of those that have one formed portfolios.
    """
    key = [ranked["model"], ranked["month"]]
    known = ranked["ret"].notna().groupby(key).transform("any")
    if not known.any():
        raise KonkyoError(
            f"none of the {ranked['month'].nunique()} scored months has a realised return, and a "
            "backtest needs 1: add at least one more month of records, or lower "
            "train.window_months"
        )
    held = known & ranked["quantile"].notna()
    if not held.any():
        raise NoPortfoliosError(
            f"none of the {ranked.loc[known, 'month'].nunique()} scored months with a return has "
            "as many different scores as portfolios, and a backtest needs 1: lower "
            "backtest.n_quantiles, or look for inputs that broke (`konkyo monitor`)"
        )
    return ranked[held].reset_index(drop=True)
