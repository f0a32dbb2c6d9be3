"""How strongly the forecasting networks are held back: weight decay by cross-validation.

A network of 31 numbers learns 30 to 60 months by heart in 10,000 iterations. That does no harm
where the inputs say what the authority will do, and much where they hardly do, as in data set II.
How much they say is asked of the months before the first forecast, and of those alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.config import InterventionNetwork
from konkyo.intervention import networks
from konkyo.intervention.networks import METHODS, Task
from konkyo.intervention.samples import IN_SAMPLE, Sample

FOLDS = 5
"""Runs of months, each of which is left out once."""
COLUMNS = ["period", "data", "method", "weight_decay", "loss", "chosen"]


def compare(made: Sequence[Sample], params: InterventionNetwork, state: Path) -> pd.DataFrame:
    """Hold the weight decays against one another, for each period, data set and method.

    Parameters
    ----------
    made : sequence of Sample
        The windows; of each period and data set the first forecast's is taken.
    params : InterventionNetwork
        The weight decays, `penalties`; one network of the first seed each.
    state : Path
        Folder of what a killed run goes on from.

    Returns
    -------
    pandas.DataFrame
        period, data, method, weight_decay, loss (mean squared error of the months left out, in the
        network's scale from 0 to 1) and chosen (the smallest loss). Without rows where there are no
        penalties.
    """
    folds = [fold for sample in _first(made) for fold in _folds(sample)]
    todo = [
        Task(i, method, params.seed, decay)
        for i in range(len(folds))
        for method in METHODS
        for decay in params.penalties
    ]
    if not todo:
        return pd.DataFrame(columns=COLUMNS)
    trained = networks.train([inside for inside, _ in folds], todo, params, state)
    outputs = networks.predict(trained, [folds[task.sample][1].x for task in todo])
    errors = pd.DataFrame(
        [
            {
                "period": folds[task.sample][1].period,
                "data": folds[task.sample][1].data,
                "method": task.method,
                "weight_decay": task.weight_decay,
                "loss": error,
            }
            for task, output in zip(todo, outputs, strict=True)
            for error in (output - networks.goal(folds[task.sample][1], task.method)) ** 2
        ]
    )
    table = errors.groupby(COLUMNS[:4], sort=False)["loss"].mean().reset_index()
    best = table.groupby(COLUMNS[:3], sort=False)["loss"].idxmin()
    return table.assign(chosen=table.index.isin(best))


def chosen(table: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Return the weight decay by period, data and method, of the table of `compare`."""
    own = table[table["chosen"].astype(bool)]
    return {
        (str(row.period), str(row.data), str(row.method)): float(row.weight_decay)
        for row in own.itertuples()
    }


def _first(made: Sequence[Sample]) -> list[Sample]:
    found: dict[tuple[str, str], Sample] = {}
    for sample in made:
        if sample.data != IN_SAMPLE:
            found.setdefault((sample.period, sample.data), sample)
    return list(found.values())


def _folds(sample: Sample) -> list[tuple[Sample, Sample]]:
    """Return the sample without each run of months, and that run alone."""
    return [
        (_part(sample, np.setdiff1d(np.arange(len(sample.x)), out)), _part(sample, out))
        for out in np.array_split(np.arange(len(sample.x)), FOLDS)
    ]


def _part(sample: Sample, rows: np.ndarray) -> Sample:
    """Return some of a sample's months, on the scale of all."""
    return replace(sample, train=sample.train[rows], x=sample.x[rows], y=sample.y[rows])
