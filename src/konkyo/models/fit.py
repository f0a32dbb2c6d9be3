"""One stack, from initial weights to trained ones, by a Lightning Trainer."""

import ctypes
import logging
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from torch.utils.data import DataLoader

from konkyo.config import Train
from konkyo.io import atomic_write
from konkyo.models import accelerator
from konkyo.models.batches import CPU, EpochDataset, NetworkSpec, PanelBatches, StackSchedule
from konkyo.models.gather import PanelRows, RoundedRows
from konkyo.models.lightning_module import StackModule
from konkyo.models.mlp import Initial, StackedMLP
from konkyo.random import torch_generator

logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)

_CHECKPOINT = {"epoch", "global_step", "loops", "optimizer_states", "lr_schedulers", "state_dict"}
"""Entries without which a trainer cannot resume."""

# On a GPU an epoch of all windows may take less than writing their state does.
_SECONDS_AT_STAKE = 5.0


@dataclass(frozen=True, kw_only=True, eq=False)
class FitTask:
    """A stack to train.

    Attributes
    ----------
    module : StackModule
        The networks before their first step.
    batches : EpochDataset
        Which rows they see at every step.
    device : torch.device
        Where they train.
    """

    module: StackModule
    batches: EpochDataset
    device: torch.device = CPU


@dataclass(frozen=True, kw_only=True, eq=False)
class FitResult:
    """A trained stack.

    Attributes
    ----------
    network : StackedMLP
        In the order of the specs.
    losses : numpy.ndarray
        Mean squared error in training, [windows, epochs].
    """

    network: StackedMLP
    losses: np.ndarray


def initial_network(
    specs: Sequence[NetworkSpec],
    *,
    hidden_sizes: Sequence[int],
    activation: str,
    output: str = "linear",
    initial: Initial = "torch",
) -> StackedMLP:
    """Return the stack before its first step, each network drawn from (seed, month)."""
    network = StackedMLP(len(specs), len(specs[0].mean), hidden_sizes, activation, output)
    generators = [torch_generator(spec.seed, spec.month, "weights") for spec in specs]
    network.initialise(generators, initial)
    network.mean.copy_(torch.from_numpy(np.stack([spec.mean[None] for spec in specs])))
    network.std.copy_(torch.from_numpy(np.stack([spec.std[None] for spec in specs])))
    return network


def stack_task(
    features: np.ndarray,
    labels: np.ndarray,
    specs: Sequence[NetworkSpec],
    params: Train,
    rounded: np.ndarray | None = None,
) -> FitTask:
    """Return a stack of windows to fit in batches.

    Parameters
    ----------
    features : numpy.ndarray
        The panel, [rows, inputs] float32, usually memory-mapped.
    labels : numpy.ndarray
        True and shuffled labels, [2, rows] float32.
    specs : sequence of NetworkSpec
        The networks, each with its own hyperparameters.
    params : Train
        For what the networks of a stack have in common: shape, batch size, epochs and device.
    rounded : numpy.ndarray, optional
        The features of `gather.write_rounded`, for bf16-mixed.
    """
    device = accelerator.device_of(params.accelerator)
    schedule = StackSchedule(specs, batch_size=params.batch_size, epochs=params.epochs)
    network = initial_network(
        specs,
        hidden_sizes=params.hidden_sizes,
        activation=params.activation,
        initial=params.initial,
    )
    panel = torch.from_numpy(features)
    rows = (
        PanelRows(panel, network, device)
        if params.precision == "32-true"
        else RoundedRows(panel, network, device, specs, rounded)
    )
    module = StackModule(
        network,
        [spec.hyperparameters for spec in specs],
        fetch=PanelBatches(rows, torch.from_numpy(labels), specs),
        last_step=schedule.last_step,
        epochs=params.epochs,
        as_graph=rows.device.type == "cuda",
    )
    return FitTask(module=module, batches=EpochDataset(schedule), device=device)


