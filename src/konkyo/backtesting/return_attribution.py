"""Which inputs earned the return: relevances add up to scores, and so do their returns.

The score-weighted portfolio has the weights w_i = k (s_i - mean s), with k such that the positive
ones sum to 1. A score is the sum of its relevances R_if, so the return is exactly the sum over
inputs of k sum_i (R_if - mean R_f) r_i. Neutral to sectors or size, the deviations from the mean
are residuals of a regression, which is linear as well.

Quantile portfolios are not linear in the scores: there the Shapley value (1953) of the groups of
inputs divides the spread, and adds up to it too.
"""

from collections.abc import Sequence
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from konkyo.backtesting.holdings import Neutral, basis, residual
from konkyo.backtesting.information_coefficient import newey_west_t
from konkyo.dates import label
from konkyo.random import numpy_generator

ABSORBED = "absorbed"
MONTHS_A_YEAR = 12


def return_attribution(
    rows: pd.DataFrame,
    relevance: np.ndarray,
    features: Sequence[str],
    neutral: tuple[Neutral, ...] = (),
) -> pd.DataFrame:
    """Return what every input earned in the score-weighted portfolio, month by month.

    Parameters
    ----------
    rows : DataFrame
        month, stock, score (known at t), ret (earned later, NaN where not realised), and what
        `neutral` names (see `holdings.holdings`), none missing; sorted by month.
    relevance : ndarray
        [rows, features], units of the score.
    features : sequence of str
        Their names.
    neutral : tuple of str
        What the weights are neutral to.

    Returns
    -------
    DataFrame
        month, feature (all, then "absorbed": the score less the sum of its relevances, what biases
        and epsilon take), contribution (a fraction), missing (stocks without a return, to which the
        weighted mean return of their side is given). The sum over features is the portfolio's
        return, long less short. Months without any return, or of equal scores, are left out.
    """
    months, contributions, missing = [], [], []
    blocks = rows[["score", "ret", *neutral]]
    for month, at in rows.groupby("month").indices.items():
        block = blocks.iloc[at]
        regressors = basis(block, neutral)
        score = block["score"].to_numpy("float64")
        weights = score_weights(score, regressors)
        ret = filled_returns(weights, block["ret"].to_numpy("float64"))
        if ret is None:
            continue
        parts = relevance[at].astype("float64")
        parts = np.column_stack([parts, score - parts.sum(1)])
        # Residuals of the relevances times returns are relevances times residuals of the returns.
        scale = weights @ score / (residual(score, regressors) @ score)
        months.append(month)
        contributions.append(scale * (residual(ret, regressors) @ parts))
        missing.append(int(block["ret"].isna().sum()))
    table = _by_month(months, [*features, ABSORBED], contributions)
    return table.assign(missing=np.repeat(missing, len(features) + 1))


def _by_month(
    months: Sequence[Any], features: Sequence[str], contributions: Sequence[np.ndarray]
) -> pd.DataFrame:
    """Return the table of each month's contributions, [features]: month, feature, contribution."""
    by_month = np.array(contributions, dtype="float64").reshape(len(months), len(features))
    # Names go by number, since making each its own text takes longer than all sums.
    names = pd.Series(features, dtype="str").take(np.tile(range(len(features)), len(months)))
    return pd.DataFrame(
        {
            "month": np.repeat(pd.DatetimeIndex(months), len(features)),
            "feature": names.reset_index(drop=True),
            "contribution": by_month.ravel(),
        }
    )


def score_weights(score: np.ndarray, regressors: np.ndarray) -> np.ndarray:
    """Return the weights in proportion to a score's residuals, +1 and -1 in sum over the sides."""
    left = residual(score, regressors)
    left = np.where(np.abs(left) <= 1e-12 * np.abs(score).max(initial=0.0), 0.0, left)
    side = left[left > 0].sum()
    return left / side if side > 0 else left


def filled_returns(weights: np.ndarray, ret: np.ndarray) -> np.ndarray | None:
    """Return the returns, missing ones the weighted mean of their side; None without a side."""
    result, present = ret.copy(), ~np.isnan(ret)
    result[~present & (weights == 0)] = 0.0
    for side in (weights > 0, weights < 0):
        total = weights[side & present].sum()
        if total == 0:
            return None
        result[side & ~present] = weights[side & present] @ ret[side & present] / total
    return result


