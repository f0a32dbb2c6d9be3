"""Probabilistic Sharpe ratio and minimum track record length of a monthly series.

All ratios here are monthly: mean / sample std of monthly fractions, without a riskless rate.
Months are taken as independent.

Sources: Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier (2012) for the probabilistic
Sharpe ratio and the minimum track record; The Deflated Sharpe Ratio (2014) for the deflated one.
skfolio 1.12 has the first and the third, ffn 1.4 the third; both were left out: importing skfolio
imports cvxpy and 700 modules more, importing ffn imports pyplot and adds 41 methods to every data
frame, and neither takes an effective number of trials. The tests hold their values.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from konkyo.backtesting.objectives import MONTHS_A_YEAR, is_constant, objective_values


@dataclass(frozen=True)
class Moments:
    """Sharpe ratio of a track record, and the moments that decide its standard error.

    sharpe_ratio is monthly; months is their number; skew and kurtosis are those of the monthly
    values (0 and 3 for a normal distribution).
    """

    sharpe_ratio: float
    months: int
    skew: float
    kurtosis: float


def moments(series: pd.Series) -> Moments:
    """Return the moments of the values that are not NaN; NaN for constant or fewer than two."""
    values = series.dropna().to_numpy(dtype="float64")
    if len(values) < 2 or is_constant(values):
        return Moments(np.nan, len(values), skew=np.nan, kurtosis=np.nan)
    z = (values - values.mean()) / values.std()
    return Moments(
        sharpe_ratio=float(objective_values(values, "sharpe_ratio")) / math.sqrt(MONTHS_A_YEAR),
        months=len(values),
        skew=float((z**3).mean()),
        kurtosis=float((z**4).mean()),
    )


def probabilistic_sharpe(record: Moments, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark.

    Bailey and Lopez de Prado (2012), equation 9. With the expected maximum of all trials of a
    search as the benchmark (`expected_max_sharpe`) it is the deflated Sharpe ratio (2014).

    Parameters
    ----------
    record : Moments
        Of one series.
    benchmark : float
        A monthly Sharpe ratio.

    Returns
    -------
    float
        In [0, 1]; NaN for a record without a ratio.
    """
    if np.isnan(record.sharpe_ratio):
        return float("nan")
    standard_error = np.sqrt(_asymptotic_variance(record) / (record.months - 1))
    return float(stats.norm.cdf((record.sharpe_ratio - benchmark) / standard_error))


def minimum_track_record(
    record: Moments, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Return the months that a record of these moments needs to show a ratio above a benchmark.

    Bailey and Lopez de Prado (2012), equation 11.

    Parameters
    ----------
    record : Moments
        Of one series; its own length does not matter.
    benchmark : float
        A monthly Sharpe ratio.
    confidence : float
        The probability that the true ratio is above the benchmark.

    Returns
    -------
    float
        Months, not rounded: the length at which `probabilistic_sharpe` is `confidence`. Infinite
        where the ratio is not above the benchmark, NaN for a record without a ratio.
    """
    if record.sharpe_ratio <= benchmark:
        return float("inf")
    z = stats.norm.ppf(confidence)
    return float(1 + _asymptotic_variance(record) * (z / (record.sharpe_ratio - benchmark)) ** 2)


def _asymptotic_variance(record: Moments) -> float:
    """Return the variance of the estimated ratio times (months - 1); 1 for a ratio of zero.

    Never negative, since no distribution has a kurtosis below skew squared + 1.
    """
    ratio = record.sharpe_ratio
    return 1 - record.skew * ratio + (record.kurtosis - 1) / 4 * ratio**2
