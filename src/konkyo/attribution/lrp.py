"""Layer-wise relevance propagation through a stack, all windows in one pass."""

import torch
from torch import Tensor

from konkyo.attribution.rules import Layer, Rule, propagate_layer
from konkyo.models.mlp import ACTIVATIONS, StackedMLP


@torch.no_grad()
def propagate(network: StackedMLP, x: Tensor, rule: Rule) -> tuple[Tensor, Tensor]:
    """Score rows and hand each score back to the inputs.

    The output unit's relevance is the score itself; each layer's rule shares it among the layer's
    inputs, down to the features. Activations pass relevance on unchanged, and so does a sigmoid at
    the output: there the score that is handed back is the unit's pre-activation, the log-odds, of
    which the sigmoid is the forecast.

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
    squash = ACTIVATIONS[network.activation]
    passed = []
    a = x
    for weight, bias in network.layers():
        z = torch.baddbmm(bias, a, weight)
        passed.append(Layer(weight, bias, a, z))
        a = squash(z)
    score = passed[-1].z
    relevance = score
    for layer in reversed(passed):
        relevance = propagate_layer(layer, rule.shares(layer, relevance))
    return score.squeeze(2), relevance
