"""Whether a factor's relevance differs between the long and the short portfolio (figure 9)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats


def mean_differences(long: pd.DataFrame, short: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Test each factor's mean relevance in the long against that in the short portfolio.

    The numbers of the paper's figure 9. Welch's test takes rows as independent draws with a
    variance of each portfolio's own. Portfolios formed by the score that the relevances add up to
    differ by construction in what moves the score: their stars say how clearly a factor separates
    long from short, not that it predicts returns. For portfolios formed without the relevances the
    stars appear at their nominal rate.

    Parameters
    ----------
    long, short : DataFrame
        One row a stock-month of the portfolio and one column a factor, relevance in units of the
        score, known at t.
    names : sequence of str
        The factors to test.

    Returns
    -------
    DataFrame
        feature, long, short (means), difference, t, p (two-sided), p_adjusted (Benjamini and
        Hochberg over the factors), stars ("**" for p below 1 per cent, "*" below 5). A factor
        that is the same everywhere has a difference and no t, and counts with p = 1; without rows
        in a portfolio nothing is defined.
    """
    one, other = long[list(names)].to_numpy(float), short[list(names)].to_numpy(float)
    if not (len(one) and len(other)):
        one = other = np.full((1, len(names)), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        t, p = stats.ttest_ind(one, other, axis=0, equal_var=False)
    still = (np.ptp(one, axis=0) == 0) & (np.ptp(other, axis=0) == 0)
    t, p = np.where(still, np.nan, t), np.where(still | np.isnan(p), 1.0, p)
    return pd.DataFrame(
        {
            "feature": list(names),
            "long": one.mean(0),
            "short": other.mean(0),
            "difference": one.mean(0) - other.mean(0),
            "t": t,
            "p": p,
            "p_adjusted": stats.false_discovery_control(p),
            "stars": np.select([p < 0.01, p < 0.05], ["**", "*"], ""),
        }
    )
