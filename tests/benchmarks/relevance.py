"""Milliseconds a month's grounds: the stacked pass of `konkyo attribute` against captum's LRP.

    python tests/benchmarks/relevance.py [--months 24] [--repeats 5]

Both hand the scores of the same networks down to the inputs of the same rows by the rule epsilon,
in float64, on one thread, in turns, in one process; what counts is the ratio of the medians. The
networks and rows are the real ones where `dvc repro` has made them, otherwise random ones of the
paper's shape. Reading and writing files is no part of it.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import statistics
from pathlib import Path

import numpy as np
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import nn
from training import INPUTS, PANEL, STOCKS, seconds

from konkyo import config
from konkyo.attribution.attributions import explain_months
from konkyo.attribution.methods import as_module, scaled
from konkyo.features import store
from konkyo.models import store as weights
from konkyo.models.fit import keep_freed_memory
from konkyo.models.mlp import StackedMLP
from konkyo.windows import MonthSlices, rolling

WEIGHTS = Path("data/models/weights")

Networks = list[tuple[weights.Weights, ...]]


def real_task(chosen: config.Params, months: int) -> tuple[Networks, list[np.ndarray]]:
    """Return the networks of the last months and the rows that they score."""
    panel = store.read(PANEL)
    blocks = MonthSlices.of(panel.index["month"])
    decisions = rolling(blocks, chosen.train.window_months)[-months:]
    networks = [weights.read(WEIGHTS / f"{w.month}.safetensors") for w in decisions]
    return networks, [panel.features[w.test_start : w.test_stop] for w in decisions]


def random_task(chosen: config.Params, months: int) -> tuple[Networks, list[np.ndarray]]:
    """Return untrained networks and rows of the paper's shape."""
    stack = StackedMLP(months, INPUTS, chosen.train.hidden_sizes, chosen.train.activation)
    stack.initialise([torch.Generator().manual_seed(i) for i in range(months)])
    names = [f"f{i}" for i in range(INPUTS)]
    made = weights.unstack(stack, ["2001-01"] * months, [""] * months, names)
    rng = np.random.default_rng(0)
    rows = [rng.uniform(size=(STOCKS, INPUTS)).astype(np.float32) for _ in made]
    return [(network,) for network in made], rows


def by_captum(network: weights.Weights, rows: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the relevances [stocks, inputs] as captum computes them."""
    module = as_module(network)
    for layer in module:
        if isinstance(layer, nn.Linear):
            layer.rule = EpsilonRule(epsilon)
            # captum's rules hang on gradients.
            layer.requires_grad_(True)
    relevance = LRP(module).attribute(scaled(network, rows).requires_grad_())
    found: np.ndarray = relevance.detach().numpy()
    return found


def main() -> None:
    """Measure in turns, compare the relevances, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    chosen = config.load()
    epsilon = chosen.attribute.epsilon
    there = (PANEL / "features.npy").exists() and WEIGHTS.exists()
    networks, rows = (real_task if there else random_task)(chosen, asked.months)

    stacked: list[np.ndarray] = []
    peer: list[np.ndarray] = []

    def stack() -> None:
        stacked[:] = [g.relevance for g in explain_months(networks, rows, epsilon)]

    def captum() -> None:
        peer[:] = [
            np.mean([by_captum(network, block, epsilon) for network in members], axis=0)
            for members, block in zip(networks, rows, strict=True)
        ]

    contenders = {"stack": stack, "captum LRP": captum}
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(asked.repeats + 1):
        for name, work in contenders.items():
            taken[name].append(1000 * seconds(work) / len(rows))
    # The first turn warms up and does not count.
    medians = {name: statistics.median(times[1:]) for name, times in taken.items()}
    print(
        f"{'real' if there else 'random'} rows: {len(rows)} months of "
        f"{np.mean([len(block) for block in rows]):,.0f} predictions x {rows[0].shape[1]} inputs, "
        f"rule epsilon = {epsilon}, 1 thread, {asked.repeats} repeats in turns"
    )
    for name, times in taken.items():
        print(
            f"{name:12s} {medians[name]:7.1f} ms a month "
            f"({min(times[1:]):.1f} to {max(times[1:]):.1f}), "
            f"{medians[name] / medians['stack']:5.1f} times the stack"
        )
    gap = max(np.abs(a - b).max() for a, b in zip(stacked, peer, strict=True))
    largest = max(np.abs(b).max() for b in peer)
    print(f"largest gap of the relevances: {gap:.1e}, of a largest relevance of {largest:.2f}")


if __name__ == "__main__":
    main()
