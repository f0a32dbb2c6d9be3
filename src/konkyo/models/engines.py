"""What every engine offers: networks trained from specs, and the scores of rows.

An engine is a value of `train.module`: the stack, or networks that train month by month. The rest
of the project knows networks by `train_networks`, `baselines.network_scores` and
`konkyo.attribution.attributions.explain_months`, which take those of any engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.config import Train
from konkyo.models import store
from konkyo.models.batches import NetworkSpec
from konkyo.models.fit import fit, stack_task

_COLUMNS = {"losses": "loss", "validation": "validation_loss"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """Trained networks, in the order of their specs.

    Attributes
    ----------
    networks : list of Weights or ModuleWeights
        Of one kind.
    losses, validation : numpy.ndarray
        [networks, epochs], mean over the rows of the training and of the validation months; NaN
        after an early stop, and without validation months.
    """

    networks: list[store.Network]
    losses: np.ndarray
    validation: np.ndarray


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
) -> Trained:
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
    """
    if params.module == "stacked":
        result = fit(stack_task(features, labels, specs, params), scratch=scratch, name=name)
        months = [spec.month for spec in specs]
        networks = store.unstack(result.network, months=months, keys=keys, features=inputs)
        nowhere = np.full_like(result.losses, np.nan)
        return Trained(networks=[*networks], losses=result.losses, validation=nowhere)
    from konkyo.models.month_fit import fit_month

    fits = []
    for number, (spec, key) in enumerate(zip(specs, keys, strict=True)):

        def report(epochs: int, before: int = number) -> None:
            share = (before + epochs / params.epochs) / len(specs)
            (scratch / f"{name}.progress").write_text(str(share), encoding="ascii")

        fits.append(
            fit_month(features, labels, spec, params, inputs=inputs, key=key, report=report)
        )
    return Trained(
        networks=[one.network for one in fits],
        losses=np.stack([one.losses for one in fits]),
        validation=np.stack([one.validation for one in fits]),
    )


def loss_table(trained: Trained, part: slice) -> pd.DataFrame:
    """Return the losses of some networks: epoch (from 1), loss, validation_loss if there is one.

    Means over the networks; the last epoch is the last that one of them trained.
    """
    # An early stop leaves NaN behind its last epoch.
    epochs = int((~np.isnan(trained.losses[part])).any(0).sum())
    table = pd.DataFrame({"epoch": range(1, epochs + 1)})
    for name in ("losses", "validation"):
        values = getattr(trained, name)[part, :epochs]
        if not np.isnan(values).all():
            table[_COLUMNS[name]] = np.nanmean(values, 0)
    return table
