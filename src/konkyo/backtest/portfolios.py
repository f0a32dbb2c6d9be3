"""Portfolios by score: as many stocks in each as can be."""

import numpy as np
import pandas as pd

from konkyo.dates import label, ordinal
from konkyo.errors import KonkyoError


def rank(scores: pd.DataFrame, portfolios: int) -> pd.DataFrame:
    """Put every scored stock of a (model, month) into one of equal-count portfolios.

    Stocks are ordered by score, equal scores by stock code. With n stocks the one at position k
    (0 is the worst) goes to portfolio floor((k + 1/2) * portfolios / n) + 1 in the lower half, and
    the upper half mirrors the lower one. Sizes therefore differ by one at most, and the first and
    the last portfolio hold equally many stocks (an odd n in two portfolios aside), so that
    reversed scores exchange long and short exactly.

    Parameters
    ----------
    scores : DataFrame
        month, stock, model, score (all known at t), ret (earned from t to t+1, a fraction or
        NaN); rows unique by (model, month, stock), in any order, no score NaN.
    portfolios : int
        How many portfolios; with ten they are the deciles of the paper's figure 6.

    Returns
    -------
    DataFrame
        month, stock, model, score, decile, ret; sorted by (model, month, stock). `decile` runs
        from 1 (worst scores) to `portfolios` (best) and uses nothing later than t.

    Raises
    ------
    KonkyoError
        A month has fewer scored stocks than portfolios.
    """
    month = ordinal(scores["month"])
    stock, _ = pd.factorize(scores["stock"], sort=True)
    model, _ = pd.factorize(scores["model"], sort=True)
    order = np.lexsort((stock, scores["score"].to_numpy(), month, model))
    group = pd.DataFrame({"model": model[order], "month": month[order]}).groupby(["model", "month"])
    position = group.cumcount().to_numpy()
    n = group["month"].transform("size").to_numpy()
    if (n < portfolios).any():
        at = int(np.argmax(n < portfolios))
        row = scores.iloc[order[at]]
        raise KonkyoError(
            f"{row['model']}: {label(row['month'])} has {n[at]} scored stocks, fewer than "
            f"backtest.portfolios = {portfolios}: lower backtest.portfolios, raise "
            "prepare.universe, or start at a later prepare.first_month"
        )

    upper = 2 * position + 1 > n
    from_end = np.where(upper, n - 1 - position, position)
    step = (2 * from_end + 1) * portfolios // (2 * n)
    decile = np.empty(len(order), dtype="int64")
    decile[order] = np.where(upper, portfolios - step, step + 1)

    ranked = scores.assign(decile=decile).iloc[np.lexsort((stock, month, model))]
    return ranked[["month", "stock", "model", "score", "decile", "ret"]].reset_index(drop=True)


def realised(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the months in which at least one return was realised.

    The last decision month of the records is ranked for the month to come and has none.

    Parameters
    ----------
    ranked : DataFrame
        What `rank` returns.

    Returns
    -------
    DataFrame
        The same columns and order, stocks without a return included.

    Raises
    ------
    KonkyoError
        No month has a realised return.
    """
    known = ranked["ret"].notna().groupby([ranked["model"], ranked["month"]]).transform("any")
    if not known.any():
        raise KonkyoError(
            f"none of the {ranked['month'].nunique()} scored months has a realised return, and a "
            "backtest needs 1: bring at least one more month of records, or lower train.window"
        )
    return ranked[known].reset_index(drop=True)
