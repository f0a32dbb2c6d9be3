"""One worker: asks for trials that train together, runs them chunk by chunk, tells what they gave.

A trial's whole monthly series is an attribute of it before it is told, so that any machine can
write all results from the study alone.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from konkyo.backtest import NoPortfoliosError
from konkyo.tuning import objective, pruning, study
from konkyo.tuning.storage import PAPER
from konkyo.tuning.study import Search
from konkyo.tuning.trial_tables import SERIES, pack

Groups = Sequence[tuple[str, ...]]
Run = Callable[[Sequence[dict[str, Any]], Groups], list[pd.DataFrame]]
"""Scores of trials with one structure, given their params: one frame a trial, month, stock, score
and ret, for the months (YYYY-MM) of some groups."""
Measure = Callable[[pd.DataFrame], pd.DataFrame]
"""From scores to month, spread, spread_net, turnover and rank_ic; returns are fractions."""

_PAUSE = 2.0
"""Seconds between two looks while other workers run the last trials."""


def work(
    search: Search,
    groups: Groups,
    run: Run,
    measure: Measure,
    tell: Callable[[str], None] = print,
    pause: float = _PAUSE,
) -> int:
    """Run trials until the study has as many as were asked for.

    Parameters
    ----------
    search : Search
        The study, shared with other workers.
    groups : sequence of tuple of str
        The months of the search: each group is served by one network.
    run, measure : callable
        The engine.
    tell : callable
        Takes a line for each trial that ended.
    pause : float
        Seconds between two looks while others run the last trials; one of them may die.

    Returns
    -------
    int
        Trials that ended here. Whatever ends the loop early gives the trials under way back.
    """
    ended = 0
    asked: list[optuna.Trial] | None = []
    try:
        while (asked := study.ask(search)) is not None:
            if not asked:
                time.sleep(pause)
            # The queue may hold trials of another structure than that of the group's first.
            for members in _by_structure(asked):
                _run_together(search, members, groups, run, measure, tell)
                ended += len(members)
    except BaseException as error:
        study.requeue(search, asked or [], died=isinstance(error, Exception))
        raise
    return ended


def _by_structure(trials: Sequence[optuna.Trial]) -> list[list[optuna.Trial]]:
    found: dict[tuple[Any, ...], list[optuna.Trial]] = {}
    for trial in trials:
        found.setdefault(study.space.structure(trial.params), []).append(trial)
    return list(found.values())


def _run_together(
    search: Search,
    members: Sequence[optuna.Trial],
    groups: Groups,
    run: Run,
    measure: Measure,
    tell: Callable[[str], None],
) -> None:
    """Run trials of one structure, dropping those that are pruned on the way."""
    places = {month: place for place, month in enumerate(m for group in groups for m in group)}
    scores: dict[int, list[pd.DataFrame]] = {trial.number: [] for trial in members}
    added: dict[int, list[pd.Series]] = {trial.number: [] for trial in members}
    under_way = list(members)
    for chunk in pruning.chunks(groups, search.tune.seed):
        frames = run([trial.params for trial in under_way], chunk)
        kept = []
        for trial, frame in zip(under_way, frames, strict=True):
            series = _measured(frame, measure)
            if series is not None:
                scores[trial.number].append(frame)
                added[trial.number].append(objective.contributions(search.tune.objective, series))
            if series is not None and not _is_hopeless(search, trial, added[trial.number], places):
                kept.append(trial)
            else:
                _end(search, trial, scores[trial.number], measure, TrialState.PRUNED, tell)
        under_way = kept
        if not under_way:
            return
    for trial in under_way:
        _end(search, trial, scores[trial.number], measure, TrialState.COMPLETE, tell)


def _measured(frame: pd.DataFrame, measure: Measure) -> pd.DataFrame | None:
    """Return the series of a chunk's months, NaN where a month formed no portfolios.

    None where scores are not finite or half of the months or more form none. Inputs that break in a
    month take it from all trials alike; weights that a decay has driven to zero give every stock
    the same score, and the few months left to such a trial could make it the best by luck.
    """
    if not np.isfinite(frame["score"]).all():
        return None
    try:
        series = measure(frame)
    except NoPortfoliosError:
        return None
    asked = pd.Index(frame["month"].unique(), name="month")
    if 2 * len(series) <= len(asked):
        return None
    return series.set_index("month").reindex(asked).reset_index()


def _is_hopeless(
    search: Search,
    trial: optuna.Trial,
    by_chunk: Sequence[pd.Series],
    places: dict[str, int],
) -> bool:
    """Report the newest chunk and ask the pruner; the paper's values always run to the end."""
    tune = search.tune
    so_far, new = pd.concat(by_chunk), len(by_chunk[-1])
    try:
        for step, value in pruning.reports(tune.pruner, tune.objective, so_far, new, places):
            trial.report(value, step)
    except UpdateFinishedTrialError:
        # Taken for dead, after a long sleep of the machine say: somebody else runs it by now.
        return True
    return PAPER not in trial.user_attrs and len(so_far) < len(places) and trial.should_prune()


def _end(
    search: Search,
    trial: optuna.Trial,
    parts: Sequence[pd.DataFrame],
    measure: Measure,
    state: TrialState,
    tell: Callable[[str], None],
) -> None:
    """Store a trial's series and measures, then tell its state."""
    value = None
    try:
        if parts:
            series = measure(pd.concat(parts, ignore_index=True))
            trial.set_user_attr(SERIES, pack(series))
            for name, figure in objective.secondary(series).items():
                trial.set_user_attr(name, figure)
            if state == TrialState.COMPLETE:
                value = objective.objective(search.tune.objective, series)
                turnover = float(series["turnover"].mean())
                trial.set_constraint("turnover", turnover - search.tune.turnover_cap)
        search.study.tell(trial, value, state, skip_if_finished=True)
    except UpdateFinishedTrialError:
        pass
    search.storage.disown(trial.number)
    said = "pruned" if value is None else f"{value:.3f}"
    tell(f"trial {trial.number}: {said}, {sum(p['month'].nunique() for p in parts)} months")
