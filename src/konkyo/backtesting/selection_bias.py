"""Selection bias of a search: Sharpe ratio of its best trial, corrected for the trials."""

import math
from collections.abc import Hashable

import numpy as np
import pandas as pd

from konkyo.backtesting.expected_max_sharpe import null_distribution
from konkyo.backtesting.objectives import MONTHS_A_YEAR, ObjectiveName
from konkyo.backtesting.overfitting import Overfitting, comparable, overfitting
from konkyo.backtesting.sharpe import minimum_track_record, moments, probabilistic_sharpe
from konkyo.errors import KonkyoError

MAX_BLOCKS = 16


def selection_bias(
    series: pd.DataFrame,
    values: pd.Series,
    best: Hashable,
    *,
    objective: ObjectiveName = "sharpe_ratio",
    seed: int = 1,
) -> dict[str, float]:
    """Return the figures of the best trial's Sharpe ratio, corrected for the number of trials.

    Parameters
    ----------
    series : DataFrame
        Shape [months, trials], months in order: monthly spreads after costs, fractions, decided at
        t and earned in t+1. Trials that were pruned have NaN in the months which they did not run.
        They count as trials, their correlation with others is that of the months in common, and
        cross-validation leaves them out.
    values : Series
        The objective of each trial in the search, by the columns of `series`; NaN where it is
        undefined.
    best : hashable
        The trial that the search selected; it ran in all months.
    objective : str
        Maximised in the halves of the months: sharpe_ratio, t_statistic or mean.
    seed : int
        Of the simulation of `effective_trials` and `p_value`.

    Returns
    -------
    dict
        - months, trials, pruned (trials with a month missing);
        - objective: the best trial's, and rank: the number of trials with one at least as good;
        - sharpe_ratio: the best trial's, annual;
        - effective_trials: effective number of independent trials (`null_distribution`);
        - sharpe_std: standard deviation of one trial's annual Sharpe ratio under zero skill;
        - expected_maximum: expected maximum annual Sharpe ratio of the trials under zero skill;
        - p_value: probability that this maximum reaches `sharpe_ratio`, by a simulation with the
          correlations of the trials;
        - psr: probabilistic Sharpe ratio, that the true ratio is above 0 if this were the only
          trial;
        - dsr: deflated Sharpe ratio, the probability that it is above `expected_maximum`;
        - minimum_track_record: months that a ratio of this size needs to be above 0 with 95 per
          cent confidence, minimum_track_record_deflated: above `expected_maximum`;
        - pbo, degradation (slope of out of sample on in sample), probability_of_loss, compared
          (trials) and blocks: see `overfitting`; 16 blocks, or as many as hold two months each.

        Undefined figures are absent: JSON has no NaN.

    Raises
    ------
    KonkyoError
        The best trial has no series or value, or did not run in all months.
    """
    if best not in series.columns or best not in values.index:
        raise KonkyoError(
            f"trial {best} is not among the {series.shape[1]} trials with a series and a value: "
            "select one of them"
        )
    if series[best].isna().any():
        raise KonkyoError(
            f"trial {best} did not run in {int(series[best].isna().sum())} of {len(series)} "
            "months: select a trial that ran to the end"
        )
    record = moments(series[best])
    null = null_distribution(series, seed)
    annual = math.sqrt(MONTHS_A_YEAR)
    figures = {
        "months": len(series),
        "trials": series.shape[1],
        "pruned": int(series.isna().any().sum()),
        "objective": float(values[best]),
        "rank": int((values >= values[best]).sum()),
        "sharpe_ratio": record.sharpe_ratio * annual,
        "effective_trials": null.effective_trials,
        "sharpe_std": null.std * annual,
        "expected_maximum": null.expected_max_annual(),
        "p_value": float((null.maxima >= record.sharpe_ratio).mean()),
        "psr": probabilistic_sharpe(record),
        "dsr": probabilistic_sharpe(record, null.expected_maximum),
        "minimum_track_record": minimum_track_record(record),
        "minimum_track_record_deflated": minimum_track_record(record, null.expected_maximum),
    }
    cscv = overfitting_or_none(series, objective)
    if cscv is not None:
        figures |= {
            "compared": cscv.trials,
            "blocks": cscv.blocks,
            "pbo": cscv.pbo,
            "degradation": cscv.slope,
            "probability_of_loss": cscv.probability_of_loss,
        }
    return {name: figure for name, figure in figures.items() if np.isfinite(figure)}


def overfitting_or_none(series: pd.DataFrame, objective: ObjectiveName) -> Overfitting | None:
    """Return `overfitting` with as many blocks as the months allow, 16 at most.

    None for fewer than four months or fewer than two complete and different trials.
    """
    blocks = min(MAX_BLOCKS, len(series) // 4 * 2)
    if blocks < 2 or comparable(series).shape[1] < 2:
        return None
    return overfitting(series, objective, blocks)
