"""Differences from the centre, handed back through a stack: DeepLIFT's rescale rule."""

import torch
from torch import Tensor

from konkyo.models.mlp import ACTIVATIONS, StackedMLP

_NEAR = 1e-6
"""Two pre-activations nearer than this have no secant worth dividing by; the slope stands in."""


def rescale(network: StackedMLP, x: Tensor) -> tuple[Tensor, Tensor]:
    """Score rows and hand each score's difference from the centre's back to the inputs.

    A unit's multiplier is the secant of its activation between the centre and the row, so that no
    bias takes a share (Shrikumar, Greenside and Kundaje 2017, the rule rescale). The same numbers
    as `methods.deep_lift`, for all windows in one pass.

    Parameters
    ----------
    network : StackedMLP
        Trained networks.
    x : Tensor
        Scaled features, [windows, rows, inputs]; the centre is 0.

    Returns
    -------
    score : Tensor
        [windows, rows], before any sigmoid at the output.
    relevance : Tensor
        [windows, rows, inputs] in units of the score; its sum over the inputs is the score less the
        score at the centre.
    """
    squash = ACTIVATIONS[network.activation]
    a, centre = x, torch.zeros_like(x[:, :1])
    passed = []
    with torch.no_grad():
        for weight, bias in network.layers():
            z, z0 = torch.baddbmm(bias, a, weight), torch.baddbmm(bias, centre, weight)
            passed.append((weight, _secant(network.activation, z, z0)))
            a, centre = squash(z), squash(z0)
        # The score is the last layer's pre-activation: no secant there.
        multiplier = torch.ones_like(z) @ passed.pop()[0].mT
        for weight, secant in reversed(passed):
            multiplier = (multiplier * secant) @ weight.mT
        return z.squeeze(2), x * multiplier


def _secant(activation: str, z: Tensor, z0: Tensor) -> Tensor:
    """Return the slope of the activation between two pre-activations."""
    squash = ACTIVATIONS[activation]
    middle = ((z + z0) / 2).requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(squash(middle).sum(), middle)
    near = (z - z0).abs() < _NEAR
    return torch.where(near, slope, (squash(z) - squash(z0)) / torch.where(near, 1.0, z - z0))
