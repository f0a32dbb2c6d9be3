"""What the best of many trials reaches by luck: effective trials, expected maximum Sharpe ratio.

Trials of one search earn alike, so that a hundred of them are fewer than a hundred chances. Their
effective number is here the number of independent trials whose best one is expected to reach as
much as the best of these: the maximum of normal variables with the trials' own correlations is
simulated, and the number whose expected maximum is the same is read off. Trials that are all equal
count as one, independent ones as many as they are, and ten groups of equal ones as ten.

Why not a count of eigenvalues (their entropy, or the inverse of the mean squared correlation): with
about as many months as trials, sampling error alone spreads the eigenvalues, and 100 independent
trials of 169 months count as 75 or 64, here as about 95. Why not Bailey and Lopez de Prado's mean
correlation, r + (1 - r) N: together with the variance across trials, which correlation lowers too,
it counts the correlation twice (of 300 searches over 50 trials without skill, 121 months and a
correlation of 0.9, 9 per cent had a deflated Sharpe ratio above 0.95, here 5), and together with
the variance of one trial it puts the bar too high.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, stats

from konkyo.backtest.objectives import MONTHS_A_YEAR, performance_of

# Fewer months in common than these say too little of a correlation.
_LEAST_COMMON = 12
_DRAWS = 20_000
_BATCH = 2_000
_GRID = np.linspace(-10.0, 10.0, 8_001)
_BELOW = stats.norm.cdf(_GRID)


@dataclass(frozen=True)
class NullDistribution:
    """What to expect of the best trial, did the Sharpe ratios scatter as they do around zero.

    effective_trials is in [1, trials]; deviation is that of one trial's monthly Sharpe ratio;
    expected_maximum, a monthly Sharpe ratio, follows from the two; maxima, shape [draws], are draws
    of the best trial's monthly Sharpe ratio, whose mean it is but for the approximation.
    """

    effective_trials: float
    deviation: float
    expected_maximum: float
    maxima: np.ndarray

    def annual_bar(self) -> float:
        """Return the expected maximum as annual return / risk."""
        return self.expected_maximum * math.sqrt(MONTHS_A_YEAR)

    def annual(self) -> np.ndarray:
        """Return the draws as annual return / risk, shape [draws]."""
        return self.maxima * math.sqrt(MONTHS_A_YEAR)


def null_distribution(series: pd.DataFrame, seed: int = 1) -> NullDistribution:
    """Return what the best of these trials would reach by luck alone.

    Parameters
    ----------
    series : DataFrame
        Shape [months, trials]: monthly spreads after costs, fractions, decided at t and earned in
        t+1; NaN in the months which a pruned trial did not run. Every column counts as a trial
        that could have become the best, as if a pruned one had run to the end.
    seed : int
        Of the draws.

    Returns
    -------
    NoSkill
        The deviation is the larger of two: that of the Sharpe ratios across complete trials, which
        Bailey and Lopez de Prado (2014) use, and 1 / sqrt(months - 1), the sampling error of one
        ratio that is truly zero. The first alone is too small where trials earn alike; where trials
        differ in skill it is the larger one, and the bar is higher than chance alone puts it.
    """
    related = correlations(series)
    highest, half_ranges = _extremes(related, np.random.default_rng(seed))
    effective = _number_of(float(half_ranges.mean()), series.shape[1])
    deviation = max(_across(series), 1 / math.sqrt(max(len(series) - 1, 1)))
    bar = expected_maximum(effective, deviation)
    return NullDistribution(effective, deviation, bar, deviation * highest)


def correlations(series: pd.DataFrame) -> np.ndarray:
    """Return how alike the trials earn, over the months that each two have in common.

    Parameters
    ----------
    series : DataFrame
        Shape [months, trials], NaN in the months which a trial did not run.

    Returns
    -------
    ndarray
        Shape [trials, trials], ones on the diagonal, no negative eigenvalue. Two trials with
        fewer than 12 months in common, or of which one never varies, count as unrelated: what is
        not known raises the effective number of trials and does not lower it.
    """
    raw = series.corr(min_periods=_LEAST_COMMON).fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(raw, 1.0)
    # Taken pair by pair over unlike months, correlations need not fit together.
    values, vectors = np.linalg.eigh(raw)
    repaired = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.diag(repaired))
    return repaired / np.outer(scale, scale)


def effective_trials(series: pd.DataFrame, seed: int = 1) -> float:
    """Return how many independent trials these amount to, in [1, trials]; see `no_skill`."""
    return null_distribution(series, seed).effective_trials


def expected_maximum(trials: float, deviation: float) -> float:
    """Return the expected Sharpe ratio of the best of independent trials without skill.

    SR0 of Bailey and Lopez de Prado (2014), an approximation that is one per cent too high for 100
    trials and eight too low for two. It falls below zero for fewer than 1.28, where zero is
    returned.

    Parameters
    ----------
    trials : float
        How many, at least 1; need not be whole.
    deviation : float
        The standard deviation of one trial's Sharpe ratio, in the unit of the result.

    Returns
    -------
    float
        In the unit of `deviation`.
    """
    if trials <= 1:
        return 0.0
    gamma = np.euler_gamma
    high, higher = stats.norm.ppf([1 - 1 / trials, 1 - 1 / (trials * np.e)])
    return max(float(deviation * ((1 - gamma) * high + gamma * higher)), 0.0)


def _across(series: pd.DataFrame) -> float:
    """Return the deviation of monthly Sharpe ratios across the complete trials, 0 for one."""
    complete = series.dropna(axis="columns").to_numpy(dtype="float64")
    ratios = performance_of(complete, "sharpe_ratio") / math.sqrt(MONTHS_A_YEAR)
    ratios = ratios[np.isfinite(ratios)]
    return float(ratios.std(ddof=1)) if len(ratios) > 1 else 0.0


def _extremes(related: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw normal variables with these correlations: their maxima and half ranges, [draws] each.

    The expected half range is the expected maximum, since the draws are symmetric; what all trials
    share, which only widens the maximum, cancels out of it.
    """
    values, vectors = np.linalg.eigh(related)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    highest, half_ranges = [], []
    for _ in range(0, _DRAWS, _BATCH):
        drawn = rng.standard_normal((_BATCH, len(root))) @ root
        top, bottom = drawn.max(1), drawn.min(1)
        highest.append(top)
        half_ranges.append((top - bottom) / 2)
    return np.concatenate(highest), np.concatenate(half_ranges)


def _maximum_of(trials: float) -> float:
    """Return the expected maximum of standard normal variables, exact, for any number from 1."""
    # E[max] is the integral of (1 above zero) - P(max below x).
    return float(np.trapezoid((_GRID > 0) - _BELOW**trials, _GRID)) + (_GRID[1] - _GRID[0]) / 2


def _number_of(maximum: float, most: int) -> float:
    """Return the number of standard normal variables with this expected maximum, in [1, most]."""
    if maximum <= _maximum_of(1.0) or most == 1:
        return 1.0
    if maximum >= _maximum_of(float(most)):
        return float(most)
    return float(optimize.brentq(lambda n: _maximum_of(n) - maximum, 1.0, float(most)))
