"""Many small networks of one shape as one module: parameters are [windows, in, out]."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
}
OUTPUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda z: z,
    "sigmoid": torch.sigmoid,
}


class _TanhLayer(torch.autograd.Function):
    """tanh(a W + b) times a mask, in as few passes over memory as there can be.

    tanh(z) is 2 sigmoid(2z) - 1, which the CPU computes three times faster than torch.tanh (the two
    agree within 2e-7); the factors of 2 go into the product and into the mask. Beside torch's own
    layers this saves about a tenth of a training step.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, weight: Tensor, bias: Tensor, mask: Tensor | None) -> Tensor:
        half = torch.baddbmm(bias, a, weight, beta=2, alpha=2).sigmoid_()
        ctx.save_for_backward(a, weight, half, mask)
        if mask is None:
            return half.mul(2).sub_(1)
        return torch.addcmul(-mask, _by_group(half, mask), 2 * mask).view_as(half)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        a, weight, half, mask = ctx.saved_tensors
        given = gradients[0]
        scaled = given * 4 if mask is None else _by_group(given, mask) * (4 * mask)
        of_z = torch.ops.aten.sigmoid_backward(scaled.view_as(half), half)
        of_a = torch.bmm(of_z, weight.mT) if ctx.needs_input_grad[0] else None
        return of_a, torch.bmm(a.mT, of_z), of_z.sum(1, keepdim=True), None


def _by_group(a: Tensor, mask: Tensor) -> Tensor:
    """See units [windows, rows, units] as [groups, windows, rows, units] where masks differ."""
    return a if mask.dim() == 2 else a.reshape(len(mask), -1, *a.shape[1:])


def _layer(activation: str, a: Tensor, weight: Tensor, bias: Tensor, mask: Tensor | None) -> Tensor:
    if activation == "tanh":
        return _TanhLayer.apply(a, weight, bias, mask)
    squashed = ACTIVATIONS[activation](torch.baddbmm(bias, a, weight))
    return squashed if mask is None else (_by_group(squashed, mask) * mask).view_as(squashed)


class StackedMLP(nn.Module):
    """Independent multilayer perceptrons that move together, one batched product a layer.

    Every network scales its inputs by a fixed mean and deviation, passes them through the hidden
    layers and ends in one unit: the paper's figure 15 once a window. Nothing is shared
    between windows, so a window's result does not depend on what else is in the stack.

    Parameters
    ----------
    windows : int
        Networks in the stack.
    inputs : int
        Features of a row.
    layers : sequence of int
        Units of each hidden layer.
    activation : str
        "tanh", "relu" or "sigmoid", of every hidden layer.
    output : str
        "linear", or "sigmoid" for a target that lies in [0, 1].
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        windows: int,
        inputs: int,
        layers: Sequence[int],
        activation: str,
        output: str = "linear",
    ) -> None:
        super().__init__()
        sizes = [inputs, *layers, 1]
        self.activation = activation
        self.output = output
        self.weights = nn.ParameterList(torch.zeros(windows, a, b) for a, b in pairwise(sizes))
        self.biases = nn.ParameterList(torch.zeros(windows, 1, b) for b in sizes[1:])
        self.register_buffer("mean", torch.zeros(windows, 1, inputs))
        self.register_buffer("deviation", torch.ones(windows, 1, inputs))

    @property
    def windows(self) -> int:
        """Networks in the stack."""
        return self.mean.shape[0]

    @property
    def hidden(self) -> list[int]:
        """Units of each hidden layer."""
        return [weight.shape[2] for weight in self.weights][:-1]

    def layers(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield each layer's weight [windows, in, out] and bias [windows, 1, out]."""
        yield from zip(self.weights, self.biases, strict=True)

    def scale_(self, x: Tensor) -> Tensor:
        """Scale rows [windows, rows, inputs] in place by each window's own mean and deviation.

        Only the columns from the first to the last that some window scales are touched: the
        market series stand side by side in the panel, and the other columns are most of it.
        """
        moved = ((self.mean != 0) | (self.deviation != 1)).any(0).flatten().nonzero().flatten()
        if len(moved):
            span = slice(int(moved[0]), int(moved[-1]) + 1)
            x[..., span].sub_(self.mean[..., span]).div_(self.deviation[..., span])
        return x

    def forward(self, x: Tensor, masks: Sequence[Tensor] | None = None) -> Tensor:
        """Score rows.

        Parameters
        ----------
        x : Tensor
            Scaled features, [windows, rows, inputs].
        masks : sequence of Tensor, optional
            Dropout factors of each hidden layer, [rows, units], shared by the windows, or
            [groups, 1, rows, units], shared by the windows of each of as many equal parts of the
            stack; none when predicting.

        Returns
        -------
        Tensor
            Scores, [windows, rows].
        """
        *hidden, (weight, bias) = self.layers()
        a = x
        for position, (hidden_weight, hidden_bias) in enumerate(hidden):
            mask = None if masks is None else masks[position]
            a = _layer(self.activation, a, hidden_weight, hidden_bias, mask)
        # A batched product with one column runs at a thirtieth of the speed of this sum.
        return OUTPUTS[self.output]((a * weight.mT).sum(2) + bias.squeeze(2))

    @torch.no_grad()
    def initialise(self, generators: Sequence[torch.Generator]) -> None:
        """Draw each window's weights and biases from its own generator, U(-1, 1) / sqrt(in).

        This is `torch.nn.Linear`'s default, so that one window equals a plain network.
        """
        for window, generator in enumerate(generators):
            for weight, bias in self.layers():
                bound = weight.shape[1] ** -0.5
                weight[window].uniform_(-bound, bound, generator=generator)
                bias[window].uniform_(-bound, bound, generator=generator)


def dropout_masks(
    hidden: Sequence[int],
    rows: int,
    rates: Sequence[float],
    generators: Sequence[np.random.Generator],
) -> list[Tensor] | None:
    """Draw one step's dropout factors, 0 or 1 / (1 - rate).

    Parameters
    ----------
    hidden : sequence of int
        Units of each hidden layer.
    rows : int
        Rows of a batch.
    rates : sequence of float
        Share of units left out, by group of windows.
    generators : sequence of numpy.random.Generator
        Of each group. Seeded by (seed, step), not by window: each network still sees independent
        masks from step to step, and drawing them once for many saves about half of all time.

    Returns
    -------
    list of Tensor or None
        Of each layer, [rows, units] for one group, [groups, 1, rows, units] for several; a group's
        factors do not depend on the others. None where every rate is 0.
    """
    if not any(rates):
        return None
    factors = torch.empty(len(rates), 1, rows, sum(hidden))
    for group, (rate, generator) in enumerate(zip(rates, generators, strict=True)):
        # numpy draws four times faster than torch's bernoulli_.
        kept = generator.random((rows, sum(hidden)), dtype=np.float32) >= rate
        factors[group, 0] = torch.from_numpy(kept).float().div_(1 - rate)
    if len(rates) == 1:
        factors = factors[0, 0]
    return [part.contiguous() for part in factors.split(list(hidden), dim=-1)]
