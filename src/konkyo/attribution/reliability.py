"""Standard errors of relevances and scores, and which relevances can be relied on.

A month's network is trained again on random halves of its window's months, in complementary pairs.
The standard deviation over these K networks, with divisor K since the halves of a pair share their
mean, estimates the standard error of the network of all months and is not divided by the root of K:
the delete-half jackknife (Shao and Wu, A General Theory for Jackknife Variance Estimation, Annals
of Statistics 1989; complementary halves: Shah and Samworth, JRSS B 2013).

A standard deviation of six numbers is itself uncertain by a third, and what is called reliable
would be those that came out small. So the variances are moderated (Smyth, Linear Models and
Empirical Bayes Methods, 2004): each input's is averaged with the median of its group's inputs,
both per squared unit of the input.

The signal of a relevance is the smaller of two sizes over the standard error: that of the relevance
shown and that of the halves' mean, 0 where their signs differ. A relevance is reliable where its
signal reaches the month's threshold: 2.5 standard errors, or more where the share of reliable
relevances under shuffled labels (in the newest placebo months at or before t) would be above
`false_share` of the share in month t.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from konkyo.attribution.attributions import INTEGRATED_GRADIENTS, explain_months
from konkyo.attribution.errors_store import Errors
from konkyo.attribution.lrp import propagate
from konkyo.attribution.rules import Epsilon
from konkyo.models import store

_CORRELATION = 0.5
"""Mean absolute correlation from which on two clusters of inputs are one."""

LEAST_SIGNAL = 2.5
"""Standard errors below which nothing is called reliable, whatever the placebos say."""
CALIBRATING = 4
"""Newest placebo months that give a threshold: the relevances of one depend on each other."""


@dataclass(frozen=True)
class Halves:
    """Scores and relevances of one month's rows by the networks of halves of its window.

    Attributes
    ----------
    score : numpy.ndarray
        [halves, stocks].
    relevance : numpy.ndarray
        [halves, stocks, features], in units of the score.
    squares : numpy.ndarray
        [features], mean square of each input over the stocks, scaled as the networks take it.
    """

    score: np.ndarray
    relevance: np.ndarray
    squares: np.ndarray

    @cached_property
    def deviation(self) -> np.ndarray:
        """Standard deviation of each relevance over the halves, [stocks, features]."""
        return self.relevance.std(0)

    def error(self, factor: np.ndarray) -> np.ndarray:
        """Return the standard error of each relevance, by the factors of `moderation`."""
        return self.deviation * factor


def explain_halves(
    networks: Sequence[store.Network],
    rows: np.ndarray,
    epsilon: float,
    method: str = INTEGRATED_GRADIENTS,
) -> Halves:
    """Return what each half's network says of rows [stocks, features] as the panel holds them.

    In float32, which is exact enough for a standard deviation and takes half the time. `method` is
    for modules of a user's own, as in `explain_months`.
    """
    if store.modules(networks):
        every = [next(explain_months([[one]], [rows], epsilon, method)) for one in networks]
        return Halves(
            score=np.stack([one.score for one in every]),
            relevance=np.stack([one.relevance for one in every]),
            squares=mean_squares(networks[0], rows),
        )
    stack = store.restack(store.stackable(networks))
    x = torch.from_numpy(np.array(rows, dtype=np.float32)).repeat(len(networks), 1, 1)
    score, relevance = propagate(stack, stack.scale_(x), Epsilon(epsilon))
    return Halves(score.numpy(), relevance.numpy(), mean_squares(networks[0], rows))


def mean_squares(network: store.Network, rows: np.ndarray) -> np.ndarray:
    """Return the mean square over rows [stocks, features] of each input as a network scales it."""
    return np.square((rows - network.mean) / network.std, dtype=np.float64).mean(0)


def moderation(deviation: np.ndarray, squares: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Return the factor of each input's standard deviations: half the variance is its group's.

    Parameters
    ----------
    deviation : numpy.ndarray
        [stocks, features], standard deviation of each relevance over the halves.
    squares : numpy.ndarray
        [features], mean square of each input: a relevance grows with its input, so inputs are
        compared by their mean variance over their mean square.
    groups : sequence of str
        Of each feature: its variance is averaged with the median of those of its group.

    Returns
    -------
    numpy.ndarray
        [features], 0.71 (the root of a half) or more; 1 of an input without a deviation.
    """
    variance = np.square(deviation, dtype=np.float64).mean(0)
    varies = (variance > 0) & (squares > 0)
    unit = np.divide(variance, squares, out=np.ones(len(squares)), where=varies)
    group = np.array(groups, dtype=object)
    factor = np.ones(len(squares))
    for name in set(groups):
        members = varies & (group == name)
        if members.any():
            factor[members] = np.sqrt((1 + np.median(unit[members]) / unit[members]) / 2)
    return factor


