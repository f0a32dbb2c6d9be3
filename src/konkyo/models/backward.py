"""The gradient of a stack's squared errors, written out, with dropout, in buffers that stay.

A step of a small stack is mostly the cost of calls and of fetching and storing what they hand on;
torch's own backward pass makes many more calls, and takes its memory anew at every one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from konkyo.models.mlp import OUTPUTS, StackedMLP

_IN_PLACE = {"relu": torch.relu_, "sigmoid": torch.sigmoid_}
_threshold_backward = torch.ops.aten.threshold_backward.grad_input
_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input


class _Hidden(NamedTuple):
    """A hidden layer's tensors; those that a mask meets also by group of windows."""

    weight: Tensor
    bias: Tensor
    of_weight: Tensor
    of_bias: Tensor
    squashed: Tensor
    squashed_by_group: Tensor
    out: Tensor
    out_by_group: Tensor
    of_out: Tensor
    of_out_by_group: Tensor


class Gradients:
    """Sets the gradient of every parameter, each window's of its own mean squared error.

    Parameters
    ----------
    network : StackedMLP
        The stack, where it will train: its parameters may move in place only from now on. Their
        `grad` are made here and filled again by every call.
    rows : int
        Rows a window at every step.
    groups : int
        Equal parts of the windows, in order, that have masks of their own.
    """

    def __init__(self, network: StackedMLP, rows: int, groups: int = 1) -> None:
        self.activation, self.output = network.activation, network.output
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        windows = network.windows
        empty = network.mean.new_empty
        self._hidden = []
        *hidden, (last, last_bias) = network.layers()
        for weight, bias in hidden:
            assert weight.grad is not None and bias.grad is not None  # nosec B101 # for mypy
            units = weight.shape[2]
            buffers = [empty(windows, rows, units) for _ in range(3)]
            squashed, out, of_out = (
                (buffer, buffer.view(groups, -1, rows, units)) for buffer in buffers
            )
            own = (weight.detach(), bias.detach(), weight.grad, bias.grad)
            self._hidden.append(_Hidden(*own, *squashed, *out, *of_out))
        assert last.grad is not None and last_bias.grad is not None  # nosec B101 # for mypy
        # The last layer has one unit, so that its transpose is a view with the same order.
        self._last, self._last_bias = last.detach().mT, last_bias.detach()
        self._of_last = last.grad.view(windows, 1, -1)
        self._of_last_bias = last_bias.grad.view(windows)
        self._scores = empty(windows, 1, rows)
        self._of_scores = empty(windows, 1, rows)

    @torch.no_grad()
    def __call__(
        self,
        x: Tensor,
        y: Tensor,
        weight: Tensor,
        count: Tensor,
        masks: Sequence[Tensor] | None,
    ) -> Tensor:
        """Fill the gradients of a step.

        Parameters
        ----------
        x : Tensor
            Scaled features, [windows, rows, inputs].
        y, weight : Tensor
            Labels, and 1 for a row and 0 for padding, [windows, rows].
        count : Tensor
            [windows], what the sum of squares is divided by.
        masks : sequence of Tensor or None
            Dropout factors of each hidden layer, [rows, units], shared by the windows, or
            [groups, 1, rows, units], shared by the windows of each group; None for no dropout.

        Returns
        -------
        Tensor
            [windows], the sums of squared errors.
        """
        chosen: Sequence[Tensor | None] = masks if masks is not None else [None] * len(self._hidden)
        below = [x]
        for layer, mask in zip(self._hidden, chosen, strict=True):
            below.append(self._forward(layer, below[-1], mask))
        top = below.pop()
        # As a row of scores: a batched product with one column takes twice the time.
        scores = torch.baddbmm(self._last_bias, self._last, top.mT, out=self._scores).squeeze(1)
        scores = OUTPUTS[self.output](scores)
        difference = scores - y
        sums = (difference.square() * weight).sum(1)

        of_scores = self._of_scores
        torch.mul(difference, weight * (2 / count)[:, None], out=of_scores.squeeze(1))
        if self.output == "sigmoid":
            _sigmoid_backward(of_scores, scores.unsqueeze(1), grad_input=of_scores)
        torch.sum(of_scores, (1, 2), out=self._of_last_bias)
        torch.bmm(of_scores, top, out=self._of_last)
        torch.mul(of_scores.mT, self._last, out=self._hidden[-1].of_out)
        for place in reversed(range(len(self._hidden))):
            layer = self._hidden[place]
            of_z = self._backward(layer, chosen[place])
            torch.bmm(below[place].mT, of_z, out=layer.of_weight)
            torch.sum(of_z, 1, keepdim=True, out=layer.of_bias)
            if place:
                torch.bmm(of_z, layer.weight.mT, out=self._hidden[place - 1].of_out)
        return sums

    def _forward(self, layer: _Hidden, a: Tensor, mask: Tensor | None) -> Tensor:
        """Return a hidden layer's masked activations; what the backward pass needs stays.

        Of tanh that is sigmoid(2z), as in `StackedMLP`: the factors of 2 go into the mask.
        """
        if self.activation == "tanh":
            torch.baddbmm(layer.bias, a, layer.weight, beta=2, alpha=2, out=layer.squashed)
            half = layer.squashed.sigmoid_()
            if mask is None:
                return torch.mul(half, 2, out=layer.out).sub_(1)
            torch.addcmul(-mask, layer.squashed_by_group, mask, value=2, out=layer.out_by_group)
            return layer.out
        torch.baddbmm(layer.bias, a, layer.weight, out=layer.squashed)
        _IN_PLACE[self.activation](layer.squashed)
        if mask is None:
            return layer.squashed
        torch.mul(layer.squashed_by_group, mask, out=layer.out_by_group)
        return layer.out

    def _backward(self, layer: _Hidden, mask: Tensor | None) -> Tensor:
        """Turn the gradient of a layer's output into that of its pre-activations; return it."""
        of_z = layer.of_out
        if mask is not None:
            layer.of_out_by_group.mul_(4 * mask if self.activation == "tanh" else mask)
        elif self.activation == "tanh":
            of_z.mul_(4)
        if self.activation == "relu":
            return _threshold_backward(of_z, layer.squashed, 0, grad_input=of_z)
        return _sigmoid_backward(of_z, layer.squashed, grad_input=of_z)
