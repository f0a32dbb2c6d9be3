"""Performance of monthly return series: the measures of the paper's figure 7.

The annual return is compounded, as the paper's is: its long and short portfolios earn 15.91 and
-5.20 per cent a year, and the spread 20.72, not their difference. So are drawdown and cumulative
return. The Sharpe ratio is arithmetic, the mean of monthly returns against their standard
deviation: t-statistics, deflated Sharpe ratios and searches are about means.
"""

import empyrical
import pandas as pd

from konkyo.backtesting.objectives import MONTHS_A_YEAR, is_constant, objective_values
from konkyo.backtesting.portfolios import mean_returns, with_realised_returns

PORTFOLIOS = ("long", "short", "spread", "spread_net", "market", "benchmark")


def annual_return(returns: pd.Series) -> float:
    """Return the compounded annual return: the product of (1 + return) to the power 12 / n, less 1.

    -1 after a month of -100 per cent or less; NaN for no months.
    """
    return float(empyrical.annual_return(_limited_loss(returns), period="monthly"))


def annual_return_arithmetic(returns: pd.Series) -> float:
    """Return the arithmetic annual return: the mean of monthly fractions times 12."""
    return float(returns.mean() * MONTHS_A_YEAR)


def annual_volatility(returns: pd.Series) -> float:
    """Return the annual volatility: sample std (n - 1) of monthly fractions times sqrt(12).

    NaN for fewer than two months; 0 for constant returns.
    """
    if len(returns) > 1 and is_constant(returns.to_numpy(dtype="float64")):
        return 0.0
    return float(empyrical.annual_volatility(returns, period="monthly"))


def return_risk_ratio(returns: pd.Series) -> float:
    """Return compounded annual return / annual volatility, the ratio of the paper's figure 7.

    NaN for fewer than two months or returns that are constant up to rounding.
    """
    volatility = annual_volatility(returns)
    return annual_return(returns) / volatility if volatility > 0 else float("nan")


def sharpe_ratio(returns: pd.Series) -> float:
    """Return arithmetic annual return / annual volatility, a Sharpe ratio without a riskless rate.

    NaN for fewer than two months or returns that are constant up to rounding.
    """
    return float(objective_values(returns.to_numpy(dtype="float64"), "sharpe_ratio"))


def max_drawdown(returns: pd.Series) -> float:
    """Return the deepest fall of the compounded value from an earlier peak, in [-1, 0].

    The value starts at 1 and is multiplied by (1 + return) each month. A return of -100 per cent or
    less, which a spread of two legs can reach, ends it at 0: a drawdown of -1.
    """
    return float(empyrical.max_drawdown(_limited_loss(returns)))


def hit_rate(returns: pd.Series) -> float:
    """Return the share of months with a return above 0, a fraction."""
    return float((returns > 0).mean())


def return_and_risk(returns: pd.Series) -> dict[str, float]:
    """Return the measures of return and risk of one series of monthly fractions without NaN."""
    return {
        "annual_return": annual_return(returns),
        "annual_return_arithmetic": annual_return_arithmetic(returns),
        "annual_volatility": annual_volatility(returns),
        "return_risk_ratio": return_risk_ratio(returns),
        "sharpe_ratio": sharpe_ratio(returns),
    }


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
        annual_return (compounded), annual_return_arithmetic, annual_volatility, return_risk_ratio
        (compounded return over volatility), sharpe_ratio (arithmetic), max_drawdown, hit_rate,
        months.
    """
    return {
        **return_and_risk(returns),
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
        What `returns.monthly_returns` returns: model, month and one column of fractions a
        portfolio; a benchmark may have fewer months than the others.

    Returns
    -------
    DataFrame
        model, portfolio (long | short | spread | spread_net | market | benchmark, if it is there)
        and `measures`.
    """
    ordered = returns.sort_values("month")
    rows = [
        {"model": model, "portfolio": portfolio, **measures(series[portfolio].dropna())}
        for model, series in ordered.groupby("model")
        for portfolio in _portfolios(returns)
    ]
    return pd.DataFrame(rows)


def performance_by_quantile(ranked: pd.DataFrame) -> pd.DataFrame:
    """Return the performance of each quantile portfolio, from the lowest scores to the highest.

    Parameters
    ----------
    ranked : DataFrame
        What `portfolios.assign_quantiles` returns; months without a realised return or without
        portfolios are left out.

    Returns
    -------
    DataFrame
        model, quantile, `return_and_risk` of the portfolio's equally weighted monthly returns,
        months, stocks (a month, on average).
    """
    realised, keys = with_realised_returns(ranked), ["model", "quantile", "month"]
    sizes = realised.groupby(keys).size()
    series = pd.DataFrame({"mean": mean_returns(realised, keys), "size": sizes}).reset_index()
    rows = []
    for (model, quantile), group in series.groupby(["model", "quantile"]):
        returns = group["mean"].dropna()
        rows.append(
            {
                "model": model,
                "quantile": quantile,
                **return_and_risk(returns),
                "months": len(returns),
                "stocks": float(group["size"].mean()),
            }
        )
    return pd.DataFrame(rows)


def cumulative(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the compounded series of every model and portfolio (the paper's figure 6).

    Parameters
    ----------
    returns : DataFrame
        What `returns.monthly_returns` returns.

    Returns
    -------
    DataFrame
        month (the month in which the return was earned), model, portfolio, cumulative: the
        product of (1 + return) up to and with that month, less 1; a fraction. Over a model's
        gaps the value is constant; after a return of -100 per cent or less it stays at -1.
    """
    tidy = returns.melt(
        id_vars=["month", "earned", "model"],
        value_vars=_portfolios(returns),
        var_name="portfolio",
        value_name="ret",
    ).dropna(subset="ret")
    tidy = tidy.sort_values(["model", "portfolio", "month"], ignore_index=True)
    growth = 1.0 + _limited_loss(tidy["ret"])
    value = growth.groupby([tidy["model"], tidy["portfolio"]]).cumprod()
    return pd.DataFrame(
        {
            "month": tidy["earned"],
            "model": tidy["model"],
            "portfolio": tidy["portfolio"],
            "cumulative": value - 1.0,
        }
    )


def _portfolios(returns: pd.DataFrame) -> list[str]:
    # Without sizes and an index there is no benchmark.
    return [name for name in PORTFOLIOS if name in returns and returns[name].notna().any()]


def _limited_loss(returns: pd.Series) -> pd.Series:
    # Below -1 the factor 1 + return is negative, and two such months would make a gain.
    return returns.clip(lower=-1.0)
