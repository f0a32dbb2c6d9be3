"""One month at a time by ordinary Lightning: a DataModule, a LightningModule, a Trainer.

Losses go to the run's history, not to an MLFlowLogger: workers of a cluster need not reach the
store, a fit has no run yet, and the last stage alone writes to MLflow, these losses included.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from konkyo.config import Train
from konkyo.errors import ParamsError
from konkyo.models import accelerator, store, user_module
from konkyo.models.batches import CPU, NetworkSpec
from konkyo.models.fit import initial_network, running
from konkyo.models.ranking_module import MLP, VALIDATION_LOSS
from konkyo.random import seed_of, torch_generator


class SeededBatches:
    """The batches of an epoch as positions of rows, in the stack's order: by (seed, month, epoch).

    Parameters
    ----------
    spec : NetworkSpec
        Its seed and month.
    rows : int
        Rows of the window.
    batch_size : int
        Rows of a batch; the last one has fewer.
    """

    def __init__(self, spec: NetworkSpec, rows: int, batch_size: int) -> None:
        self.spec, self.rows, self.batch_size = spec, rows, batch_size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next pass, as Lightning does for samplers."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Return the batches of an epoch."""
        return -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[Tensor]:
        """Yield the positions of each batch."""
        generator = torch_generator(self.spec.seed, self.spec.month, "order", self.epoch)
        yield from torch.randperm(self.rows, generator=generator).split(self.batch_size)


class WindowData(lightning.LightningDataModule):
    """The rows of a window, scaled: those that train, and those of the validation months.

    Parameters
    ----------
    features, labels : numpy.ndarray
        The panel [rows, inputs], and true and shuffled labels [2, rows], float32.
    spec : NetworkSpec
        Which rows, and their scaling.
    batch_size : int
        Rows of a step.
    """

    def __init__(
        self, features: np.ndarray, labels: np.ndarray, spec: NetworkSpec, batch_size: int
    ) -> None:
        super().__init__()
        self.spec, self.batch_size = spec, batch_size
        x = (features[spec.rows] - spec.mean) / spec.std
        y = labels[int(spec.placebo)][spec.rows]
        first = len(y)
        if spec.validation_start is not None:
            first = int(np.searchsorted(spec.rows, spec.validation_start))
        self._train, self._validation = (
            TensorDataset(torch.from_numpy(x[part]), torch.from_numpy(y[part]))
            for part in (slice(first), slice(first, None))
        )

    def train_dataloader(self) -> DataLoader:
        """Return the batches of an epoch, sliced and not fetched row by row."""
        batches: Any = SeededBatches(self.spec, len(self._train), self.batch_size)
        return DataLoader(self._train, sampler=batches, batch_size=None)

    def val_dataloader(self) -> DataLoader:
        """Return the validation months in one batch."""
        batch: Any = [torch.arange(len(self._validation))]
        return DataLoader(self._validation, sampler=batch, batch_size=None)


class EpochLosses(lightning.Callback):
    """Keeps the losses of every epoch, and reports the share of epochs done.

    Parameters
    ----------
    report : callable
        Takes the number of epochs done.
    """

    def __init__(self, report: Callable[[int], None]) -> None:
        self.report = report
        self.losses: list[float] = []
        self.validation: list[float] = []
        self._total, self._rows = 0.0, 0

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Add a batch's loss."""
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        self._total += float("nan") if loss is None else float(loss) * len(batch[1])
        self._rows += len(batch[1])

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """See that the module has logged its validation loss, before early stopping looks for it.

        Raises
        ------
        ParamsError
            It has not.
        """
        if VALIDATION_LOSS not in trainer.callback_metrics:
            raise ParamsError(
                f"train.validation_months > 0, and {type(pl_module).__name__} logs no "
                f"{VALIDATION_LOSS}: log it in validation_step, or set train.validation_months to 0"
            )
        self.validation.append(float(trainer.callback_metrics[VALIDATION_LOSS]))

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """End the mean of the epoch.

        Raises
        ------
        ParamsError
            The loss is not a number.
        """
        loss = self._total / self._rows
        if not math.isfinite(loss):
            raise ParamsError(
                f"the loss of {type(pl_module).__name__} is {loss} in epoch {len(self.losses) + 1}:"
                " lower train.learning_rate, or let its training_step return the loss of a batch"
            )
        self.losses.append(loss)
        self._total, self._rows = 0.0, 0
        self.report(len(self.losses))


