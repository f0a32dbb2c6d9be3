"""The gradient of a stack's squared errors, written out, with dropout, in preallocated buffers.

A step of a small stack mostly costs calls and memory traffic: torch's own backward pass makes many
more calls, and allocates its buffers anew at every step.

The hidden layers have the precision of the features: that of the parameters, or bfloat16 beside
parameters, gradients, last layer and errors in float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from konkyo.models.mlp import OUTPUTS, StackedMLP

_IN_PLACE = {"relu": torch.relu_, "sigmoid": torch.sigmoid_}
_threshold_backward = torch.ops.aten.threshold_backward.grad_input
_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input

Masks = Sequence[tuple[slice, Sequence[Tensor]]]
"""Windows, in slices that cover the stack, with their dropout factors: a layer's [rows, units]."""


@dataclass(frozen=True, eq=False)
class _Hidden:
    """A hidden layer: parameters and their gradients, and buffers [windows, rows, units]."""

    weight: Tensor
    bias: Tensor
    weight_grad: Tensor
    bias_grad: Tensor
    activation: Tensor
    """Before dropout; of tanh(z), sigmoid(2z)."""
    output: Tensor
    """After dropout."""
    output_grad: Tensor
    """Of the output, then in place of the pre-activation."""


class Gradients:
    """Sets the gradient of every parameter, each window's of its own mean squared error.

    Parameters
    ----------
    network : StackedMLP
        The stack, on the device where it trains: from now on its parameters may change in place
        only. Their `grad` are allocated here and filled by every call.
    x : Tensor
        Scaled features of any step: they have this shape and precision at every step.
    """

    def __init__(self, network: StackedMLP, x: Tensor) -> None:
        self._squash, self._output = network.activation, network.output
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        (windows, rows, width), empty = x.shape, network.mean.new_empty
        self._mixed = x.dtype != network.mean.dtype
        self._hidden: list[_Hidden] = []
        self._before: list[tuple[Tensor, Tensor]] = []
        """Of mixed precision: rounded parameters, and the parameters."""
        self._after: list[tuple[Tensor, Tensor]] = []
        """Of mixed precision: the parameters' gradients, and the rounded ones."""
        *hidden, (last, last_bias) = network.layers()
        for weight, bias in hidden:
            assert weight.grad is not None and bias.grad is not None  # nosec B101 # for mypy
            _, inputs, units = weight.shape
            tensors: tuple[Tensor, ...] = (weight.detach(), bias.detach(), weight.grad, bias.grad)
            if self._mixed:
                shapes = ((width, units), (1, units), (units, width), (1, units))
                rounded = [x.new_zeros(windows, *shape) for shape in shapes]
                self._before += [(rounded[0][:, :inputs], tensors[0]), (rounded[1], tensors[1])]
                self._after += [(tensors[2], rounded[2][..., :inputs].mT), (tensors[3], rounded[3])]
                tensors = tuple(rounded)
            buffers = [empty(windows, rows, units, dtype=x.dtype) for _ in range(3)]
            self._hidden.append(_Hidden(*tensors, *buffers))
            width = units
        assert last.grad is not None and last_bias.grad is not None  # nosec B101 # for mypy
        # The last layer has one unit, so that its transpose is a view with the same order.
        self._last, self._last_bias = last.detach().mT, last_bias.detach()
        self._last_grad = last.grad.view(windows, 1, -1)
        self._last_bias_grad = last_bias.grad.view(windows)
        self._scores = empty(windows, 1, rows)
        self._scores_grad = empty(windows, 1, rows)

    @torch.no_grad()
    def __call__(
        self, x: Tensor, y: Tensor, *, weight: Tensor, count: Tensor, masks: Masks = ()
    ) -> Tensor:
        """Fill the gradients of a step.

        Parameters
        ----------
        x : Tensor
            Scaled features, [windows, rows, inputs]; those of mixed precision may go on in zeros.
        y, weight : Tensor
            Labels, and 1 for a row and 0 for padding, [windows, rows].
        count : Tensor
            [windows], divisor of the sums of squares.
        masks : sequence of (slice, sequence of Tensor)
            Dropout factors of each hidden layer, [rows, units], shared by the windows of a slice;
            empty for no dropout.

        Returns
        -------
        Tensor
            [windows], the sums of squared errors.
        """
        by_layer = [
            [(windows, factors[position]) for windows, factors in masks]
            for position in range(len(self._hidden))
        ]
        for rounded, parameter in self._before:
            rounded.copy_(parameter)
        inputs = [x]
        for layer, of_layer in zip(self._hidden, by_layer, strict=True):
            inputs.append(self._forward(layer, inputs[-1], of_layer))
        top = inputs.pop().to(self._last.dtype)
        # As a row of scores: a batched product with one column takes twice the time.
        scores = torch.baddbmm(self._last_bias, self._last, top.mT, out=self._scores).squeeze(1)
        scores = OUTPUTS[self._output](scores)
        difference = scores - y
        sums = (difference.square() * weight).sum(1)

        scores_grad = self._scores_grad
        torch.mul(difference, weight * (2 / count)[:, None], out=scores_grad.squeeze(1))
        if self._output == "sigmoid":
            _sigmoid_backward(scores_grad, scores.unsqueeze(1), grad_input=scores_grad)
        torch.sum(scores_grad, (1, 2), out=self._last_bias_grad)
        torch.bmm(scores_grad, top, out=self._last_grad)
        torch.mul(scores_grad.mT, self._last, out=self._hidden[-1].output_grad)
        for position in reversed(range(len(self._hidden))):
            layer = self._hidden[position]
            z_grad = self._backward(layer, by_layer[position])
            # Of bfloat16's two products the one with the fewer transposed columns is the faster.
            left, right = (z_grad, inputs[position]) if self._mixed else (inputs[position], z_grad)
            torch.bmm(left.mT, right, out=layer.weight_grad)
            torch.sum(z_grad, 1, keepdim=True, out=layer.bias_grad)
            if position:
                torch.bmm(z_grad, layer.weight.mT, out=self._hidden[position - 1].output_grad)
        for gradient, rounded in self._after:
            gradient.copy_(rounded)
        return sums

    def _forward(self, layer: _Hidden, x: Tensor, masks: Sequence[tuple[slice, Tensor]]) -> Tensor:
        """Return a hidden layer's output; what the backward pass needs stays in its buffers.

        tanh(z) is computed as 2 sigmoid(2z) - 1, as in `StackedMLP`: the factors of 2 go into the
        mask, which saves a pass over the memory.
        """
        activation = layer.activation
        if self._squash == "tanh":
            torch.baddbmm(layer.bias, x, layer.weight, beta=2, alpha=2, out=activation)
            activation.sigmoid_()
            if not masks:
                return torch.mul(activation, 2, out=layer.output).sub_(1)
            for at, mask in masks:
                torch.addcmul(-mask, activation[at], mask, value=2, out=layer.output[at])
            return layer.output
        torch.baddbmm(layer.bias, x, layer.weight, out=activation)
        _IN_PLACE[self._squash](activation)
        if not masks:
            return activation
        for at, mask in masks:
            torch.mul(activation[at], mask, out=layer.output[at])
        return layer.output

    def _backward(self, layer: _Hidden, masks: Sequence[tuple[slice, Tensor]]) -> Tensor:
        """Turn the gradient of a layer's output into that of its pre-activations; return it."""
        z_grad = layer.output_grad
        for at, mask in masks:
            z_grad[at].mul_(4 * mask if self._squash == "tanh" else mask)
        if self._squash == "tanh" and not masks:
            z_grad.mul_(4)
        if self._squash == "relu":
            return _threshold_backward(z_grad, layer.activation, 0, grad_input=z_grad)
        return _sigmoid_backward(z_grad, layer.activation, grad_input=z_grad)
