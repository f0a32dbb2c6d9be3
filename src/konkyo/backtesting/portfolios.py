"""Ranks and equal-count quantile portfolios by score, and the tie rule."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import pandas as pd

from konkyo.dates import label, ordinal
from konkyo.errors import KonkyoError

TIE_TOLERANCE = 1e-12
"""Neighbouring scores closer than this share of the month's largest |score| are tied.

Scores are float64: a faulty market series shifts all of a month's scores by one large number, and
the differences that remain are rounding, some 1e-16 of that number.
"""
_SEED = 1
_KEY = ["model", "month"]


class NoPortfoliosError(KonkyoError):
    """No month has as many different scores as there are quantiles."""


def assign_quantiles(scores: pd.DataFrame, n_quantiles: int) -> pd.DataFrame:
    """Rank the scored stocks of each (model, month) and assign them to quantile portfolios.

    With n stocks the one at position k (0 has the lowest score) is in quantile
    floor((k + 1/2) * n_quantiles / n) + 1 in the lower half, and the upper half mirrors the lower
    one. Sizes therefore differ by one at most, and the first and the last quantile hold equally
    many stocks (except with an odd n in two quantiles).

    Tied stocks are ordered at random: by a hash of (seed, month, stock), which depends neither on
    the order of rows nor on model, other stocks or other months. Order by code would be a bias,
    since codes often follow sector or listing date. Within a month all ties are in ascending or
    all in descending order of the hash, such that scores of opposite sign give exactly the
    opposite order and exchange long and short. The direction follows from the scores: take the
    stock with the lowest hash, and the stock with the lowest hash among those of another score;
    it is ascending if the first has the higher score, descending otherwise.

    A month with fewer different scores than quantiles forms no portfolios: it is ranked, but the
    hash alone would decide which stocks are long and which are short.

    Parameters
    ----------
    scores : DataFrame
        month, stock, model, score (all known at t), ret (earned from t to t+1, a fraction or
        NaN); rows unique by (model, month, stock), in any order, no score NaN.
    n_quantiles : int
        The number of portfolios; ten are the deciles of the paper's figure 6.

    Returns
    -------
    DataFrame
        month, stock, model, score, rank, quantile, ret; sorted by (model, month, stock). `rank`
        runs from 1 (highest score) to n, `quantile` (Int64) from 1 (lowest scores) to `n_quantiles`
        (highest), missing in months that form no portfolios. Nothing later than t is used.

    Raises
    ------
    KonkyoError
        A month has fewer scored stocks than quantiles.
    """
    month = ordinal(scores["month"])
    stock, codes = pd.factorize(scores["stock"], sort=True)
    model, _ = pd.factorize(scores["model"], sort=True)
    score = scores["score"].to_numpy(dtype="float64")
    order = np.lexsort((stock, score, month, model))
    group = pd.DataFrame({"model": model[order], "month": month[order]}).groupby(_KEY)
    number = group.ngroup().to_numpy()
    n = group["month"].transform("size").to_numpy()
    if (n < n_quantiles).any():
        first = int(np.argmax(n < n_quantiles))
        row = scores.iloc[order[first]]
        raise KonkyoError(
            f"{row['model']}: {label(row['month'])} has {n[first]} scored stocks, fewer than "
            f"backtest.n_quantiles = {n_quantiles}: lower backtest.n_quantiles, raise "
            "prepare.universe_size, or start at a later prepare.first_month"
        )

    level, levels = _levels(score[order], number)
    tie_key = _hashes(month[order], stock[order], codes.to_numpy(), tied=levels < n)
    tie_key = np.where(_ascending(number, level, tie_key), tie_key, ~tie_key)
    # This sorts within months only, so that `position` and `n` stay aligned with `order`.
    order = order[np.lexsort((tie_key, level, number))]
    position = group.cumcount().to_numpy()
    # Mirrored at the middle: the plain formula gives the first and the last quantile different
    # sizes for some n, and then reversed scores would not exchange long and short.
    upper = 2 * position + 1 > n
    from_end = np.where(upper, n - 1 - position, position)
    step = (2 * from_end + 1) * n_quantiles // (2 * n)
    rank, quantile = (np.empty(len(order), dtype="int64") for _ in range(2))
    rank[order] = n - position
    quantile[order] = np.where(
        levels < n_quantiles, 0, np.where(upper, n_quantiles - step, step + 1)
    )

    nullable = pd.Series(quantile, dtype="Int64").where(quantile > 0).array
    ranked = scores.assign(rank=rank, quantile=nullable).iloc[np.lexsort((stock, month, model))]
    columns = ["month", "stock", "model", "score", "rank", "quantile", "ret"]
    return ranked[columns].reset_index(drop=True)


def months_without_portfolios(ranked: pd.DataFrame) -> pd.Series:
    """Return the number of each model's scored months that form no portfolios.

    Parameters
    ----------
    ranked : DataFrame
        What `assign_quantiles` returns.
    """
    formed = ranked["quantile"].notna().groupby([ranked["model"], ranked["month"]]).any()
    return (~formed).groupby("model").sum()


def _levels(score: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the level of each score in its month, and the number of levels of its month.

    Parameters
    ----------
    score, number : ndarray
        [rows], sorted by the number of the (model, month), then by score.

    Returns
    -------
    tuple of ndarray
        [rows] each; the level runs from 1 (the lowest score) up, the same for tied scores.
    """
    size = pd.Series(np.abs(score)).groupby(number).transform("max").to_numpy()
    differs = np.diff(score, prepend=np.nan) > TIE_TOLERANCE * size
    first = np.diff(number, prepend=-1) != 0
    steps = pd.Series(differs | first).groupby(number)
    return steps.cumsum().to_numpy(), steps.transform("sum").to_numpy()