def shapley_attribution(
    rows: pd.DataFrame,
    relevance: np.ndarray,
    groups: Sequence[str],
    n_quantiles: int,
    seed: int = 1,
) -> pd.DataFrame:
    """Return the Shapley values of the groups of inputs in the spread of the quantile portfolios.

    The value of a set of groups is the gross spread of quantiles formed on the sum of their
    relevances, 0 for none of them; that of all groups is the published spread.

    Parameters
    ----------
    rows : DataFrame
        month, stock, quantile (missing where the month formed none), ret; sorted by month.
    relevance : ndarray
        [rows, groups]: sums over each group's inputs, units of the score.
    groups : sequence of str
        Their names, "absorbed" among them; n groups take 2^n portfolios a month.
    n_quantiles : int
        The number of quantile portfolios.
    seed : int
        Of the random order of stocks whose sums are exactly equal.

    Returns
    -------
    DataFrame
        month, feature (a group), contribution (a fraction); over groups they sum to the spread.
        Months without portfolios or without a return of either leg are left out. A set with fewer
        different sums than quantiles, such as a group that the panel lacks, has the value 0.
    """
    n = len(groups)
    members = np.array([[subset >> group & 1 for group in range(n)] for subset in range(2**n)])
    weights = _shapley_weights(n)
    months, contributions = [], []
    for month, at in rows.groupby("month").indices.items():
        quantile = rows["quantile"].iloc[at].to_numpy("int64", na_value=0)
        ret = rows["ret"].iloc[at].to_numpy("float64")
        published = _spread(ret, quantile == n_quantiles, quantile == 1)
        if np.isnan(published):
            continue
        order = numpy_generator(seed, label(month), "ties").permutation(len(at))
        sums = members @ relevance[at[order]].astype("float64").T
        value = _spreads(sums, ret[order], n_quantiles)
        value[0], value[-1] = 0.0, published
        months.append(month)
        contributions.append(weights @ value)
    return _by_month(months, groups, contributions)


def _shapley_weights(n: int) -> np.ndarray:
    """Return [players, 2^n]: the weight of each subset's value in a player's Shapley value."""
    weights = np.zeros((n, 2**n))
    for player in range(n):
        others = [other for other in range(n) if other != player]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for subset in combinations(others, size):
                number = sum(1 << member for member in subset)
                weights[player, number | 1 << player] += weight
                weights[player, number] -= weight
    return weights


def _spreads(sums: np.ndarray, ret: np.ndarray, n_quantiles: int) -> np.ndarray:
    """Return the spread of the extreme quantiles by each row of sums, [subsets, stocks]."""
    count = sums.shape[1]
    # The stocks of the first and of the last quantile of `portfolios.assign_quantiles`.
    leg = int(np.count_nonzero((2 * np.arange(count // 2 + 1) + 1) * n_quantiles < 2 * count))
    order = np.argsort(sums, axis=1, kind="stable")
    with np.errstate(invalid="ignore"):
        spread = _means(ret[order[:, count - leg :]]) - _means(ret[order[:, :leg]])
    ordered = np.take_along_axis(sums, order, axis=1)
    different = 1 + (np.diff(ordered, axis=1) > 0).sum(1)
    return np.where(different < n_quantiles, 0.0, np.nan_to_num(spread))


def _means(values: np.ndarray) -> np.ndarray:
    present = ~np.isnan(values)
    return np.where(present, values, 0.0).sum(1) / present.sum(1)


def _spread(ret: np.ndarray, long: np.ndarray, short: np.ndarray) -> float:
    long, short = long & ~np.isnan(ret), short & ~np.isnan(ret)
    return ret[long].mean() - ret[short].mean() if long.any() and short.any() else np.nan


def by_group(contributions: pd.DataFrame, group_of: pd.Series) -> pd.DataFrame:
    """Return the sums over groups or clusters of inputs, in the columns of the contributions.

    Parameters
    ----------
    contributions : DataFrame
        month, feature, contribution.
    group_of : Series
        The group of each feature, by its name; "absorbed" is a group of its own.
    """
    group = contributions["feature"].map(group_of).fillna(contributions["feature"])
    keys = [contributions["month"], group.rename("feature")]
    return contributions["contribution"].groupby(keys, sort=False).sum().reset_index()


def attribution_summary(contributions: pd.DataFrame) -> pd.DataFrame:
    """Return what each input or group earned over all months.

    Parameters
    ----------
    contributions : DataFrame
        month, feature, contribution.

    Returns
    -------
    DataFrame
        feature, annual (arithmetic, a fraction), t (Newey-West, lag floor(4 (n / 100)^(2/9))),
        positive (the share of months above 0), months; in the order of the features.
    """
    lines = [
        {
            "feature": feature,
            "annual": float(part["contribution"].mean() * MONTHS_A_YEAR),
            "t": newey_west_t(part["month"], part["contribution"]),
            "positive": float((part["contribution"] > 0).mean()),
            "months": len(part),
        }
        for feature, part in contributions.groupby("feature", sort=False)
    ]
    return pd.DataFrame(lines, columns=["feature", "annual", "t", "positive", "months"])


def promise(
    rows: pd.DataFrame,
    relevance: np.ndarray,
    features: list[str],
    earned: pd.DataFrame,
    n_quantiles: int,
) -> pd.DataFrame:
    """Return what each input promised, against what it earned.

    Returns
    -------
    DataFrame
        feature, promise (mean relevance of the highest quantile's stocks less that of the lowest's,
        all months together, units of the score), annual (earned a year, score-weighted),
        t, delivers: false where the promise is above the inputs' mean, and the return below 0. The
        largest promise first.
    """
    quantile = rows["quantile"].to_numpy("int64", na_value=0)
    legs = [relevance[quantile == leg].mean(0, dtype="float64") for leg in (n_quantiles, 1)]
    table = pd.DataFrame({"feature": features, "promise": legs[0] - legs[1]})
    table = table.merge(earned[["feature", "annual", "t"]], on="feature", how="left")
    broken = (table["promise"] > table["promise"].mean()) & (table["annual"] < 0)
    table = table.assign(delivers=~broken)
    return table.sort_values("promise", ascending=False, ignore_index=True)
