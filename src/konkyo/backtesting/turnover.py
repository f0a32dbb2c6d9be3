"""Trades of each leg from one decision month to the next, and their turnover."""

import numpy as np
import pandas as pd

from konkyo.backtesting.portfolios import mean_returns
from konkyo.dates import month_end, ordinal

_LEG = ["model", "ordinal", "leg"]


def equal_weights(ranked: pd.DataFrame, n_quantiles: int) -> pd.DataFrame:
    """Return the two extreme quantile portfolios as holdings of equal weights.

    Parameters
    ----------
    ranked : DataFrame
        month, stock, model, quantile, ret: what `portfolios.with_realised_returns` returns.
    n_quantiles : int
        The number of quantile portfolios; the last is long, the first short.

    Returns
    -------
    DataFrame
        model, month, leg (long | short), stock, weight, ret.
    """
    legs = ranked[ranked["quantile"].isin([1, n_quantiles])]
    legs = legs.assign(leg=np.where(legs["quantile"] == 1, "short", "long"))
    weight = 1.0 / legs.groupby(["model", "month", "leg"])["ret"].transform("size")
    return legs.assign(weight=weight)[["model", "month", "leg", "stock", "weight", "ret"]]


def stock_trades(holdings: pd.DataFrame) -> pd.DataFrame:
    """Return what each leg trades at t: target weights against weights before trading.

    At t a leg is rebalanced to its weights, stocks included whose return turns out to be missing.
    During the month a weight drifts to w (1 + ret) / (1 + R), where R is the leg's return, the
    weighted mean over its stocks with a return. A delisted stock is not sold: its value is returned
    as cash that earned R, so its weight before trading is 0, it is not traded at t+1, and the cash
    buys part of the new book. A leg that lost everything starts from cash.

    In the first month, and in every month after a gap in the model's decision months, the whole leg
    is bought from cash. The sale of a book before a gap or at the end of the records is not
    charged, since at t it is not known that the book ends; the cost of a model scored every n-th
    month is understated by up to that.

    Parameters
    ----------
    holdings : DataFrame
        model, month, leg, stock, weight (1 in sum over a leg), ret.

    Returns
    -------
    DataFrame
        model, month, leg, stock, before, weight, trade (weight - before), in units of the leg's
        value; sorted by (model, month, leg, stock). Every stock held before or after; a trade of 0
        is a stock whose weight did not change.
    """
    # Numbers of sorted names fix the order of the sums: in order of appearance a later month
    # could change the last digits of an earlier one. And text takes most of a groupby's time.
    numbers, names = {}, {}
    for column in ("model", "leg", "stock"):
        numbers[column], names[column] = pd.factorize(holdings[column], sort=True)
    legs = holdings[["weight", "ret"]].assign(ordinal=ordinal(holdings["month"]), **numbers)
    growth = 1.0 + legs[_LEG].join(mean_returns(legs, _LEG, "weight"), on=_LEG)["ret"]
    drifted = (legs["weight"] * (1.0 + legs["ret"]) / growth.where(growth > 0)).fillna(0.0)

    # A sum by stock of the two books: an outer join in which a stock of only one of them needs no
    # filling.
    keys = legs[[*_LEG, "stock"]]
    after = keys.assign(before=0.0, weight=legs["weight"])
    before = keys.assign(ordinal=keys["ordinal"] + 1, before=drifted, weight=0.0)
    books = pd.concat([after, before]).groupby([*_LEG, "stock"], as_index=False).sum()
    has_book = pd.MultiIndex.from_frame(keys[_LEG].drop_duplicates())
    books = books[pd.MultiIndex.from_frame(books[_LEG]).isin(has_book)]
    return pd.DataFrame(
        {
            "model": names["model"][books["model"]],
            "month": month_end(books["ordinal"].to_numpy()),
            "leg": names["leg"][books["leg"]],
            "stock": names["stock"][books["stock"]],
            "before": books["before"],
            "weight": books["weight"],
            "trade": books["weight"] - books["before"],
        }
    ).reset_index(drop=True)


def trades(holdings: pd.DataFrame) -> pd.DataFrame:
    """Return how much each leg trades at t, from what `stock_trades` says of its stocks.

    Parameters
    ----------
    holdings : DataFrame
        model, month, leg, stock, weight, ret: `equal_weights`, or of `konkyo.backtesting.holdings`.

    Returns
    -------
    DataFrame
        model, month, leg (long | short), units, turnover; one row a leg and month.
        `units` is the sum over stocks of |target weight - weight before trading|, in units of the
        leg's value (1 for a purchase from cash, at most 2 later). `turnover` is half of it, the
        one-way turnover, in [0, 1]; NaN for a purchase from cash, without an earlier book.
    """
    key = ["model", "month", "leg"]
    change = stock_trades(holdings)
    result = change["trade"].abs().groupby([change[name] for name in key]).sum()
    result = result.rename("units").reset_index()
    now = [result["model"], ordinal(result["month"]), result["leg"]]
    earlier = pd.MultiIndex.from_arrays([now[0], now[1] - 1, now[2]])
    has_earlier = earlier.isin(pd.MultiIndex.from_arrays(now))
    return result.assign(turnover=(result["units"] / 2.0).where(has_earlier))
