"""Faithfulness of attributions to the network, by deletion curves.

Source: Samek and others, Evaluating the Visualization of What a Deep Neural Network Has Learned
(2017), whose region perturbation is applied to inputs of either sign here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Deletion:
    """How far scores move as inputs are set to the baseline, most relevant first.

    Attributes
    ----------
    deleted : numpy.ndarray
        [steps], number of inputs set to the baseline, from 0 to all.
    ordered : numpy.ndarray
        [steps], root mean square over rows of the change of the score, in units of the score, with
        the inputs of each row in order of the size of their relevance.
    random : numpy.ndarray
        [steps], the same in random order, mean over several orders.
    """

    deleted: np.ndarray
    ordered: np.ndarray
    random: np.ndarray

    @property
    def auc(self) -> float:
        """Deletion AUC relative to random: area between the curves over that under the random one.

        Above 0 the inputs of large relevance move scores more than random ones do; NaN where no
        input moves them.
        """
        random_auc = np.trapezoid(self.random, self.deleted)
        if random_auc == 0:
            return float("nan")
        return float(np.trapezoid(self.ordered, self.deleted) / random_auc - 1)


def deletion(
    score: Score,
    x: Tensor,
    relevance: np.ndarray,
    generator: np.random.Generator,
    *,
    steps: int = 20,
    n_orders: int = 3,
    baseline: Tensor | None = None,
) -> Deletion:
    """Set the inputs of each row to the baseline, the most relevant first, and measure the score.

    The change is squared because relevances have either sign: where contributions are independent
    of one another over rows, the expected square of the change is the sum of the squared
    contributions deleted, which the order by size makes largest at every step.

    Parameters
    ----------
    score : callable
        Scaled rows [rows, features] to [rows] or [rows, 1], such as `methods.as_module(network)`.
    x : Tensor
        Scaled rows, such as `methods.scaled(network, rows)`.
    relevance : numpy.ndarray
        [rows, features].
    generator : numpy.random.Generator
        Draws the random orders.
    steps : int
        Points of the curve after the first; one forward pass each.
    n_orders : int
        Random orders of each row.
    baseline : Tensor, optional
        [features] in scaled units; by default 0, where the panel puts missing values.
    """
    features = x.shape[1]
    deleted = np.unique(np.linspace(0, features, steps + 1).round().astype(int))
    if baseline is None:
        baseline = torch.zeros(features, dtype=x.dtype)
    order = np.argsort(-np.abs(relevance), axis=1, kind="stable")
    ordered = _curve(score, x, order, deleted, baseline)
    curves = [
        _curve(score, x, generator.random(x.shape).argsort(axis=1), deleted, baseline)
        for _ in range(n_orders)
    ]
    return Deletion(deleted, ordered, random=np.mean(curves, axis=0))


@torch.no_grad()
def _curve(
    score: Score, x: Tensor, order: np.ndarray, deleted: np.ndarray, baseline: Tensor
) -> np.ndarray:
    # Each input's position in its row's order: one comparison deletes the first n of all rows.
    rank = torch.from_numpy(order.argsort(axis=1))
    intact = score(x).reshape(-1)
    changes = [
        (score(torch.where(rank < number, baseline, x)).reshape(-1) - intact).square().mean().sqrt()
        for number in deleted.tolist()
    ]
    return torch.stack(changes).numpy().astype(np.float64)
