"""DeepLIFT's rescale rule for a stack of networks, all windows in one pass.

Source: Shrikumar, Greenside and Kundaje, Learning Important Features Through Propagating Activation
Differences (2017). `methods.deep_lift` has the same numbers from captum, one network
at a time; the tests hold one against the other.
"""

import torch
from torch import Tensor

from konkyo.models.mlp import ACTIVATIONS, StackedMLP

_NEAR = 1e-6
"""Between pre-activations nearer than this the secant is rounding, and the slope is taken."""


def rescale(network: StackedMLP, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores, and their differences from the baseline's score by input.

    A unit's multiplier is the secant of its activation between baseline and row; it takes the place
    of the derivative in backpropagation. Differences cancel the biases, so nothing is absorbed.

    Parameters
    ----------
    network : StackedMLP
        Trained networks.
    x : Tensor
        Scaled features, [windows, rows, inputs]; the baseline is 0.

    Returns
    -------
    score : Tensor
        [windows, rows], before any sigmoid at the output.
    relevance : Tensor
        [windows, rows, inputs] in units of the score; its sum over the inputs is the score less the
        baseline's score.
    """
    activation = ACTIVATIONS[network.activation]
    a, a0 = x, torch.zeros_like(x[:, :1])
    layers = []
    with torch.no_grad():
        for weight, bias in network.layers():
            z, z0 = torch.baddbmm(bias, a, weight), torch.baddbmm(bias, a0, weight)
            layers.append((weight, _secant(network.activation, z, z0)))
            a, a0 = activation(z), activation(z0)
        # The score is the last layer's pre-activation: no secant there.
        multiplier = torch.ones_like(z) @ layers.pop()[0].mT
        for weight, secant in reversed(layers):
            multiplier = (multiplier * secant) @ weight.mT
        return z.squeeze(2), x * multiplier


def _secant(name: str, z: Tensor, z0: Tensor) -> Tensor:
    """Return the slope of an activation between two pre-activations."""
    activation = ACTIVATIONS[name]
    middle = ((z + z0) / 2).requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(activation(middle).sum(), middle)
    near = (z - z0).abs() < _NEAR
    return torch.where(
        near, slope, (activation(z) - activation(z0)) / torch.where(near, 1.0, z - z0)
    )
