"""Core time of a step: the stack in both precisions, its parts, and what else trains such windows.

    python tests/benchmarks/training.py [--repeats 3] [--windows 64] [--epochs 3] [--random]

All train the paper's network (figure 15) on the same rows, one thread each, in turns, in one
process; what counts is the ratio of the medians. Parts of a step are measured alone. The rows are
the real panel's where `dvc repro` has made it, otherwise, or with --random, random numbers of the
paper's shape: 126 inputs, of which 60 are market series.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import copy
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytorch_lightning as lightning
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.utils.data import DataLoader, TensorDataset

from konkyo import config
from konkyo.features import store
from konkyo.models import jobs
from konkyo.models.backward import Gradients
from konkyo.models.batches import Hyperparameters, NetworkSpec
from konkyo.models.fit import fit, keep_freed_memory, stack_task
from konkyo.windows import MonthSlices, rolling

PANEL = Path("data/panel")
MONTHS, STOCKS, INPUTS, SERIES = 36, 1700, 126, 60

PRECISIONS: tuple[config.Precision, ...] = ("32-true", "bf16-mixed")
PARTS = 10
"""Turns of the parts of a step for one of the whole fits."""

Rows = tuple[np.ndarray, np.ndarray, list[NetworkSpec]]


def plain_network(inputs: int, chosen: config.Train) -> nn.Sequential:
    """Return the network of one window as everybody writes it."""
    parts: list[nn.Module] = []
    for units in chosen.hidden_sizes:
        parts += [nn.Linear(inputs, units), nn.Tanh(), nn.Dropout(chosen.dropout)]
        inputs = units
    return nn.Sequential(*parts, nn.Linear(inputs, 1))


class PlainNetwork(lightning.LightningModule):
    """One window as everybody trains it."""

    def __init__(self, inputs: int, chosen: config.Train) -> None:
        super().__init__()
        self.network = plain_network(inputs, chosen)
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
    features[:, -SERIES:] = features[::STOCKS, -SERIES:].repeat(STOCKS, 0)
    mean, std = np.zeros(INPUTS, np.float32), np.ones(INPUTS, np.float32)
    mean[-SERIES:], std[-SERIES:] = 0.1, 1.1
    hyperparameters = Hyperparameters(
        learning_rate=chosen.learning_rate,
        weight_decay=chosen.weight_decay,
        dropout=chosen.dropout,
        seed=chosen.seed,
    )
    specs = [
        NetworkSpec(
            month=f"w{i}", rows=np.arange(i * STOCKS, (i + MONTHS) * STOCKS), mean=mean, std=std,
            seed=1, hyperparameters=hyperparameters,
        )
        for i in range(windows)
    ]  # fmt: skip
    return features, np.stack([label, label]), specs


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the time of one call by a clock."""
    start = clock()
    work()
    return clock() - start


