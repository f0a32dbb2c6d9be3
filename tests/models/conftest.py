"""A stack of unlike windows on random rows."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
import pytest

from clusters import CLUSTERS, Cluster
from konkyo.config import Train
from konkyo.models.batches import NetworkSpec
from small import small_params

INPUTS = 5


@dataclass(frozen=True)
class Task:
    """What `fit_stack` takes."""

    features: np.ndarray
    labels: np.ndarray
    entries: list[NetworkSpec]
    params: Train


@pytest.fixture(scope="session")
def task() -> Task:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(400, INPUTS)).astype(np.float32)
    features[:, 3:] = features[:, 3:] * 40 + 100
    true = features[:, 0] * 0.5 + rng.normal(size=400)
    labels = np.stack([true, rng.permutation(true)]).astype(np.float32)
    mean = np.array([0, 0, 0, 100, 100], dtype=np.float32)
    deviation = np.array([1, 1, 1, 40, 40], dtype=np.float32)
    entries = [
        NetworkSpec("2001-01", np.arange(0, 100), mean, deviation, 1),
        NetworkSpec("2001-02", np.arange(20, 190), mean, deviation, 1),
        NetworkSpec("2001-02", np.arange(20, 190), mean, deviation, 1, placebo=True),
        NetworkSpec("2001-03", np.arange(150, 165), mean, deviation, 1),
        NetworkSpec("2001-04", np.arange(200, 400, 2), mean + 1, deviation * 2, 1),
    ]
    params = replace(
        small_params().train, hidden_sizes=(6, 4), batch_size=16, epochs=4, learning_rate=0.01
    )
    return Task(features, labels, entries, params)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Callable[[str], Cluster]]:
    """Return what gives the cluster of a backend, started when it is first asked for."""
    with ExitStack() as stack:
        started: dict[str, Cluster] = {}

        def of(backend: str) -> Cluster:
            if backend not in started:
                started[backend] = stack.enter_context(CLUSTERS[backend]())
            return started[backend]

        yield of
