"""Correlations along an axis: scipy has them for one pair of vectors, here for all rows at once."""

import numpy as np
from scipy.stats import rankdata


def rank_correlation(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    """Return Spearman's rank correlation along an axis, ties at their mean rank.

    Parameters
    ----------
    x, y : numpy.ndarray
        Of one shape [n, m].
    axis : int
        0 correlates columns, 1 rows.

    Returns
    -------
    numpy.ndarray
        [m] for axis 0, [n] for axis 1; NaN where either side is constant.
    """
    return correlation(rankdata(x, axis=axis), rankdata(y, axis=axis), axis)


def correlation(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    """Return Pearson's correlation along an axis, NaN where either side is constant."""
    if x.shape[axis] == 0:
        return np.full(np.delete(x.shape, axis), np.nan)
    x = x - x.mean(axis=axis, keepdims=True)
    y = y - y.mean(axis=axis, keepdims=True)
    scale = np.sqrt((x**2).sum(axis=axis) * (y**2).sum(axis=axis))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(scale > 0, (x * y).sum(axis=axis) / scale, np.nan)


def nan_mean(values: np.ndarray) -> float:
    """Return the mean of the values that are not NaN; NaN, without numpy's warning, if all are."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")
