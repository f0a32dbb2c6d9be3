"""Standardising within a month's cross-section: no value looks at another month."""

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
    groups = values.groupby(month, sort=False)
    rank, count = groups.rank(), groups.transform("count")
    return ((rank - 1) / (count - 1) * 2 - 1).mask((count == 1) & values.notna(), 0.0)


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
