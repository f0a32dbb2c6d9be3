"""How much the scores knew: information coefficients and monotonicity over quantiles."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from konkyo.backtest.objectives import performance_of
from konkyo.dates import ordinal

_KEY = ["model", "month"]


def coefficients(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return the information coefficients (IC) of every (model, month).

    Parameters
    ----------
    ranked : DataFrame
        month, stock, model, score (known at t), ret (earned from t to t+1, NaN where not
        realised; such stocks take no part).

    Returns
    -------
    DataFrame
        model, month, ic (Pearson's correlation of score and ret over the month's stocks), rank_ic
        (Spearman's, equal values sharing their mean rank). NaN where fewer than two stocks have a
        return, or all scores or all returns are equal.
    """
    known = ranked.dropna(subset="ret").reset_index(drop=True)
    by_month = known.groupby(_KEY)
    values = known[["score", "ret"]].astype("float64")
    ranks = by_month[["score", "ret"]].rank()
    key = [known["model"], known["month"]]
    result = pd.DataFrame({"ic": _correlation(values, key), "rank_ic": _correlation(ranks, key)})
    return result.reset_index()


def _correlation(pairs: pd.DataFrame, key: list[pd.Series]) -> pd.Series:
    """Return Pearson's correlation of the columns score and ret within each group."""
    group = pairs.groupby(key)
    centred = pairs - group.transform("mean")
    # A constant column leaves rounding dust after centring, so it is told by its range.
    varies = ((group.max() - group.min()) > 0).all(axis=1)
    products = pd.DataFrame(
        {
            "both": centred["score"] * centred["ret"],
            "score": centred["score"] ** 2,
            "ret": centred["ret"] ** 2,
        }
    )
    sums = products.groupby(key).sum()
    scale = np.sqrt(sums["score"] * sums["ret"]).where(varies)
    return sums["both"] / scale


def t_statistic(values: pd.Series) -> float:
    """Return mean / (sample deviation / sqrt(n)) of the values that are not NaN.

    It takes months as independent; NaN for fewer than two values or values that are all equal.
    """
    return float(performance_of(values.to_numpy(dtype="float64"), "t_statistic"))


def newey_west_t(months: pd.Series, values: pd.Series) -> float:
    """Return the t-statistic of the mean with a deviation that allows for autocorrelation.

    The long-run variance is Newey and West's (1987): autocovariances up to the lag
    L = floor(4 (n / 100)^(2/9)), weighted 1 - lag / (L + 1). Lags are calendar months: a pair of
    months that is not there adds nothing, so that gaps do not make distant months neighbours.

    Parameters
    ----------
    months : Series
        The decision months, unique.
    values : Series
        One value a month; NaN values take no part.

    Returns
    -------
    float
        NaN for fewer than two values or values that are all equal.
    """
    known = values.notna().to_numpy()
    series = values.to_numpy(dtype="float64")[known]
    n = len(series)
    if n < 2 or np.ptp(series) == 0:
        return float("nan")
    place = ordinal(months)[known]
    place = place - place.min()
    centred = np.zeros(place.max() + 1)
    centred[place] = series - series.mean()
    lags = min(int(4 * (n / 100) ** (2 / 9)), len(centred) - 1)
    total = centred @ centred
    for lag in range(1, lags + 1):
        total += 2 * (1 - lag / (lags + 1)) * (centred[lag:] @ centred[:-lag])
    return float(n * series.mean() / np.sqrt(total))


def monotonicity(annual_returns: pd.Series) -> float:
    """Return Spearman's correlation of quantile number and mean return: 1 where every step rises.

    Parameters
    ----------
    annual_returns : Series
        One mean return a portfolio, from the worst scores to the best.

    Returns
    -------
    float
        In [-1, 1]; NaN where all returns are equal.
    """
    returns = annual_returns.to_numpy(dtype="float64")
    if len(returns) < 2 or np.ptp(returns) == 0:
        return float("nan")
    return float(spearmanr(np.arange(len(returns)), returns).statistic)
