"""Why intervene now: the relevance of each input in each month's forecast."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from konkyo.attribution.deeplift import rescale
from konkyo.attribution.lrp import propagate
from konkyo.attribution.rules import Epsilon
from konkyo.intervention.indicators import INPUTS
from konkyo.intervention.networks import Task
from konkyo.intervention.samples import IN_SAMPLE, Sample
from konkyo.models import store
from konkyo.models.store import Weights

RULES = ("rescale", "lrp_epsilon")


def explain(
    made: Sequence[Sample], todo: Sequence[Task], networks: Sequence[Weights], epsilon: float
) -> pd.DataFrame:
    """Return the grounds of every one-step-ahead forecast, by two rules.

    The networks end in a sigmoid. What is handed back to the inputs is its argument, the log-odds
    of the scaled amount or of the occurrence: score = sum of the relevances + absorbed. Every
    network is first written anew so that its zero is the usual month, the mean of its training
    months; what it says does not change. Else the zero would be the lowest value of each input,
    and a fall of the rate would be held against the greatest one.

    Parameters
    ----------
    made, todo, networks
        The windows, the networks and their weights.
    epsilon : float
        Of the relevance rule.

    Returns
    -------
    pandas.DataFrame
        rule, period, month, data, method, score (log-odds), one relevance column an input,
        absorbed; means over the seeds, which keep the sum. By "rescale" (DeepLIFT) the inputs
        explain what sets the month apart from the usual one, whose score is `absorbed`.
        By "lrp_epsilon" biases take a share in every unit; a sigmoid unit that is shut in the
        usual month has a large one, so that signs may turn.
    """
    asked = [
        (task, recentred(network, made[task.sample].x.mean(0)))
        for task, network in zip(todo, networks, strict=True)
        if made[task.sample].data != IN_SAMPLE
    ]
    stack = store.restack([network for _, network in asked], torch.float64)
    rows = torch.from_numpy(np.stack([made[task.sample].ask for task, _ in asked]))
    x = (rows - stack.mean) / stack.std
    found = dict(
        zip(RULES, (rescale(stack, x), propagate(stack, x, Epsilon(epsilon))), strict=True)
    )
    parts = []
    for rule, (score, relevance) in found.items():
        table = pd.DataFrame(
            [
                {
                    "rule": rule,
                    "period": made[task.sample].period,
                    "month": made[task.sample].month,
                    "data": made[task.sample].data,
                    "method": task.method,
                }
                for task, _ in asked
            ]
        )
        table["score"] = score[:, 0].detach().numpy()
        table[list(INPUTS)] = relevance[:, 0].detach().numpy()
        table["absorbed"] = table["score"] - table[list(INPUTS)].sum(axis=1)
        parts.append(table)
    keys = ["rule", "period", "month", "data", "method"]
    return pd.concat(parts).groupby(keys, sort=False).mean().reset_index()


def recentred(network: Weights, centre: np.ndarray) -> Weights:
    """Return the same function written so that its scaled input is 0 at another row.

    Parameters
    ----------
    network : Weights
        The network.
    centre : numpy.ndarray
        [4] unscaled inputs.
    """
    shift = ((centre - network.mean) / network.std) @ network.weights[0]
    first, *others = network.biases
    return replace(network, mean=np.asarray(centre), biases=(first + shift, *others))
