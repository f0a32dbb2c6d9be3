"""Rank correlation of many pairs at once."""

import numpy as np
from scipy.stats import rankdata


def rank_correlation(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
    """Return Spearman's rank correlation along an axis, ties at their mean rank.

    Parameters
    ----------
    one, other : numpy.ndarray
        Of one shape [n, m].
    axis : int
        0 correlates columns, 1 rows.

    Returns
    -------
    numpy.ndarray
        [m] for axis 0, [n] for axis 1; NaN where either side does not vary.
    """
    return correlation(rankdata(one, axis=axis), rankdata(other, axis=axis), axis)


def correlation(one: np.ndarray, other: np.ndarray, axis: int) -> np.ndarray:
    """Return Pearson's correlation along an axis, NaN where either side does not vary."""
    if one.shape[axis] == 0:
        return np.full(np.delete(one.shape, axis), np.nan)
    one = one - one.mean(axis=axis, keepdims=True)
    other = other - other.mean(axis=axis, keepdims=True)
    size = np.sqrt((one**2).sum(axis=axis) * (other**2).sum(axis=axis))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(size > 0, (one * other).sum(axis=axis) / size, np.nan)


def mean_of_defined(values: np.ndarray) -> float:
    """Return the mean of the values that are known, NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
