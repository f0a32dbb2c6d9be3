"""What the choice of the best of many trials adds to its performance."""

from typing import Any

import numpy as np
import pandas as pd

from konkyo.backtesting import objective_values
from konkyo.backtesting.objectives import OBJECTIVES, ObjectiveName
from konkyo.backtesting.selection_bias import selection_bias as figures_of
from konkyo.errors import KonkyoError
from konkyo.library import checks
from konkyo.library.frames import to_pandas


def selection_bias(
    trial_returns: Any,
    *,
    best: str | None = None,
    objective: ObjectiveName = "sharpe_ratio",
    seed: int = 1,
) -> dict[str, float]:
    """Return how far the best of many trials may owe its performance to having been chosen.

    Deflated Sharpe ratio: Bailey and Lopez de Prado (2014). Probability of backtest overfitting, by
    combinatorially symmetric cross-validation: Bailey, Borwein, Lopez de Prado and Zhu (2017).

    Parameters
    ----------
    trial_returns : frame
        month, and one column a trial: its return of each month after costs, a fraction; missing in
        the months that a pruned trial did not run. Every trial that was tried belongs here.
    best : str, optional
        The trial that was chosen; None for the one with the best objective among those that ran in
        all months.
    objective : str
        sharpe_ratio (annual), t_statistic or mean: what the choice maximised.
    seed : int
        Of the simulation of the expected maximum.

    Returns
    -------
    dict of str to float
        months, trials, sharpe_ratio (annual), effective_trials, expected_maximum (annual Sharpe
        ratio of the best trial without any skill), p_value, psr and dsr (probabilistic and deflated
        Sharpe ratio), minimum_track_record (months), pbo (probability of backtest overfitting),
        degradation, probability_of_loss and others; without those that are undefined.

    Raises
    ------
    RecordsError
        The frame breaks a rule: repeated months, months left out, infinite values.
    ParamsError
        There is no such objective.
    KonkyoError
        The frame has no such trial, or the trial did not run in all months.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import konkyo
    >>> noise = np.random.default_rng(1).normal(0, 0.03, (120, 20))
    >>> trials = pd.DataFrame(noise, columns=[f"trial_{i}" for i in range(20)])
    >>> trials.insert(0, "month", pd.period_range("2010-01", periods=120, freq="M"))
    >>> figures = konkyo.selection_bias(trials)
    >>> figures["trials"], figures["dsr"] < 0.95
    (20, True)
    """
    checks.require_one_of("objective", objective, tuple(OBJECTIVES))
    table, _ = to_pandas(trial_returns)
    columns = checks.Columns(
        month="month", features=tuple(str(name) for name in table if name != "month")
    )
    series = checks.rows(table.rename(columns=str), columns).set_index("month")
    values = pd.Series(objective_values(series.to_numpy(), objective), index=series.columns)
    if best is None:
        complete = values[series.notna().all()].dropna()
        if complete.empty:
            raise KonkyoError(
                f"none of {len(values)} trials has a value in every month and a defined "
                f"{objective}: give one that ran to the end"
            )
        best = str(complete.index[np.argmax(complete)])
    return figures_of(series, values, best, objective=objective, seed=seed)
