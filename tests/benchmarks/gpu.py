"""All windows in one stack on a GPU, against the CPU's scores of a few of them.

    python tests/benchmarks/gpu.py [--windows 169] [--epochs 20] [--compared 4] [--device gpu]

Prints the seconds of the training on the device and the rank correlation of the scores with those
of the same windows trained on the CPU. The rows are the real panel's where `dvc repro` has made
it, otherwise random numbers of the paper's shape.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr
from training import PANEL, random_rows, real_rows, seconds

from konkyo import config
from konkyo.errors import ParamsError
from konkyo.models import accelerator
from konkyo.models.fit import fit as fit_task
from konkyo.models.fit import stack_task


def main() -> None:
    """Train on the device twice, the first time to warm up, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--windows", type=int, default=169)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--compared", type=int, default=4)
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    chosen = replace(config.load().train, epochs=asked.epochs, accelerator=asked.device)
    try:
        device = accelerator.device_of(chosen.accelerator)
    except ParamsError as error:
        raise SystemExit(f"gpu.py: {error}") from None
    there = (PANEL / "features.npy").exists()
    features, labels, entries = (
        real_rows(chosen, asked.windows) if there else random_rows(chosen, asked.windows)
    )
    few = entries[:: max(1, len(entries) // asked.compared)][: asked.compared]

    def fit(own, settings):
        with tempfile.TemporaryDirectory() as scratch:
            task = stack_task(features, labels, own, settings)
            return fit_task(task, scratch=Path(scratch), name="stack").network

    warm = seconds(lambda: fit(entries, replace(chosen, epochs=1)))
    trained = []
    whole = seconds(lambda: trained.append(fit(entries, chosen)))
    host = fit(few, replace(chosen, accelerator="cpu"))
    places = [next(i for i, e in enumerate(entries) if e is entry) for entry in few]
    worst = 1.0
    for here, entry in enumerate(few):
        x = torch.from_numpy(np.array(features[entry.rows[-1700:]]))
        pair = []
        for network, place in ((trained[0], places[here]), (host, here)):
            rows = network.scale_(x.expand(network.windows, -1, -1).clone())
            pair.append(network(rows)[place].numpy())
        worst = min(worst, float(spearmanr(*pair).statistic))
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "one core"
    steps = -(-len(few[0].rows) // chosen.batch_size) * asked.epochs
    print(
        f"{name}: {len(entries)} windows, {steps:,} steps in one stack: {whole:.1f} s "
        f"({1000 * whole / steps:.2f} ms a step), an epoch from cold {warm:.1f} s; "
        f"least rank correlation with the CPU over {len(few)} windows {worst:.6f}"
    )


if __name__ == "__main__":
    main()