def signal(relevance: np.ndarray, halves: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Return the signal of relevances: how many standard errors they are away from 0.

    Parameters
    ----------
    relevance : numpy.ndarray
        [...] those that are shown.
    halves : numpy.ndarray
        [halves, ...] those of the networks of halves.
    error : numpy.ndarray
        [...] their standard errors.
    """
    mean = halves.mean(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.minimum(np.abs(mean), np.abs(relevance)) / error
    # Without an error there is no signal: an input at 0 has no relevance in any network.
    return np.where((error > 0) & (np.sign(mean) == np.sign(relevance)), size, 0.0)


def threshold(signals: np.ndarray, placebo: np.ndarray, false_share: float) -> float:
    """Return the smallest signal from which on relevances are reliable, infinite if none is.

    Parameters
    ----------
    signals, placebo : numpy.ndarray
        Those of the relevances that take part, under true and under shuffled labels, any number.
    false_share : float
        Largest ratio of the shares of reliable relevances, shuffled to true.

    Notes
    -----
    Only the signals of the month itself are tried: between two of them the same are reliable.
    """
    if not len(signals) or not len(placebo):
        return float("inf")
    candidates = np.sort(signals)
    share = 1 - np.searchsorted(candidates, candidates) / len(candidates)
    placebo_share = 1 - np.searchsorted(np.sort(placebo), candidates) / len(placebo)
    allowed = np.flatnonzero((placebo_share <= false_share * share) & (candidates >= LEAST_SIGNAL))
    return float(candidates[allowed[0]]) if len(allowed) else float("inf")


def taking_part(features: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Return which relevances may be reliable, [stocks, features] bool.

    Characteristics, market series and the stock's own sector; not the dummies of other sectors and
    of the calendar, of which no stock of the month has both values.

    Parameters
    ----------
    features : numpy.ndarray
        [stocks, features] as the panel holds them.
    groups : sequence of str
        Of each feature, as in the panel's catalogue.
    """
    group = np.array(groups, dtype=object)
    return np.isin(group, ["characteristic", "market"]) | ((group == "sector") & (features == 1))


def errors(
    score: np.ndarray,
    relevance: np.ndarray,
    halves: Halves,
    *,
    error: np.ndarray,
    reliable: np.ndarray,
    cluster: np.ndarray,
    threshold: float,
) -> Errors:
    """Return the standard errors of a month's scores [stocks] and relevances [stocks, features].

    Parameters
    ----------
    score, relevance, halves
        Of the month.
    error : numpy.ndarray
        [stocks, features], of `Halves.error`.
    reliable : numpy.ndarray
        [stocks, features] bool.
    cluster : numpy.ndarray
        [features], of `clusters`; the sum over a cluster is reliable by the same threshold. Its
        variance is moderated as the sum of its inputs' variances is.
    threshold : float
        Least signal of what is reliable.
    """
    rank, rank_error = rankdata(-score), rankdata(-halves.score, axis=1).std(0)
    sums, sums_of_halves = (by_cluster(part, cluster) for part in (relevance, halves.relevance))
    before, after = (
        by_cluster(np.square(part, dtype=np.float64), cluster) for part in (halves.deviation, error)
    )
    factor = np.sqrt(np.divide(after, before, out=np.ones_like(after), where=before > 0))
    sums_error = sums_of_halves.std(0) * factor
    return Errors(
        score=halves.score.std(0),
        rank_low=np.clip(rank - 2 * rank_error, 1, len(score)),
        rank_high=np.clip(rank + 2 * rank_error, 1, len(score)),
        relevance=error,
        reliable=reliable,
        cluster_relevance=sums_error,
        cluster_reliable=signal(sums, sums_of_halves, sums_error) >= threshold,
    )


def difference_error(score: np.ndarray, halves: np.ndarray, n_quantiles: int) -> np.ndarray:
    """Return the standard error of each input's mean relevance, long less short portfolio.

    Parameters
    ----------
    score : numpy.ndarray
        [stocks], those that form the portfolios; of equal scores the earlier stock is the lower.
    halves : numpy.ndarray
        [halves, stocks, features], relevances by the networks of halves.
    n_quantiles : int
        Of which the highest is long and the lowest short; at least a stock each.
    """
    order = np.argsort(score, kind="stable")
    size = max(1, int(np.ceil(len(score) / n_quantiles - 0.5)))
    difference = halves[:, order[-size:]].mean(1) - halves[:, order[:size]].mean(1)
    return difference.std(0, dtype=np.float64)


@dataclass(frozen=True)
class Moments:
    """Sums by month from which the correlations of any window follow.

    Attributes
    ----------
    count : numpy.ndarray
        [months], rows.
    total : numpy.ndarray
        [months, features].
    product : numpy.ndarray
        [months, features, features].
    """

    count: np.ndarray
    total: np.ndarray
    product: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, spans: Sequence[slice]) -> "Moments":
        """Return the sums of every month of a panel [rows, features]."""
        blocks = [np.asarray(features[rows], dtype=np.float64) for rows in spans]
        return cls(
            count=np.array([len(block) for block in blocks]),
            total=np.stack([block.sum(0) for block in blocks]),
            product=np.stack([block.T @ block for block in blocks]),
        )

    def correlation(self, months: slice) -> np.ndarray:
        """Return the correlations over the rows of some months; 0 of an input that is constant."""
        count = self.count[months].sum()
        mean = self.total[months].sum(0) / count
        covariance = self.product[months].sum(0) / count - np.outer(mean, mean)
        variance = covariance.diagonal()
        # What rounding leaves of a constant is no variance.
        varies = variance > 1e-9 * np.maximum(mean**2, 1e-30)
        scale = np.sqrt(np.where(varies, variance, np.inf))
        return np.clip(covariance / np.outer(scale, scale), -1, 1)


def clusters(correlation: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Return the cluster of each input, [features]: the position of its first member.

    Average linkage; two clusters are one where the mean absolute correlation of their inputs is 0.5
    or more. A dummy, of sector or calendar, is a cluster of its own.
    """
    cluster = np.arange(len(groups))
    members = np.flatnonzero(np.isin(np.array(groups), ["characteristic", "market"]))
    if len(members) < 2:
        return cluster
    distance = 1 - np.abs(correlation[np.ix_(members, members)])
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), method="average")
    number = fcluster(tree, 1 - _CORRELATION, criterion="distance")
    _, first = np.unique(number, return_index=True)
    _, position = np.unique(number, return_inverse=True)
    cluster[members] = members[first[position]]
    return cluster


def by_cluster(relevance: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Return the sum of relevances over each cluster, [..., features], 0 where none begins."""
    sums = np.zeros_like(relevance)
    for first in np.unique(cluster):
        sums[..., first] = relevance[..., cluster == first].sum(-1)
    return sums