def fit_month(
    features: np.ndarray,
    labels: np.ndarray,
    spec: NetworkSpec,
    params: Train,
    *,
    inputs: Sequence[str],
    key: str,
    report: Callable[[int], None],
) -> tuple[store.Network, np.ndarray]:
    """Train the network of one month.

    Parameters
    ----------
    features, labels : numpy.ndarray
        The panel [rows, inputs], and true and shuffled labels [2, rows], float32.
    spec : NetworkSpec
        The network.
    params : Train
        The train section of params.yaml: `module` says which class.
    inputs : sequence of str
        Names of the features.
    key : str
        Digest of everything that the weights depend on.
    report : callable
        Takes the number of epochs done.

    Returns
    -------
    network : Weights or ModuleWeights
        Of the perceptron or of a user's module.
    losses : numpy.ndarray
        [2, epochs], of the training and of the validation months; see `engines.train_networks`.
    """
    seed = seed_of(spec.seed, spec.month, "module")
    common: dict[str, Any] = {
        "month": spec.month,
        "key": key,
        "features": tuple(inputs),
        "mean": spec.mean,
        "std": spec.std,
    }
    # What a user's module draws is seeded by (seed, month) too, and leaves no trace in the process.
    with isolate_rng():
        lightning.seed_everything(seed % 2**32, verbose=False)
        if params.module == "lightning":
            initial = initial_network(
                [spec],
                hidden_sizes=params.hidden_sizes,
                activation=params.activation,
                initial=params.initial,
            )
            perceptron = MLP(initial, spec.hyperparameters, batch_size=params.batch_size)
            losses = _run(perceptron, features, labels, spec, params, report)
            weights, biases = perceptron.weights_and_biases()
            network: store.Network = store.Weights(
                **common, activation=params.activation, weights=weights, biases=biases
            )
        else:
            arguments = user_module.arguments(params, spec.hyperparameters, inputs)
            module = user_module.construct(params.module, arguments)
            losses = _run(module, features, labels, spec, params, report)
            state = {name: value.numpy() for name, value in module.state_dict().items()}
            network = store.ModuleWeights(
                **common, module=params.module, arguments=arguments, state=state
            )
    padded = np.full((2, params.epochs), np.nan)
    padded[0, : len(losses.losses)] = losses.losses
    padded[1, : len(losses.validation)] = losses.validation
    return network, padded


def _run(
    module: lightning.LightningModule,
    features: np.ndarray,
    labels: np.ndarray,
    spec: NetworkSpec,
    params: Train,
    report: Callable[[int], None],
) -> EpochLosses:
    """Train a module in place; with validation months it ends as its best epoch left it."""
    device = accelerator.device_of(params.accelerator)
    validates = spec.validation_start is not None
    losses = EpochLosses(report)
    with TemporaryDirectory() as folder, running():
        callbacks: list[lightning.Callback] = [losses]
        if validates:
            callbacks += [
                EarlyStopping(VALIDATION_LOSS, patience=params.patience),
                ModelCheckpoint(folder, monitor=VALIDATION_LOSS, save_weights_only=True),
            ]
        trainer = lightning.Trainer(
            accelerator="cpu" if device == CPU else "gpu",
            devices=1 if device == CPU else [device.index],
            max_epochs=params.epochs,
            precision=params.precision,
            limit_val_batches=1.0 if validates else 0,
            num_sanity_val_steps=0,
            logger=False,
            enable_checkpointing=validates,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=callbacks,
            default_root_dir=Path(folder),
        )
        trainer.fit(module, datamodule=WindowData(features, labels, spec, params.batch_size))
        module.cpu()
        if validates:
            best = trainer.checkpoint_callback
            assert isinstance(best, ModelCheckpoint)  # nosec B101 # tells mypy the type
            state = torch.load(best.best_model_path, map_location="cpu", weights_only=True)
            module.load_state_dict(state["state_dict"])
    return losses
