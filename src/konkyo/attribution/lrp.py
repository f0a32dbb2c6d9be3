"""Layer-wise relevance propagation through a stack, all windows in one pass (rule epsilon)."""

import torch
from torch import Tensor

from konkyo.network.stack import ACTIVATIONS, StackedMLP


@torch.no_grad()
def propagate(network: StackedMLP, x: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """Score rows and hand each score back to the inputs.

    Equations 10 and 11 of the paper. With z_ij = a_i w_ij and z_j = sum_i z_ij + b_j,

        R_i = sum_j z_ij / (z_j + epsilon sign(z_j)) R_j,

    from the output unit, whose relevance is the score itself, down to the inputs. Activations pass
    relevance on unchanged, and so does a sigmoid at the output: there the score that is handed
    back is the unit's pre-activation, the log-odds, of which the sigmoid is the forecast. sign(0)
    is 1, so that nothing is divided by zero.

    Parameters
    ----------
    network : StackedMLP
        Trained networks.
    x : Tensor
        Scaled features, [windows, rows, inputs].
    epsilon : float
        Absorbs relevance where z_j is small, in units of z.

    Returns
    -------
    score : Tensor
        [windows, rows], before any sigmoid at the output.
    relevance : Tensor
        [windows, rows, inputs] in units of the score. Its sum over the inputs differs from the
        score by what biases and epsilon absorb.
    """
    squash = ACTIVATIONS[network.activation]
    layers = list(network.layers())
    passed = []
    a = x
    for weight, bias in layers:
        z = torch.baddbmm(bias, a, weight)
        passed.append((weight, a, z))
        a = squash(z)
    score = passed[-1][2]
    relevance = score
    for weight, a, z in reversed(passed):
        stabilised = z + torch.where(z < 0, -epsilon, epsilon)
        relevance = a * torch.bmm(relevance / stabilised, weight.mT)
    return score.squeeze(2), relevance
