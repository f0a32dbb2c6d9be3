"""What the two legs trade from one decision month to the next."""

import numpy as np
import pandas as pd

from konkyo.dates import month_end, ordinal

_LEG = ["model", "ordinal", "leg"]


def trades(ranked: pd.DataFrame, portfolios: int) -> pd.DataFrame:
    """Compare each leg's target weights at t with the weights it holds before trading.

    At t a leg of n stocks is brought to the weight 1/n in each, stocks included that later turn
    out to have no return. During the month a weight drifts to w (1 + ret) / (1 + R), where R is the
    leg's return, the mean over its stocks with a return. A stock that vanished is not sold: its
    money comes back as cash that earned R, so its weight before trading is 0, nobody trades it
    at t+1, and the cash buys part of the new book. A leg that lost everything starts from cash.

    A month whose previous calendar month is no decision month of that model is a fresh start, the
    first month and every month after a gap alike: the whole leg is bought from cash.
    Books that end (before a gap, or with the records) are never charged for being sold, since at t
    nobody knows that they end; a model scored every n-th month is charged too little by up to that.

    Parameters
    ----------
    ranked : DataFrame
        month, stock, model, quantile, ret: what `portfolios.realised` returns.
    portfolios : int
        The number of portfolios; the last is long, the first short.

    Returns
    -------
    DataFrame
        model, month, leg (long | short), units, turnover; one row a leg and month.
        `units` is the sum over stocks of |target weight - weight before trading|, in units of the
        leg's value (1 at a fresh start, at most 2 later). `turnover` is half of it, the one-way
        turnover, in [0, 1]; NaN at a fresh start, where there is no book to turn over.
    """
    legs = ranked[ranked["quantile"].isin([1, portfolios])]
    legs = pd.DataFrame(
        {
            "model": legs["model"],
            "ordinal": ordinal(legs["month"]),
            "leg": np.where(legs["quantile"] == 1, "short", "long"),
            # Sorted: sums are taken in this order, which no later month may change.
            "stock": pd.factorize(legs["stock"], sort=True)[0],
            "ret": legs["ret"],
        }
    )
    group = legs.groupby(_LEG)
    target = 1.0 / group["stock"].transform("size")
    growth = 1.0 + group["ret"].transform("mean")
    drifted = (target * (1.0 + legs["ret"]) / growth.where(growth > 0)).fillna(0.0)

    # A change of weight is what is bought (+ target) less what is held (- drifted last month).
    keys = legs[[*_LEG, "stock"]]
    bought = keys.assign(weight=target)
    held = keys.assign(ordinal=keys["ordinal"] + 1, weight=-drifted)
    change = pd.concat([bought, held]).groupby([*_LEG, "stock"])["weight"].sum().abs()

    result = keys[_LEG].drop_duplicates().sort_values(_LEG, ignore_index=True)
    units = change.groupby(level=_LEG).sum().rename("units")
    result = result.join(units, on=_LEG)
    previous = pd.MultiIndex.from_arrays([result["model"], result["ordinal"] - 1, result["leg"]])
    kept = previous.isin(pd.MultiIndex.from_frame(result[_LEG]))
    result["turnover"] = (result["units"] / 2.0).where(kept)
    result["month"] = month_end(result["ordinal"].to_numpy())
    return result[["model", "month", "leg", "units", "turnover"]]
