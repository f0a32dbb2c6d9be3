"""MLflow metrics with steps and times: pure functions of the results.

The part of a name before the last slash is the group of the chart in the UI. A monthly value has
the number of months since the first decision month as its step and the month's end as its time, so
that two runs compare by step or, if they start in different months, by time.
"""

import math
import time
from typing import Any

import numpy as np
import pandas as pd
from mlflow.entities import Metric

from konkyo import dates

MONTHLY = (
    "spread",
    "spread_net",
    "long",
    "short",
    "market",
    "ic",
    "rank_ic",
    "turnover",
    "stocks",
    "missing",
)
"""Series by decision month t: the results, in t+1, of the portfolios formed at the end of t."""
_MONTH_RESULTS = ("ic", "rank_ic", "spread")


def final(metrics: dict[str, Any], at: int) -> list[Metric]:
    """Return data/metrics.json as metrics of step 0, its levels joined by slashes.

    Parameters
    ----------
    metrics : dict
        Nested numbers; a value that is not a finite number is left out.
    at : int
        Time, milliseconds since 1970.
    """
    return [
        metric
        for name, value in _leaves(metrics)
        if isinstance(value, int | float)
        for metric in _metrics(name, [value], [0], [at])
    ]


def monthly(returns: pd.DataFrame) -> list[Metric]:
    """Return the series by decision month t: `monthly/spread` and the others of `MONTHLY`.

    Parameters
    ----------
    returns : pandas.DataFrame
        month and any of the series; returns are fractions, earned in t+1. A month without a value
        leaves a gap.
    """
    first = int(dates.ordinal(returns["month"]).min()) if len(returns) else 0
    return [
        metric
        for name in MONTHLY
        if name in returns
        for metric in _by_month(f"monthly/{name}", returns[name], returns["month"], first)
    ]


def cumulative(paths: pd.DataFrame, first: pd.Timestamp) -> list[Metric]:
    """Return the cumulative returns `cumulative/<portfolio>`, by the month that earned them.

    Parameters
    ----------
    paths : pandas.DataFrame
        earned (month end), portfolio, cumulative (fraction).
    first : pandas.Timestamp
        The first decision month, step 0; its portfolios earn at step 1.
    """
    return [
        metric
        for portfolio, path in paths.groupby("portfolio", sort=True)
        for metric in _by_month(
            f"cumulative/{portfolio}",
            path["cumulative"],
            path["earned"],
            int(dates.ordinal(pd.DatetimeIndex([first]))[0]),
        )
    ]


def training(history: pd.DataFrame, at: int) -> list[Metric]:
    """Return `training/loss`: the loss by epoch, averaged over all windows.

    Parameters
    ----------
    history : pandas.DataFrame
        month, epoch, loss: mean squared error, squared units of the label.
    at : int
        Time, milliseconds since 1970.
    """
    means = history.groupby("epoch", sort=True)["loss"].mean()
    return _metrics("training/loss", means, means.index, [at] * len(means))


def of_month(
    history: pd.DataFrame,
    returns: pd.DataFrame,
    *,
    n_stocks: int,
    month: pd.Timestamp,
    at: int,
) -> list[Metric]:
    """Return the metrics of one decision month: loss by epoch, ic, rank_ic, spread, stocks.

    Parameters
    ----------
    history, returns : pandas.DataFrame
        The rows of that month, `history` with validation_loss where months validate; `returns` is
        empty for the newest month, whose returns are not realised yet.
    n_stocks : int
        Number of stocks scored.
    month : pandas.Timestamp
        The decision month t, the time of its results.
    at : int
        Time of the losses, milliseconds since 1970.
    """
    losses = history.sort_values("epoch")
    end = milliseconds(month)
    metrics = []
    for name in losses.columns.intersection(["loss", "validation_loss"]):
        metrics += _metrics(name, losses[name], losses["epoch"], [at] * len(losses))
    metrics += _metrics("stocks", [n_stocks], [0], [end])
    for name in _MONTH_RESULTS:
        if name in returns:
            metrics += _metrics(name, returns[name], [0] * len(returns), [end] * len(returns))
    return metrics


def now() -> int:
    """Return the present time in MLflow's unit, milliseconds since 1970."""
    return int(time.time() * 1000)


def milliseconds(month: pd.Timestamp) -> int:
    """Return a time in MLflow's unit, milliseconds since 1970."""
    return int(month.timestamp() * 1000)


def _by_month(name: str, values: pd.Series, ends: pd.Series, first: int) -> list[Metric]:
    return _metrics(name, values, dates.ordinal(ends) - first, [milliseconds(end) for end in ends])


def _metrics(name: str, values: Any, steps: Any, times: Any) -> list[Metric]:
    return [
        Metric(name, float(value), int(at), int(step))
        for value, step, at in zip(np.asarray(values), steps, times, strict=True)
        if math.isfinite(value)
    ]


def _leaves(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    leaves: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            leaves += _leaves(value, f"{prefix}{key}/")
        else:
            leaves.append((f"{prefix}{key}", value))
    return leaves
