"""Attribution of the forecasts: the relevance of each input in each month."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from konkyo.attribution.deeplift import rescale
from konkyo.attribution.lrp import propagate
from konkyo.attribution.rules import Epsilon
from konkyo.intervention.indicators import DATA, INPUTS
from konkyo.intervention.networks import NetworkTask
from konkyo.intervention.samples import Sample
from konkyo.models import store
from konkyo.models.store import Weights

RULES = ("rescale", "lrp_epsilon")


def explain(
    samples: Sequence[Sample],
    tasks: Sequence[NetworkTask],
    *,
    networks: Sequence[Weights],
    epsilon: float,
) -> pd.DataFrame:
    """Return the attributions of all one-step-ahead forecasts, by two rules.

    The networks end in a sigmoid, and its argument is explained: the log-odds of the scaled amount
    or of the occurrence, score = sum of the relevances + absorbed. The baseline is the mean of the
    training months: every network is rewritten, without changing its output, so that its scaled
    input is 0 there. With min-max scaling as trained, the baseline would be the lowest value of
    each input, such as the largest fall of the rate.

    Parameters
    ----------
    samples, tasks, networks
        The windows, the networks and their weights.
    epsilon : float
        Of the LRP epsilon rule, in log-odds.

    Returns
    -------
    pandas.DataFrame
        rule, period, month, data, method, score (log-odds), one relevance column an input and
        absorbed, as means over the seeds, which preserve the sum. By "rescale" (DeepLIFT) the
        relevances explain the difference to the baseline month, whose score is `absorbed`. By
        "lrp_epsilon" the biases absorb a share in every unit; it is large in a sigmoid unit that
        is saturated at the baseline, and signs may flip.
    """
    recentred = [
        (task, recentre(network, samples[task.sample].x_train.mean(0)))
        for task, network in zip(tasks, networks, strict=True)
        if samples[task.sample].ahead
    ]
    stack = store.restack([network for _, network in recentred], torch.float64)
    rows = torch.from_numpy(np.stack([samples[task.sample].x_eval for task, _ in recentred]))
    x = (rows - stack.mean) / stack.std
    by_rule = dict(
        zip(RULES, (rescale(stack, x), propagate(stack, x, Epsilon(epsilon))), strict=True)
    )
    parts = []
    for rule, (score, relevance) in by_rule.items():
        for row, data in enumerate(DATA):
            table = pd.DataFrame(
                {
                    "rule": rule,
                    "period": [samples[task.sample].period for task, _ in recentred],
                    "month": [samples[task.sample].month for task, _ in recentred],
                    "data": data,
                    "method": [task.method for task, _ in recentred],
                    "score": score[:, row].detach().numpy(),
                }
            )
            table[list(INPUTS)] = relevance[:, row].detach().numpy()
            table["absorbed"] = table["score"] - table[list(INPUTS)].sum(axis=1)
            parts.append(table)
    keys = ["rule", "period", "month", "data", "method"]
    return pd.concat(parts).groupby(keys, sort=False).mean().reset_index()


def recentre(network: Weights, baseline: np.ndarray) -> Weights:
    """Return the same function, rewritten so that its scaled input is 0 at the baseline.

    Parameters
    ----------
    network : Weights
        The network.
    baseline : numpy.ndarray
        [4] unscaled inputs.
    """
    shift = ((baseline - network.mean) / network.std) @ network.weights[0]
    first, *others = network.biases
    return replace(network, mean=np.asarray(baseline), biases=(first + shift, *others))
