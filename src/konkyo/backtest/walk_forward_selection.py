"""The series that a search would have earned, had it chosen again and again as time went on."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from konkyo.backtest.objectives import Name, performance_of
from konkyo.dates import label
from konkyo.errors import KonkyoError


def walk_forward_returns(
    series: pd.DataFrame, objective: Name, dates: Iterable[pd.Timestamp]
) -> pd.DataFrame:
    """Choose the best trial at each date by earlier months only, and earn it until the next date.

    The row of month t is decided at t and earned in t+1, so that the rows before a date have all
    been earned when the choice is made at that date, and the row of the date itself has not.

    Parameters
    ----------
    series : DataFrame
        Shape [months, trials], index of month ends in order. A trial is chosen from at a date only
        if it has every month before it. Being pruned must not tell of the future either: give
        trials that were not pruned, or whose pruner saw only months before the date from which on
        they are missing.
    objective : str
        sharpe_ratio, t_statistic or mean; of equal trials the first is chosen.
    dates : iterable of Timestamp
        The re-tune dates, month ends.

    Returns
    -------
    DataFrame
        month (from the first date to the last month), decided (the date of the choice), trial,
        spread (the trial's series in that month).

    Raises
    ------
    KonkyoError
        No date, months out of order, no trial with a defined objective before a date, or a chosen
        trial that did not run in a month that it should earn.
    """
    if not (series.index.is_monotonic_increasing and series.index.is_unique):
        raise KonkyoError("the months are not in order, each once: sort the series by month")
    times = sorted(set(dates))
    if not times:
        raise KonkyoError("no date to choose at, and at least 1 is needed: name re-tune dates")
    ends = [*times[1:], None]
    parts = [
        _earned(series, _choose(series, objective, date), date, end)
        for date, end in zip(times, ends, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _choose(series: pd.DataFrame, objective: Name, date: pd.Timestamp) -> object:
    """Return the trial with the best objective over the months before a date."""
    past = series[series.index < date].dropna(axis="columns")
    found = performance_of(past.to_numpy(dtype="float64"), objective)
    if not np.isfinite(found).any():
        raise KonkyoError(
            f"{len(past)} months come before {label(date)}, and no trial that ran in all of them "
            f"has a {objective}: choose for the first time at a later date"
        )
    return past.columns[np.nanargmax(found)]


def _earned(
    series: pd.DataFrame, trial: object, date: pd.Timestamp, end: pd.Timestamp | None
) -> pd.DataFrame:
    """Return the months from a date to before the next one, earned with one trial."""
    held = (series.index >= date) & (True if end is None else series.index < end)
    spread = series.loc[held, trial]
    missing = spread.index[spread.isna()]
    if len(missing):
        raise KonkyoError(
            f"trial {trial}, chosen at {label(date)}, did not run in {label(missing[0])}: run it "
            "there, or leave it out of the series"
        )
    return pd.DataFrame(
        {"month": spread.index, "decided": date, "trial": trial, "spread": spread.to_numpy()}
    )
