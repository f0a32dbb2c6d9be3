"""Rules of layer-wise relevance propagation: how a unit's relevance is distributed over its inputs.

With z_ij = a_i w_ij, its parts z_ij+ = max(z_ij, 0) and z_ij- = min(z_ij, 0), and
z_j = sum_i z_ij + b_j, every rule here has the form

    R_i = sum_j (total_j z_ij + positive_j z_ij+ + negative_j z_ij-),

so that a rule is the few lines which compute `Shares(total, positive, negative)` from a unit's
relevance. The parts are those of the contributions, not of the weights: for inputs of either sign
(ranks, tanh units) a negative input through a negative weight raises its unit.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Layer:
    """A layer's parameters, inputs and pre-activations in the forward pass.

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
        """Weights that make z_ij+ of `signed_inputs`, [windows, 2 in, out]."""
        return torch.cat([self.weight.clamp(min=0), self.weight.clamp(max=0)], dim=1)

    @cached_property
    def negative_weights(self) -> Tensor:
        """Weights that make z_ij- of `signed_inputs`, [windows, 2 in, out]."""
        return torch.cat([self.weight.clamp(max=0), self.weight.clamp(min=0)], dim=1)

    @cached_property
    def positive_sum(self) -> Tensor:
        """Sum of z_ij+ over the inputs, without the bias, [windows, rows, out]."""
        return torch.bmm(self.signed_inputs, self.positive_weights)

    @cached_property
    def negative_sum(self) -> Tensor:
        """Sum of z_ij- over the inputs, without the bias, [windows, rows, out]."""
        return torch.bmm(self.signed_inputs, self.negative_weights)


class Shares(NamedTuple):
    """Relevance per unit of contribution, [windows, rows, out] each; None stands for 0."""

    total: Tensor | None = None
    positive: Tensor | None = None
    negative: Tensor | None = None


class Rule(Protocol):
    """A rule of LRP."""

    def shares(self, layer: Layer, relevance: Tensor) -> Shares:
        """Return the shares that distribute the units' relevance [windows, rows, out]."""


@dataclass(frozen=True)
class Epsilon:
    """Epsilon rule: in proportion to contributions (equations 10 and 11 of the paper).

        R_i = sum_j z_ij / (z_j + epsilon sign(z_j)) R_j

    Parameters
    ----------
    epsilon : float
        In units of z; absorbs relevance where z_j is small. sign(0) is 1.
    """

    epsilon: float

    def shares(self, layer: Layer, relevance: Tensor) -> Shares:
        """Divide by the stabilised pre-activation."""
        return Shares(total=relevance / _away_from_zero(layer.z, self.epsilon))


@dataclass(frozen=True)
class Gamma:
    """Gamma rule: contributions of the unit's sign weigh more.

        R_i = sum_j (z_ij + gamma z_ij*) / (sum_i (z_ij + gamma z_ij*) + b_j + gamma b_j*) R_j,

    where * takes the positive part if z_j >= 0 and the negative part otherwise: the form for
    activations of either sign (Andeol and others, arXiv 2106.04923). The divisor is never nearer
    to 0 than z_j. With inputs and pre-activations above 0 it is Montavon's rule, which adds gamma
    times the positive weights; gamma = 0 is the rule epsilon.

    Parameters
    ----------
    gamma : float
        Additional weight of contributions of the unit's sign.
    epsilon : float
        As in `Epsilon`.
    """

    gamma: float = 0.25
    epsilon: float = 1e-9

    def shares(self, layer: Layer, relevance: Tensor) -> Shares:
        """Divide by the pre-activation plus gamma times the sum of the parts of its sign."""
        positive = layer.z >= 0
        same_sign = torch.where(
            positive,
            layer.positive_sum + layer.bias.clamp(min=0),
            layer.negative_sum + layer.bias.clamp(max=0),
        )
        total = relevance / _away_from_zero(layer.z + self.gamma * same_sign, self.epsilon)
        extra = self.gamma * total
        return Shares(total, positive=extra * positive, negative=extra * ~positive)


@dataclass(frozen=True)
class AlphaBeta:
    """Alpha-beta rule: alpha of the relevance to contributions above 0, less beta to those below.

        R_i = sum_j (alpha z_ij+ / (sum_i z_ij+ + b_j+) - beta z_ij- / (sum_i z_ij- + b_j-)) R_j

    Bach and others, PLoS ONE 2015, equation 60. A unit's relevance goes to the inputs that raise it
    even where the unit is below 0; a unit without negative contributions has no beta part.

    Parameters
    ----------
    alpha, beta : float
        alpha - beta must be 1, so that relevance is conserved.
    bias : bool
        Whether the bias takes part in the sums, and so absorbs relevance.
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
                "beta + 1, or relevance is not conserved"
            )

    def shares(self, layer: Layer, relevance: Tensor) -> Shares:
        """Divide positive and negative contributions by their sums."""
        positive_sum = layer.positive_sum
        if self.bias:
            positive_sum = positive_sum + layer.bias.clamp(min=0)
        positive = self.alpha * relevance / (positive_sum + self.epsilon)
        if self.beta == 0:
            # Not Shares(negative=0): that would cost a matrix product, and read negative_sum.
            return Shares(positive=positive)
        negative_sum = layer.negative_sum
        if self.bias:
            negative_sum = negative_sum + layer.bias.clamp(max=0)
        negative = -self.beta * relevance / (negative_sum - self.epsilon)
        return Shares(positive=positive, negative=negative)


Z_PLUS = AlphaBeta(1, 0, bias=False)
"""The z+ rule (Montavon and others, 2017): contributions above 0, without the bias.

Nothing is absorbed in a unit that has such contributions.
"""


def propagate_layer(layer: Layer, shares: Shares) -> Tensor:
    """Return the relevance of a layer's inputs, [windows, rows, in], from its units' shares."""
    terms = []
    if shares.total is not None:
        terms.append(layer.a * torch.bmm(shares.total, layer.weight.mT))
    # Weights are read only where a share needs them: they are cached properties, and the epsilon
    # rule, which explains every stock of every month, needs neither.
    for share, weights in (
        (shares.positive, "positive_weights"),
        (shares.negative, "negative_weights"),
    ):
        if share is not None:
            halves = layer.signed_inputs * torch.bmm(share, getattr(layer, weights).mT)
            terms.extend(halves.chunk(2, dim=2))
    relevance = terms[0]
    for term in terms[1:]:
        relevance = relevance + term
    return relevance


def _away_from_zero(z: Tensor, epsilon: float) -> Tensor:
    # copysign takes half the time of torch.where, which also makes float32 of two Python numbers
    # whatever the dtype of z. It takes -0 for negative: then every contribution is 0.
    return z + torch.copysign(z.new_tensor(epsilon), z)
