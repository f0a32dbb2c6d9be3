"""Figures of metrics.json: by model, then by portfolio."""

import math
from typing import Any

import pandas as pd

from konkyo.backtesting.information_coefficient import monotonicity, newey_west_t, t_statistic
from konkyo.backtesting.portfolios import months_without_leg_return, months_without_portfolios


def metrics_dict(
    ranked: pd.DataFrame,
    returns: pd.DataFrame,
    *,
    performance: pd.DataFrame,
    quantiles: pd.DataFrame,
) -> dict[str, Any]:
    """Return all figures by name, such as network.rank_ic_t or network.spread.annual_return.

    Parameters
    ----------
    ranked : DataFrame
        What `portfolios.assign_quantiles` returns.
    returns : DataFrame
        What `returns.monthly_returns` returns.
    performance : DataFrame
        What `performance.performance` returns.
    quantiles : DataFrame
        What `performance.performance_by_quantile` returns.

    Returns
    -------
    dict
        A model: ic, ic_t, rank_ic, rank_ic_t (means over months and their t-statistics),
        ic_t_newey_west, rank_ic_t_newey_west, turnover (mean over the months that have one),
        monotonicity, months, missing (stocks without a return, all months together),
        months_without_portfolios (scored months with fewer different scores than quantiles),
        months_without_leg_return where there are any (no stock of a leg has a return), and a
        dictionary of measures a portfolio. A model without any month that formed portfolios has
        months and months_without_portfolios only. An undefined figure, such as the turnover of a
        model that never has two consecutive months, is absent: JSON has no NaN.
    """
    result: dict[str, Any] = {}
    without, legless = months_without_portfolios(ranked), months_without_leg_return(ranked)
    for model, series in returns.groupby("model"):
        figures: dict[str, Any] = {
            "turnover": float(series["turnover"].mean()),
            "monotonicity": monotonicity(
                quantiles[quantiles["model"] == model].sort_values("quantile")[
                    "annual_return_arithmetic"
                ]
            ),
            "months": len(series),
            "missing": int(series["missing"].sum()),
            "months_without_portfolios": int(without[model]),
        }
        if legless[model]:
            figures["months_without_leg_return"] = int(legless[model])
        for name in ("ic", "rank_ic"):
            figures[name] = float(series[name].mean())
            figures[f"{name}_t"] = t_statistic(series[name])
            figures[f"{name}_t_newey_west"] = newey_west_t(series["month"], series[name])
        for row in performance[performance["model"] == model].to_dict("records"):
            measures = {str(k): v for k, v in row.items() if k not in ("model", "portfolio")}
            figures[row["portfolio"]] = finite(measures)
        result[str(model)] = finite(figures)
    for model in without.index.difference(list(result)):
        result[str(model)] = {"months": 0, "months_without_portfolios": int(without[model])}
    return result


def finite(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures without those that are NaN or infinite."""
    return {k: v for k, v in figures.items() if not isinstance(v, float) or math.isfinite(v)}
