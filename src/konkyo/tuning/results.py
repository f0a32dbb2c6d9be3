"""What a search found, as tables: its trials, and the best beside the holdout and selection bias.

All of it comes from the study, so that any machine can write it, whoever ran the trials. Only
`comparison_series`, when the search is over, looks at the holdout.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from konkyo import backtesting, dates
from konkyo.backtesting.objectives import ObjectiveName
from konkyo.config import Tune
from konkyo.errors import TuningError
from konkyo.tuning.objective import MEASURES, secondary
from konkyo.tuning.space import NUMBERS, STRUCTURE
from konkyo.tuning.storage import CURRENT, RETRY_OF
from konkyo.tuning.trials import Group, TrialBacktest

SERIES = "series"
"""Attribute of a trial: its monthly series."""
COLUMNS = ("spread", "spread_net", "turnover", "rank_ic")
MODELS = ("current", "best", "ridge", "placebo")
PARTS = ("tuning", "holdout")
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
        month as YYYY-MM, the others to eight decimals, NaN where there is no value.
    """
    rounded = series[["month", *COLUMNS]].round(dict.fromkeys(COLUMNS, _DIGITS))
    labels = [dates.label(month) for month in series["month"]]
    packed: dict[str, list[Any]] = rounded.assign(month=labels).to_dict("list")
    return packed


def unpack(packed: Mapping[str, list[Any]]) -> pd.DataFrame:
    """Return the frame that `pack` made short: month (month end) and fractions."""
    months = [dates.parse(name) for name in packed["month"]]
    return pd.DataFrame(dict(packed)).assign(month=months)


