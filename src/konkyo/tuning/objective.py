"""What a trial's monthly series is worth."""

import math
from typing import Literal

import pandas as pd

from konkyo import dates
from konkyo.backtest.information_coefficient import t_statistic
from konkyo.backtest.performance import annual_return, annual_volatility, sharpe_ratio

Kind = Literal["sharpe_ratio", "t_statistic", "mean", "rank_ic"]


def trial_value(kind: Kind, values: pd.Series) -> float:
    """Return the objective of a series, the more the better.

    Parameters
    ----------
    kind : str
        sharpe_ratio (annual return over annual risk), t_statistic (of the mean), mean (annual
        return, a fraction) or rank_ic (mean).
    values : pandas.Series
        Monthly spread returns after costs, fractions; for rank_ic the monthly rank ICs. Months
        without a value do not count.
    """
    known = values.dropna()
    if kind == "rank_ic":
        return float(known.mean())
    if kind == "mean":
        return annual_return(known)
    return sharpe_ratio(known) if kind == "sharpe_ratio" else t_statistic(known)


def objective(kind: Kind, series: pd.DataFrame) -> float:
    """Return a trial's objective from its whole monthly series.

    Parameters
    ----------
    series : pandas.DataFrame
        month, spread_net, rank_ic of consecutive months, whose turnover and costs are thus known.
    """
    return trial_value(kind, series["rank_ic" if kind == "rank_ic" else "spread_net"])


def contributions(kind: Kind, series: pd.DataFrame) -> pd.Series:
    """Return what each month adds to the objective: known before its neighbours have been run.

    Costs hang on the month before, which may come later in shuffled order: hence the gross spread.

    Returns
    -------
    pandas.Series
        By month, YYYY-MM: the gross spread, a fraction, or the rank IC.
    """
    column = "rank_ic" if kind == "rank_ic" else "spread"
    names = [dates.label(month) for month in series["month"]]
    return pd.Series(series[column].to_numpy(), index=names)


def secondary(series: pd.DataFrame) -> dict[str, float]:
    """Return the measures that stand beside the objective.

    Returns
    -------
    dict of str to float
        annual_return, annual_volatility, sharpe_ratio, t (of the spread after costs, fractions),
        rank_ic and turnover (means over months; turnover one-way) and months. Undefined ones are
        absent.
    """
    net = series["spread_net"].dropna()
    turnover = series["turnover"].dropna()
    found = {
        "annual_return": annual_return(net),
        "annual_volatility": annual_volatility(net),
        "sharpe_ratio": sharpe_ratio(net),
        "t": t_statistic(net),
        "rank_ic": float(series["rank_ic"].mean()),
        "turnover": float(turnover.mean()),
        "months": len(series),
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}
