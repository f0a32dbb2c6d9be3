"""How faithful relevances are to the model, where the truth is not known: deletion curves."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Deletion:
    """How far scores move as inputs are put to the centre, most relevant first.

    Attributes
    ----------
    deleted : numpy.ndarray
        [steps], inputs put to the centre, from 0 to all.
    ordered : numpy.ndarray
        [steps], root mean square over rows of the change of the score, in units of the score, with
        the inputs of each row in order of the size of their relevance.
    random : numpy.ndarray
        [steps], the same in random order, mean over the draws.
    """

    deleted: np.ndarray
    ordered: np.ndarray
    random: np.ndarray

    @property
    def area(self) -> float:
        """Area between the curves in units of the area under the random one.

        Above 0: what the relevances call large moves scores more than chance; NaN where nothing
        moves them.
        """
        chance = np.trapezoid(self.random, self.deleted)
        if chance == 0:
            return float("nan")
        return float(np.trapezoid(self.ordered, self.deleted) / chance - 1)


def deletion(
    score: Score,
    x: Tensor,
    relevance: np.ndarray,
    generator: np.random.Generator,
    *,
    steps: int = 20,
    draws: int = 3,
    centre: Tensor | None = None,
) -> Deletion:
    """Put the inputs of each row to the centre, the most relevant first, and watch the score.

    The change is squared because relevances have either sign: where contributions are independent
    of one another over rows, the expected square of the change is the sum of the squared
    contributions deleted, which the order by size makes largest at every step.

    Parameters
    ----------
    score : callable
        Scaled rows [rows, features] to [rows] or [rows, 1], such as `methods.view(network)`.
    x : Tensor
        Scaled rows, such as `methods.scaled(network, rows)`.
    relevance : numpy.ndarray
        [rows, features].
    generator : numpy.random.Generator
        Draws the random orders.
    steps : int
        Points of the curve after the first; one forward pass each.
    draws : int
        Random orders of each row.
    centre : Tensor, optional
        [features] in scaled units; 0 if not given, where the panel puts missing values.
    """
    features = x.shape[1]
    deleted = np.unique(np.linspace(0, features, steps + 1).round().astype(int))
    middle = torch.zeros(features, dtype=x.dtype) if centre is None else centre
    order = np.argsort(-np.abs(relevance), axis=1, kind="stable")
    ordered = _curve(score, x, order, deleted, middle)
    chance = [
        _curve(score, x, generator.random(x.shape).argsort(axis=1), deleted, middle)
        for _ in range(draws)
    ]
    return Deletion(deleted, ordered, np.mean(chance, axis=0))


@torch.no_grad()
def _curve(
    score: Score, x: Tensor, order: np.ndarray, deleted: np.ndarray, middle: Tensor
) -> np.ndarray:
    place = torch.from_numpy(order.argsort(axis=1))
    whole = score(x).reshape(-1)
    moved = [
        (score(torch.where(place < number, middle, x)).reshape(-1) - whole).square().mean().sqrt()
        for number in deleted.tolist()
    ]
    return torch.stack(moved).numpy().astype(np.float64)
