"""Walk-forward selection: returns of a search that selects its best trial again at each date."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from konkyo.backtesting.objectives import ObjectiveName, objective_values
from konkyo.dates import label
from konkyo.errors import KonkyoError
from konkyo.windows import earned_in


def walk_forward_returns(
    series: pd.DataFrame,
    objective: ObjectiveName,
    dates: Iterable[pd.Timestamp],
    *,
    skip_months: int = 0,
) -> pd.DataFrame:
    """Select the best trial at each date by earlier months, and earn its returns to the next date.

    The row of month t is decided at t and earned in t + 1 + skip_months: a trial is selected at a
    date by the rows that have been earned by then.

    Parameters
    ----------
    series : DataFrame
        Shape [months, trials], index of month ends in order. A trial can be selected at a date
        only if it has every month earned by then. Pruning must not leak the future either: pass
        trials that were not pruned, or whose pruner saw only months before those that they lack.
    objective : str
        sharpe_ratio, t_statistic or mean; of equal trials the first is selected.
    dates : iterable of Timestamp
        The re-tune dates, month ends.
    skip_months : int
        Months left out between a decision and the month that it earns.

    Returns
    -------
    DataFrame
        month (from the first date to the last month), decided (the date of selection), trial,
        spread (the trial's series in that month).

    Raises
    ------
    KonkyoError
        No date, months out of order, no trial with a defined objective before a date, or a selected
        trial that did not run in a month in which it is held.
    """
    if not (series.index.is_monotonic_increasing and series.index.is_unique):
        raise KonkyoError("the months are not in order, each once: sort the series by month")
    times = sorted(set(dates))
    if not times:
        raise KonkyoError("no re-tune date, and at least 1 is needed: pass the dates of selection")
    ends = [*times[1:], None]
    parts = [
        _returns_of(series, _select(series, objective, date, skip_months), date, end=end)
        for date, end in zip(times, ends, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _select(
    series: pd.DataFrame, objective: ObjectiveName, date: pd.Timestamp, skip_months: int
) -> object:
    """Return the trial with the best objective over the months earned by a date."""
    past = series[earned_in(series.index, skip_months) <= date].dropna(axis="columns")
    values = objective_values(past.to_numpy(dtype="float64"), objective)
    if not np.isfinite(values).any():
        raise KonkyoError(
            f"{len(past)} months are earned by {label(date)}, and no trial that ran in all of them "
            f"has a {objective}: begin at a later date"
        )
    return past.columns[np.nanargmax(values)]


def _returns_of(
    series: pd.DataFrame, trial: object, date: pd.Timestamp, *, end: pd.Timestamp | None
) -> pd.DataFrame:
    """Return a trial's months from a date to before the next one, `end`."""
    held = (series.index >= date) & (True if end is None else series.index < end)
    spread = series.loc[held, trial]
    missing = spread.index[spread.isna()]
    if len(missing):
        raise KonkyoError(
            f"trial {trial}, selected at {label(date)}, did not run in {label(missing[0])}: run it "
            "there, or leave it out of the series"
        )
    return pd.DataFrame(
        {"month": spread.index, "decided": date, "trial": trial, "spread": spread.to_numpy()}
    )
