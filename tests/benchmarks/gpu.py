"""All windows in one stack on a GPU, against the CPU's scores of a few of them.

    python tests/benchmarks/gpu.py [--windows 169] [--epochs 20] [--compared 4] [--device gpu]

Prints the seconds of the training on the device in float32, TF32 and bfloat16, each step as a CUDA
graph and call by call, and the rank correlation of the scores with those of the same windows
trained on the CPU in float32; then the seconds of the relevances of every window's stocks. The rows
are the real panel's where `dvc repro` has made it, otherwise random numbers of the paper's shape.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from training import PANEL, STOCKS, random_rows, real_rows, seconds

from konkyo import config
from konkyo.attribution.lrp import propagate
from konkyo.attribution.rules import Epsilon
from konkyo.errors import ParamsError
from konkyo.models import accelerator
from konkyo.models.batches import NetworkSpec
from konkyo.models.fit import fit, stack_task
from konkyo.models.mlp import StackedMLP

PRECISIONS: list[tuple[str, config.Precision, bool]] = [
    ("float32", "32-true", False),
    ("TF32", "32-true", True),
    ("bfloat16", "bf16-mixed", False),
]
"""Name, `train.precision`, and whether torch may round the factors of a product to TF32."""


def least_correlation(
    features: np.ndarray,
    few: Sequence[NetworkSpec],
    pair: Sequence[StackedMLP],
    places: Sequence[Sequence[int]],
) -> float:
    """Return the least rank correlation of two stacks' scores of the windows' last rows."""
    worst = 1.0
    for number, spec in enumerate(few):
        x = torch.from_numpy(np.array(features[spec.rows[-STOCKS:]]))
        scores = [
            network(network.scale_(x.expand(network.windows, -1, -1).clone()))[place[number]]
            for network, place in zip(pair, places, strict=True)
        ]
        worst = min(worst, float(spearmanr(*(s.numpy() for s in scores)).statistic))
    return worst


def relevances(features: np.ndarray, specs: Sequence[NetworkSpec], network: StackedMLP) -> None:
    """Compute the relevances of every window's last rows, window by window, in host memory."""
    device = network.mean.device
    layers = [(w.double(), b.double()) for w, b in network.layers()]
    for number, spec in enumerate(specs):
        one = StackedMLP(1, features.shape[1], network.hidden, network.activation).to(device)
        for at, (weight, bias) in enumerate(layers):
            one.weights[at] = torch.nn.Parameter(weight[[number]])
            one.biases[at] = torch.nn.Parameter(bias[[number]])
        one.mean, one.std = network.mean[[number]].double(), network.std[[number]].double()
        x = torch.from_numpy(features[spec.rows[-STOCKS:]]).to(device).double()[None]
        _, relevance = propagate(one, one.scale_(x), Epsilon(0.001))
        relevance.float().cpu()


def main() -> None:
    """Train on the device, the first time to warm up, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--windows", type=int, default=169)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--compared", type=int, default=4)
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    base = replace(config.load().train, epochs=asked.epochs, accelerator=asked.device)
    try:
        device = accelerator.device_of(base.accelerator)
    except ParamsError as error:
        raise SystemExit(f"gpu.py: {error}") from None
    there = (PANEL / "features.npy").exists()
    features, labels, entries = (
        real_rows(base, asked.windows) if there else random_rows(base, asked.windows)
    )
    few = entries[:: max(1, len(entries) // asked.compared)][: asked.compared]
    places = [next(i for i, e in enumerate(entries) if e is entry) for entry in few]
    steps = -(-max(len(entry.rows) for entry in entries) // base.batch_size) * asked.epochs
    on_gpu = device.type == "cuda"
    print(
        f"{torch.cuda.get_device_name(device) if on_gpu else 'one core'}: {len(entries)} windows, "
        f"{features.shape[1]} inputs, {steps:,} steps in one stack"
    )

    def train(
        specs: list[NetworkSpec], params: config.Train, *, graph: bool = True
    ) -> tuple[StackedMLP, float]:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as scratch:
            task = stack_task(features, labels, specs, params)
            if not graph:
                task.module._graph = None
            network = fit(task, scratch=Path(scratch), name="stack").network
        return network, time.perf_counter() - start

    host, _ = train(few, replace(base, accelerator="cpu"))
    for name, precision, tf32 in PRECISIONS:
        torch.backends.cuda.matmul.allow_tf32 = tf32
        params = replace(base, precision=precision)
        for graph in (True, False) if on_gpu else (False,):
            _, warm = train(entries, replace(params, epochs=1), graph=graph)
            network, whole = train(entries, params, graph=graph)
            agreed = least_correlation(features, few, (network, host), (places, range(len(few))))
            print(
                f"{name}, {'CUDA graph' if graph else 'call by call'}: {whole:.2f} s "
                f"({1000 * whole / steps:.2f} ms a step), an epoch from cold {warm:.2f} s; least "
                f"rank correlation with the CPU over {len(few)} windows {agreed:.6f}"
            )
    network = network.to(device)
    first, again = (seconds(lambda: relevances(features, entries, network)) for _ in range(2))
    print(
        f"relevances of {STOCKS * len(entries):,} predictions, float64, window by window: "
        f"{again:.2f} s, the first time {first:.2f} s"
    )


if __name__ == "__main__":
    main()