def modules_by_vmap(
    features: np.ndarray, labels: np.ndarray, specs: list[NetworkSpec], chosen: config.Train
) -> None:
    """Train ordinary modules as a stack by torch.func: vmap over their stacked parameters."""
    modules = [plain_network(features.shape[1], chosen) for _ in specs]
    params, _ = stack_module_state(modules)
    base = copy.deepcopy(modules[0]).to("meta")
    panel, label = torch.from_numpy(features), torch.from_numpy(labels[0])
    mean, std = (
        torch.from_numpy(np.stack([getattr(s, name) for s in specs]))[:, None]
        for name in ("mean", "std")
    )

    def loss(own: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return nn.functional.mse_loss(functional_call(base, own, (x,)).squeeze(1), y)

    gradients = vmap(grad(loss), randomness="different")
    optimizer = torch.optim.Adam(params.values(), lr=chosen.learning_rate, fused=True)
    rows = [torch.from_numpy(spec.rows) for spec in specs]
    shortest = min(map(len, rows))
    for _ in range(chosen.epochs):
        orders = torch.stack([own[torch.randperm(len(own))[:shortest]] for own in rows])
        for at in orders.split(chosen.batch_size, dim=1):
            with torch.no_grad():
                found = gradients(params, (panel[at] - mean) / std, label[at])
            for name, own in params.items():
                own.grad = found[name]
            optimizer.step()


def parts_of_a_step(
    features: np.ndarray, labels: np.ndarray, specs: list[NetworkSpec], chosen: config.Train
) -> dict[str, Callable[[], object]]:
    """Return the whole step of a stack, its gathers, its gradients and the products of these."""
    task = stack_task(features, labels, specs, chosen)
    batch = next(task.batches.schedule.from_step(0))
    x, y = task.module.fetch(batch.rows)
    optimizer = task.module.configure_optimizers()
    gradients = Gradients(task.module.network, x)
    drawn, count = task.module.draw_masks(0, x.shape[1]), batch.weight.sum(1)
    masks = [(slice(0, len(specs)), [mask.to(x.dtype) for mask in drawn])]
    sizes = [x.shape[2], *chosen.hidden_sizes]
    a = [x.new_zeros(*x.shape[:2], size) for size in sizes]
    weights = [x.new_zeros(len(specs), *pair) for pair in pairwise(sizes)]

    def products() -> None:
        for below, weight, above in zip(a[:-1], weights, a[1:], strict=True):
            torch.bmm(below, weight, out=above)
            torch.bmm(below.mT, above, out=weight)
        for below, weight, above in zip(a[1:-1], weights[1:], a[2:], strict=True):
            torch.bmm(above, weight.mT, out=below)

    return {
        "products": products,
        "gradients": lambda: gradients(x, y, weight=batch.weight, count=count, masks=masks),
        "rows": lambda: task.module.fetch(batch.rows),
        "masks": lambda: task.module.draw_masks(0, x.shape[1]),
        "Adam": optimizer.step,
    }


def main() -> None:
    """Measure in turns and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--windows", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--random", action="store_true", help="rows of the paper's shape")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    for told in (".*does not have many workers.*", ".*treespec.*"):
        warnings.filterwarnings("ignore", message=told)
    logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
    torch.set_num_threads(1)
    keep_freed_memory()

    chosen = replace(config.load().train, epochs=asked.epochs)
    there = (PANEL / "features.npy").exists() and not asked.random
    features, labels, entries = (
        real_rows(chosen, asked.windows) if there else random_rows(chosen, asked.windows)
    )
    one = entries[-1]
    x = (features[one.rows] - one.mean) / one.std
    y = labels[0][one.rows]

    def stack(precision: config.Precision) -> None:
        settings = replace(chosen, precision=precision)
        with tempfile.TemporaryDirectory() as scratch:
            task = stack_task(features, labels, entries, settings)
            fit(task, scratch=Path(scratch), name="stack")

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
        **{f"stack, {name}": (partial(stack, name), len(entries)) for name in PRECISIONS},
        "torch.func, vmap over modules": (
            partial(modules_by_vmap, features, labels, entries, chosen),
            len(entries),
        ),
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
            taken[name].append(1000 * seconds(work, time.process_time) / windows / steps)
    # The first turn warms up and does not count.
    medians = {name: statistics.median(times[1:]) for name, times in taken.items()}
    for name, times in taken.items():
        print(
            f"{name:38s} {medians[name]:6.3f} ms a step a window "
            f"({min(times[1:]):.3f} to {max(times[1:]):.3f}), "
            + " and ".join(f"{medians[name] / medians[f'stack, {p}']:.2f}" for p in PRECISIONS)
            + " times the stacks"
        )
    parts = {
        f"{name}, {precision}": part
        for precision in PRECISIONS
        for name, part in parts_of_a_step(
            features, labels, entries, replace(chosen, precision=precision)
        ).items()
    }
    for part in parts.values():
        part()
    alone: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(PARTS * asked.repeats):
        for name, part in parts.items():
            alone[name].append(1000 * seconds(part, time.process_time) / len(entries))
    for name, times in alone.items():
        print(f"{name:38s} {statistics.median(times):6.3f} ms, at least {min(times):.3f}")


if __name__ == "__main__":
    main()
