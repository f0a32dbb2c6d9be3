"""Stacks spread over processes and machines: what each is sent, and what comes back.

A job names files and months and carries no rows: a worker maps the panel's file, or its copy. What
comes back are weights, a hundred kilobytes a network, which the process of the run writes: a worker
needs nothing of this machine but a way to the panel. Where it does see the run's folder it keeps
there, after each epoch, the state from which another worker goes on if this one dies.
"""

import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from konkyo.cache import TRAINING, code_digest
from konkyo.config import Train
from konkyo.errors import ArtifactError, BackendError
from konkyo.io import cache_folder, read_json
from konkyo.models import backends, store
from konkyo.models.batches import NetworkSpec
from konkyo.models.fit import keep_freed_memory
from konkyo.models.panel_cache import CachedArray
from konkyo.models.store import Weights

STACKS = "stacks.json"
"""In the run's folder: the stacks under way."""

_STARTS = 3
"""Times in a row that workers may die without any stack done."""
_PATIENCE = 10.0
"""Seconds after which a new file must be seen on a disk that machines share."""


@dataclass(frozen=True)
class StackJob:
    """One stack to train, wherever that is.

    Attributes
    ----------
    name : str
        Digest of the stack's keys.
    files : mapping of str to sequence of Entry
        The networks of each file of weights; of their rows only the first and the last.
    keys : mapping of str to str
        Of each file.
    inputs : tuple of str
        Names of the features.
    params : Train
        The train section of params.yaml.
    features, labels : Shared
        [rows, inputs] and [2, rows], float32.
    state : Path
        The run's folder of states, on the machine of the run.
    code : str
        Digest of the code that decides the weights.
    """

    name: str
    files: Mapping[str, Sequence[NetworkSpec]]
    keys: Mapping[str, str]
    inputs: tuple[str, ...]
    params: Train
    features: CachedArray
    labels: CachedArray
    state: Path
    code: str


@dataclass(frozen=True)
class StackResult:
    """A trained stack.

    Attributes
    ----------
    networks : mapping of str to list of Weights
        By file.
    losses : mapping of str to numpy.ndarray
        Mean squared error in training, [networks of the file, epochs].
    """

    networks: Mapping[str, list[Weights]]
    losses: Mapping[str, np.ndarray]


def compact(entry: NetworkSpec) -> NetworkSpec:
    """Return an entry as it is sent: of its rows, [rows], the first and the last, [2]."""
    return replace(entry, rows=entry.rows[[0, -1]])


def expand(entry: NetworkSpec, labels: np.ndarray) -> NetworkSpec:
    """Return an entry as it was: its rows are those with a realised label, first to last."""
    first, last = entry.rows
    return replace(entry, rows=first + np.flatnonzero(np.isfinite(labels[0, first : last + 1])))


def train_stacks(
    jobs: Mapping[str, StackJob], params: Train, here: bool
) -> Iterator[tuple[str, StackResult]]:
    """Train stacks side by side and yield each as it is done.

    A stack whose worker died is trained again, on from its last epoch where another worker sees its
    state, and from the beginning elsewhere: the weights are the same to the bit.

    Parameters
    ----------
    jobs : mapping of str to Job
        By name.
    params : Train
        Which engine, and where it is.
    here : bool
        Whether to train in this process, one after another.

    Raises
    ------
    BackendError
        The engine cannot be used.
    Exception
        What the engine says when workers die again and again and no stack gets done.
    """
    if here:
        yield from ((name, train_stack(job)) for name, job in jobs.items())
        return
    left, starts = dict(jobs), 0
    while left:
        starts += 1
        try:
            engine = params.backend, params.scheduler_address, params.workers
            for name, done in backends.run(*engine, train_stack, left):
                yield name, done
                left = {other: job for other, job in left.items() if other != name}
                starts = 0
        except backends.WorkersLost as lost:
            if starts >= _STARTS and lost.__cause__ is not None:
                raise lost.__cause__ from None


def train_stack(job: StackJob) -> StackResult:
    """Train one stack, in a worker.

    Raises
    ------
    BackendError
        The worker's code is another, or it sees neither the run's folder nor a copy of the panel.
    """
    # Lightning takes seconds to import, which the process that starts workers has no use for.
    from konkyo.models.fit import fit_stack

    if code_digest(*TRAINING) != job.code:
        raise BackendError(
            f"the konkyo of {socket.gethostname()} would train other weights than the one that "
            "asks: install the same version on every machine and start its workers again"
        )
    torch.set_num_threads(1)
    keep_freed_memory()
    here = _sees(job)
    features, labels = ((a.mapped() if here else a.fetched()) for a in (job.features, job.labels))
    files = {name: [expand(e, labels) for e in group] for name, group in job.files.items()}
    group = [entry for members in files.values() for entry in members]
    # On this machine's own disk a state lasts for as long as its stack does.
    scratch = job.state if here else cache_folder() / "state" / job.name
    scratch.mkdir(parents=True, exist_ok=True)
    fitted = fit_stack(features, labels, group, job.params, scratch, job.name)
    if not here:
        shutil.rmtree(scratch, ignore_errors=True)
    networks = store.unstack(
        fitted.network,
        [entry.month for entry in group],
        [job.keys[entry.name] for entry in group],
        job.inputs,
    )
    parts, first = {}, 0
    for name, members in files.items():
        parts[name] = slice(first, first + len(members))
        first += len(members)
    return StackResult(
        {name: networks[part] for name, part in parts.items()},
        {name: fitted.losses[part] for name, part in parts.items()},
    )


def _sees(job: StackJob) -> bool:
    """Return whether this machine has the run's folder, at the same place."""
    until = time.monotonic() + (0 if job.features.url else _PATIENCE)
    while True:
        with suppress(ArtifactError):
            if job.name in read_json(job.state / STACKS):
                return True
        if time.monotonic() >= until:
            break
        time.sleep(0.2)
    if not job.features.url:
        raise BackendError(
            f"{socket.gethostname()} does not see {job.state}: mount the project's folder there at "
            "the same place, or set train.panel_cache_url in params.yaml to a place that every "
            "machine reaches"
        )
    return False
