"""Monthly returns of the portfolios, turnover and information coefficients of each model."""

import pandas as pd

from konkyo.backtesting.costs import CostRates
from konkyo.backtesting.information_coefficient import information_coefficients
from konkyo.backtesting.portfolios import mean_returns, with_realised_returns
from konkyo.backtesting.turnover import equal_weights, trades
from konkyo.windows import earned_in

_KEY = ["model", "month"]
_COLUMNS = [
    "month",
    "earned",
    "model",
    "long",
    "short",
    "spread",
    "spread_net",
    "market",
    "turnover",
    "ic",
    "rank_ic",
    "stocks",
    "missing",
]


def monthly_returns(
    ranked: pd.DataFrame, n_quantiles: int, costs: float | CostRates, *, skip_months: int = 0
) -> pd.DataFrame:
    """Return each model's monthly portfolio returns, turnover and information coefficients.

    Portfolios are formed from scores known at t, equally weighted, and earn the return of month
    t+1; with a gap they are bought `skip_months` later and earn that of t + 1 + skip_months. Months
    without a realised return in either leg (the last decision month) are left out, and so are
    months whose scores form no portfolios: the month after such a gap buys its books from cash. A
    stock without a realised return is left out of its portfolio's mean, as if it had earned the
    return of the others, and is counted in `missing`.

    Parameters
    ----------
    ranked : DataFrame
        month, stock, model, score, rank, quantile, ret: what `assign_quantiles` returns.
    n_quantiles : int
        The number of quantile portfolios; the last is long, the first short.
    costs : float or CostRates
        One-way cost in basis points of the amount traded, of both legs; or costs by leg.
    skip_months : int
        Months left out between a decision and the month that it earns.

    Returns
    -------
    DataFrame
        One row a (model, month), sorted so; returns are fractions:

        - month: the decision date t; earned: the month in which the row's returns were earned;
        - long, short: mean return of the stocks in the highest and the lowest quantile. `short` is
          the return of the stocks, not of selling them short: the lower, the better;
        - spread: long - short, the long-short return per unit invested in each leg;
        - spread_net: spread less the cost of what both legs trade at t (`trades`), the purchase
          of the first books from cash included, and the cost of borrowing;
        - market: mean return of all scored stocks, equally weighted (no value-weighted index);
        - turnover: mean of the two legs' one-way turnover when the books of t are bought, NaN in
          months bought from cash;
        - ic, rank_ic: correlation of score and return over the month's stocks;
        - stocks: scored stocks; missing: stocks of the two legs without a return.

    Raises
    ------
    KonkyoError
        No month has a realised return and portfolios.
    """
    realised = with_realised_returns(ranked)
    market = mean_returns(realised, _KEY)
    result = pd.DataFrame({"market": market, "stocks": realised.groupby(_KEY).size()})
    for leg, quantile in (("long", n_quantiles), ("short", 1)):
        result[leg] = mean_returns(realised[realised["quantile"] == quantile], _KEY)
    result["spread"] = result["long"] - result["short"]

    traded = trades(equal_weights(realised, n_quantiles))
    result["turnover"] = traded.groupby(_KEY)["turnover"].mean()
    rates = costs if isinstance(costs, CostRates) else CostRates(costs, costs, 0.0)
    result["spread_net"] = result["spread"] - rates.by_leg(traded).sum(axis=1)

    legs = realised[realised["quantile"].isin([1, n_quantiles])]
    result["missing"] = legs["ret"].isna().groupby([legs["model"], legs["month"]]).sum()
    result = result.join(information_coefficients(realised).set_index(_KEY)).reset_index()
    result["earned"] = earned_in(result["month"], skip_months)
    return result[_COLUMNS]
