"""One stack, from initial weights to trained ones, by a Lightning Trainer."""

import ctypes
import logging
import signal
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from torch.utils.data import DataLoader

from konkyo.config import Train
from konkyo.models import accelerator
from konkyo.models.batches import CPU, NetworkSpec, StackBatches, StackSchedule
from konkyo.models.callbacks import ReportProgress, ResumeCheckpoint
from konkyo.models.full_batch import FullBatches, FullBatchModule, FullBatchSchedule
from konkyo.models.lightning_module import StackModule
from konkyo.models.mlp import StackedMLP
from konkyo.models.settings import FitParams, FullBatch, Hyperparameters
from konkyo.random import torch_generator

logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)

_KEPT = {"epoch", "global_step", "loops", "optimizer_states", "lr_schedulers", "state_dict"}
"""What a state must have for a trainer to go on from it."""

# On a GPU an epoch of all windows may take less than writing their state does.
_SECONDS_AT_STAKE = 5.0


@dataclass(frozen=True)
class FitResult:
    """A trained stack.

    Attributes
    ----------
    network : StackedMLP
        In the order of the entries.
    losses : numpy.ndarray
        Mean squared error in training, [windows, epochs].
    """

    network: StackedMLP
    losses: np.ndarray


def initial_network(
    entries: Sequence[NetworkSpec], params: FitParams, output: str = "linear"
) -> StackedMLP:
    """Return the stack before its first step, each window drawn from (seed, month)."""
    inputs = len(entries[0].mean)
    network = StackedMLP(len(entries), inputs, params.hidden_sizes, params.activation, output)
    network.initialise([torch_generator(e.seed, e.month, "weights") for e in entries])
    network.mean.copy_(torch.from_numpy(np.stack([e.mean[None] for e in entries])))
    network.deviation.copy_(torch.from_numpy(np.stack([e.std[None] for e in entries])))
    return network


def fit_stack(
    features: np.ndarray,
    labels: np.ndarray,
    entries: Sequence[NetworkSpec],
    params: Train,
    scratch: Path,
    name: str,
    numbers: Sequence[Hyperparameters] = (),
) -> FitResult:
    """Train a stack of windows, going on from its last whole epoch if it was interrupted.

    Parameters
    ----------
    features : numpy.ndarray
        The panel, [rows, inputs] float32, usually memory-mapped.
    labels : numpy.ndarray
        True and shuffled labels, [2, rows] float32.
    entries : sequence of Entry
        The windows.
    params : Train
        The train section of params.yaml.
    scratch : Path
        Folder of the state to resume from and of the word of progress.
    name : str
        File stem in `scratch`: a digest of the entries' keys, so that only the same stack resumes.
    numbers : sequence of Numbers
        Where rates, dropout and decay differ within the stack; `StackModule` says how.

    Returns
    -------
    Fitted
        The state to resume from stays until the caller has kept the result.
    """
    device = accelerator.device_of(params.accelerator)
    panel = torch.from_numpy(features)
    if device != CPU and accelerator.holds_panel(accelerator.free_bytes(device), panel.nbytes):
        panel = panel.to(device)
    schedule = StackSchedule(entries, params.batch_size, params.epochs)
    batches = StackBatches(panel, torch.from_numpy(labels), schedule, device)
    module = StackModule(initial_network(entries, params), schedule, params, numbers)
    return _run(module, schedule, batches, params, scratch, name, device)


def fit_full_batch(
    features: np.ndarray,
    labels: np.ndarray,
    entries: Sequence[NetworkSpec],
    decay: Sequence[float],
    params: FullBatch,
    scratch: Path,
    name: str,
) -> FitResult:
    """Train a stack of small samples, every window on all its rows at every step.

    Parameters
    ----------
    features : numpy.ndarray
        [rows, inputs] float32.
    labels : numpy.ndarray
        [rows] float32, of the rows that are in some window.
    entries : sequence of Entry
        The windows; `mean` and `deviation` bring their inputs to scale.
    decay : sequence of float
        The weight decay of each window.
    params : FullBatch
        Shape of the networks and how they learn.
    scratch, name : Path, str
        As `fit_stack` takes them; the state is kept every `params.every` steps.

    Returns
    -------
    Fitted
        Its losses are means over `params.every` steps.
    """
    schedule = FullBatchSchedule(entries, params.iterations, params.every)
    network = initial_network(entries, params, params.output)
    mean, deviation = network.mean.clone(), network.deviation.clone()
    batches = FullBatches(
        torch.from_numpy(features), torch.from_numpy(labels), schedule, mean, deviation
    )
    # The batches come scaled, so the network leaves them alone until it is trained.
    network.mean.zero_()
    network.deviation.fill_(1)
    module = FullBatchModule(network, schedule, params, torch.tensor(decay, dtype=torch.float32))
    fitted = _run(module, schedule, batches, params, scratch, name)
    fitted.network.mean.copy_(mean)
    fitted.network.deviation.copy_(deviation)
    return fitted


def _run(
    module: StackModule,
    schedule: StackSchedule | FullBatchSchedule,
    batches: StackBatches | FullBatches,
    params: FitParams,
    scratch: Path,
    name: str,
    device: torch.device = CPU,
) -> FitResult:
    """Run the trainer over a schedule, from the state that is kept if there is one."""
    state = scratch / f"{name}.ckpt"
    resume = _usable_state(state, module, params.epochs)
    if resume is not None:
        batches.start_at(resume["epoch"] + 1)
    trainer = lightning.Trainer(
        accelerator="cpu" if device == CPU else "gpu",
        devices=1 if device == CPU else [device.index],
        max_epochs=params.epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[
            ResumeCheckpoint(state, 0 if device == CPU else _SECONDS_AT_STAKE),
            ReportProgress(scratch / f"{name}.progress", len(batches) * params.epochs),
        ],
        default_root_dir=scratch,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*IterableDataset.*has `__len__` defined.*")
        warnings.filterwarnings("ignore", message=".*`isinstance\\(treespec, LeafSpec\\)`.*")
        interrupts = signal.getsignal(signal.SIGINT)
        try:
            trainer.fit(
                module,
                DataLoader(batches, batch_size=None),
                ckpt_path=state if resume is not None else None,
                weights_only=True,
            )
        except SystemExit as left:
            # Lightning makes an exit with code 1 of an interrupt, and ignores the next ones.
            if not isinstance(left.__context__, KeyboardInterrupt):
                raise
            signal.signal(signal.SIGINT, interrupts)
            raise KeyboardInterrupt from None
    return FitResult(module.trained().cpu(), module.losses().cpu().numpy())


def _usable_state(path: Path, module: StackModule, epochs: int) -> dict[str, Any] | None:
    """Return a kept state of a module; None where there is none, or none that can be gone on from.

    Only tensors and plain values are read, never code.
    """
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
        shapes = {name: tensor.shape for name, tensor in kept["state_dict"].items()}
        own = {name: tensor.shape for name, tensor in module.state_dict().items()}
        usable = kept["epoch"] in range(epochs) and kept.keys() >= _KEPT and shapes == own
    except Exception:
        # A torn file fails in many ways, and each means the same: there is nothing to resume from.
        return None
    return kept if usable else None


def keep_freed_memory() -> None:
    """Tell glibc to keep freed buffers instead of asking the system anew at every step.

    A step frees and takes the same few megabytes again and again; without this a fifth of its time
    goes to page faults.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            trim_threshold, mmap_threshold, most = -1, -3, 32 * 1024 * 1024
            libc.mallopt(mmap_threshold, most)
            libc.mallopt(trim_threshold, 2**31 - 1)
