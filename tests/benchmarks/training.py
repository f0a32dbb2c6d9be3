"""Seconds a window: the stack against one Lightning fit a window and against scikit-learn.

    python tests/benchmarks/training.py [--repeats 3] [--windows 64] [--epochs 3]

All three train the paper's network (figure 15) on the same rows, one thread each, in turns, in one
process; what counts is the ratio of the medians. The rows are the real panel's where `dvc repro`
has made it, otherwise random numbers of the paper's shape.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytorch_lightning as lightning
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from konkyo import config
from konkyo.features import store
from konkyo.models import jobs
from konkyo.models.batches import Hyperparameters, NetworkSpec
from konkyo.models.fit import fit, keep_freed_memory, stack_task
from konkyo.windows import MonthSlices, rolling

PANEL = Path("data/panel")
MONTHS, STOCKS, INPUTS = 36, 1700, 126

Rows = tuple[np.ndarray, np.ndarray, list[NetworkSpec]]


class PlainNetwork(lightning.LightningModule):
    """One window as everybody writes it."""

    def __init__(self, inputs: int, chosen: config.Train) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for units in chosen.hidden_sizes:
            parts += [nn.Linear(inputs, units), nn.Tanh(), nn.Dropout(chosen.dropout)]
            inputs = units
        self.network = nn.Sequential(*parts, nn.Linear(inputs, 1))
        self.rate = chosen.learning_rate

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        """Return the mean squared error."""
        return nn.functional.mse_loss(self.network(batch[0]).squeeze(1), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam."""
        return torch.optim.Adam(self.parameters(), lr=self.rate)


def real_rows(chosen: config.Train, windows: int) -> Rows:
    """Return features, labels and entries of the last windows of the real panel."""
    panel = store.read(PANEL)
    label = panel.index["label"].to_numpy(dtype=np.float32)
    decisions = rolling(MonthSlices.of(panel.index["month"]), chosen.window_months)[-windows:]
    entries = jobs.network_specs(panel, decisions, replace(chosen, placebo_every=0))
    return panel.features, np.stack([label, label]), entries


def random_rows(chosen: config.Train, windows: int) -> Rows:
    """Return rows of the paper's shape."""
    rng = np.random.default_rng(0)
    n = (MONTHS + windows) * STOCKS
    label = rng.normal(size=n).astype(np.float32)
    features = rng.normal(size=(n, INPUTS)).astype(np.float32)
    zero, one = np.zeros(INPUTS, np.float32), np.ones(INPUTS, np.float32)
    hyperparameters = Hyperparameters(
        learning_rate=chosen.learning_rate,
        weight_decay=chosen.weight_decay,
        dropout=chosen.dropout,
        seed=chosen.seed,
    )
    specs = [
        NetworkSpec(
            month=f"w{i}", rows=np.arange(i * STOCKS, (i + MONTHS) * STOCKS), mean=zero, std=one,
            seed=1, hyperparameters=hyperparameters,
        )
        for i in range(windows)
    ]  # fmt: skip
    return features, np.stack([label, label]), specs


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure in turns and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--windows", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    asked = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    for told in (".*does not have many workers.*", ".*treespec.*"):
        warnings.filterwarnings("ignore", message=told)
    logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
    torch.set_num_threads(1)
    keep_freed_memory()

    chosen = replace(config.load().train, epochs=asked.epochs)
    there = (PANEL / "features.npy").exists()
    features, labels, entries = (
        real_rows(chosen, asked.windows) if there else random_rows(chosen, asked.windows)
    )
    one = entries[-1]
    x = (features[one.rows] - one.mean) / one.std
    y = labels[0][one.rows]

    def stack() -> None:
        with tempfile.TemporaryDirectory() as scratch:
            fit(stack_task(features, labels, entries, chosen), scratch=Path(scratch), name="stack")

    def one_fit_a_window() -> None:
        data = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        trainer = lightning.Trainer(
            accelerator="cpu", max_epochs=asked.epochs, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        loader = DataLoader(data, batch_size=chosen.batch_size, shuffle=True)
        trainer.fit(PlainNetwork(x.shape[1], chosen), loader)

    def scikit_learn() -> None:
        MLPRegressor(
            hidden_layer_sizes=chosen.hidden_sizes, activation="tanh", alpha=0, tol=0,
            batch_size=chosen.batch_size, learning_rate_init=chosen.learning_rate,
            max_iter=asked.epochs, n_iter_no_change=asked.epochs + 1,
        ).fit(x, y)  # fmt: skip

    contenders = {
        "stack": (stack, len(entries)),
        "Lightning, one fit a window": (one_fit_a_window, 1),
        "scikit-learn MLPRegressor, no dropout": (scikit_learn, 1),
    }
    steps = -(-len(y) // chosen.batch_size) * asked.epochs
    print(
        f"{'real' if there else 'random'} rows: {len(y):,} a window x {x.shape[1]} inputs, "
        f"{asked.windows} windows in the stack, {steps} steps, 1 thread, "
        f"{asked.repeats} repeats in turns"
    )
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(asked.repeats + 1):
        for name, (work, windows) in contenders.items():
            taken[name].append(1000 * seconds(work) / windows / steps)
    # The first turn warms up and does not count.
    medians = {name: statistics.median(times[1:]) for name, times in taken.items()}
    for name, times in taken.items():
        print(
            f"{name:40s} {medians[name]:7.2f} ms a step a window "
            f"({min(times[1:]):.2f} to {max(times[1:]):.2f}), "
            f"{medians[name] / medians['stack']:5.1f} times the stack"
        )


if __name__ == "__main__":
    main()
