"""What a search leaves, as tables: all of it from the study alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from konkyo import dates
from konkyo.errors import TuningError
from konkyo.tuning.space import NUMBERS, STRUCTURE
from konkyo.tuning.storage import PAPER, RETRY_OF

SERIES = "series"
"""Attribute of a trial: its monthly series."""
COLUMNS = ("spread", "spread_net", "turnover", "rank_ic")
MEASURES = (
    "annual_return",
    "annual_volatility",
    "sharpe_ratio",
    "t",
    "rank_ic",
    "turnover",
    "months",
)
_DIGITS = 8


def pack(series: pd.DataFrame) -> dict[str, list[Any]]:
    """Return a monthly series as short JSON: about 6 kB for 130 months.

    Parameters
    ----------
    series : pandas.DataFrame
        month (month end), spread, spread_net, turnover, rank_ic.

    Returns
    -------
    dict
        month as YYYY-MM, the others to eight decimals, None where there is no value.
    """
    packed: dict[str, list[Any]] = {"month": [dates.label(m) for m in series["month"]]}
    for name in COLUMNS:
        values = series[name].to_numpy(dtype=float)
        packed[name] = [round(float(v), _DIGITS) if np.isfinite(v) else None for v in values]
    return packed


def unpack(packed: dict[str, list[Any]]) -> pd.DataFrame:
    """Return the frame that `pack` made short: month (month end) and fractions."""
    frame = pd.DataFrame({"month": [dates.parse(name) for name in packed["month"]]})
    for name in COLUMNS:
        frame[name] = np.array(packed[name], dtype=float)
    return frame


def monthly(trials: Sequence[FrozenTrial]) -> pd.DataFrame:
    """Return every trial's series: trial, month and the series, pruned ones for what they ran."""
    frames = [
        unpack(trial.user_attrs[SERIES]).assign(trial=trial.number)
        for trial in trials
        if SERIES in trial.user_attrs
    ]
    if not frames:
        raise TuningError("no trial has ended yet, so there is nothing to show: run the search")
    return pd.concat(frames, ignore_index=True)[["trial", "month", *COLUMNS]]


def wide(trials: Sequence[FrozenTrial], column: str = "spread_net") -> pd.DataFrame:
    """Return one series of all trials, months x trials.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        Completed and pruned.
    column : str
        Which of the series; the spread after costs, a fraction, unless told.

    Returns
    -------
    pandas.DataFrame
        Index month (month end, decision month t: earned in t+1), columns trial (number); NaN where
        a pruned trial did not run. A completed trial ran in all months: where one formed no
        portfolios it held nothing, and has 0.
    """
    found = monthly(trials).set_index(["month", "trial"])[column].unstack("trial")  # noqa: PD010
    whole = [trial.number for trial in trials if trial.state == TrialState.COMPLETE]
    return found.fillna(dict.fromkeys(found.columns.intersection(whole), 0.0))


def table(trials: Sequence[FrozenTrial]) -> pd.DataFrame:
    """Return one row a trial: number, state, its values, objective and measures.

    Returns
    -------
    pandas.DataFrame
        trial, state (complete | pruned | fail ...), paper, retry_of, feasible, the eleven choices,
        objective (completed trials only), the measures, seconds.
    """
    rows = []
    for trial in trials:
        complete = trial.state == TrialState.COMPLETE
        seconds = trial.duration.total_seconds() if trial.duration else np.nan
        rows.append(
            {
                "trial": trial.number,
                "state": trial.state.name.lower(),
                PAPER: PAPER in trial.user_attrs,
                RETRY_OF: trial.user_attrs.get(RETRY_OF),
                "feasible": complete and all(v <= 0 for v in trial.constraints.values()),
                **{name: trial.params.get(name) for name in (*STRUCTURE, *NUMBERS)},
                "objective": trial.value if complete else np.nan,
                **{name: trial.user_attrs.get(name, np.nan) for name in MEASURES},
                "seconds": seconds,
            }
        )
    return pd.DataFrame(rows).astype({RETRY_OF: "Int64"})
