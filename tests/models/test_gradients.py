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


def masks_of(rates: list[float]) -> list[torch.Tensor] | None:
    generators = [np.random.default_rng(place) for place in range(len(rates))]
    drawn = dropout_masks(HIDDEN, ROWS, rates, generators)
    return None if drawn is None else [mask.double() for mask in drawn]


@pytest.mark.parametrize("output", ["linear", "sigmoid"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("rates", [[0.0], [0.4], [0.1, 0.6]])
def test_against_torchs_own_backward_pass_window_by_window(activation, output, rates):
    network, x, y = task(activation, output)
    weight = torch.ones(WINDOWS, ROWS, dtype=torch.float64)
    weight[1, 4:] = 0
    count = weight.sum(1)
    masks = masks_of(rates)
    sums = Gradients(network, ROWS, len(rates))(x, y, weight, count, masks)
    for window in range(WINDOWS):
        parameters = [p[window].detach().clone().requires_grad_() for p in network.parameters()]
        weights, biases = parameters[: len(HIDDEN) + 1], parameters[len(HIDDEN) + 1 :]
        a = x[window]
        for layer, (own, bias) in enumerate(zip(weights[:-1], biases[:-1], strict=True)):
            a = ACTIVATIONS[activation](a @ own + bias)
            if masks is not None:
                group = window * len(rates) // WINDOWS
                a = a * (masks[layer] if len(rates) == 1 else masks[layer][group, 0])
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
    Gradients(network, ROWS)(x, y, weight, weight.sum(1).clamp(min=1), masks_of([0.4]))
    assert all((p.grad == 0).all() for p in network.parameters())


@pytest.mark.parametrize("rates", [[0.0], [0.4]])
def test_nothing_stays_from_the_step_before(rates):
    network, x, y = task("tanh", "linear")
    weight = torch.ones(WINDOWS, ROWS, dtype=torch.float64)
    used = Gradients(network, ROWS)
    used(x * 3, y - 1, weight, weight.sum(1), masks_of([0.7]))
    again = used(x, y, weight, weight.sum(1), masks_of(rates))
    found = [p.grad.clone() for p in network.parameters()]
    fresh = Gradients(network, ROWS)(x, y, weight, weight.sum(1), masks_of(rates))
    assert torch.equal(again, fresh)
    for own, parameter in zip(found, network.parameters(), strict=True):
        assert torch.equal(own, parameter.grad)