def fit(task: FitTask, *, scratch: Path, name: str) -> FitResult:
    """Train a stack, resuming from its last finished epoch if it was interrupted.

    Parameters
    ----------
    task : FitTask
        Of `stack_task` or `full_batch.full_batch_task`.
    scratch : Path
        Folder of the checkpoint and of the progress file.
    name : str
        File stem in `scratch`: a digest of the networks' keys, so that only the same stack resumes.

    Returns
    -------
    FitResult
        The checkpoint stays until the caller has saved the result and removes it.
    """
    module, device = task.module, task.device
    checkpoint = scratch / f"{name}.ckpt"
    resume = _readable_checkpoint(checkpoint, module)
    if resume is not None:
        task.batches.start_at(resume["epoch"] + 1)
    trainer = lightning.Trainer(
        accelerator="cpu" if device == CPU else "gpu",
        devices=1 if device == CPU else [device.index],
        max_epochs=module.epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[
            ResumeCheckpoint(checkpoint, 0 if device == CPU else _SECONDS_AT_STAKE),
            ReportProgress(scratch / f"{name}.progress", len(task.batches) * module.epochs),
        ],
        default_root_dir=scratch,
    )
    with running():
        trainer.fit(
            module,
            DataLoader(task.batches, batch_size=None),
            ckpt_path=checkpoint if resume is not None else None,
            weights_only=True,
        )
    return FitResult(network=module.trained().cpu(), losses=module.losses().cpu().numpy())


@contextmanager
def running() -> Iterator[None]:
    """Let a Trainer run: warnings that concern nobody here are silent, an interrupt is one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*IterableDataset.*has `__len__` defined.*")
        warnings.filterwarnings("ignore", message=".*`isinstance\\(treespec, LeafSpec\\)`.*")
        # The steps before a capture.
        warnings.filterwarnings("ignore", message=".*capturable=True.*")
        handler = signal.getsignal(signal.SIGINT)
        try:
            yield
        except SystemExit as error:
            # Lightning turns an interrupt into an exit with code 1, and ignores the next ones.
            if not isinstance(error.__context__, KeyboardInterrupt):
                raise
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from None


class ResumeCheckpoint(lightning.Callback):
    """Write the whole state of the fit after each epoch, replacing the last one atomically.

    Parameters
    ----------
    path : Path
        The checkpoint; a killed fit resumes from it.
    min_seconds : float
        Least seconds between two checkpoints.
    """

    def __init__(self, path: Path, min_seconds: float = 0.0) -> None:
        self.path = path
        self._min_seconds = min_seconds
        self._last = time.monotonic()

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Save unless this was the last epoch, whose results are written elsewhere."""
        due = time.monotonic() - self._last >= self._min_seconds
        if due and trainer.current_epoch + 1 < (trainer.max_epochs or 0):
            with atomic_write(self.path) as scratch:
                trainer.save_checkpoint(scratch, weights_only=False)
            self._last = time.monotonic()


class ReportProgress(lightning.Callback):
    """Write the share of steps done to a small file, which `progress.progress_bar` reads.

    Parameters
    ----------
    path : Path
        The file; several stacks of one run have one each.
    steps : int
        Lightning's steps of the fit.
    """

    def __init__(self, path: Path, steps: int) -> None:
        self.path = path
        self.steps = steps

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Write the share done, from 0 to 1."""
        done = trainer.current_epoch * int(trainer.num_training_batches) + batch_idx + 1
        self.path.write_text(str(done / self.steps), encoding="ascii")


def _readable_checkpoint(path: Path, module: StackModule) -> dict[str, Any] | None:
    """Return a module's checkpoint; None where there is none, or none to resume from.

    Only tensors and plain values are read, never code.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        shapes = {name: tensor.shape for name, tensor in checkpoint["state_dict"].items()}
        expected = {name: tensor.shape for name, tensor in module.state_dict().items()}
        usable = (
            checkpoint["epoch"] in range(module.epochs)
            and checkpoint.keys() >= _CHECKPOINT
            and shapes == expected
        )
    except Exception:
        # A torn file fails in many ways, and each means the same: there is nothing to resume from.
        return None
    return checkpoint if usable else None


def keep_freed_memory() -> None:
    """Let glibc reuse freed buffers instead of asking the system for pages at every step.

    A step frees and takes the same few megabytes again and again; without this a fifth of its time
    goes to page faults.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            trim_threshold, mmap_threshold, most = -1, -3, 32 * 1024 * 1024
            libc.mallopt(mmap_threshold, most)
            libc.mallopt(trim_threshold, 2**31 - 1)
