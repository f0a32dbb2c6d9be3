"""Expected maximum Sharpe ratio of many trials under zero skill, and their effective number.

Returns of the trials of one search are correlated, so that a hundred trials count as fewer. Their
effective number is the number of independent trials with the same expected maximum: the maximum of
normal variables with the trials' correlations is simulated, and the number of independent normal
variables with this expected maximum is solved for. Equal trials count as one, independent ones as
many as they are, and ten groups of equal ones as ten.

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

from konkyo.backtesting.objectives import MONTHS_A_YEAR, objective_values

_MIN_COMMON_MONTHS = 12
"""From fewer a correlation is mostly sampling error."""
_DRAWS = 20_000
# In batches: 20,000 draws of 1,000 trials would take 160 MB at once.
_BATCH = 2_000
_GRID = np.linspace(-10.0, 10.0, 8_001)
_CDF = stats.norm.cdf(_GRID)


@dataclass(frozen=True)
class NullDistribution:
    """Distribution of the maximum Sharpe ratio of the trials under zero skill.

    effective_trials is in [1, trials]; std is that of one trial's monthly Sharpe ratio;
    expected_maximum, a monthly Sharpe ratio, follows from the two by the approximation of
    `expected_maximum`; maxima, shape [draws], are simulated maxima, monthly Sharpe ratios.
    """

    effective_trials: float
    std: float
    expected_maximum: float
    maxima: np.ndarray

    def expected_max_annual(self) -> float:
        """Return the expected maximum as an annual Sharpe ratio."""
        return self.expected_maximum * math.sqrt(MONTHS_A_YEAR)

    def annual_maxima(self) -> np.ndarray:
        """Return the simulated maxima as annual Sharpe ratios, shape [draws]."""
        return self.maxima * math.sqrt(MONTHS_A_YEAR)


def null_distribution(series: pd.DataFrame, seed: int = 1) -> NullDistribution:
    """Return the distribution of the maximum Sharpe ratio of these trials under zero skill.

    Parameters
    ----------
    series : DataFrame
        Shape [months, trials]: monthly spreads after costs, fractions, decided at t and earned in
        t+1; NaN in the months which a pruned trial did not run. Every column counts as a trial
        that could have become the best, a pruned one as if it had run to the end.
    seed : int
        Of the draws.

    Returns
    -------
    NullDistribution
        Its std is the larger of two: that of the Sharpe ratios across complete trials, which
        Bailey and Lopez de Prado (2014) use, and 1 / sqrt(months - 1), the standard error of one
        ratio that is truly zero. The first alone is too small where trials are correlated; where
        trials differ in skill it is the larger one, and the null is conservative.
    """
    maxima, half_ranges = _simulate_extremes(correlations(series), np.random.default_rng(seed))
    effective = _trials_with_maximum(float(half_ranges.mean()), series.shape[1])
    std = max(_std_across_trials(series), 1 / math.sqrt(max(len(series) - 1, 1)))
    return NullDistribution(
        effective_trials=effective,
        std=std,
        expected_maximum=expected_maximum(effective, std),
        maxima=std * maxima,
    )


def correlations(series: pd.DataFrame) -> np.ndarray:
    """Return the correlations of the trials, pairwise over the months that both have run.

    Parameters
    ----------
    series : DataFrame
        Shape [months, trials], NaN in the months which a trial did not run.

    Returns
    -------
    ndarray
        Shape [trials, trials], ones on the diagonal, no negative eigenvalue. Two trials with
        fewer than 12 months in common, or of which one is constant, count as uncorrelated: an
        undefined correlation raises the effective number of trials and never lowers it.
    """
    raw = series.corr(min_periods=_MIN_COMMON_MONTHS).fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(raw, 1.0)
    # Pairwise correlations over different months need not form a positive semi-definite matrix.
    values, vectors = np.linalg.eigh(raw)
    repaired = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = np.sqrt(np.diag(repaired))
    return repaired / np.outer(scale, scale)


def effective_trials(series: pd.DataFrame, seed: int = 1) -> float:
    """Return the effective number of independent trials, in [1, trials]."""
    return null_distribution(series, seed).effective_trials


def expected_maximum(trials: float, std: float) -> float:
    """Return the expected maximum Sharpe ratio of independent trials under zero skill.

    SR0 of Bailey and Lopez de Prado (2014), an approximation that is one per cent too high for 100
    trials and eight too low for two. It falls below zero for fewer than 1.28, where zero is
    returned.

    Parameters
    ----------
    trials : float
        Their number, at least 1; need not be an integer.
    std : float
        Of one trial's Sharpe ratio, in the unit of the result.

    Returns
    -------
    float
        In the unit of `std`.
    """
    if trials <= 1:
        return 0.0
    gamma = np.euler_gamma
    low, high = stats.norm.ppf([1 - 1 / trials, 1 - 1 / (trials * np.e)])
    return max(float(std * ((1 - gamma) * low + gamma * high)), 0.0)


def _std_across_trials(series: pd.DataFrame) -> float:
    """Return the std of monthly Sharpe ratios across the complete trials, 0 for one."""
    complete = series.dropna(axis="columns").to_numpy(dtype="float64")
    ratios = objective_values(complete, "sharpe_ratio") / math.sqrt(MONTHS_A_YEAR)
    ratios = ratios[np.isfinite(ratios)]
    return float(ratios.std(ddof=1)) if len(ratios) > 1 else 0.0


def _simulate_extremes(
    correlation: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return maxima and half ranges, [draws] each, of normal variables with these correlations.

    Both have the same expectation, since the draws are symmetric. A factor that is common to all
    trials adds noise to the maximum and cancels out of the half range, whose mean is therefore the
    more precise estimate.
    """
    # Not Cholesky: the matrix is singular where trials are equal.
    values, vectors = np.linalg.eigh(correlation)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
    maxima, half_ranges = [], []
    for _ in range(0, _DRAWS, _BATCH):
        draws = rng.standard_normal((_BATCH, len(root))) @ root
        highest, lowest = draws.max(1), draws.min(1)
        maxima.append(highest)
        half_ranges.append((highest - lowest) / 2)
    return np.concatenate(maxima), np.concatenate(half_ranges)


def _expected_normal_maximum(number: float) -> float:
    """Return the expected maximum of standard normal variables, exact, for any number from 1."""
    # E[max] is the integral of (1 above zero) - P(max below x).
    return float(np.trapezoid((_GRID > 0) - _CDF**number, _GRID)) + (_GRID[1] - _GRID[0]) / 2


def _trials_with_maximum(maximum: float, trials: int) -> float:
    """Return the number of standard normal variables with this expected maximum, [1, trials]."""
    if maximum <= _expected_normal_maximum(1.0) or trials == 1:
        return 1.0
    if maximum >= _expected_normal_maximum(float(trials)):
        return float(trials)
    return float(
        optimize.brentq(lambda n: _expected_normal_maximum(n) - maximum, 1.0, float(trials))
    )
