"""All networks of the study as one stack, divided over processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from joblib import Parallel, delayed

from konkyo.cache import TRAINING, code_digest, digest_of
from konkyo.config import InterventionNetwork
from konkyo.intervention.indicators import INPUTS
from konkyo.intervention.samples import Sample
from konkyo.models import jobs as plan
from konkyo.models import store
from konkyo.models.batches import Hyperparameters, NetworkSpec
from konkyo.models.fit import fit, keep_freed_memory
from konkyo.models.full_batch import FullBatch, full_batch_task
from konkyo.models.progress import progress_bar
from konkyo.models.store import Weights

METHODS = ("amount", "occurrence")
_STATES = 10
"""States kept in a run, from which a killed one goes on."""


@dataclass(frozen=True, eq=False)
class Task:
    """One network of the study.

    Attributes
    ----------
    sample : int
        Position of its sample.
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


def tasks(
    made: Sequence[Sample],
    params: InterventionNetwork,
    chosen: Mapping[tuple[str, str, str], float],
) -> list[Task]:
    """Return every network of the study: samples x methods x seeds.

    Parameters
    ----------
    made : sequence of Sample
        The windows.
    params : InterventionNetwork
        Seeds, and the weight decay of all for which nothing was chosen.
    chosen : mapping
        Weight decay by period, data and method, of `penalty.chosen`.
    """
    seeds = range(params.seed, params.seed + params.seeds)
    return [
        Task(i, m, s, chosen.get((sample.period, sample.data, m), params.weight_decay))
        for i, sample in enumerate(made)
        for m in METHODS
        for s in seeds
    ]


def goal(sample: Sample, method: str) -> np.ndarray:
    """Return what a network learns, in [0, 1]: the scaled amount, or whether there was one."""
    return sample.y / sample.top if method == "amount" else (sample.y > 0).astype(float)


def train(
    made: Sequence[Sample], todo: Sequence[Task], params: InterventionNetwork, state: Path
) -> list[Weights]:
    """Train every network, each on all its months at every step.

    Parameters
    ----------
    made : sequence of Sample
        The windows.
    todo : sequence of Task
        The networks.
    params : InterventionNetwork
        Shape, iterations, seeds, processes.
    state : Path
        Folder of what a killed run goes on from; empty in the end.

    Returns
    -------
    list of Weights
        In the order of the tasks. A network depends on its own sample, method and seed alone, not
        on the others of its stack.
    """
    blocks = [(i, method) for i in range(len(made)) for method in METHODS]
    features = np.concatenate([made[i].x for i, _ in blocks]).astype(np.float32)
    labels = np.concatenate([goal(made[i], m) for i, m in blocks]).astype(np.float32)
    ends = np.cumsum([len(made[i].x) for i, _ in blocks])
    rows = {b: np.arange(e - len(made[b[0]].x), e) for b, e in zip(blocks, ends, strict=True)}
    entries = [
        NetworkSpec(
            month=f"{made[t.sample].name}/{t.method}",
            rows=rows[t.sample, t.method],
            mean=made[t.sample].low.astype(np.float32),
            std=(made[t.sample].high - made[t.sample].low).astype(np.float32),
            seed=t.seed,
            hyperparameters=Hyperparameters(
                learning_rate=params.learning_rate, weight_decay=t.weight_decay
            ),
        )
        for t in todo
    ]
    settings = FullBatch(
        hidden_sizes=params.hidden_sizes,
        activation="sigmoid",
        output="sigmoid",
        iterations=params.iterations,
        every=params.iterations // _STATES,
    )
    digest = digest_of(
        code_digest(*TRAINING), features.tobytes(), labels.tobytes(), repr(settings),
        *(
            f"{e.month}/{e.seed}/{e.rows[0]}/{e.mean}/{e.std}/{e.hyperparameters}" for e in entries
        ),
    )  # fmt: skip
    parts = plan.divide(
        [1] * len(entries), largest=-(-len(entries) // params.workers), workers=params.workers
    )
    state.mkdir(parents=True, exist_ok=True)
    jobs = (
        delayed(_train_stack)(features, labels, entries[part], settings, state, f"{digest}-{n}")
        for n, part in enumerate(parts)
    )
    sizes = {f"{digest}-{n}": part.stop - part.start for n, part in enumerate(parts)}
    with progress_bar(state, sizes, 0):
        trained = [network for part in Parallel(n_jobs=params.workers)(jobs) for network in part]
    for path in state.iterdir():
        path.unlink()
    state.rmdir()
    return trained


def _train_stack(
    features: np.ndarray,
    labels: np.ndarray,
    entries: Sequence[NetworkSpec],
    settings: FullBatch,
    state: Path,
    name: str,
) -> list[Weights]:
    torch.set_num_threads(1)
    keep_freed_memory()
    fitted = fit(full_batch_task(features, labels, entries, settings), scratch=state, name=name)
    loss = fitted.losses[:, -1]
    keys = [f"seed {e.seed}, final loss {at:.6f}" for e, at in zip(entries, loss, strict=True)]
    return store.unstack(
        fitted.network, months=[e.month for e in entries], keys=keys, features=INPUTS
    )


@torch.no_grad()
def predict(networks: Sequence[Weights], rows: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return each network's output, in [0, 1], for its own rows.

    Parameters
    ----------
    networks : sequence of Weights
        Of one shape.
    rows : sequence of numpy.ndarray
        [rows, 4] unscaled inputs, one block a network.
    """
    stack = store.restack(networks, torch.float64)
    x = torch.zeros(stack.windows, max(map(len, rows)), len(INPUTS), dtype=torch.float64)
    for window, block in enumerate(rows):
        x[window, : len(block)] = torch.from_numpy(np.asarray(block, dtype=np.float64))
    outputs = stack((x - stack.mean) / stack.std).numpy()
    return [outputs[window, : len(block)] for window, block in enumerate(rows)]
