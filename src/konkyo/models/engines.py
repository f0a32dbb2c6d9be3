"""What every engine offers: networks trained from specs, and the scores of rows.

An engine is a value of `train.module`: the stack, or networks that train month by month. The rest
of the project knows networks by `train_networks`, `baselines.network_scores` and
`konkyo.attribution.attributions.explain_months`, which take those of any engine.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.config import Train
from konkyo.models import store
from konkyo.models.batches import NetworkSpec
from konkyo.models.fit import fit, stack_task

_LOSSES = ("loss", "validation_loss")


def train_networks(
    features: np.ndarray,
    labels: np.ndarray,
    specs: Sequence[NetworkSpec],
    params: Train,
    *,
    inputs: Sequence[str],
    keys: Sequence[str],
    scratch: Path,
    name: str,
    rounded: np.ndarray | None = None,
) -> tuple[list[store.Network], np.ndarray]:
    """Train networks by the engine of `params.module`.

    Parameters
    ----------
    features, labels : numpy.ndarray
        The panel [rows, inputs], and true and shuffled labels [2, rows], float32.
    specs : sequence of NetworkSpec
        The networks, each with its own hyperparameters.
    params : Train
        For what they have in common.
    inputs : sequence of str
        Names of the features.
    keys : sequence of str
        Of each network: digest of everything that its weights depend on.
    scratch : Path
        Folder of the progress file and, of a stack, of the state from which it resumes.
    name : str
        File stem in `scratch`.
    rounded : numpy.ndarray, optional
        The features of `gather.write_rounded`, which the stack reads in bf16-mixed.

    Returns
    -------
    networks : list of Weights or ModuleWeights
        Of one kind, in the order of the specs.
    losses : numpy.ndarray
        [2, networks, epochs], mean over the rows of the training and of the validation months; NaN
        after an early stop, and without validation months.
    """
    if params.module == "stacked":
        task = stack_task(features, labels, specs, params, rounded)
        result = fit(task, scratch=scratch, name=name)
        months = [spec.month for spec in specs]
        networks = store.unstack(result.network, months=months, keys=keys, features=inputs)
        return [*networks], np.stack([result.losses, np.full_like(result.losses, np.nan)])
    from konkyo.models.month_fit import fit_month

    fits = []
    for number, (spec, key) in enumerate(zip(specs, keys, strict=True)):

        def report(epochs: int, before: int = number) -> None:
            share = (before + epochs / params.epochs) / len(specs)
            (scratch / f"{name}.progress").write_text(str(share), encoding="ascii")

        fits.append(
            fit_month(features, labels, spec, params, inputs=inputs, key=key, report=report)
        )
    return [network for network, _ in fits], np.stack([losses for _, losses in fits], axis=1)


def loss_table(losses: np.ndarray) -> pd.DataFrame:
    """Return losses [2, networks, epochs]: epoch (from 1), loss, validation_loss if there is one.

    Means over the networks; the last epoch is the last that one of them trained.
    """
    losses = losses[:, :, : np.isfinite(losses[0]).any(0).sum()]
    table = pd.DataFrame({"epoch": range(1, losses.shape[2] + 1)})
    for name, values in zip(_LOSSES, losses, strict=True):
        if np.isfinite(values).any():
            table[name] = np.nanmean(values, 0)
    return table
