"""Small networks with weights from a generator, and the slow oracles of the rules."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest

from konkyo.models.store import Weights

Maker = Callable[..., Weights]


def make_network(
    seed: int = 0,
    sizes: Sequence[int] = (6, 5, 4, 1),
    activation: str = "tanh",
    *,
    bias: float = 0.3,
    month: str = "2010-01",
    scaled: bool = True,
) -> Weights:
    """Return a network with random weights; `scaled` gives its last two inputs an affine."""
    rng = np.random.default_rng(seed)
    pairs = list(pairwise(sizes))
    mean, deviation = np.zeros(sizes[0], dtype=np.float32), np.ones(sizes[0], dtype=np.float32)
    if scaled:
        mean[-2:], deviation[-2:] = 0.25, 2.0
    return Weights(
        month=month,
        key="key",
        activation=activation,
        features=tuple(f"f{i}" for i in range(sizes[0])),
        weights=tuple(rng.normal(0, 1.5 * a**-0.5, (a, b)).astype(np.float32) for a, b in pairs),
        biases=tuple(rng.normal(0, 1, b).astype(np.float32) * bias for _, b in pairs),
        mean=mean,
        std=deviation,
    )


def make_linear(coefficients: Sequence[float], month: str = "2010-01") -> Weights:
    """Return a network without hidden layers: score = coefficients times inputs."""
    weight = np.array(coefficients, dtype=np.float32)[:, None]
    return Weights(
        month=month,
        key="key",
        activation="tanh",
        features=tuple(f"f{i}" for i in range(len(weight))),
        weights=(weight,),
        biases=(np.zeros(1, dtype=np.float32),),
        mean=np.zeros(len(weight), dtype=np.float32),
        std=np.ones(len(weight), dtype=np.float32),
    )


@pytest.fixture(scope="session")
def network() -> Maker:
    return make_network


@pytest.fixture(scope="session")
def linear() -> Callable[..., Weights]:
    return make_linear


@pytest.fixture(scope="session")
def rows() -> Callable[..., np.ndarray]:
    """Return a maker of inputs of either sign, [stocks, features] float32."""

    def make(seed: int = 0, stocks: int = 9, features: int = 6) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return rng.uniform(-1, 1, (stocks, features)).astype(np.float32)

    return make
