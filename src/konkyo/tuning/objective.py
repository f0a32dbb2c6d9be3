"""Measures of a trial's monthly series: the objective, and those beside it."""

import math
from typing import Literal

import pandas as pd

from konkyo import dates
from konkyo.backtesting.information_coefficient import t_statistic
from konkyo.backtesting.objectives import MONTHS_A_YEAR, objective_values
from konkyo.backtesting.performance import measures

Kind = Literal["sharpe_ratio", "t_statistic", "mean", "rank_ic"]
MEASURES = (
    "annual_return",
    "annual_volatility",
    "sharpe_ratio",
    "t",
    "rank_ic",
    "turnover",
    "months",
)


def objective(kind: Kind, series: pd.DataFrame) -> float:
    """Return a trial's objective from its whole monthly series, the more the better.

    Parameters
    ----------
    kind : str
        sharpe_ratio (annual return / annual volatility), t_statistic (of the mean), mean (annual
        return, a fraction): all of the spread after costs; or rank_ic (mean).
    series : pandas.DataFrame
        spread_net, rank_ic of consecutive months: turnover, and so costs, are those between them.
        NaN months do not count.
    """
    if kind == "rank_ic":
        return float(series["rank_ic"].mean())
    value = float(objective_values(series["spread_net"].to_numpy(dtype="float64"), kind))
    return value * MONTHS_A_YEAR if kind == "mean" else value


def contributions(kind: Kind, series: pd.DataFrame) -> pd.Series:
    """Return what each month adds to the objective, whichever months have been run.

    Costs depend on the month before, which may come later in the shuffled order: hence the gross
    spread.

    Returns
    -------
    pandas.Series
        By month, YYYY-MM: the gross spread, a fraction, or the rank IC.
    """
    column = "rank_ic" if kind == "rank_ic" else "spread"
    names = [dates.label(month) for month in series["month"]]
    return pd.Series(series[column].to_numpy(), index=names)


def secondary(series: pd.DataFrame) -> dict[str, float]:
    """Return the measures beside the objective.

    Returns
    -------
    dict of str to float
        annual_return (compounded), annual_volatility, sharpe_ratio, t (of the spread after costs,
        fractions), rank_ic and turnover (means over months; turnover one-way) and months. Undefined
        ones are absent.
    """
    net = series["spread_net"].dropna()
    figures = {
        **measures(net),
        "t": t_statistic(net),
        "rank_ic": float(series["rank_ic"].mean()),
        "turnover": float(series["turnover"].mean()),
        "months": len(series),
    }
    return {name: figures[name] for name in MEASURES if math.isfinite(figures[name])}
