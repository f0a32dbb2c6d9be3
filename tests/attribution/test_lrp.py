"""The rule epsilon through a stack: captum, gradient times input, and what adds up."""

import numpy as np
import pytest
import torch
from captum.attr import LRP, InputXGradient
from captum.attr._utils.lrp_rules import EpsilonRule
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from konkyo.attribution.lrp import propagate
from konkyo.attribution.methods import as_module, scaled
from konkyo.attribution.rules import Epsilon
from konkyo.models import store

EPSILON = 1e-3


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-11)], ids=["32", "64"]
)
def test_equals_captum_in_every_window(activation, dtype, tolerance, network, rows):
    sizes = (20, 16, 16, 8, 1)
    nets = [network(seed, sizes, activation) for seed in range(4)]
    x = torch.stack([scaled(net, rows(7, 40, 20)) for net in nets]).to(dtype)
    score, relevance = propagate(store.restack(nets, dtype), x, Epsilon(EPSILON))
    for window, net in enumerate(nets):
        module = as_module(net, dtype).requires_grad_(True)
        for layer in module:
            if isinstance(layer, nn.Linear):
                layer.rule = EpsilonRule(EPSILON)
        theirs = LRP(module).attribute(x[window].clone().requires_grad_()).detach()
        # Where z is within epsilon of 0, rounding of z grows by 1 / epsilon: rows are not equally
        # exact, so the window's relevances are compared as one vector.
        assert (relevance[window] - theirs).norm() < tolerance * theirs.norm()
        torch.testing.assert_close(
            score[window], as_module(net, dtype)(x[window])[:, 0], rtol=0, atol=tolerance
        )


def test_is_gradient_times_input_on_relu_without_bias(network, rows):
    net = network(3, activation="relu", bias=0.0)
    x = scaled(net, rows(3, 30))
    _, relevance = propagate(store.restack([net], torch.float64), x[None], Epsilon(1e-15))
    expected = InputXGradient(as_module(net)).attribute(x.requires_grad_()).detach()
    torch.testing.assert_close(relevance[0], expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    epsilon=st.floats(1e-6, 1.0),
    activation=st.sampled_from(["tanh", "relu"]),
)
def test_biases_and_epsilon_absorb_the_rest(seed, epsilon, activation, network, rows):
    net = network(seed, activation=activation)
    x = scaled(net, rows(seed))
    score, relevance = propagate(store.restack([net], torch.float64), x[None], Epsilon(epsilon))

    # Layer by layer: a unit keeps the bias's and epsilon's part of its divisor. The relevance of
    # each layer comes from its own product here, not from propagate.
    squash = np.tanh if activation == "tanh" else lambda z: np.maximum(z, 0)
    a, passed = x.numpy(), []
    for weight, bias in zip(net.weights, net.biases, strict=True):
        z = a @ weight.astype(float) + bias
        passed.append((a, weight.astype(float), bias, z))
        a = squash(z)
    arriving, absorbed, size = z, 0.0, 0.0
    for a, weight, bias, z in reversed(passed):
        stabiliser = np.where(z < 0, -epsilon, epsilon)
        absorbed = absorbed + (arriving * (bias + stabiliser) / (z + stabiliser)).sum(1)
        size = size + np.abs(arriving).sum(1)
        arriving = np.einsum("ri,ij,rj->ri", a, weight, arriving / (z + stabiliser))
    size = size + np.abs(arriving).sum(1)
    gap = (score[0] - relevance[0].sum(1)).numpy() - absorbed
    assert (np.abs(gap) < 1e-9 * (1 + size)).all()


def test_a_unit_at_zero_divides_by_plus_epsilon(linear):
    net = linear([1.0, 1.0])
    x = torch.tensor([[[0.5, -0.5]]], dtype=torch.float64)
    score, relevance = propagate(store.restack([net], torch.float64), x, Epsilon(EPSILON))
    assert score.item() == 0
    assert relevance.abs().max() == 0


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_order_of_features_and_rows_does_not_matter(seed, network, rows):
    net, x = network(seed, scaled=False), rows(seed)
    rng = np.random.default_rng(seed)
    columns, order = rng.permutation(6), rng.permutation(len(x))
    moved = network(seed, scaled=False)
    moved.weights[0][:] = net.weights[0][columns]
    rule = Epsilon(EPSILON)
    _, one = propagate(store.restack([net], torch.float64), scaled(net, x)[None], rule)
    mixed = scaled(net, x[order][:, columns])[None]
    _, other = propagate(store.restack([moved], torch.float64), mixed, rule)
    np.testing.assert_allclose(one[0].numpy()[order][:, columns], other[0], rtol=1e-7, atol=1e-9)
