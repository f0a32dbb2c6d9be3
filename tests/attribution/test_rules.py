"""Each rule against its definition as a loop, and against captum where the two define the same."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, GammaRule
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from konkyo.attribution.lrp import propagate
from konkyo.attribution.methods import as_module, relevance_propagation, scaled
from konkyo.attribution.rules import Z_PLUS, AlphaBeta, Epsilon, Gamma, Rule
from konkyo.models import store
from konkyo.models.store import Weights

# The rules as loops over single units, plain floats, straight from their definitions:
# contributions z_ij, bias b_j and relevance R_j of a unit -> relevances of its inputs.
UnitRule = Callable[[list[float], float, float], list[float]]


def epsilon_by_loop(size: float) -> UnitRule:
    def share(z: list[float], bias: float, relevance: float) -> list[float]:
        total = sum(z) + bias
        return [zi / (total + (size if total >= 0 else -size)) * relevance for zi in z]

    return share


def gamma_by_loop(factor: float) -> UnitRule:
    def share(z: list[float], bias: float, relevance: float) -> list[float]:
        positive = sum(z) + bias >= 0

        def more(value: float) -> float:
            own_side = value > 0 if positive else value < 0
            return value * (1 + factor) if own_side else value

        divisor = sum(map(more, z)) + more(bias)
        return [more(zi) / divisor * relevance for zi in z]

    return share


def alpha_beta_by_loop(alpha: float, beta: float, with_bias: bool = True) -> UnitRule:
    def share(z: list[float], bias: float, relevance: float) -> list[float]:
        terms = [*z, bias] if with_bias else z
        above = sum(term for term in terms if term > 0)
        below = sum(term for term in terms if term < 0)
        return [
            (alpha * zi / above if zi > 0 else -beta * zi / below if zi < 0 else 0.0) * relevance
            for zi in z
        ]

    return share


def by_loop(network: Weights, row: np.ndarray, rule: UnitRule) -> list[float]:
    squash = math.tanh if network.activation == "tanh" else lambda z: max(z, 0.0)
    scale = zip(row.tolist(), network.mean.tolist(), network.std.tolist(), strict=True)
    passed = []
    a = [(x - mean) / deviation for x, mean, deviation in scale]
    for weight, bias in zip(network.weights, network.biases, strict=True):
        z = [[a[i] * float(weight[i, j]) for i in range(len(a))] for j in range(len(bias))]
        passed.append((z, [float(b) for b in bias]))
        sums = [sum(zj) + float(b) for zj, b in zip(z, bias, strict=True)]
        a = [squash(total) for total in sums]
    relevance = sums
    for z, bias in reversed(passed):
        shares = [rule(*unit) for unit in zip(z, bias, relevance, strict=True)]
        relevance = [sum(column) for column in zip(*shares, strict=True)]
    return relevance


CASES: list[tuple[Rule, UnitRule]] = [
    (Epsilon(1e-3), epsilon_by_loop(1e-3)),
    (Epsilon(0.2), epsilon_by_loop(0.2)),
    (Gamma(0.25, epsilon=1e-15), gamma_by_loop(0.25)),
    (Gamma(2.0, epsilon=1e-15), gamma_by_loop(2.0)),
    (AlphaBeta(2, 1, epsilon=1e-15), alpha_beta_by_loop(2, 1)),
    (AlphaBeta(1, 0, epsilon=1e-15), alpha_beta_by_loop(1, 0)),
    (AlphaBeta(1.5, 0.5, bias=False, epsilon=1e-15), alpha_beta_by_loop(1.5, 0.5, False)),
    (replace(Z_PLUS, epsilon=1e-15), alpha_beta_by_loop(1, 0, False)),
]
IDS = [str(rule) for rule, _ in CASES]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(("rule", "loop"), CASES, ids=IDS)
def test_rule_equals_its_definition_as_a_loop(rule, loop, activation, network, rows):
    for seed in range(3):
        net, x = network(seed, activation=activation), rows(seed, stocks=5)
        expected = [by_loop(net, row, loop) for row in x]
        np.testing.assert_allclose(
            relevance_propagation(net, x, rule), expected, rtol=1e-9, atol=1e-10
        )


def test_three_inputs_by_hand(linear):
    # z = 2, -3, 4 and no bias: score 3, 6 above and -3 below.
    net, x = linear([1.0, -1.5, 4.0]), np.array([[2.0, 2.0, 1.0]])
    exact = {"epsilon": 1e-15}
    for rule, expected in (
        (Epsilon(1.0), [1.5, -2.25, 3.0]),
        (Gamma(1.0, **exact), [4 / 3, -1.0, 8 / 3]),
        (AlphaBeta(2, 1, **exact), [2.0, -3.0, 4.0]),
        (AlphaBeta(1, 0, **exact), [1.0, 0.0, 2.0]),
    ):
        np.testing.assert_allclose(relevance_propagation(net, x, rule)[0], expected, rtol=1e-12)
    # Turned around: the unit is at -3, and what raises it is now the middle input alone.
    np.testing.assert_allclose(
        relevance_propagation(net, -x, Gamma(1.0, **exact))[0], [-4 / 3, 1.0, -8 / 3], rtol=1e-12
    )
    np.testing.assert_allclose(
        relevance_propagation(net, -x, AlphaBeta(1, 0, **exact))[0], [0.0, -3.0, 0.0], rtol=1e-12
    )


def test_gamma_zero_is_epsilon(network, rows):
    net, x = network(1), rows(1)
    np.testing.assert_allclose(
        relevance_propagation(net, x, Gamma(0.0, 1e-3)),
        relevance_propagation(net, x, Epsilon(1e-3)),
        rtol=1e-12,
    )


def test_alpha_beta_that_lose_relevance_are_refused():
    with pytest.raises(ValueError, match=r"alpha = 2, beta = 0.*beta \+ 1"):
        AlphaBeta(2, 0)
    with pytest.raises(ValueError, match="beta must be 0 or more"):
        AlphaBeta(0.5, -0.5)


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_z_plus_absorbs_nothing_where_all_units_rise(seed, network, rows):
    net = network(seed, (12, 12, 12, 1), bias=1.0)
    x = rows(seed, stocks=6, features=12)
    relevance = relevance_propagation(net, x, replace(Z_PLUS, epsilon=1e-15))
    a, raised = scaled(net, x).numpy(), np.ones(len(x), dtype=bool)
    for weight, bias in zip(net.weights, net.biases, strict=True):
        raised &= (a[:, :, None] * weight > 0).any(axis=1).all(axis=1)
        z = a @ weight.astype(float) + bias
        a = np.tanh(z)
    assert raised.any()
    np.testing.assert_allclose(relevance.sum(1)[raised], z[raised, 0], atol=1e-9)


def positive_network(network: Callable[..., Weights], seed: int) -> Weights:
    """Return a ReLU network without biases whose output unit only adds: its score is above 0."""
    net = network(seed, activation="relu", bias=0.0, scaled=False)
    return replace(net, weights=(*net.weights[:-1], np.abs(net.weights[-1])))


def captum_relevance(net: Weights, x: np.ndarray, rule: Callable[[], object]) -> np.ndarray:
    module = as_module(net)
    for layer in module:
        if isinstance(layer, nn.Linear):
            layer.rule = rule()
            layer.requires_grad_(True)
    return LRP(module).attribute(scaled(net, x).requires_grad_()).detach().numpy()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("rule", "theirs"),
    [
        (Gamma(0.25), lambda: GammaRule(0.25)),
        (AlphaBeta(1, 0), Alpha1_Beta0_Rule),
        (Z_PLUS, lambda: Alpha1_Beta0_Rule(set_bias_to_zero=True)),
    ],
    ids=["gamma", "alpha1_beta0", "z_plus"],
)
def test_equals_captum_on_positive_inputs_and_scores(rule, theirs, seed, network, rows):
    net, x = positive_network(network, seed), np.abs(rows(seed))
    own = relevance_propagation(net, x, rule)
    assert np.abs(own).max() > 0.01
    np.testing.assert_allclose(own, captum_relevance(net, x, theirs), rtol=1e-6, atol=1e-8)


def test_differs_from_captum_for_inputs_below_zero(network, rows):
    # captum clips weights, so that a negative input through a positive weight counts as raising.
    net, x = positive_network(network, 0), rows(0)
    own = relevance_propagation(net, x, AlphaBeta(1, 0))
    assert np.abs(own - captum_relevance(net, x, Alpha1_Beta0_Rule)).max() > 0.01
    assert (own >= 0).all()


@pytest.mark.parametrize("rule", [rule for rule, _ in CASES], ids=IDS)
def test_a_stack_equals_its_windows_one_by_one(rule, network, rows):
    nets, x = [network(seed) for seed in range(4)], rows(5)
    stack = store.restack(nets, torch.float64)
    together = torch.stack([scaled(net, x) for net in nets])
    score, relevance = propagate(stack, together, rule)
    for window, net in enumerate(nets):
        np.testing.assert_allclose(
            relevance[window].numpy(), relevance_propagation(net, x, rule), rtol=1e-9, atol=1e-12
        )
        expected = as_module(net)(scaled(net, x))[:, 0]
        np.testing.assert_allclose(score[window].numpy(), expected.numpy(), atol=1e-12)
