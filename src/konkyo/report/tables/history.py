"""Attributions over time: by group of inputs, and the effect of every characteristic."""

import numpy as np
import pandas as pd

from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import SIDES
from konkyo.report.tables.stocks import ABSORBED, attribution_rows

_FIFTHS = (0.2, 0.8)


def groups_over_time(panel: ExplainedPanel) -> pd.DataFrame:
    """Return the relevance of each group of inputs in the two portfolios, month by month.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.

    Returns
    -------
    DataFrame
        month, group (those of the catalogue in its order, then "absorbed"), long, short (mean over
        the portfolio of the group's summed relevance, units of the score; the groups add up to the
        portfolio's mean score), difference, share (over all scored stocks: the group's part of the
        absolute relevances of all inputs and of what is absorbed; the groups add up to 1).
    """
    names = [*panel.catalogue["group"].drop_duplicates(), ABSORBED]
    member = np.zeros((len(panel.names) + 1, len(names)))
    for at, name in enumerate(names[:-1]):
        member[panel.columns(name), at] = 1
    member[-1, -1] = 1
    legs = {}
    for side in SIDES:
        rows = panel.side(side)
        legs[side] = panel.monthly_mean(attribution_rows(panel, rows), rows) @ member
    size = np.array(
        [
            np.r_[np.abs(panel.relevance[rows]).sum(0), np.abs(panel.absorbed[rows]).sum()]
            for rows in panel.spans()
        ]
    )
    part = size @ member
    share = part / part.sum(1, keepdims=True)
    return panel.by_month(
        "group", names, **legs, difference=legs["long"] - legs["short"], share=share
    )


def effects(panel: ExplainedPanel) -> pd.DataFrame:
    """Return how much a high instead of a low value of each characteristic adds to the score.

    Parameters
    ----------
    panel : ExplainedPanel
        Scores, features and attributions.

    Returns
    -------
    DataFrame
        month, feature, effect: the mean relevance of the month's stocks whose value is at or above
        its 80th percentile, less that of those at or below the 20th, in units of the score. NaN
        where the two percentiles are one value. Characteristics only, in column order.
    """
    columns = panel.columns("characteristic")
    effect = np.array(
        [
            _effect(panel.features[rows, columns], panel.relevance[rows, columns])
            for rows in panel.spans()
        ]
    )
    return panel.by_month("feature", [panel.names[column] for column in columns], effect=effect)


def _effect(values: np.ndarray, relevance: np.ndarray) -> np.ndarray:
    """Return the difference of means of one month, [columns]."""
    low, high = np.quantile(values, _FIFTHS, axis=0)
    top, bottom = values >= high, values <= low
    difference = _mean(relevance, top) - _mean(relevance, bottom)
    return np.where(high > low, difference, np.nan)


def _mean(values: np.ndarray, members: np.ndarray) -> np.ndarray:
    return np.where(members, values, 0).sum(0, dtype=np.float64) / members.sum(0)
