"""The monthly series of a backtest."""

import pandas as pd

from konkyo.backtest.information_coefficient import coefficients
from konkyo.backtest.portfolios import with_realised_returns
from konkyo.backtest.turnover import trades
from konkyo.dates import label, month_end, ordinal
from konkyo.errors import KonkyoError

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
_BASIS_POINT = 1e-4


def monthly_returns(ranked: pd.DataFrame, portfolios: int, cost: float) -> pd.DataFrame:
    """Return each model's monthly portfolio returns, turnover and information coefficients.

    Portfolios are formed at the end of t from scores known at t, equally weighted, and earn the
    return from t to t+1. Months without any realised return (the last decision month) are left out,
    and so are months whose scores form no portfolios: the month after such a gap starts afresh.
    A chosen stock that has no return takes no part in its portfolio's mean, as if it had earned
    what the rest of the portfolio earned, and is counted in `missing`.

    Parameters
    ----------
    ranked : DataFrame
        month, stock, model, score, rank, quantile, ret: what `portfolios.rank` returns.
    portfolios : int
        The number of portfolios; the last is long, the first short.
    cost : float
        Basis points paid per unit traded.

    Returns
    -------
    DataFrame
        One row a (model, month), sorted so; returns are fractions:

        - month: the decision date t; earned: t+1, the month in which the row's returns were earned;
        - long, short: mean return of the stocks with the best and the worst scores. `short` is
          the return of the stocks, not of selling them: the lower, the better;
        - spread: long - short, one unit of money in each leg;
        - spread_net: spread less `cost` for every unit that both legs trade at t (`trades`),
          the purchase of the whole books at a fresh start included;
        - market: mean return of all scored stocks, equally weighted (no value-weighted index);
        - turnover: mean of the two legs' one-way turnover at t, NaN at a fresh start;
        - ic, rank_ic: correlation of score and return over the month's stocks;
        - stocks: scored stocks; missing: stocks of the two legs without a return at t+1.

    Raises
    ------
    KonkyoError
        No month has a realised return and portfolios, or a whole leg of a month has no return.
    """
    known = with_realised_returns(ranked)
    by_month = known.groupby(_KEY)
    result = pd.DataFrame({"market": by_month["ret"].mean(), "stocks": by_month.size()})
    for leg, quantile in (("long", portfolios), ("short", 1)):
        result[leg] = known[known["quantile"] == quantile].groupby(_KEY)["ret"].mean()
        _refuse_empty(result[leg], leg)
    result["spread"] = result["long"] - result["short"]

    traded = trades(known, portfolios).groupby(_KEY)
    result["turnover"] = traded["turnover"].mean()
    result["spread_net"] = result["spread"] - cost * _BASIS_POINT * traded["units"].sum()

    chosen = known[known["quantile"].isin([1, portfolios])]
    result["missing"] = chosen["ret"].isna().groupby([chosen["model"], chosen["month"]]).sum()
    result = result.join(coefficients(known).set_index(_KEY)).reset_index()
    result["earned"] = month_end(ordinal(result["month"]) + 1)
    return result[_COLUMNS]


def _refuse_empty(leg: pd.Series, name: str) -> None:
    """Raise on the first month whose leg has no realised return at all."""
    empty = leg.index[leg.isna()]
    if len(empty):
        model, month = empty[0]
        raise KonkyoError(
            f"{model}: no stock of the {name} portfolio of {label(month)} has a return in the "
            "month after, and at least 1 is needed: lower backtest.n_quantiles so that each holds "
            "more stocks, or bring the returns that the records lack"
        )
