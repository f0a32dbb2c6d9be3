"""The grounds over time: by group of inputs, and the effect of every characteristic."""

import numpy as np
import pandas as pd

from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import SIDES
from konkyo.report.tables.stocks import ABSORBED, grounds

_FIFTHS = (0.2, 0.8)


def groups_over_time(e: ExplainedPanel) -> pd.DataFrame:
    """Return the relevance of each group of inputs in the two portfolios, month by month.

    Parameters
    ----------
    e : Evidence
        The grounds.

    Returns
    -------
    DataFrame
        month, group (those of the catalogue in its order, then "absorbed"), long, short (mean over
        the portfolio of the group's summed relevance, units of the score; the groups add up to the
        portfolio's mean score), difference, share (over all scored stocks: the group's part of the
        absolute relevances of all inputs and of what is absorbed; the groups add up to 1).
    """
    names = [*e.catalogue["group"].drop_duplicates(), ABSORBED]
    member = np.zeros((len(e.names) + 1, len(names)))
    for at, name in enumerate(names[:-1]):
        member[e.columns(name), at] = 1
    member[-1, -1] = 1
    legs = {}
    for side in SIDES:
        rows = e.side(side)
        legs[side] = e.monthly_mean(grounds(e, rows), rows) @ member
    size = np.array(
        [
            np.r_[np.abs(e.relevance[rows]).sum(0), np.abs(e.absorbed[rows]).sum()]
            for rows in e.spans()
        ]
    )
    part = size @ member
    share = part / part.sum(1, keepdims=True)
    return e.by_month("group", names, **legs, difference=legs["long"] - legs["short"], share=share)


def effects(e: ExplainedPanel) -> pd.DataFrame:
    """Return how much a high instead of a low value of each characteristic adds to the score.

    Parameters
    ----------
    e : Evidence
        The grounds.

    Returns
    -------
    DataFrame
        month, feature, effect: the mean relevance of the month's stocks whose value is at or above
        its 80th percentile, less that of those at or below the 20th, in units of the score. NaN
        where the two percentiles are one value. Characteristics only, in column order.
    """
    columns = e.columns("characteristic")
    effect = np.array(
        [_effect(e.features[rows, columns], e.relevance[rows, columns]) for rows in e.spans()]
    )
    return e.by_month("feature", [e.names[column] for column in columns], effect=effect)


def _effect(values: np.ndarray, relevance: np.ndarray) -> np.ndarray:
    """Return the difference of means of one month, [columns]."""
    low, high = np.quantile(values, _FIFTHS, axis=0)
    top, bottom = values >= high, values <= low
    difference = _mean(relevance, top) - _mean(relevance, bottom)
    return np.where(high > low, difference, np.nan)


def _mean(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.where(chosen, values, 0).sum(0, dtype=np.float64) / chosen.sum(0)
