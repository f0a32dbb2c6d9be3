"""Layer-wise relevance propagation (LRP) through a stack of networks, all windows in one pass.

Source: Bach and others, On Pixel-Wise Explanations for Non-Linear Classifier Decisions by
Layer-Wise Relevance Propagation, PLoS ONE (2015).
"""

import torch
from torch import Tensor

from konkyo.attribution.rules import Epsilon, Layer, Rule, propagate_layer
from konkyo.models.mlp import ACTIVATIONS, StackedMLP


@torch.no_grad()
def propagate(network: StackedMLP, x: Tensor, rule: Rule) -> tuple[Tensor, Tensor]:
    """Return scores and the relevance of every input.

    The output unit's relevance is the score itself; each layer's rule distributes it over the
    layer's inputs, down to the features. Activations pass relevance on unchanged, and so does a
    sigmoid at the output: what is explained there is the unit's pre-activation, the log-odds.

    Parameters
    ----------
    network : StackedMLP
        Trained networks.
    x : Tensor
        Scaled features, [windows, rows, inputs].
    rule : Rule
        Of every layer.

    Returns
    -------
    score : Tensor
        [windows, rows], before any sigmoid at the output.
    relevance : Tensor
        [windows, rows, inputs] in units of the score. Its sum over the inputs differs from the
        score by what biases and epsilon absorb.
    """
    layers = _forward(network, x)
    score = relevance = layers[-1].z
    for layer in reversed(layers):
        relevance = propagate_layer(layer, rule.shares(layer, relevance))
    return score.squeeze(2), relevance


@torch.no_grad()
def absorbed_by_epsilon(network: StackedMLP, x: Tensor, epsilon: float) -> Tensor:
    """Return what the rule's epsilon takes from the relevances, the biases' part aside.

    A unit passes z_j / (z_j + epsilon sign(z_j)) of its relevance on to its inputs and its bias;
    the rest, summed over the units of all layers, is epsilon's: [windows, rows], in units of the
    score, of either sign.
    """
    layers, rule = _forward(network, x), Epsilon(epsilon)
    relevance = layers[-1].z
    absorbed = torch.zeros_like(relevance.squeeze(2))
    for layer in reversed(layers):
        shares = rule.shares(layer, relevance)
        assert shares.total is not None  # nosec B101 # tells mypy the type
        absorbed += (relevance - shares.total * layer.z).sum(2)
        relevance = propagate_layer(layer, shares)
    return absorbed


def _forward(network: StackedMLP, x: Tensor) -> list[Layer]:
    """Return each layer with its inputs and pre-activations, from the features up."""
    activation = ACTIVATIONS[network.activation]
    layers, a = [], x
    for weight, bias in network.layers():
        z = torch.baddbmm(bias, a, weight)
        layers.append(Layer(weight, bias, a, z))
        a = activation(z)
    return layers
