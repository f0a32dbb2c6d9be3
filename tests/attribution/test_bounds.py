"""How large relevances can get: never beyond the network itself, whatever epsilon divides by.

With |activation(z)| <= |z| a unit's relevance is at most |z| times what is above it, so that
dividing by z + epsilon sign(z) never blows it up. By induction from the score down, a unit's share
(relevance a unit of contribution) is at most the sum over paths to the output of the products of
the weights' sizes, and so is an input's relevance a unit of its value.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.attribution.lrp import propagate
from konkyo.attribution.rules import Epsilon
from konkyo.models.mlp import StackedMLP

EPSILON = 0.001


def network_of(seed: int, activation: str, scale: float, inputs: int = 4) -> StackedMLP:
    generator = torch.Generator().manual_seed(seed)
    network = StackedMLP(1, inputs, (6, 5, 3), activation).double()
    with torch.no_grad():
        for parameter in network.parameters():
            values = torch.empty(parameter.shape, dtype=torch.float64)
            parameter.copy_(scale * values.normal_(generator=generator))
    return network.requires_grad_(False)


def paths(network: StackedMLP) -> tuple[np.ndarray, float, float]:
    """Return the bounds of an input's share, of the absorbed and of epsilon's part of it."""
    above, absorbed, by_epsilon = np.ones(1), 0.0, 0.0
    for weight, bias in reversed(list(network.layers())):
        absorbed += float(((bias[0, 0].abs().numpy() + EPSILON) * above).sum())
        by_epsilon += float(EPSILON * above.sum())
        above = weight[0].abs().numpy() @ above
    return above, absorbed, by_epsilon


def explained(network: StackedMLP, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    score, relevance = propagate(network, torch.from_numpy(x)[None], Epsilon(EPSILON))
    return score[0].numpy(), relevance[0].numpy()


@settings(max_examples=150)
@given(
    st.integers(0, 10_000),
    st.sampled_from(["tanh", "relu"]),
    st.sampled_from([0.1, 1.0, 10.0]),
    st.lists(
        st.sampled_from([0.0, 1.0, -1.0, 0.3, 1e-30, -1e-30, 1e-3, -1e3, 1e30, -1e30]),
        min_size=4, max_size=4,
    ),
)  # fmt: skip
def test_no_relevance_exceeds_the_paths_of_its_input(seed, activation, scale, values):
    network = network_of(seed, activation, scale)
    x = np.array([values])
    score, relevance = explained(network, x)
    largest, absorbed, _ = paths(network)
    assert np.isfinite(score).all() and np.isfinite(relevance).all()
    assert (np.abs(relevance) <= np.abs(x) * largest * (1 + 1e-9)).all()
    # What rounding leaves of sums of large numbers of both signs comes on top.
    dust = 1e-12 * float(np.abs(x[0]) @ largest)
    assert abs(score[0] - relevance.sum()) <= absorbed * (1 + 1e-9) + dust


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("near", [0.0, 1e-300, 1e-12, -1e-12, 1e-6, -1e-4])
def test_a_score_near_zero_is_absorbed_by_epsilon(activation, near):
    network = network_of(3, activation, 1.0)
    x = np.array([[0.4, -0.7, 0.2, 0.9]])
    _, last = list(network.layers())[-1]
    with torch.no_grad():
        last -= float(explained(network, x)[0][0])
        last += near
    score, relevance = explained(network, x)
    # As near as float64 brings a sum of numbers around 1.
    np.testing.assert_allclose(score, near, atol=1e-14)
    # Of the score z / (z + epsilon) is handed down: nothing is made from nothing.
    share = abs(score[0]) / (abs(score[0]) + EPSILON)
    largest, _, _ = paths(network)
    assert (np.abs(relevance) <= share * np.abs(x) * largest * (1 + 1e-9)).all()
    assert np.abs(relevance).sum() <= 1000 * abs(score[0]) * float(np.abs(x[0]) @ largest)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_without_biases_epsilon_alone_absorbs(activation):
    network = network_of(5, activation, 1.0)
    with torch.no_grad():
        for _, bias in network.layers():
            bias.zero_()
    x = np.random.default_rng(1).normal(size=(200, 4)) * np.logspace(-8, 2, 200)[:, None]
    score, relevance = explained(network, x)
    absorbed = score - relevance.sum(1)
    assert (np.abs(absorbed) <= paths(network)[2]).all()
    assert np.abs(absorbed).max() > 0
