import numpy as np
import pytest
import torch

from konkyo.models.backward import Gradients
from konkyo.models.mlp import ACTIVATIONS, StackedMLP, dropout_masks

WINDOWS, ROWS, INPUTS, HIDDEN = 4, 7, 5, [6, 3]


def task(activation: str, output: str) -> tuple[StackedMLP, torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    network = StackedMLP(WINDOWS, INPUTS, HIDDEN, activation, output).double()
    network.initialise([torch.Generator().manual_seed(i) for i in range(WINDOWS)])
    x = torch.randn(WINDOWS, ROWS, INPUTS, dtype=torch.float64)
    return network, x, torch.rand(WINDOWS, ROWS, dtype=torch.float64)


def masks_of(*runs: tuple[int, float]) -> list[tuple[slice, list[torch.Tensor]]]:
    """Return masks of runs of windows, each with its number of windows and its rate."""
    masks, start = [], 0
    for windows, rate in runs:
        generator = np.random.default_rng(start)
        drawn = dropout_masks(HIDDEN, ROWS, rate=rate, generator=generator)
        masks.append((slice(start, start + windows), [mask.double() for mask in drawn]))
        start += windows
    return masks


NO_DROPOUT, EQUAL, UNLIKE = [], [(WINDOWS, 0.4)], [(1, 0.1), (3, 0.6)]
"""Runs of windows with their dropout rates."""


@pytest.mark.parametrize("output", ["linear", "sigmoid"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("runs", [NO_DROPOUT, EQUAL, UNLIKE])
def test_gradients_equal_those_of_autograd(activation, output, runs):
    network, x, y = task(activation, output)
    weight = torch.ones(WINDOWS, ROWS, dtype=torch.float64)
    weight[1, 4:] = 0
    count = weight.sum(1)
    masks = masks_of(*runs)
    sums = Gradients(network, x)(x, y, weight=weight, count=count, masks=masks)
    for window in range(WINDOWS):
        parameters = [p[window].detach().clone().requires_grad_() for p in network.parameters()]
        weights, biases = parameters[: len(HIDDEN) + 1], parameters[len(HIDDEN) + 1 :]
        a = x[window]
        for layer, (own, bias) in enumerate(zip(weights[:-1], biases[:-1], strict=True)):
            a = ACTIVATIONS[activation](a @ own + bias)
            for windows, factors in masks:
                if windows.start <= window < windows.stop:
                    a = a * factors[layer]
        score = (a @ weights[-1] + biases[-1]).squeeze(1)
        score = torch.sigmoid(score) if output == "sigmoid" else score
        squares = (score - y[window]).square() * weight[window]
        torch.testing.assert_close(sums[window], squares.sum())
        expected = torch.autograd.grad(squares.sum() / count[window], parameters)
        for parameter, theirs in zip(network.parameters(), expected, strict=True):
            torch.testing.assert_close(parameter.grad[window], theirs)


def test_a_window_without_rows_stands_still():
    network, x, y = task("tanh", "linear")
    weight = torch.zeros(WINDOWS, ROWS, dtype=torch.float64)
    count = weight.sum(1).clamp(min=1)
    Gradients(network, x)(x, y, weight=weight, count=count, masks=masks_of(*EQUAL))
    assert all((p.grad == 0).all() for p in network.parameters())


@pytest.mark.parametrize("runs", [NO_DROPOUT, EQUAL])
def test_nothing_stays_from_the_step_before(runs):
    network, x, y = task("tanh", "linear")
    weight = torch.ones(WINDOWS, ROWS, dtype=torch.float64)
    step = {"weight": weight, "count": weight.sum(1), "masks": masks_of(*runs)}
    used = Gradients(network, x)
    used(x * 3, y - 1, **(step | {"masks": masks_of((WINDOWS, 0.7))}))
    again = used(x, y, **step)
    gradients = [p.grad.clone() for p in network.parameters()]
    fresh = Gradients(network, x)(x, y, **step)
    assert torch.equal(again, fresh)
    for gradient, parameter in zip(gradients, network.parameters(), strict=True):
        assert torch.equal(gradient, parameter.grad)
