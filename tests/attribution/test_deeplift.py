"""The stacked rescale rule against captum's DeepLIFT, one network at a time."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from konkyo.attribution import methods
from konkyo.attribution.deeplift import rescale
from konkyo.models import store


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_a_stack_equals_deep_lift_of_each_network(activation, network, rows):
    nets, x = [network(seed, activation=activation) for seed in range(3)], rows(1)
    x[4] = nets[0].mean  # a row at the centre, where a secant is nothing by nothing
    stack = store.restack(nets, torch.float64)
    raw = torch.from_numpy(x).double().expand(3, -1, -1)
    score, relevance = rescale(stack, stack.scale_(raw.clone()))
    for window, net in enumerate(nets):
        expected = methods.deep_lift(net, x)
        np.testing.assert_allclose(relevance[window].numpy(), expected, atol=1e-6)
        assert not relevance[window, 4].any()
        np.testing.assert_allclose(
            score[window].numpy(), methods.as_module(net)(methods.scaled(net, x))[:, 0], atol=1e-9
        )


def test_a_sigmoid_output_hands_back_log_odds(network, rows):
    net, x = replace(network(2, activation="sigmoid"), output="sigmoid"), rows(2)
    stack = store.restack([net], torch.float64)
    scaled = methods.scaled(net, x)[None]
    score, relevance = rescale(stack, scaled)
    at_centre, _ = rescale(stack, torch.zeros_like(scaled))
    chance = stack(scaled)
    np.testing.assert_allclose(score, torch.log(chance / (1 - chance)), atol=1e-9)
    np.testing.assert_allclose(relevance.sum(2), score - at_centre, atol=1e-9)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_beside_the_centre_the_slope_there_counts(activation, network, rows):
    stack = store.restack([network(3, activation=activation)], torch.float64)
    at_centre = torch.zeros_like(stack.scale_(torch.from_numpy(rows(3)[:1]).double()[None]))
    at_centre.requires_grad_()
    (slope,) = torch.autograd.grad(stack(at_centre).sum(), at_centre)
    x = torch.from_numpy(np.random.default_rng(3).normal(size=at_centre.shape)) * 1e-9
    _, relevance = rescale(stack, x)
    np.testing.assert_allclose(relevance, x * slope, rtol=1e-5)
    assert relevance.any()
