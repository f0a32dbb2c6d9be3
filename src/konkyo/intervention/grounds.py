"""Why intervene now: the relevance of each input in each month's forecast."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.attribution.grounds import explain_months
from konkyo.intervention.indicators import INPUTS
from konkyo.intervention.networks import Task
from konkyo.intervention.samples import IN_SAMPLE, Sample
from konkyo.network.store import Weights


def explain(
    made: Sequence[Sample], todo: Sequence[Task], networks: Sequence[Weights], epsilon: float
) -> pd.DataFrame:
    """Return the grounds of every one-step-ahead forecast.

    The networks end in a sigmoid. What is handed back to the inputs is its argument, the log-odds
    of the scaled amount or of the occurrence: score = sum of the relevances + absorbed.

    Parameters
    ----------
    made, todo, networks
        The windows, the networks and their weights.
    epsilon : float
        Of the relevance rule.

    Returns
    -------
    pandas.DataFrame
        period, month, data, method, score (log-odds), one relevance column an input, absorbed;
        means over the seeds, which keep the sum.
    """
    asked = [
        (task, network)
        for task, network in zip(todo, networks, strict=True)
        if made[task.sample].data != IN_SAMPLE
    ]
    rows = [made[task.sample].ask for task, _ in asked]
    found = explain_months([[network] for _, network in asked], rows, epsilon)
    records = []
    for (task, _), own in zip(asked, found, strict=True):
        sample = made[task.sample]
        records.append(
            {
                "period": sample.period,
                "month": sample.month,
                "data": sample.data,
                "method": task.method,
                "score": float(own.score[0]),
                **dict(zip(INPUTS, own.relevance[0].astype(np.float64), strict=True)),
                "absorbed": float(own.absorbed[0]),
            }
        )
    keys = ["period", "month", "data", "method"]
    return pd.DataFrame(records).groupby(keys, sort=False).mean().reset_index()
