"""Turnover of the long and the short leg from one decision month to the next."""

import numpy as np
import pandas as pd

from konkyo.backtest.portfolios import mean_returns
from konkyo.dates import month_end, ordinal

_LEG = ["model", "ordinal", "leg"]


def trades(ranked: pd.DataFrame, n_quantiles: int) -> pd.DataFrame:
    """Return what each leg trades at t: target weights against weights before trading.

    At t a leg of n stocks is rebalanced to the weight 1/n in each, stocks included whose return
    turns out to be missing. During the month a weight drifts to w (1 + ret) / (1 + R), where R is
    the leg's return, the mean over its stocks with a return. A delisted stock is not sold: its
    value is returned as cash that earned R, so its weight before trading is 0, it is not traded
    at t+1, and the cash buys part of the new book. A leg that lost everything starts from cash.

    In the first month, and in every month after a gap in the model's decision months, the whole leg
    is bought from cash. The sale of a book before a gap or at the end of the records is not
    charged, since at t it is not known that the book ends; the cost of a model scored every n-th
    month is understated by up to that.

    Parameters
    ----------
    ranked : DataFrame
        month, stock, model, quantile, ret: what `portfolios.with_realised_returns` returns.
    n_quantiles : int
        The number of quantile portfolios; the last is long, the first short.

    Returns
    -------
    DataFrame
        model, month, leg (long | short), units, turnover; one row a leg and month.
        `units` is the sum over stocks of |target weight - weight before trading|, in units of the
        leg's value (1 for a purchase from cash, at most 2 later). `turnover` is half of it, the
        one-way turnover, in [0, 1]; NaN for a purchase from cash, without an earlier book.
    """
    legs = ranked[ranked["quantile"].isin([1, n_quantiles])]
    legs = pd.DataFrame(
        {
            "model": legs["model"],
            "ordinal": ordinal(legs["month"]),
            "leg": np.where(legs["quantile"] == 1, "short", "long"),
            # Codes of sorted names fix the order of the sums: in order of appearance a later
            # month could change the last digits of an earlier one.
            "stock": pd.factorize(legs["stock"], sort=True)[0],
            "ret": legs["ret"],
        }
    )
    group = legs.groupby(_LEG)
    target = 1.0 / group["stock"].transform("size")
    growth = 1.0 + legs[_LEG].join(mean_returns(legs, _LEG), on=_LEG)["ret"]
    drifted = (target * (1.0 + legs["ret"]) / growth.where(growth > 0)).fillna(0.0)

    # A sum by stock of + target at t and - drifted weight of t-1: an outer join of the two books
    # in which a stock of only one of them needs no filling.
    keys = legs[[*_LEG, "stock"]]
    after = keys.assign(weight=target)
    before = keys.assign(ordinal=keys["ordinal"] + 1, weight=-drifted)
    change = pd.concat([after, before]).groupby([*_LEG, "stock"])["weight"].sum().abs()

    result = keys[_LEG].drop_duplicates().sort_values(_LEG, ignore_index=True)
    units = change.groupby(level=_LEG).sum().rename("units")
    result = result.join(units, on=_LEG)
    previous = pd.MultiIndex.from_arrays([result["model"], result["ordinal"] - 1, result["leg"]])
    has_previous = previous.isin(pd.MultiIndex.from_frame(result[_LEG]))
    result["turnover"] = (result["units"] / 2.0).where(has_previous)
    result["month"] = month_end(result["ordinal"].to_numpy())
    return result[["model", "month", "leg", "units", "turnover"]]
