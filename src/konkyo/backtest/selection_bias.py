"""How much of the best trial of a search is luck, in plain numbers."""

import math
from collections.abc import Hashable

import numpy as np
import pandas as pd

from konkyo.backtest.expected_max_sharpe import null_distribution
from konkyo.backtest.objectives import MONTHS_A_YEAR, Name
from konkyo.backtest.overfitting import Overfitting, comparable, overfitting
from konkyo.backtest.sharpe import minimum_track_record, moments, probabilistic_sharpe
from konkyo.errors import KonkyoError

MOST_BLOCKS = 16


def selection_bias(
    series: pd.DataFrame,
    values: pd.Series,
    chosen: Hashable,
    objective: Name = "sharpe_ratio",
    seed: int = 1,
) -> dict[str, float]:
    """Return what the chosen trial reached, and what a search of this kind reaches without skill.

    Parameters
    ----------
    series : DataFrame
        Shape [months, trials], months in order: monthly spreads after costs, fractions, decided at
        t and earned in t+1. Trials that were pruned have NaN in the months which they did not run.
        They count as trials, their correlation with others is that of the months in common, and
        splits into halves leave them out.
    values : Series
        The objective of each trial as the search had it, by the columns of `series`; NaN where
        there is none.
    chosen : hashable
        The trial that the search chose; complete.
    objective : str
        What is maximised in the halves: sharpe_ratio, t_statistic or mean.
    seed : int
        Of the draws behind `effective_trials` and `probability_by_luck`.

    Returns
    -------
    dict
        - months, trials, pruned (trials with a month missing);
        - objective: the chosen trial's, and place: how many trials have one at least as good;
        - sharpe_ratio: the chosen trial's annual return / risk;
        - effective_trials: as how many independent trials these count (`trials.no_skill`);
        - deviation: of one trial's annual return / risk, see there;
        - expected_maximum: annual return / risk of the best of them, did they scatter around 0;
        - probability_by_luck: that the best would then reach `sharpe_ratio`, by draws that keep the
          correlation of the trials;
        - psr: probability that the true ratio is above 0, were this the only trial;
        - dsr: probability that it is above `expected_maximum`, the deflated Sharpe ratio;
        - minimum_track_record: months that a ratio of this size needs to be above 0 with 95 per
          cent, minimum_track_record_deflated: above `expected_maximum`;
        - pbo, degradation (slope of out of sample on in sample), probability_of_loss, compared
          (trials) and blocks: see `overfitting`; 16 blocks, or as many as hold two months each.

        Figures that are not defined are absent: JSON has no NaN.

    Raises
    ------
    KonkyoError
        The chosen trial is not there or did not run in all months.
    """
    if chosen not in series.columns or chosen not in values.index:
        raise KonkyoError(
            f"trial {chosen} is not among the {series.shape[1]} trials with a series and a value: "
            "choose one of them"
        )
    if series[chosen].isna().any():
        raise KonkyoError(
            f"trial {chosen} did not run in {int(series[chosen].isna().sum())} of {len(series)} "
            "months: choose a trial that ran to the end"
        )
    record = moments(series[chosen])
    chance = null_distribution(series, seed)
    year = math.sqrt(MONTHS_A_YEAR)
    figures = {
        "months": len(series),
        "trials": series.shape[1],
        "pruned": int(series.isna().any().sum()),
        "objective": float(values[chosen]),
        "place": int((values >= values[chosen]).sum()),
        "sharpe_ratio": record.ratio * year,
        "effective_trials": chance.effective_trials,
        "deviation": chance.deviation * year,
        "expected_maximum": chance.annual_bar(),
        "probability_by_luck": float((chance.maxima >= record.ratio).mean()),
        "psr": probabilistic_sharpe(record),
        "dsr": probabilistic_sharpe(record, chance.expected_maximum),
        "minimum_track_record": minimum_track_record(record),
        "minimum_track_record_deflated": minimum_track_record(record, chance.expected_maximum),
        **_of_halves(halves(series, objective)),
    }
    return {name: figure for name, figure in figures.items() if np.isfinite(figure)}


def halves(series: pd.DataFrame, objective: Name) -> Overfitting | None:
    """Return `overfitting` by as many blocks as the months allow, 16 at most.

    None where there is too little to split or to compare.
    """
    blocks = min(MOST_BLOCKS, len(series) // 4 * 2)
    if blocks < 2 or comparable(series).shape[1] < 2:
        return None
    return overfitting(series, objective, blocks)


def _of_halves(found: Overfitting | None) -> dict[str, float]:
    if found is None:
        return {}
    return {
        "compared": found.trials,
        "blocks": found.blocks,
        "pbo": found.pbo,
        "degradation": found.slope,
        "probability_of_loss": found.probability_of_loss,
    }
