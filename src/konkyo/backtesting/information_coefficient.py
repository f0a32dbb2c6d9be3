"""Information coefficients by month, their t-statistics, and monotonicity over quantiles."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from konkyo.backtesting.objectives import is_constant, objective_values
from konkyo.dates import ordinal

_KEY = ["model", "month"]


def information_coefficients(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return the information coefficients (IC) of every (model, month).

    Parameters
    ----------
    ranked : DataFrame
        month, stock, model, score (known at t), ret (earned from t to t+1, NaN where not
        realised; such stocks are left out).

    Returns
    -------
    DataFrame
        model, month, ic (Pearson's correlation of score and ret over the month's stocks), rank_ic
        (Spearman's, equal values sharing their mean rank). NaN where fewer than two stocks have a
        return, or all scores or all returns are equal.
    """
    realised = ranked.loc[ranked["ret"].notna(), [*_KEY, "score", "ret"]].reset_index(drop=True)
    # By numbers: a model's name is text, which takes most of the time of a groupby.
    key = realised.groupby(_KEY).ngroup()
    values = realised[["score", "ret"]].astype("float64")
    ranks = values.groupby(key).rank()
    months = realised[_KEY].groupby(key).first()
    return months.assign(ic=_correlation(values, key), rank_ic=_correlation(ranks, key))


def _correlation(pairs: pd.DataFrame, key: pd.Series) -> pd.Series:
    """Return Pearson's correlation of the columns score and ret within each group."""
    # Sums over all groups at once: groupby.apply with spearmanr takes a Python call a month.
    group = pairs.groupby(key)
    centred = pairs - group.transform("mean")
    # By the range, since a constant column is not exactly 0 after centring.
    varies = ((group.max() - group.min()) > 0).all(axis=1)
    products = pd.DataFrame(
        {
            "covariance": centred["score"] * centred["ret"],
            "score": centred["score"] ** 2,
            "ret": centred["ret"] ** 2,
        }
    )
    sums = products.groupby(key).sum()
    scale = np.sqrt(sums["score"] * sums["ret"]).where(varies)
    return sums["covariance"] / scale


def t_statistic(values: pd.Series) -> float:
    """Return the t-statistic of the mean, mean / (sample std / sqrt(n)), of values not NaN.

    Months are taken as independent. NaN for fewer than two values or values that are constant up
    to rounding.
    """
    return float(objective_values(values.to_numpy(dtype="float64"), "t_statistic"))


def newey_west_t(months: pd.Series, values: pd.Series) -> float:
    """Return the t-statistic of the mean with Newey and West's (1987) standard error.

    The long-run variance is the sum of autocovariances up to the lag
    L = floor(4 (n / 100)^(2/9)), weighted 1 - lag / (L + 1). Lags are calendar months: a missing
    month adds no product, so that a gap does not make distant months neighbours.

    Parameters
    ----------
    months : Series
        The decision months, unique.
    values : Series
        One value a month; NaN values are left out.

    Returns
    -------
    float
        NaN for fewer than two values or values that are constant up to rounding.
    """
    defined = values.notna().to_numpy()
    series = values.to_numpy(dtype="float64")[defined]
    n = len(series)
    if n < 2 or is_constant(series):
        return float("nan")
    position = ordinal(months)[defined]
    position = position - position.min()
    # One entry a calendar month, 0 (the mean) in missing ones, whose products thus vanish.
    centred = np.zeros(position.max() + 1)
    centred[position] = series - series.mean()
    lags = min(int(4 * (n / 100) ** (2 / 9)), len(centred) - 1)
    variance = centred @ centred
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * (centred[lag:] @ centred[:-lag])
    return float(n * series.mean() / np.sqrt(variance))


def monotonicity(annual_returns: pd.Series) -> float:
    """Return Spearman's correlation of quantile number and mean return: 1 if every step rises.

    Parameters
    ----------
    annual_returns : Series
        One mean return a quantile, from the lowest scores to the highest.

    Returns
    -------
    float
        In [-1, 1]; NaN where all returns are equal.
    """
    returns = annual_returns.to_numpy(dtype="float64")
    if len(returns) < 2 or is_constant(returns):
        return float("nan")
    return float(spearmanr(np.arange(len(returns)), returns).statistic)
