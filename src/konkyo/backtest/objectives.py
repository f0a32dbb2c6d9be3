"""Sharpe ratio, t-statistic and mean of one series, or of many trials and halves of them at once.

Each is a function of three arrays of one shape: the number of months, their mean and their sample
standard deviation (n - 1). So it costs the same for one series as for 12,870 halves of 100.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

Name = Literal["sharpe_ratio", "t_statistic", "mean"]
Objective = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
MONTHS_A_YEAR = 12


def sharpe_ratio(months: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return arithmetic annual return / annual volatility."""
    return mean / std * np.sqrt(MONTHS_A_YEAR)


def t_statistic(months: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return mean / (sample standard deviation / sqrt(n))."""
    return mean / std * np.sqrt(months)


def mean(months: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return the mean of the months, in the unit of the series."""
    return mean


OBJECTIVES: dict[Name, Objective] = {
    "sharpe_ratio": sharpe_ratio,
    "t_statistic": t_statistic,
    "mean": mean,
}
# A standard deviation below this share of the root mean square is rounding of equal values.
_DUST = 1e-7


def from_sums(
    objective: Name, months: np.ndarray, total: np.ndarray, squares: np.ndarray
) -> np.ndarray:
    """Return an objective from the number, the sum and the sum of squares of monthly values.

    Parameters
    ----------
    objective : str
        sharpe_ratio (annual), t_statistic or mean.
    months, total, squares : ndarray
        Shapes that broadcast against each other.

    Returns
    -------
    ndarray
        NaN where the objective is not defined: a ratio of fewer than two months or of values that
        are all equal, the mean of none.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        average = total / months
        squared = np.maximum(squares - total * average, 0.0)
        std = np.sqrt(squared / (months - 1))
        still = (months < 2) | (squared <= squares * _DUST**2)
        return OBJECTIVES[objective](months, average, np.where(still, np.nan, std))


def performance_of(values: np.ndarray, objective: Name) -> np.ndarray:
    """Return the objective of every series.

    Parameters
    ----------
    values : ndarray
        Shape [months, ...]; NaN months take no part.
    objective : str
        sharpe_ratio (annual), t_statistic or mean.

    Returns
    -------
    ndarray
        Shape [...]; NaN where it is not defined, see `from_sums`.
    """
    present = ~np.isnan(values)
    filled = np.where(present, values, 0.0)
    return from_sums(objective, present.sum(0), filled.sum(0), (filled**2).sum(0))
