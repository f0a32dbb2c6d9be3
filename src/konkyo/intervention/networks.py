"""All networks of the study, trained as stacks in parallel processes, and their weight decay.

A network with 31 parameters memorises 30 to 60 months in 10,000 iterations. That is harmless where
the inputs determine the intervention, and costly where they are weak predictors: cross-validation
chooses the weight decay of the forecasting networks. The months before the first forecast decide,
so that no forecast month is looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed

from konkyo.cache import TRAINING, code_digest, digest_of
from konkyo.config import InterventionNetwork
from konkyo.intervention.indicators import INPUTS
from konkyo.intervention.samples import METHODS, Sample
from konkyo.models import jobs, store
from konkyo.models.batches import Hyperparameters, NetworkSpec
from konkyo.models.fit import fit, keep_freed_memory
from konkyo.models.full_batch import FullBatch, full_batch_task
from konkyo.models.progress import progress_bar
from konkyo.models.store import Weights

_CHECKPOINTS = 10
"""Checkpoints of a run, from which an interrupted one resumes."""
FOLDS = 5
"""Blocks of consecutive months: neighbouring months are too alike for random folds."""
COLUMNS = ["period", "method", "weight_decay", "loss", "best"]


@dataclass(frozen=True, eq=False)
class NetworkTask:
    """One network of the study.

    Attributes
    ----------
    sample : int
        Index of its sample.
    method : str
        "amount" (share of reserves, scaled) or "occurrence" (0 or 1).
    seed : int
        Of its initial weights.
    weight_decay : float
        Of Adam, on all its weights and biases.
    """

    sample: int
    method: str
    seed: int
    weight_decay: float


def plan_tasks(
    samples: Sequence[Sample],
    config: InterventionNetwork,
    *,
    weight_decays: Mapping[tuple[str, str], float],
) -> list[NetworkTask]:
    """Return every network of the study: samples x methods x seeds.

    Parameters
    ----------
    samples : sequence of Sample
        The windows.
    config : InterventionNetwork
        Seeds, and the default weight decay.
    weight_decays : mapping
        Weight decay of the forecasts by period and method, of `penalty.best_weight_decays`.
    """
    seeds = range(config.seed, config.seed + config.seeds)
    return [
        NetworkTask(
            i,
            method,
            seed,
            weight_decays.get((sample.period, method), config.weight_decay)
            if sample.ahead
            else config.weight_decay,
        )
        for i, sample in enumerate(samples)
        for method in METHODS
        for seed in seeds
    ]


def train(
    samples: Sequence[Sample],
    tasks: Sequence[NetworkTask],
    *,
    config: InterventionNetwork,
    state: Path,
) -> list[Weights]:
    """Train every network by full-batch gradient descent.

    Parameters
    ----------
    samples : sequence of Sample
        The windows.
    tasks : sequence of NetworkTask
        The networks.
    config : InterventionNetwork
        Shape, iterations, seeds, processes.
    state : Path
        Folder of checkpoints, removed at the end.

    Returns
    -------
    list of Weights
        In the order of the tasks. A network depends on its sample, method, seed and weight decay
        alone, not on the others of its stack.
    """
    blocks = [(i, method) for i in range(len(samples)) for method in METHODS]
    features = np.concatenate([samples[i].x_train for i, _ in blocks]).astype(np.float32)
    labels = np.concatenate([samples[i].target(m) for i, m in blocks]).astype(np.float32)
    ends = np.cumsum([len(samples[i].x_train) for i, _ in blocks])
    rows = {
        b: np.arange(e - len(samples[b[0]].x_train), e) for b, e in zip(blocks, ends, strict=True)
    }
    specs = [
        NetworkSpec(
            month=f"{samples[t.sample].name}/{t.method}",
            rows=rows[t.sample, t.method],
            # The front of a network, (x - mean) / std, does the min-max scaling here.
            mean=samples[t.sample].x_min.astype(np.float32),
            std=(samples[t.sample].x_max - samples[t.sample].x_min).astype(np.float32),
            seed=t.seed,
            hyperparameters=Hyperparameters(
                learning_rate=config.learning_rate, weight_decay=t.weight_decay
            ),
        )
        for t in tasks
    ]
    settings = FullBatch(
        hidden_sizes=config.hidden_sizes,
        activation="sigmoid",
        output="sigmoid",
        iterations=config.iterations,
        every=config.iterations // _CHECKPOINTS,
    )
    digest = digest_of(
        code_digest(*TRAINING), features.tobytes(), labels.tobytes(), repr(settings),
        *(
            f"{e.month}/{e.seed}/{e.rows[0]}/{e.mean}/{e.std}/{e.hyperparameters}" for e in specs
        ),
    )  # fmt: skip
    stacks = jobs.divide(
        [1] * len(specs), largest=-(-len(specs) // config.workers), workers=config.workers
    )
    state.mkdir(parents=True, exist_ok=True)
    calls = (
        delayed(_train_stack)(features, labels, specs[part], settings, state, f"{digest}-{n}")
        for n, part in enumerate(stacks)
    )
    sizes = {f"{digest}-{n}": part.stop - part.start for n, part in enumerate(stacks)}
    with progress_bar(state, sizes, 0):
        trained = [network for part in Parallel(n_jobs=config.workers)(calls) for network in part]
    for path in state.iterdir():
        path.unlink()
    state.rmdir()
    return trained


def _train_stack(
    features: np.ndarray,
    labels: np.ndarray,
    specs: Sequence[NetworkSpec],
    settings: FullBatch,
    state: Path,
    name: str,
) -> list[Weights]:
    torch.set_num_threads(1)
    keep_freed_memory()
    fitted = fit(full_batch_task(features, labels, specs, settings), scratch=state, name=name)
    loss = fitted.losses[:, -1]
    keys = [f"seed {e.seed}, final loss {at:.6f}" for e, at in zip(specs, loss, strict=True)]
    return store.unstack(
        fitted.network, months=[e.month for e in specs], keys=keys, features=INPUTS
    )


@torch.no_grad()
def predict(networks: Sequence[Weights], rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return each network's output, in [0, 1], for its own rows.

    Parameters
    ----------
    networks : sequence of Weights
        All of one shape.
    rows : sequence of numpy.ndarray
        [rows, 4] unscaled inputs of each network.
    """
    stack = store.restack(networks, torch.float64)
    x = torch.zeros(stack.windows, max(map(len, rows)), len(INPUTS), dtype=torch.float64)
    for window, block in enumerate(rows):
        x[window, : len(block)] = torch.from_numpy(np.asarray(block, dtype=np.float64))
    outputs = stack((x - stack.mean) / stack.std).numpy()
    return [outputs[window, : len(block)] for window, block in enumerate(rows)]


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
    trained = train(training, tasks, config=config, state=state)
    outputs = predict(trained, [folds[task.sample][1].x_train for task in tasks])
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