def monthly(trials: Sequence[FrozenTrial]) -> pd.DataFrame:
    """Return every trial's series: trial, month and COLUMNS, pruned ones for the months they ran.

    Raises
    ------
    TuningError
        No trial has a series.
    """
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
        Which of the series; the spread after costs, a fraction, by default.

    Returns
    -------
    pandas.DataFrame
        Index month (month end, decision month t: earned in t+1), columns trial (number); NaN where
        a pruned trial did not run. A completed trial ran in all months: where one formed no
        portfolios it held nothing, and has 0.
    """
    by_trial = monthly(trials).set_index(["month", "trial"])[column].unstack("trial")  # noqa: PD010
    complete = [trial.number for trial in trials if trial.state == TrialState.COMPLETE]
    return by_trial.fillna(dict.fromkeys(by_trial.columns.intersection(complete), 0.0))


def trial_table(trials: Sequence[FrozenTrial]) -> pd.DataFrame:
    """Return one row a trial: number, state, hyperparameters, objective and measures.

    Returns
    -------
    pandas.DataFrame
        trial, state (complete | pruned | fail ...), current (has the values of params.yaml),
        retry_of, feasible, the eleven hyperparameters, objective (completed trials only), the
        measures, seconds.
    """
    rows = []
    for trial in trials:
        complete = trial.state == TrialState.COMPLETE
        rows.append(
            {
                "trial": trial.number,
                "state": trial.state.name.lower(),
                CURRENT: CURRENT in trial.user_attrs,
                RETRY_OF: trial.user_attrs.get(RETRY_OF),
                "feasible": complete and all(v <= 0 for v in trial.constraints.values()),
                **{name: trial.params.get(name) for name in (*STRUCTURE, *NUMBERS)},
                "objective": trial.value if complete else np.nan,
                **{name: trial.user_attrs.get(name, np.nan) for name in MEASURES},
                "seconds": trial.duration.total_seconds() if trial.duration else np.nan,
            }
        )
    return pd.DataFrame(rows).astype({RETRY_OF: "Int64"})


def current_trial(trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """Return the completed trial with the values of params.yaml, None where there is none."""
    complete = (trial for trial in trials if trial.state == TrialState.COMPLETE)
    return next((trial for trial in complete if CURRENT in trial.user_attrs), None)


def comparison_series(
    searched: TrialBacktest,
    full: TrialBacktest,
    *,
    holdout: Sequence[Group],
    current: FrozenTrial | None,
    best: FrozenTrial,
) -> pd.DataFrame:
    """Return the monthly series of the models compared, over the searched and the holdout months.

    Parameters
    ----------
    searched, full : TrialBacktest
        On the panels of the search, and on those of all records.
    holdout : sequence of Group
        The months of the holdout.
    current, best : FrozenTrial
        Their series over the searched months are the search's.

    Returns
    -------
    pandas.DataFrame
        model (current, where the search has it | best | ridge: a ridge regression on the rows of
        the current trial, or the best | placebo: the best trial's values on labels shuffled within
        each month), part (tuning | holdout), month (t), spread, spread_net, turnover, rank_ic;
        returns are fractions earned in t+1.
    """
    by_model: dict[tuple[str, str], pd.DataFrame] = {}
    for name, trial in (("current", current), ("best", best)):
        if trial is not None:
            by_model[name, "tuning"] = unpack(trial.user_attrs[SERIES])
            (scores,) = full.scores([trial.params], holdout)
            by_model[name, "holdout"] = full.series(scores)
    rows_of = current or best
    parts = {"tuning": (searched, searched.groups()), "holdout": (full, holdout)}
    for part, (runner, groups) in parts.items():
        by_model["ridge", part] = runner.series(runner.ridge_scores(rows_of.params, groups))
        (scores,) = runner.scores([best.params], groups, placebo=True)
        by_model["placebo", part] = runner.series(scores)
    order = [key for key in product(MODELS, PARTS) if key in by_model]
    tables = [by_model[model, part].assign(model=model, part=part) for model, part in order]
    return pd.concat(tables, ignore_index=True)


def comparison_table(series: pd.DataFrame) -> pd.DataFrame:
    """Return the measures of the models compared.

    Parameters
    ----------
    series : pandas.DataFrame
        What `comparison_series` returns.

    Returns
    -------
    pandas.DataFrame
        One row a model and part, in the order of the series: model, part, annual_return,
        annual_volatility, sharpe_ratio, t (of the spread after costs; fractions), rank_ic, turnover
        (one-way, a month) and months.
    """
    rows = [
        {"model": model, "part": part, **secondary(table.sort_values("month"))}
        for (model, part), table in series.groupby(["model", "part"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["model", "part", *MEASURES])


def selection_bias(
    trials: Sequence[FrozenTrial], best: FrozenTrial, tune: Tune
) -> dict[str, float]:
    """Return the selection bias of the best trial; see `backtesting.selection_bias`.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        All that count, pruned ones too.
    best : FrozenTrial
        The one selected.
    tune : Tune
        For the objective; where that is the rank IC, spreads are judged by their Sharpe ratio.
    """
    values = pd.Series({t.number: t.value for t in trials if t.state == TrialState.COMPLETE})
    objective = objective_of_spreads(tune)
    return backtesting.selection_bias(
        wide(trials), values, best.number, objective=objective, seed=tune.seed
    )


def summary(comparison: pd.DataFrame, bias: Mapping[str, float]) -> str:
    """Return the result of a search in a few lines of text."""
    months = months_of(comparison)
    ratios = comparison.pivot_table("sharpe_ratio", "model", "part", sort=False)[list(PARTS)]
    lines = [
        f"Sharpe ratio after costs, {months['tuning']} months searched and {months['holdout']} "
        "held out:",
        ratios.rename_axis(index=None, columns=None).to_string(float_format="{:.2f}".format),
    ]
    if "current" in ratios.index:
        tuned, current = ratios.loc[["best", "current"], "holdout"]
        verb = "beat" if tuned > current else "did not beat"
        lines.append(f"on the holdout the tuned values {verb} the current ones")
    if "dsr" in bias:
        lines.append(
            f"{bias['trials']:.0f} trials count as {bias['effective_trials']:.1f}: without skill "
            f"the best would reach {bias['expected_maximum']:.2f}; deflated Sharpe ratio "
            f"{bias['dsr']:.2f}"
        )
    return "\n".join(lines)


def months_of(comparison: pd.DataFrame) -> dict[str, int]:
    """Return how many months each part of the comparison has."""
    return {part: int(table["months"].max()) for part, table in comparison.groupby("part")}


def objective_of_spreads(tune: Tune) -> ObjectiveName:
    """Return the objective by which spreads are judged, also where the search took the rank IC."""
    return "sharpe_ratio" if tune.objective == "rank_ic" else tune.objective
