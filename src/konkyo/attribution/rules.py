"""Rules of layer-wise relevance propagation: how a unit's relevance is shared among its inputs.

With z_ij = a_i w_ij, its parts z_ij+ = max(z_ij, 0) and z_ij- = min(z_ij, 0), and
z_j = sum_i z_ij + b_j, every rule here has the form

    R_i = sum_j (whole_j z_ij + up_j z_ij+ + down_j z_ij-),

so that a rule is the few lines which give `whole`, `up` and `down` from a unit's relevance. The
parts are those of the contributions, not of the weights: for inputs of either sign (ranks,
tanh units) a negative input through a negative weight pushes its unit up.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layer:
    """What a layer saw and gave on the way up.

    Attributes
    ----------
    weight, bias : Tensor
        [windows, in, out] and [windows, 1, out].
    a, z : Tensor
        Its inputs [windows, rows, in] and pre-activations [windows, rows, out], bias included.
    """

    weight: Tensor
    bias: Tensor
    a: Tensor
    z: Tensor

    @cached_property
    def signed_inputs(self) -> Tensor:
        """The inputs' positive and negative parts side by side, [windows, rows, 2 in]."""
        return torch.cat([self.a.clamp(min=0), self.a.clamp(max=0)], dim=2)

    @cached_property
    def positive_weights(self) -> Tensor:
        """Weights of contributions above 0 from `signed_inputs`, [windows, 2 in, out]."""
        return torch.cat([self.weight.clamp(min=0), self.weight.clamp(max=0)], dim=1)

    @cached_property
    def negative_weights(self) -> Tensor:
        """Weights of contributions below 0 from `signed_inputs`, [windows, 2 in, out]."""
        return torch.cat([self.weight.clamp(max=0), self.weight.clamp(min=0)], dim=1)

    @cached_property
    def up(self) -> Tensor:
        """Sum of z_ij+ over the inputs, without the bias, [windows, rows, out]."""
        return torch.bmm(self.signed_inputs, self.positive_weights)

    @cached_property
    def down(self) -> Tensor:
        """Sum of z_ij- over the inputs, without the bias, [windows, rows, out]."""
        return torch.bmm(self.signed_inputs, self.negative_weights)


class Shares(NamedTuple):
    """Relevance a unit of contribution, [windows, rows, out] each; None stands for 0."""

    total: Tensor | None = None
    positive: Tensor | None = None
    negative: Tensor | None = None


class Rule(Protocol):
    """A way to share a unit's relevance."""

    def shares(self, layer: Layer, relevance: Tensor) -> Shares:
        """Return the shares of the units' relevance [windows, rows, out]."""


@dataclass(frozen=True)
class Epsilon:
    """Share in proportion to contributions (equations 10 and 11 of the paper).

        R_i = sum_j z_ij / (z_j + epsilon sign(z_j)) R_j

    Parameters
    ----------
    epsilon : float
        Absorbs relevance where z_j is small, in units of z. sign(0) is 1.
    """

    epsilon: float

    def shares(self, layer: Layer, relevance: Tensor) -> Shares:
        """Divide by the stabilised pre-activation."""
        return Shares(total=relevance / _away_from_zero(layer.z, self.epsilon))


@dataclass(frozen=True)
class Gamma:
    """Favour contributions of the unit's own sign.

        R_i = sum_j (z_ij + gamma z_ij*) / (sum_i (z_ij + gamma z_ij*) + b_j + gamma b_j*) R_j,

    where * takes the positive part if z_j >= 0 and the negative part otherwise: the form for
    activations of either sign (Andeol and others, arXiv 2106.04923). The divisor is never nearer
    to 0 than z_j. With inputs and pre-activations above 0 it is Montavon's rule, which adds gamma
    times the positive weights; gamma = 0 is the rule epsilon.

    Parameters
    ----------
    gamma : float
        Added weight of contributions of the unit's sign.
    epsilon : float
        As in `Epsilon`.
    """

    gamma: float = 0.25
    epsilon: float = 1e-9

    def shares(self, layer: Layer, relevance: Tensor) -> Shares:
        """Divide by the pre-activation with its own side strengthened."""
        positive = layer.z >= 0
        own = torch.where(
            positive,
            layer.up + layer.bias.clamp(min=0),
            layer.down + layer.bias.clamp(max=0),
        )
        whole = relevance / _away_from_zero(layer.z + self.gamma * own, self.epsilon)
        more = self.gamma * whole
        return Shares(whole, positive=more * positive, negative=more * ~positive)


@dataclass(frozen=True)
class AlphaBeta:
    """Share alpha of the relevance among contributions above 0 and take beta from those below.

        R_i = sum_j (alpha z_ij+ / (sum_i z_ij+ + b_j+) - beta z_ij- / (sum_i z_ij- + b_j-)) R_j

    Bach and others, PLoS ONE 2015, equation 60. A unit's relevance goes to what raises it even
    where the unit is below 0; a unit with nothing below 0 has no beta part.

    Parameters
    ----------
    alpha, beta : float
        alpha - beta must be 1, so that relevance is kept.
    bias : bool
        Whether the bias takes its share.
    epsilon : float
        Moves each of the two divisors away from 0.
    """

    alpha: float
    beta: float
    bias: bool = True
    epsilon: float = 1e-9

    def __post_init__(self) -> None:
        if self.beta < 0 or abs(self.alpha - self.beta - 1) > 1e-9:
            raise ValueError(
                f"alpha = {self.alpha}, beta = {self.beta}: beta must be 0 or more and alpha = "
                "beta + 1, or relevance is not kept"
            )

    def shares(self, layer: Layer, relevance: Tensor) -> Shares:
        """Divide the two sides by their own sums."""
        up = self.alpha * relevance / (self._above(layer) + self.epsilon)
        if self.beta == 0:
            return Shares(positive=up)
        below = layer.down + layer.bias.clamp(max=0) if self.bias else layer.down
        return Shares(positive=up, negative=-self.beta * relevance / (below - self.epsilon))

    def _above(self, layer: Layer) -> Tensor:
        return layer.up + layer.bias.clamp(min=0) if self.bias else layer.up


# Montavon's z+ rule: among contributions above 0 and without the bias, so that nothing is absorbed
# as long as a unit has such contributions.
Z_PLUS = AlphaBeta(1, 0, bias=False)


def propagate_layer(layer: Layer, shares: Shares) -> Tensor:
    """Return the relevance of a layer's inputs, [windows, rows, in], from its units' shares."""
    parts = []
    if shares.total is not None:
        parts.append(layer.a * torch.bmm(shares.total, layer.weight.mT))
    for share, weight in (
        (shares.positive, "positive_weights"),
        (shares.negative, "negative_weights"),
    ):
        if share is not None:
            both = layer.signed_inputs * torch.bmm(share, getattr(layer, weight).mT)
            parts.extend(both.chunk(2, dim=2))
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _away_from_zero(z: Tensor, epsilon: float) -> Tensor:
    # copysign takes half the time of torch.where, which besides makes float32 of two plain
    # numbers whatever z is. It takes -0 for negative: that needs every contribution to be 0.
    return z + torch.copysign(z.new_tensor(epsilon), z)
