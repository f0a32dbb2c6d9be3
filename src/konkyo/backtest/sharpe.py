"""How sure a Sharpe ratio is, given the length and the shape of its record.

All ratios here are monthly: mean / sample deviation of monthly fractions, without a riskless rate.
Months are taken as independent.

Sources: Bailey and Lopez de Prado, The Sharpe Ratio Efficient Frontier (2012) for the probabilistic
Sharpe ratio and the minimum track record; The Deflated Sharpe Ratio (2014) for the deflated one.
skfolio 1.12 has the first and the third, ffn 1.4 the third; both were left out: importing skfolio
imports cvxpy and 700 modules more, importing ffn imports pyplot and adds 41 methods to every data
frame, and neither takes an effective number of trials. The tests hold their values.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats


@dataclass(frozen=True)
class Moments:
    """What a record says about its Sharpe ratio.

    ratio is per month; months is how many there are; skew and kurtosis are those of the monthly
    values (0 and 3 for a normal distribution).
    """

    ratio: float
    months: int
    skew: float
    kurtosis: float


def moments(series: pd.Series) -> Moments:
    """Return the moments of the values that are not NaN; NaN where they are not defined."""
    known = series.dropna().to_numpy(dtype="float64")
    if len(known) < 2 or np.ptp(known) == 0:
        return Moments(np.nan, len(known), np.nan, np.nan)
    centred = (known - known.mean()) / known.std()
    return Moments(
        ratio=float(known.mean() / known.std(ddof=1)),
        months=len(known),
        skew=float((centred**3).mean()),
        kurtosis=float((centred**4).mean()),
    )


def probabilistic_sharpe(record: Moments, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above a benchmark.

    With the expected maximum of all trials of a search as the benchmark (`trials.no_skill`), this
    is the deflated Sharpe ratio.

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
    if np.isnan(record.ratio):
        return float("nan")
    deviations = (record.ratio - benchmark) * np.sqrt(record.months - 1)
    return float(stats.norm.cdf(deviations / np.sqrt(_widening(record))))


def minimum_track_record(
    record: Moments, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Return how many months a record of this shape needs to put its ratio above a benchmark.

    Parameters
    ----------
    record : Moments
        Of one series; its own length does not matter.
    benchmark : float
        A monthly Sharpe ratio.
    confidence : float
        The probability that is asked for.

    Returns
    -------
    float
        Months, not rounded: the length at which `probabilistic_sharpe` is `confidence`. Infinite
        where the ratio is not above the benchmark, NaN for a record without a ratio.
    """
    if record.ratio <= benchmark:
        return float("inf")
    quantile = stats.norm.ppf(confidence)
    return float(1 + _widening(record) * (quantile / (record.ratio - benchmark)) ** 2)


def _widening(record: Moments) -> float:
    """Return the variance of the estimated ratio times (months - 1); 1 for a ratio of zero.

    Never negative, since no distribution has a kurtosis below skew squared + 1.
    """
    ratio = record.ratio
    return 1 - record.skew * ratio + (record.kurtosis - 1) / 4 * ratio**2
