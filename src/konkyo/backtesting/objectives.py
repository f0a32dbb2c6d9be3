"""Sharpe ratio, t-statistic and mean of many monthly series at once: the one definition of each.

Everything that reports or maximises one of them computes it here: performance tables, searches,
the comparison of models, and the halves of a record in cross-validation.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

ObjectiveName = Literal["sharpe_ratio", "t_statistic", "mean"]
Objective = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
MONTHS_A_YEAR = 12

CONSTANT_TOLERANCE = 1e-12
"""Values whose range is at most this share of the largest |value| are constant up to rounding.

The mean of five equal returns of 0.1 differs from 0.1 in the last digit, so that their standard
deviation is 1e-17 and not 0, and a ratio to it would be a number of no meaning.
"""
_SUMS_TOLERANCE = 1e-7
"""Standard deviations from sums below this share of the root mean square are cancellation."""


def sharpe_ratio(months: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return the annual Sharpe ratio, mean / std * sqrt(12), without a riskless rate."""
    return mean / std * np.sqrt(MONTHS_A_YEAR)


def t_statistic(months: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return the t-statistic of the mean, mean / (std / sqrt(n)); months taken as independent."""
    return mean / std * np.sqrt(months)


def mean(months: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return the mean of the months, in the unit of the series."""
    return mean


OBJECTIVES: dict[ObjectiveName, Objective] = {
    "sharpe_ratio": sharpe_ratio,
    "t_statistic": t_statistic,
    "mean": mean,
}
"""Each a function of the number of months, their mean and sample standard deviation (n - 1)."""


def objective_values(values: np.ndarray, objective: ObjectiveName) -> np.ndarray:
    """Return the objective of every series.

    Parameters
    ----------
    values : ndarray
        Shape [months, ...]; NaN months are left out.
    objective : str
        sharpe_ratio (annual), t_statistic or mean.

    Returns
    -------
    ndarray
        Shape [...]; NaN where it is undefined: a ratio of fewer than two months or of values that
        are constant up to rounding, the mean of none.
    """
    defined = ~np.isnan(values)
    months = defined.sum(0)
    filled = np.where(defined, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        average = filled.sum(0) / months
        # Two passes: the sum of squares less the squared sum cancels where the mean is large.
        squares = np.where(defined, values - average, 0.0) ** 2
        std = np.sqrt(squares.sum(0) / (months - 1))
        std = np.where((months < 2) | is_constant(values), np.nan, std)
        return OBJECTIVES[objective](months, average, std)


def objective_from_sums(
    objective: ObjectiveName, *, months: np.ndarray, total: np.ndarray, squares: np.ndarray
) -> np.ndarray:
    """Return an objective from the number, the sum and the sum of squares of monthly values.

    The sums of a half of a record are those of its blocks, so that 12,870 halves of 100 trials cost
    one pass over the months. `objective_values` is exact where the standard deviation is small.

    Parameters
    ----------
    objective : str
        sharpe_ratio (annual), t_statistic or mean.
    months, total, squares : ndarray
        Shapes that broadcast against each other.

    Returns
    -------
    ndarray
        NaN where the objective is undefined, as in `objective_values`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        average = total / months
        centred = np.maximum(squares - total * average, 0.0)
        std = np.sqrt(centred / (months - 1))
        undefined = (months < 2) | (centred <= squares * _SUMS_TOLERANCE**2)
        return OBJECTIVES[objective](months, average, np.where(undefined, np.nan, std))


def is_constant(values: np.ndarray) -> np.ndarray:
    """Return whether the values along the first axis are equal up to rounding, NaN aside.

    Parameters
    ----------
    values : ndarray
        Shape [months, ...].

    Returns
    -------
    ndarray
        Shape [...], bool; true where no value is defined.
    """
    defined = ~np.isnan(values)
    highest = np.where(defined, values, -np.inf).max(0, initial=-np.inf)
    lowest = np.where(defined, values, np.inf).min(0, initial=np.inf)
    size = np.where(defined, np.abs(values), 0.0).max(0, initial=0.0)
    return np.asarray(highest - lowest <= CONSTANT_TOLERANCE * size)
