"""Metrics with their steps and times: pure functions on the results.

The part of a name before the last slash is the group under which the UI shows the chart. A
monthly point has the months since the first decision month as its step and the month's end as its
time, so that two runs compare by step or, when they start in different months, by time.
"""

import math
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
"""Series of the decision month t: what was decided at its end earned these in t+1."""
OF_A_MONTH = ("ic", "rank_ic", "spread")


def final(metrics: dict[str, Any], at: int) -> list[Metric]:
    """Return data/metrics.json as metrics, its levels joined by slashes.

    Parameters
    ----------
    metrics : dict
        Nested numbers.
    at : int
        Time, milliseconds since 1970.

    Returns
    -------
    list of Metric
        At step 0; a value that is no finite number is left out.
    """
    return [
        metric
        for name, value in _leaves(metrics)
        if isinstance(value, int | float)
        for metric in _metrics(name, [value], [0], [at])
    ]


def monthly(returns: pd.DataFrame) -> list[Metric]:
    """Return the monthly series: `monthly/spread` and the rest, at the decision month t.

    Parameters
    ----------
    returns : pandas.DataFrame
        month and any of the series; fractions earned in t+1.

    Returns
    -------
    list of Metric
        A month without a value leaves a gap.
    """
    first = _first(returns["month"])
    return [
        metric
        for name in MONTHLY
        if name in returns
        for metric in _dated(f"monthly/{name}", returns[name], returns["month"], first)
    ]


def cumulative(paths: pd.DataFrame, first: pd.Timestamp) -> list[Metric]:
    """Return the cumulative series: `cumulative/spread` and the rest, at the month earned.

    Parameters
    ----------
    paths : pandas.DataFrame
        earned (month end), portfolio, cumulative (fraction).
    first : pandas.Timestamp
        The first decision month, step 0; what it decided was earned at step 1.
    """
    return [
        metric
        for portfolio, path in paths.groupby("portfolio", sort=True)
        for metric in _dated(
            f"cumulative/{portfolio}",
            path["cumulative"],
            path["earned"],
            int(dates.ordinal(pd.DatetimeIndex([first]))[0]),
        )
    ]


def training(history: pd.DataFrame, at: int) -> list[Metric]:
    """Return `training/loss`: the mean over all windows of the loss, by epoch.

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
    history: pd.DataFrame, returns: pd.DataFrame, stocks: int, month: pd.Timestamp, at: int
) -> list[Metric]:
    """Return one month's metrics: loss by epoch, ic, rank_ic, spread, stocks.

    Parameters
    ----------
    history, returns : pandas.DataFrame
        The rows of that month; `returns` is empty for the newest month, whose returns have not
        been earned yet.
    stocks : int
        Stocks scored.
    month : pandas.Timestamp
        The decision month t, the time of its results.
    at : int
        Time of the losses, milliseconds since 1970.
    """
    losses = history.sort_values("epoch")
    end = milliseconds(month)
    found = _metrics("loss", losses["loss"], losses["epoch"], [at] * len(losses))
    found += _metrics("stocks", [stocks], [0], [end])
    for name in OF_A_MONTH:
        if name in returns:
            found += _metrics(name, returns[name], [0] * len(returns), [end] * len(returns))
    return found


def milliseconds(month: pd.Timestamp) -> int:
    """Return a time as the store keeps it, milliseconds since 1970."""
    return int(month.timestamp() * 1000)


def _dated(name: str, values: pd.Series, ends: pd.Series, first: int) -> list[Metric]:
    return _metrics(name, values, dates.ordinal(ends) - first, [milliseconds(end) for end in ends])


def _first(ends: pd.Series) -> int:
    return int(dates.ordinal(ends).min()) if len(ends) else 0


def _metrics(name: str, values: Any, steps: Any, times: Any) -> list[Metric]:
    return [
        Metric(name, float(value), int(time), int(step))
        for value, step, time in zip(np.asarray(values), steps, times, strict=True)
        if math.isfinite(value)
    ]


def _leaves(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            found += _leaves(value, f"{prefix}{key}/")
        else:
            found.append((f"{prefix}{key}", value))
    return found
