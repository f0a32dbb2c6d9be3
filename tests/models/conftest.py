"""A stack of unlike windows on random rows."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
import pytest

from clusters import CLUSTERS, Cluster
from konkyo.config import Train
from konkyo.models.batches import Hyperparameters, NetworkSpec
from small import small_params

INPUTS = 5


@dataclass(frozen=True)
class Task:
    """What `stack_task` takes."""

    features: np.ndarray
    labels: np.ndarray
    specs: list[NetworkSpec]
    params: Train


@pytest.fixture(scope="session")
def task() -> Task:
    rng = np.random.default_rng(5)
    features = rng.normal(size=(400, INPUTS)).astype(np.float32)
    features[:, 3:] = features[:, 3:] * 40 + 100
    true = features[:, 0] * 0.5 + rng.normal(size=400)
    labels = np.stack([true, rng.permutation(true)]).astype(np.float32)
    mean = np.array([0, 0, 0, 100, 100], dtype=np.float32)
    std = np.array([1, 1, 1, 40, 40], dtype=np.float32)
    params = replace(
        small_params().train, hidden_sizes=(6, 4), batch_size=16, epochs=4, learning_rate=0.01
    )
    hyperparameters = Hyperparameters(
        learning_rate=0.01, weight_decay=0.0, dropout=params.dropout, seed=params.seed
    )

    def spec(month: str, rows: np.ndarray, shift: float = 0, factor: float = 1) -> NetworkSpec:
        return NetworkSpec(
            month=month, rows=rows, mean=mean + np.float32(shift), std=std * np.float32(factor),
            seed=1, hyperparameters=hyperparameters,
        )  # fmt: skip

    specs = [
        spec("2001-01", np.arange(0, 100)),
        spec("2001-02", np.arange(20, 190)),
        replace(spec("2001-02", np.arange(20, 190)), placebo=True),
        spec("2001-03", np.arange(150, 165)),
        spec("2001-04", np.arange(200, 400, 2), shift=1, factor=2),
    ]
    return Task(features, labels, specs, params)


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
