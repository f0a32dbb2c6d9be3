"""The study: made once, loaded ever after; trials asked for in groups that train together."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from konkyo.config import Prepare, Tune
from konkyo.errors import TuningError
from konkyo.tuning import space
from konkyo.tuning.pruning import pruner
from konkyo.tuning.storage import PAPER, Journal, Postgres, again

COUNTED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of a trial that counts towards those asked for."""
_IDENTITY = "konkyo"
"""Attribute of the study: what its trials have in common, so that they can be compared."""
_FREE = ("study", "storage", "trials", "workers", "trials_per_stack")
"""Keys of the section that may change while a search goes on."""


@dataclass(frozen=True)
class Search:
    """A study, its storage and the section of params.yaml that it follows."""

    study: optuna.Study
    storage: Journal | Postgres
    tune: Tune


def begin(
    storage: Journal | Postgres, tune: Tune, prepare: Prepare, facts: Mapping[str, Any]
) -> Search:
    """Make the study, with the paper's values as its first trial, or load it.

    Parameters
    ----------
    storage : Journal or Postgres
        Shared by all workers.
    tune : Tune
        The section tune of params.yaml.
    prepare : Prepare
        For the label and the inputs of the first trial.
    facts : mapping
        Plain values that must agree between all workers, beside the section: the months searched,
        the data's digest.

    Raises
    ------
    TuningError
        The space lacks one of the paper's values, or the study of this name was begun otherwise.
    """
    first = space.paper(prepare)
    space.refuse_without(first, tune.space)
    section = {k: v for k, v in asdict(tune).items() if k not in _FREE}
    # As the storage gives it back: lists for tuples.
    identity = json.loads(json.dumps({**section, "first": first, **facts}))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with storage.exclusive():
        study = optuna.create_study(
            storage=storage.backend,
            study_name=tune.study,
            direction="maximize",
            pruner=_quiet(pruner, tune.pruner),
            load_if_exists=True,
        )
        # The identity comes last: where it stands the first trial does too.
        if _IDENTITY not in study.user_attrs:
            if not study.get_trials(deepcopy=False):
                study.enqueue_trial(first, user_attrs={PAPER: True})
            study.set_user_attr(_IDENTITY, identity)
    _refuse_other(tune.study, study.user_attrs[_IDENTITY], identity)
    return Search(study, storage, tune)


def _refuse_other(name: str, begun: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raise if a study's trials could not be compared with those that are asked for now."""
    changed = [key for key in sorted({*begun, *asked}) if begun.get(key) != asked.get(key)]
    if changed:
        lines = [f"{key}: {begun.get(key)} then, {asked.get(key)} now" for key in changed]
        raise TuningError(
            f"the study {name!r} was begun otherwise, and its trials could not be compared:\n  "
            + "\n  ".join(lines)
            + "\nset these back, or give tune.study another name"
        )


def ask(search: Search) -> list[optuna.Trial] | None:
    """Ask for trials that differ in numbers only, after those of dead workers were queued again.

    Returns
    -------
    list of optuna.Trial or None
        At most `tune.trials_per_stack`, all with the structure of the first, unless the
        queue holds others; empty while other workers run the last ones; None when all trials are
        done.
    """
    study, tune = search.study, search.tune
    with search.storage.exclusive():
        search.storage.sweep(study)
        trials = study.get_trials(deepcopy=False)
        counted = sum(trial.state in COUNTED for trial in trials)
        if counted >= tune.trials:
            return None
        running = sum(trial.state == TrialState.RUNNING for trial in trials)
        free = min(tune.trials_per_stack, tune.trials - counted - running)
        asked: list[optuna.Trial] = []
        for place in range(free):
            sampler = _sampler(tune, len(trials) + place)
            if asked:
                fixed = {name: asked[0].params[name] for name in space.STRUCTURE}
                sampler = _quiet(PartialFixedSampler, fixed, sampler)
            study.sampler = sampler
            trial = _ask_one(study, tune)
            search.storage.own(study, [trial])
            asked.append(trial)
        return asked


def requeue(search: Search, trials: list[optuna.Trial], died: bool) -> None:
    """Fail trials that this process runs and queue their values for whoever asks next.

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
        known = {trial.number: trial for trial in search.study.get_trials(deepcopy=False)}
        for trial in trials:
            frozen = known[trial.number]
            if frozen.state == TrialState.RUNNING:
                search.study.tell(trial.number, state=TrialState.FAIL)
                again(search.study, frozen, died)
            search.storage.disown(trial.number)


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that count, completed and pruned, by number."""
    return study.get_trials(deepcopy=False, states=COUNTED)


def best(study: optuna.Study) -> FrozenTrial | None:
    """Return the completed trial of the highest objective among those that keep the turnover cap.

    None where there is none.
    """
    try:
        return study.best_trial
    except ValueError:
        return None


def _ask_one(study: optuna.Study, tune: Tune) -> optuna.Trial:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed")
        return study.ask(fixed_distributions=space.distributions(tune.space))


def _sampler(tune: Tune, number: int) -> BaseSampler:
    """Return the sampler of the trial of a number: workers would repeat each other on one seed."""
    seed = int(np.random.SeedSequence([tune.seed, number]).generate_state(1)[0])
    if tune.sampler == "random":
        return RandomSampler(seed=seed)
    return TPESampler(seed=seed)


def _quiet(make: Any, *arguments: Any) -> Any:
    """Call what Optuna marks as experimental, without its warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return make(*arguments)
