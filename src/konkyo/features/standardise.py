"""Standardising within a month's cross-section: no value looks at another month."""

from itertools import pairwise

import numpy as np
import pandas as pd


def ranks(values: pd.DataFrame, month: np.ndarray) -> pd.DataFrame:
    """Return ranks within the month, spread evenly over [-1, 1]; ties share their mean rank.

    Parameters
    ----------
    values : pandas.DataFrame
        [rows, columns], NaN where missing.
    month : numpy.ndarray
        [rows], what the rows are grouped by.

    Returns
    -------
    pandas.DataFrame
        The same shape, NaN where missing; 0 where a month has one value.
    """
    codes = pd.factorize(month)[0]
    order = np.argsort(codes, kind="stable")
    sorted_values = values.to_numpy(dtype=np.float64)[order]
    bounds = np.flatnonzero(np.diff(codes[order], prepend=-1, append=-1))
    spread = np.empty_like(sorted_values)
    for first, last in pairwise(bounds):
        spread[first:last] = _spread(sorted_values[first:last])
    out = np.empty_like(spread)
    out[order] = spread
    return pd.DataFrame(out, index=values.index, columns=values.columns)


def _spread(block: np.ndarray) -> np.ndarray:
    """Return the ranks of one month [stocks, columns], spread evenly over [-1, 1]."""
    # Column by column in memory, and missing values last, as both sort faster than a grouped rank.
    columns = np.ascontiguousarray(block.T)
    order = np.argsort(columns, axis=1)
    ordered = np.take_along_axis(columns, order, 1)
    place = np.arange(block.shape[0])
    begins = np.ones(columns.shape, dtype=bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    ends = np.roll(begins, -1, axis=1)
    ends[:, -1] = True
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    last = np.where(ends, place, len(place))[:, ::-1]
    tied = (first + np.minimum.accumulate(last, axis=1)[:, ::-1]) / 2
    rank = np.empty(columns.shape)
    np.put_along_axis(rank, order, tied, 1)
    known = ~np.isnan(columns)
    count = known.sum(1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = rank / (count - 1) * 2 - 1
    return np.where(known, np.where(count == 1, 0.0, scaled), np.nan).T


def zscores(values: pd.DataFrame, month: np.ndarray, clip: float | None) -> pd.DataFrame:
    """Return deviations from the month's mean in units of its deviation.

    Parameters
    ----------
    values : pandas.DataFrame
        [rows, columns], NaN where missing.
    month : numpy.ndarray
        [rows], what the rows are grouped by.
    clip : float or None
        Scores beyond this many deviations are set to it.

    Returns
    -------
    pandas.DataFrame
        The same shape, NaN where missing; 0 where a month's values are all equal.
    """
    groups = values.groupby(month, sort=False)
    centred = values - groups.transform("mean")
    deviation = np.sqrt((centred**2).groupby(month, sort=False).transform("mean"))
    equal = groups.transform("max") == groups.transform("min")
    scores = (centred / deviation).mask(equal & values.notna(), 0.0)
    return scores if clip is None else scores.clip(-clip, clip)


def standardise(
    values: pd.DataFrame, month: np.ndarray, how: str, clip: float | None
) -> pd.DataFrame:
    """Return values standardised within the month: "rank", "zscore" or "raw" (as they are)."""
    if how == "rank":
        return ranks(values, month)
    return zscores(values, month, clip) if how == "zscore" else values
