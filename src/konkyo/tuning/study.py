"""The study: created once, loaded ever after; trials asked for in groups that train together."""

import json
import math
import os
import socket
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, PartialFixedSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from konkyo.config import Params, Tune
from konkyo.errors import TuningError
from konkyo.tuning import space
from konkyo.tuning.pruning import pruner
from konkyo.tuning.storage import CURRENT, WORKER, Journal, Postgres, fail, ignore_experimental

COUNTED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of a trial that counts towards `tune.trials`."""
_SAMPLERS = {"random": RandomSampler, "tpe": TPESampler}
_IDENTITY = "konkyo"
"""Attribute of the study: what its trials have in common, so that they can be compared."""
_FREE = ("study", "storage", "trials", "workers", "trials_per_stack")
"""Keys of the section that may change while a search goes on."""


@dataclass(frozen=True)
class Search:
    """A study, its storage and the section of params.yaml that it follows.

    Attributes
    ----------
    study : optuna.Study
        The study.
    storage : Journal or Postgres
        Of the study.
    tune : Tune
        The section tune of params.yaml.
    running : dict of int to optuna.Trial
        The trials that this process runs, by number.
    """

    study: optuna.Study
    storage: Journal | Postgres
    tune: Tune
    running: dict[int, optuna.Trial] = field(default_factory=dict)


def begin(storage: Journal | Postgres, params: Params, facts: Mapping[str, Any]) -> Search:
    """Create or load the study; trial 0 has the values of params.yaml if they are in the space.

    Parameters
    ----------
    storage : Journal or Postgres
        Shared by all that run its trials.
    params : Params
        params.yaml: the sections tune, and train and prepare for trial 0.
    facts : mapping
        Plain values that must agree between all machines, beside the section tune: the months
        searched, the records' digest.

    Raises
    ------
    TuningError
        The study of this name was begun with another section or other facts.
    """
    tune = params.tune
    section = {key: value for key, value in asdict(tune).items() if key not in _FREE}
    # As the storage returns it: lists for tuples.
    identity = json.loads(json.dumps({**section, **facts}))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with storage.exclusive(), ignore_experimental():
        study = optuna.create_study(
            storage=storage.backend,
            study_name=tune.study,
            direction="maximize",
            pruner=pruner(tune.pruner),
            load_if_exists=True,
        )
        # The identity is written last: where it is, trial 0 is too.
        if _IDENTITY not in study.user_attrs:
            inside = not space.outside(params.train, params.prepare, tune.space)
            if inside and not study.get_trials(deepcopy=False):
                values = space.current_values(params.train, params.prepare)
                study.enqueue_trial(values, user_attrs={CURRENT: True})
            study.set_user_attr(_IDENTITY, identity)
    begun = study.user_attrs[_IDENTITY]
    changed = [key for key in sorted({*begun, *identity}) if begun.get(key) != identity.get(key)]
    if changed:
        lines = [f"{key}: {begun.get(key)} then, {identity.get(key)} now" for key in changed]
        raise TuningError(
            f"the study {tune.study!r} was begun otherwise, and its trials could not be compared:"
            "\n  " + "\n  ".join(lines) + "\nset these back, or give tune.study another name"
        )
    return Search(study, storage, tune)


def ask(search: Search, idle: int = 1) -> list[optuna.Trial] | None:
    """Ask for trials that train in one stack, after those of dead processes were queued again.

    Parameters
    ----------
    search : Search
        The search.
    idle : int
        Workers that wait for trials, among whom what is left is shared out.

    Returns
    -------
    list of optuna.Trial or None
        At most `tune.trials_per_stack`, all with the structure of the first, unless the queue holds
        others; empty while the last ones run elsewhere; None when all trials are done.
    """
    study, tune = search.study, search.tune
    with search.storage.exclusive():
        search.storage.fail_stale(study, search.running)
        trials = study.get_trials(deepcopy=False)
        counted = sum(trial.state in COUNTED for trial in trials)
        if counted >= tune.trials:
            return None
        running = sum(trial.state == TrialState.RUNNING for trial in trials)
        share = math.ceil((tune.trials - counted - running) / idle)
        asked: list[optuna.Trial] = []
        for place in range(min(tune.trials_per_stack, share)):
            # On one seed machines would repeat each other's draws.
            words = np.random.SeedSequence([tune.seed, len(trials) + place]).generate_state(1)
            sampler: BaseSampler = _SAMPLERS[tune.sampler](seed=int(words[0]))
            if asked:
                fixed = {name: asked[0].params[name] for name in space.STRUCTURE}
                with ignore_experimental():
                    sampler = PartialFixedSampler(fixed, sampler)
            study.sampler = sampler
            # Optuna warns that heartbeats go with `optimize`: the storage sends them.
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                trial = study.ask(fixed_distributions=space.distributions(tune.space))
            search.running[trial.number] = trial
            search.storage.record_heartbeats(study, search.running, now=True)
            # After the heartbeat: a trial without this mark never had one.
            trial.set_user_attr(WORKER, f"{socket.gethostname()}-{os.getpid()}")
            asked.append(trial)
        return asked


def requeue(search: Search, trials: list[optuna.Trial], died: bool) -> None:
    """Fail trials that this process runs and queue their values for whoever asks next.

    So are trials without the mark of a coordinator: an interrupt between the creation of a trial
    and its mark leaves one, which nobody could tell from a trial under way.

    Parameters
    ----------
    search : Search
        The search.
    trials : list of optuna.Trial
        Some may have ended already.
    died : bool
        False for an interrupt, which says nothing about the trial.
    """
    with search.storage.exclusive():
        by_number = {trial.number: trial for trial in search.study.get_trials(deepcopy=False)}
        for trial in trials:
            frozen = by_number[trial.number]
            if frozen.state == TrialState.RUNNING:
                fail(search.study, frozen, died)
            search.running.pop(trial.number, None)
        # Trials are created and marked within the same lock, so nobody is about to mark these.
        for frozen in search.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if WORKER not in frozen.user_attrs:
                fail(search.study, frozen, died)


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that count, completed and pruned, by number."""
    return study.get_trials(deepcopy=False, states=COUNTED)


def best(study: optuna.Study) -> FrozenTrial | None:
    """Return the completed trial of the highest objective among those below the turnover cap.

    None where there is none.
    """
    try:
        return study.best_trial
    except ValueError:
        return None
