"""One month of the stage verify, which any process in the project's folder can evaluate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from konkyo.artifacts import HERE
from konkyo.attribution import evaluation, ground_truth, methods, reliable_methods
from konkyo.cache import digest_of
from konkyo.config import Params
from konkyo.features import store
from konkyo.io import read_parquet
from konkyo.models import baselines
from konkyo.models import store as weights
from konkyo.models.batches import NetworkSpec
from konkyo.models.jobs import expand
from konkyo.windows import Window

_NOT_INPUTS = ["expected", "baseline"]
"""Columns of the ground truth that are no input's contribution."""


@dataclass(frozen=True, kw_only=True)
class EvaluationJob:
    """What a process needs, beside the project's files, to evaluate the methods on a month.

    Attributes
    ----------
    config : Params
        All params.
    window : Window
        The decision month.
    spec : NetworkSpec
        Of its network, compact.
    placebos : sequence of Window
        Its newest placebo months.
    cluster : sequence of str, optional
        Of each input, the first of its cluster; None without standard errors.
    with_truth : bool
        Whether there is a ground truth.
    """

    config: Params
    window: Window
    spec: NetworkSpec
    placebos: Sequence[Window]
    cluster: Sequence[str] | None
    with_truth: bool


def evaluate(job: EvaluationJob) -> evaluation.MethodEvaluation:
    """Evaluate the methods on a month, in any process that runs in the project's folder."""
    # A sum's last bits depend on how many threads share it.
    torch.set_num_threads(1)
    panel = store.read(HERE.panel)
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    spec = expand(job.spec, labels[None])
    result = evaluate_month(job.config, panel, spec, sample_rows(job.config, job.window))
    if job.cluster is None:
        return result
    return replace(result, reliability=_reliable_by_method(job, panel))


def evaluate_month(
    config: Params, panel: store.Panel, spec: NetworkSpec, rows: np.ndarray
) -> evaluation.MethodEvaluation:
    """Evaluate every method, and the ridge regression's attribution, on rows of a month.

    The ridge regression takes part in the comparison with the ground truth alone: deletion and
    randomisation are of the network.
    """
    features = panel.features[rows]
    result = evaluation.evaluate_methods(
        weights.read(HERE.weights_of(spec.month)),
        features,
        epsilon=config.attribute.epsilon,
        n_permutations=config.verify.n_permutations,
        seed=config.train.seed,
        method=config.attribute.method,
    )
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    model = baselines.ridge(panel, spec, labels, config.train.ridge_penalty)
    ridge = methods.coefficients_input(features, model.coef_, mean=spec.mean, std=spec.std)
    return replace(result, attributions=result.attributions | {"ridge": ridge})


def _reliable_by_method(job: EvaluationJob, panel: store.Panel) -> pd.DataFrame:
    """Return the counts of reliable relevances in a sample of a month's stocks, by method.

    The methods but Shapley sampling, which would take hours, and the one of the stage attribute,
    whose flags are those of all stocks and months.
    """

    def sample(window: Window, folder: Path, halves: Path) -> reliable_methods.Sample:
        name = f"{window.month}.safetensors"
        rows = panel.features[sample_rows(job.config, window)]
        return reliable_methods.Sample(
            weights.read(folder / name), weights.read(halves / name), rows
        )

    config, truth = job.config, Truth(panel) if job.with_truth else None
    index = panel.index.iloc[sample_rows(config, job.window)]
    month = sample(job.window, HERE.weights, HERE.weights_halves)
    _, *others = methods.methods_of(
        month.members[0], config.attribute.epsilon, config.attribute.method
    ).items()
    return reliable_methods.counts(
        dict(others),
        month,
        [sample(placebo, HERE.placebo, HERE.placebo_halves) for placebo in job.placebos],
        groups=panel.catalogue["group"].tolist(),
        false_share=config.attribute.false_share,
        cluster=pd.factorize(np.array(job.cluster))[0],
        truth=None if truth is None else truth.of(index),
        effect=None if truth is None else truth.effect,
    )


class Truth:
    """The true contributions of a panel's rows.

    Attributes
    ----------
    table : pandas.DataFrame
        month, stock and a column an input with an effect.
    effect : numpy.ndarray
        [features] bool, which inputs have an effect in some month.
    """

    def __init__(self, panel: store.Panel) -> None:
        self.table = read_parquet(HERE.truth).drop(columns=_NOT_INPUTS)
        names = ground_truth.with_effect(self.table)
        self.effect = np.isin(panel.names, names)
        self._names = [name for name in panel.names if name in names]
        self._by_row = self.table.set_index(["month", "stock"])[self._names]

    def digest(self, month: pd.Timestamp) -> str:
        """Return a digest of all that this is in a month, which later months do not change."""
        rows = self.table.loc[self.table["month"] == month, ["stock", *self._names]]
        return digest_of(
            *self._names, pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes()
        )

    def of(self, index: pd.DataFrame) -> np.ndarray:
        """Return the true contributions of rows of the panel's index, [rows, features]."""
        values = np.zeros((len(index), len(self.effect)))
        keys = pd.MultiIndex.from_frame(index[["month", "stock"]])
        values[:, self.effect] = self._by_row.reindex(keys).fillna(0.0).to_numpy()
        return values


def sample_rows(config: Params, window: Window) -> np.ndarray:
    """Return the rows of the panel that are explained for a decision month: a random sample."""
    size = window.test_stop - window.test_start
    generator = np.random.default_rng([config.train.seed, window.test_start])
    return window.test_start + methods.sample(size, config.verify.n_stocks, generator)
