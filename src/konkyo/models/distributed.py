"""A stack's training as a job for any process or machine: what it is sent, and its result.

A job names files and months and carries no rows: a worker maps the panel's file, or its own copy.
The result holds the weights, a hundred kilobytes a network, which the process of the run writes: a
worker needs no access to this machine, only to the panel. Where it does see the run's folder, it
writes a checkpoint there after each epoch, from which another worker resumes if this one dies.
"""

import shutil
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from konkyo.cache import training_code
from konkyo.config import Train
from konkyo.errors import ArtifactError, BackendError
from konkyo.io import cache_folder, read_json
from konkyo.models.batches import NetworkSpec
from konkyo.models.jobs import expand
from konkyo.models.panel_cache import CachedArray
from konkyo.models.store import Network

STACKS = "stacks.json"
"""In the run's folder of states: the stacks of the run."""

_NFS_DELAY = 10.0
"""Seconds within which a new file becomes visible on a disk that machines share."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StackJob:
    """One stack to train, on whatever machine.

    Attributes
    ----------
    name : str
        Digest of the stack's keys.
    specs : mapping of str to sequence of NetworkSpec
        The compact networks of each file of weights.
    keys : mapping of str to str
        Of each file.
    inputs : tuple of str
        Names of the features.
    params : Train
        The train section of params.yaml.
    features, labels : CachedArray
        [rows, inputs] and [2, rows], float32.
    state : Path
        The run's folder of states, on the machine of the run.
    code : str
        Digest of the code that decides the weights.
    rounded : CachedArray, optional
        The features of `gather.write_rounded`, where the stack trains in bf16-mixed.
    """

    name: str
    specs: Mapping[str, Sequence[NetworkSpec]]
    keys: Mapping[str, str]
    inputs: tuple[str, ...]
    params: Train
    features: CachedArray
    labels: CachedArray
    state: Path
    code: str
    rounded: CachedArray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class StackResult:
    """A trained stack.

    Attributes
    ----------
    networks : mapping of str to list of Weights
        By file.
    losses : mapping of str to pandas.DataFrame
        Those of `engines.loss_table`.
    started, seconds : float
        When the training began, seconds since 1970, and how long it took.
    """

    networks: Mapping[str, list[Network]]
    losses: Mapping[str, pd.DataFrame]
    started: float
    seconds: float


def train_stack(job: StackJob) -> StackResult:
    """Train one stack, in a worker.

    Raises
    ------
    BackendError
        The worker's code differs, or it sees neither the run's folder nor a copy of the panel.
    """
    # Lightning takes seconds to import, and the process that starts workers does without.
    from konkyo.models.engines import loss_table, train_networks
    from konkyo.models.fit import keep_freed_memory

    if training_code(job.params.module) != job.code:
        raise BackendError(
            f"the konkyo of {socket.gethostname()} would train other weights than the one that "
            "asks: install the same version on every machine and start its workers again"
        )
    torch.set_num_threads(1)
    keep_freed_memory()
    shared = _sees_state(job)
    features, labels, *rounded = (
        array.mapped() if shared else array.fetched()
        for array in (job.features, job.labels, job.rounded)
        if array is not None
    )
    files = {name: [expand(spec, labels) for spec in specs] for name, specs in job.specs.items()}
    specs = [spec for members in files.values() for spec in members]
    # On this machine's own disk a checkpoint lasts no longer than its stack.
    scratch = job.state if shared else cache_folder() / "state" / job.name
    scratch.mkdir(parents=True, exist_ok=True)
    started = time.time()
    networks, losses = train_networks(
        features, labels, specs, job.params, inputs=job.inputs,
        keys=[job.keys[spec.name] for spec in specs], scratch=scratch, name=job.name,
        rounded=rounded[0] if rounded else None,
    )  # fmt: skip
    seconds = time.time() - started
    if not shared:
        shutil.rmtree(scratch, ignore_errors=True)
    part_of, first = {}, 0
    for name, members in files.items():
        part_of[name] = slice(first, first + len(members))
        first += len(members)
    return StackResult(
        networks={name: networks[part] for name, part in part_of.items()},
        losses={name: loss_table(losses[:, part]) for name, part in part_of.items()},
        started=started,
        seconds=seconds,
    )


def _sees_state(job: StackJob) -> bool:
    """Return whether this machine has the run's folder of states at the same path."""
    deadline = time.monotonic() + (0 if job.features.url else _NFS_DELAY)
    while True:
        with suppress(ArtifactError):
            if job.name in read_json(job.state / STACKS):
                return True
        if time.monotonic() >= deadline:
            break
        time.sleep(0.2)
    if not job.features.url:
        raise BackendError(
            f"{socket.gethostname()} does not see {job.state}: mount the project's folder there at "
            "the same path, or set train.panel_cache_url in params.yaml to a place that every "
            "machine reaches"
        )
    return False
