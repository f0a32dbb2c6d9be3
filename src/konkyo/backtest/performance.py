"""What a series of monthly returns is worth: the measures of the paper's figure 7."""

import empyrical
import pandas as pd

from konkyo.backtest.objectives import MONTHS_A_YEAR, performance_of
from konkyo.backtest.portfolios import with_realised_returns
from konkyo.dates import month_end, ordinal

PORTFOLIOS = ("long", "short", "spread", "spread_net", "market")


def annual_return(returns: pd.Series) -> float:
    """Return the arithmetic annual return: the mean of monthly fractions times 12.

    Not compounded: empyrical's function of this name is geometric and gives another figure.
    """
    return float(returns.mean() * MONTHS_A_YEAR)


def annual_volatility(returns: pd.Series) -> float:
    """Return the annual risk: sample deviation (n - 1) of monthly fractions times sqrt(12).

    The counterpart of the arithmetic annual return; NaN for fewer than two months.
    """
    return float(empyrical.annual_volatility(returns, period="monthly"))


def sharpe_ratio(returns: pd.Series) -> float:
    """Return arithmetic annual return / annual risk, a Sharpe ratio without a riskless rate.

    NaN for fewer than two months or returns that are all equal.
    """
    return float(performance_of(returns.to_numpy(dtype="float64"), "sharpe_ratio"))


def max_drawdown(returns: pd.Series) -> float:
    """Return the deepest fall from an earlier peak, a fraction in [-1, 0]; geometric.

    The value starts at 1 and compounds month by month: product of (1 + return).
    """
    return float(empyrical.max_drawdown(returns))


def hit_rate(returns: pd.Series) -> float:
    """Return the share of months with a return above 0, a fraction."""
    return float((returns > 0).mean())


def measures(returns: pd.Series) -> dict[str, float]:
    """Return every measure of one series of monthly returns.

    Parameters
    ----------
    returns : Series
        Monthly returns, fractions, in the order in which they were earned, none NaN. A series
        with gaps is compounded and annualised over the months that it has.

    Returns
    -------
    dict
        annual_return, annual_volatility, sharpe_ratio, max_drawdown, hit_rate, months.
    """
    return {
        "annual_return": annual_return(returns),
        "annual_volatility": annual_volatility(returns),
        "sharpe_ratio": sharpe_ratio(returns),
        "max_drawdown": max_drawdown(returns),
        "hit_rate": hit_rate(returns),
        "months": len(returns),
    }


def performance(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the performance table (the paper's figure 7), one row a model and portfolio.

    Compare models by rows with equal `months` only: a placebo scored every n-th month covers fewer.

    Parameters
    ----------
    returns : DataFrame
        What `returns.monthly` returns: model, month and one column of fractions a portfolio.

    Returns
    -------
    DataFrame
        model, portfolio (long | short | spread | spread_net | market) and `measures`.
    """
    ordered = returns.sort_values("month")
    rows = [
        {"model": model, "portfolio": portfolio, **measures(series[portfolio])}
        for model, series in ordered.groupby("model")
        for portfolio in PORTFOLIOS
    ]
    return pd.DataFrame(rows)


def quantiles(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return what each portfolio earned on average, from the worst scores to the best.

    Parameters
    ----------
    ranked : DataFrame
        What `portfolios.rank` returns; months without a realised return or without portfolios are
        left out.

    Returns
    -------
    DataFrame
        model, quantile, annual_return (arithmetic mean of the portfolio's equally weighted monthly
        returns times 12), annual_volatility, sharpe_ratio, months, stocks (a month, on average).
    """
    by_month = with_realised_returns(ranked).groupby(["model", "quantile", "month"])["ret"]
    series = by_month.agg(["mean", "size"]).reset_index()
    rows = []
    for (model, quantile), group in series.groupby(["model", "quantile"]):
        earned = group["mean"].dropna()
        rows.append(
            {
                "model": model,
                "quantile": quantile,
                "annual_return": annual_return(earned),
                "annual_volatility": annual_volatility(earned),
                "sharpe_ratio": sharpe_ratio(earned),
                "months": len(earned),
                "stocks": float(group["size"].mean()),
            }
        )
    return pd.DataFrame(rows)


def cumulative(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the compounded series of every model and portfolio (the paper's figure 6).

    Parameters
    ----------
    returns : DataFrame
        What `returns.monthly` returns.

    Returns
    -------
    DataFrame
        month (the month in which the return was earned, t+1), model, portfolio, cumulative: the
        product of (1 + return) up to and with that month, less 1; a fraction. Over a model's
        gaps the value stands still.
    """
    tidy = returns.melt(
        id_vars=["month", "model"],
        value_vars=list(PORTFOLIOS),
        var_name="portfolio",
        value_name="ret",
    ).sort_values(["model", "portfolio", "month"], ignore_index=True)
    growth = (1.0 + tidy["ret"]).groupby([tidy["model"], tidy["portfolio"]]).cumprod()
    return pd.DataFrame(
        {
            "month": month_end(ordinal(tidy["month"]) + 1),
            "model": tidy["model"],
            "portfolio": tidy["portfolio"],
            "cumulative": growth - 1.0,
        }
    )
