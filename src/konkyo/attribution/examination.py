"""One month's grounds by every method, side by side, on the same stocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from konkyo.attribution import methods
from konkyo.attribution.faithfulness import deletion
from konkyo.attribution.stability import over_seeds, randomisation
from konkyo.models.store import Weights

PAPER = "lrp_epsilon"
"""The rule of the paper and of the stage attribute."""
SAMPLED = "shapley_sampling"


@dataclass(frozen=True)
class MethodEvaluation:
    """What one month's examination found.

    Attributes
    ----------
    relevance : dict of str to numpy.ndarray
        Method to [rows, features], in units of the score; means over an ensemble.
    deletion : pandas.DataFrame
        method, deleted (share of the inputs put to the centre), ordered, random (root mean square
        change of the score), area (the same in all lines of a method).
    randomised : pandas.DataFrame
        method, layers (drawn anew, from the output down), rank_correlation, size_correlation.
    seeds : pandas.DataFrame
        method, first, second, rank_correlation of members of the ensemble; empty for one network.
    """

    relevance: dict[str, np.ndarray]
    deletion: pd.DataFrame
    randomised: pd.DataFrame
    seeds: pd.DataFrame


def evaluate_methods(
    members: Sequence[Weights], rows: np.ndarray, epsilon: float, draws: int, seed: int
) -> MethodEvaluation:
    """Explain the same rows by every method and compare the methods with the networks.

    Parameters
    ----------
    members : sequence of Weights
        The networks of one month.
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    epsilon : float
        Of the rule epsilon.
    draws : int
        Orders of the inputs that Shapley sampling tries.
    seed : int
        Of every draw.
    """
    by_name = methods.methods_by_name(epsilon)
    each = {name: [method(member, rows) for member in members] for name, method in by_name.items()}
    each[SAMPLED] = [methods.shapley_sampling(m, rows, draws, seed) for m in members]
    relevance = {name: np.mean(found, axis=0) for name, found in each.items()}

    views = [methods.as_module(member) for member in members]

    def score(x: Tensor) -> Tensor:
        return torch.stack([view(x).reshape(-1) for view in views]).mean(0)

    x = methods.scaled(members[0], rows)
    curves = []
    for name, found in relevance.items():
        curve = deletion(score, x, found, np.random.default_rng(seed))
        curves.append(
            pd.DataFrame(
                {
                    "method": name,
                    "deleted": curve.deleted / rows.shape[1],
                    "ordered": curve.ordered,
                    "random": curve.random,
                    "area": curve.area,
                }
            )
        )
    randomised = [
        randomisation(members[0], rows, method, seed).assign(method=name)
        for name, method in by_name.items()
    ]
    present = np.any(rows != 0, axis=0)
    seeds = [
        over_seeds([one[:, present] for one in found]).assign(method=name)
        for name, found in each.items()
    ]
    return MethodEvaluation(
        relevance,
        pd.concat(curves, ignore_index=True),
        pd.concat(randomised, ignore_index=True),
        pd.concat(seeds, ignore_index=True),
    )


def summarise(tables: Sequence[MethodEvaluation]) -> dict[str, pd.DataFrame]:
    """Return the means over months: deletion, randomised and seeds, one table each.

    Parameters
    ----------
    tables : sequence of Examined
        One a month.

    Returns
    -------
    dict of str to pandas.DataFrame
        deletion: method, deleted, ordered, random, area; randomised: method, layers,
        rank_correlation, size_correlation; seeds: method, rank_correlation (over pairs and
        months), empty for ensembles of one.
    """
    kept = {
        "deletion": ["method", "deleted"],
        "randomised": ["method", "layers"],
        "seeds": ["method"],
    }
    out = {}
    for name, keys in kept.items():
        whole = pd.concat([getattr(table, name) for table in tables], ignore_index=True)
        means = whole.drop(columns=["first", "second"], errors="ignore")
        out[name] = means.groupby(keys, sort=False, as_index=False).mean(numeric_only=True)
    return out