def _hashes(
    month: np.ndarray, stock: np.ndarray, codes: np.ndarray, *, tied: np.ndarray
) -> np.ndarray:
    """Return the hash of each stock and month, [rows] uint64; 0 in months without ties."""
    hashes = np.zeros(len(month), dtype="uint64")
    # Not a generator seeded by month: its draws would depend on which other stocks there are.
    for row in np.flatnonzero(tied):
        text = f"{_SEED} {month[row]} {codes[stock[row]]}".encode()
        hashes[row] = int.from_bytes(blake2b(text, digest_size=8).digest(), "little")
    return hashes


def _ascending(number: np.ndarray, level: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    """Return whether the ties of a row's month are in ascending order of the hashes, [rows].

    Scores of opposite sign give the opposite direction. Where all scores are equal it is
    descending.
    """
    order = np.lexsort((hashes, number))
    by_hash = pd.DataFrame({"number": number[order], "level": level[order]})
    lowest = by_hash.groupby("number")["level"].transform("first")
    other = by_hash[by_hash["level"] != lowest].groupby("number")["level"].first()
    first = by_hash.groupby("number")["level"].first()
    # A month of one level has no other: compared with NaN it is False.
    return (first > other.reindex(first.index)).reindex(number).to_numpy()


def mean_returns(rows: pd.DataFrame, keys: Sequence[str], weight: str = "") -> pd.Series:
    """Return the mean of `ret` over each group's rows that have one, NaN where none has.

    Not the mean of a groupby: its last bits depend on whether any group, such as a later month, has
    a missing value.

    Parameters
    ----------
    rows : DataFrame
        ret, the keys and, where the mean is weighted, the weight.
    keys : sequence of str
        The groups.
    weight : str
        The column of weights; "" for equal ones.
    """
    groups = [rows[key] for key in keys]
    weights = rows["ret"].notna() * (rows[weight] if weight else 1)
    total = (rows["ret"].fillna(0.0) * weights).groupby(groups).sum()
    count = weights.groupby(groups).sum()
    return (total / count.where(count > 0)).rename("ret")


def months_without_leg_return(ranked: pd.DataFrame) -> pd.Series:
    """Return the number of each model's months in which one leg has no realised return at all.

    Months without any realised return, such as the newest one, are not counted.

    Parameters
    ----------
    ranked : DataFrame
        What `assign_quantiles` returns.
    """
    key = [ranked["model"], ranked["month"]]
    realised = ranked["ret"].notna().groupby(key).any()
    formed = ranked["quantile"].notna().groupby(key).any()
    return (realised & formed & ~_both_legs(ranked)).groupby("model").sum()


def _both_legs(ranked: pd.DataFrame) -> pd.Series:
    """Return whether the first and the last quantile of each (model, month) have a return."""
    key = [ranked["model"], ranked["month"]]
    realised = ranked["ret"].notna()
    legs = [
        (realised & (ranked["quantile"] == leg).fillna(False)).groupby(key).any()
        for leg in (1, ranked["quantile"].max())
    ]
    return legs[0] & legs[1]


def with_realised_returns(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of months that form portfolios and have a realised return in either leg.

    The last decision month of the records is ranked for the month to come and has no return. A
    month in which no stock of the highest or of the lowest quantile has one is missing as well: its
    spread is not defined.

    Parameters
    ----------
    ranked : DataFrame
        What `assign_quantiles` returns.

    Returns
    -------
    DataFrame
        The same columns and order, stocks without a return included.

    Raises
    ------
    KonkyoError
        No month has a realised return, none of those that have one formed portfolios, or none has
        a return in both legs.
    """
    key = [ranked["model"], ranked["month"]]
    realised = ranked["ret"].notna().groupby(key).transform("any")
    if not realised.any():
        raise KonkyoError(
            f"none of the {ranked['month'].nunique()} scored months has a realised return, and a "
            "backtest needs 1: add more months of records, or lower train.window_months"
        )
    formed = realised & ranked["quantile"].notna()
    if not formed.any():
        raise NoPortfoliosError(
            f"none of the {ranked.loc[realised, 'month'].nunique()} scored months with a return "
            "has as many different scores as portfolios, and a backtest needs 1: lower "
            "backtest.n_quantiles, or look for faulty inputs (`konkyo monitor`)"
        )
    both = _both_legs(ranked).reindex(pd.MultiIndex.from_arrays(key)).to_numpy()
    if not (formed & both).any():
        raise NoPortfoliosError(
            f"in none of the {ranked.loc[formed, 'month'].nunique()} months with portfolios a "
            "stock of the highest and one of the lowest quantile has a return, and a backtest "
            "needs 1: lower backtest.n_quantiles so that each holds more stocks, or add the "
            "missing returns"
        )
    return ranked[formed & both].reset_index(drop=True)
