"""Weight decay of the forecasting networks, by cross-validation.

A network with 31 parameters memorises 30 to 60 months in 10,000 iterations. That is harmless where
the inputs determine the intervention, and costly where they are weak predictors. The months before
the first forecast decide, so that no forecast month is looked at.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.config import InterventionNetwork
from konkyo.intervention import networks
from konkyo.intervention.networks import NetworkTask
from konkyo.intervention.samples import METHODS, Sample

FOLDS = 5
"""Blocks of consecutive months: neighbouring months are too alike for random folds."""
COLUMNS = ["period", "method", "weight_decay", "loss", "best"]


def cross_validate(
    samples: Sequence[Sample], config: InterventionNetwork, *, state: Path
) -> pd.DataFrame:
    """Return the cross-validated loss of every weight decay by period and method.

    Parameters
    ----------
    samples : sequence of Sample
        The windows; the first forecast of each period is used.
    config : InterventionNetwork
        `penalties`, the weight decays compared; each by one network, of the first seed.
    state : Path
        Folder of checkpoints.

    Returns
    -------
    pandas.DataFrame
        period, method, weight_decay, loss (mean squared error over the held-out months, of
        targets scaled to [0, 1]) and best (the smallest loss). Empty without penalties.
    """
    folds = [fold for sample in _first_windows(samples) for fold in _folds(sample)]
    tasks = [
        NetworkTask(i, method, config.seed, decay)
        for i in range(len(folds))
        for method in METHODS
        for decay in config.penalties
    ]
    if not tasks:
        return pd.DataFrame(columns=COLUMNS)
    training = [inside for inside, _ in folds]
    trained = networks.train(training, tasks, config=config, state=state)
    outputs = networks.predict(trained, [folds[task.sample][1].x_train for task in tasks])
    errors = pd.DataFrame(
        [
            {
                "period": folds[task.sample][1].period,
                "method": task.method,
                "weight_decay": task.weight_decay,
                "loss": error,
            }
            for task, output in zip(tasks, outputs, strict=True)
            for error in (output - folds[task.sample][1].target(task.method)) ** 2
        ]
    )
    table = errors.groupby(COLUMNS[:3], sort=False)["loss"].mean().reset_index()
    best = table.groupby(COLUMNS[:2], sort=False)["loss"].idxmin()
    return table.assign(best=table.index.isin(best))


def best_weight_decays(table: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return the best weight decay by period and method, of `cross_validate`."""
    best = table[table["best"].astype(bool)]
    return {
        (str(row.period), str(row.method)): float(row.weight_decay) for row in best.itertuples()
    }


def _first_windows(samples: Sequence[Sample]) -> list[Sample]:
    first: dict[str, Sample] = {}
    for sample in samples:
        if sample.ahead:
            first.setdefault(sample.period, sample)
    return list(first.values())


def _folds(sample: Sample) -> list[tuple[Sample, Sample]]:
    """Return training and held-out part of the sample for each fold."""
    return [
        (
            _subset(sample, np.setdiff1d(np.arange(len(sample.x_train)), held_out)),
            _subset(sample, held_out),
        )
        for held_out in np.array_split(np.arange(len(sample.x_train)), FOLDS)
    ]


def _subset(sample: Sample, rows: np.ndarray) -> Sample:
    """Return a sample of some of the months, with the scaling of all."""
    return replace(
        sample,
        train_rows=sample.train_rows[rows],
        x_train=sample.x_train[rows],
        y_train=sample.y_train[rows],
        occurred=sample.occurred[rows],
    )
