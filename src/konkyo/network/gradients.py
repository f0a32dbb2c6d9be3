"""The gradient of a stack's squared errors, written out, with dropout.

A step of a small stack is mostly the cost of calls, and torch's own backward pass makes many more.
The operations are those that it would make, in its order, so that the result is the same bit for
bit.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from konkyo.network.stack import ACTIVATIONS, OUTPUTS, StackedMLP


@torch.no_grad()
def gradients(
    network: StackedMLP,
    x: Tensor,
    y: Tensor,
    weight: Tensor,
    count: Tensor,
    masks: Sequence[Tensor] | None,
) -> Tensor:
    """Set the gradient of every parameter, each window's of its own mean squared error.

    Parameters
    ----------
    network : StackedMLP
        The stack; its `grad` are replaced.
    x : Tensor
        Scaled features, [windows, rows, inputs].
    y, weight : Tensor
        Labels, and 1 for a row and 0 for padding, [windows, rows].
    count : Tensor
        [windows], what the sum of squares is divided by.
    masks : sequence of Tensor or None
        Dropout factors of each hidden layer, [rows, units], shared by the windows, or
        [groups, 1, rows, units], shared by the windows of each of as many equal parts of the
        stack; None for no dropout.

    Returns
    -------
    Tensor
        [windows], the sums of squared errors.
    """
    *hidden, (last, last_bias) = network.layers()
    chosen: Sequence[Tensor | None] = masks if masks is not None else [None] * len(hidden)
    below, squashed = [x], []
    for (own, bias), mask in zip(hidden, chosen, strict=True):
        kept, a = _forward(network.activation, below[-1], own, bias, mask)
        squashed.append(kept)
        below.append(a)
    scores = OUTPUTS[network.output]((below[-1] * last.mT).sum(2) + last_bias.squeeze(2))
    difference = scores - y
    sums = (difference.square() * weight).sum(1)

    of_score = (1 / count)[:, None] * weight * (2 * difference)
    if network.output == "sigmoid":
        of_score = torch.ops.aten.sigmoid_backward(of_score, scores)
    last_bias.grad = of_score.sum(1, keepdim=True).unsqueeze(2)
    wide = of_score.unsqueeze(2)
    last.grad = (wide * below.pop()).sum(1, keepdim=True).mT.reshape(last.shape)
    of_a = wide * last.mT
    for (own, bias), mask in zip(reversed(hidden), reversed(chosen), strict=True):
        of_z = _backward(network.activation, of_a, squashed.pop(), mask)
        a = below.pop()
        own.grad, bias.grad = torch.bmm(a.mT, of_z), of_z.sum(1, keepdim=True)
        if below:
            of_a = torch.bmm(of_z, own.mT)
    return sums


def _forward(
    activation: str, a: Tensor, weight: Tensor, bias: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return what the backward pass needs of a hidden layer, and its masked activations.

    Of tanh that is sigmoid(2z), as in `StackedMLP`: the factors of 2 go into the mask.
    """
    if activation == "tanh":
        half = torch.baddbmm(bias, a, weight, beta=2, alpha=2).sigmoid_()
        if mask is None:
            return half, half.mul(2).sub_(1)
        return half, torch.addcmul(-mask, _by_group(half, mask), 2 * mask).view_as(half)
    squashed = ACTIVATIONS[activation](torch.baddbmm(bias, a, weight))
    if mask is None:
        return squashed, squashed
    return squashed, (_by_group(squashed, mask) * mask).view_as(squashed)


def _backward(activation: str, given: Tensor, squashed: Tensor, mask: Tensor | None) -> Tensor:
    """Return the gradient of a hidden layer's pre-activations from that of its output."""
    if activation == "tanh":
        scaled = given * 4 if mask is None else _by_group(given, mask) * (4 * mask)
        return torch.ops.aten.sigmoid_backward(scaled.view_as(squashed), squashed)
    scaled = given if mask is None else (_by_group(given, mask) * mask).view_as(squashed)
    if activation == "relu":
        return torch.ops.aten.threshold_backward(scaled, squashed, 0)
    return torch.ops.aten.sigmoid_backward(scaled, squashed)


def _by_group(a: Tensor, mask: Tensor) -> Tensor:
    """See units [windows, rows, units] as [groups, windows, rows, units] where masks differ."""
    return a if mask.dim() == 2 else a.reshape(len(mask), -1, *a.shape[1:])
