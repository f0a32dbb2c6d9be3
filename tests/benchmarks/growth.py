"""Core hours and memory of the training against windows, stocks, inputs and seeds, one at a time.

    python tests/benchmarks/growth.py [--steps 12] [--precision bf16-mixed] [--out growth.png]

Every case is a process of its own that trains as one worker does, on one core: the paper's network
(params.yaml) on random rows of a panel file that it maps, in stacks of
`train.max_networks_per_stack` networks, one after another. Each stack takes only `--steps` steps.
The core's time for all steps of all epochs is
extrapolated from the median step and from the start of an epoch, where row orders are drawn;
Lightning's own work and the files of weights are left out. Memory is the highest seen: what the
process took for itself, and what of the mapped panel was there, which all processes share and the
system takes back when it is short. Prints a table and draws it.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

MONTHS = 36


@dataclass(frozen=True)
class Case:
    """What there is to train."""

    windows: int = 100
    stocks: int = 1700
    inputs: int = 126
    seeds: int = 1
    precision: str = "32-true"


GROWTH = {
    "windows": (10, 100, 1000),
    "stocks": (1700, 17_000),
    "inputs": (126, 1000),
    "seeds": (1, 8),
}
SMALL = Case(windows=6, stocks=100, inputs=20)
SMALL_GROWTH = {"windows": (3, 6, 60), "stocks": (100, 1000), "inputs": (20, 200), "seeds": (1, 8)}


def write_panel(folder: Path, case: Case) -> None:
    """Write random features and labels, a month at a time."""
    rng = np.random.default_rng(0)
    rows = (MONTHS + case.windows) * case.stocks
    shape = (rows, case.inputs)
    features = np.lib.format.open_memmap(folder / "features.npy", "w+", np.float32, shape)
    for first in range(0, rows, case.stocks):
        features[first : first + case.stocks] = rng.random(
            (case.stocks, case.inputs), dtype=np.float32
        )
    features.flush()
    if case.precision == "bf16-mixed":
        from konkyo.models.gather import write_rounded

        write_rounded(features, folder / "rounded.npy")
    np.save(folder / "labels.npy", rng.random((2, rows), dtype=np.float32))


def memory() -> tuple[int, int]:
    """Return the bytes that this process has for itself and those of mapped files."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kilobytes = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith(" kB")}
    return 1024 * int(kilobytes["RssAnon"]), 1024 * int(kilobytes["RssFile"])


def work(folder: Path, case: Case, steps: int) -> dict[str, float]:
    """Train every stack for a few steps; return core seconds of the whole and bytes at most."""
    import torch

    from konkyo import config
    from konkyo.models import jobs
    from konkyo.models.batches import Batch, Hyperparameters, NetworkSpec
    from konkyo.models.fit import keep_freed_memory, stack_task
    from konkyo.models.lightning_module import StackModule

    torch.set_num_threads(1)
    keep_freed_memory()
    chosen = replace(config.load().train, precision=case.precision)
    before = memory()
    most = list(before)
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[:] = map(max, most, memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    features = np.load(folder / "features.npy", mmap_mode="c")
    labels = np.load(folder / "labels.npy", mmap_mode="c")
    copy = folder / "rounded.npy"
    rounded = np.load(copy, mmap_mode="c") if copy.exists() else None
    hyperparameters = Hyperparameters(
        learning_rate=chosen.learning_rate, dropout=chosen.dropout, seed=chosen.seed
    )
    every = np.arange(len(features))
    zero, one = np.zeros(case.inputs, np.float32), np.ones(case.inputs, np.float32)

    def entries(part: slice) -> Iterator[NetworkSpec]:
        for window in range(part.start, part.stop):
            rows = every[window * case.stocks : (window + MONTHS) * case.stocks]
            for seed in range(case.seeds):
                yield NetworkSpec(
                    month=f"w{window}", rows=rows, mean=zero, std=one, seed=seed,
                    hyperparameters=hyperparameters,
                )  # fmt: skip

    total = 0.0
    for part in jobs.divide(
        [case.seeds] * case.windows, largest=chosen.max_networks_per_stack, workers=1
    ):
        stack = list(entries(part))
        task = stack_task(features, labels, stack, chosen, rounded)
        module, batches = task.module, task.batches
        optimizer = module.configure_optimizers()
        module.optimizers = lambda use_pl_optimizer=False, own=optimizer: own  # type: ignore
        # A page is found once a run and used at every epoch: let that be over.
        panel = features if rounded is None else rounded
        panel[stack[0].rows[0] : stack[-1].rows[-1], 0].sum()
        source = batches.schedule.from_step(0)

        def step(source: Iterator[Batch] = source, module: StackModule = module) -> float:
            start = time.process_time()
            module.training_step(islice(source, 1), 0)
            return time.process_time() - start

        first, _, *taken = (step() for _ in range(steps + 2))
        usual = statistics.median(taken)
        total += batches.schedule.steps * usual + chosen.epochs * max(first - usual, 0)
    done.set()
    watcher.join()
    return {"seconds": total, "own": most[0] - before[0], "mapped": most[1] - before[1]}


def measure(case: Case, steps: int) -> dict[str, float]:
    """Run a case in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="konkyo-growth-") as name:
        write_panel(Path(name), case)
        command = [sys.executable, __file__, "--work", name, "--case", json.dumps(asdict(case))]
        done = subprocess.run(
            [*command, "--steps", str(steps)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def draw(found: dict[str, list[tuple[int, dict[str, float]]]], out: Path) -> None:
    """Draw seconds and memory against each, with the line of equal growth."""
    import altair as alt
    import pandas as pd

    from konkyo.report.charts.theme import save_pngs

    columns = []
    for name, points in found.items():
        hours, first = points[0][1]["seconds"] / 3600, points[0][0]
        rows = [
            (value, measure, part, number)
            for value, figures in points
            for measure, part, number in (
                ("core hours of all epochs", "core hours", figures["seconds"] / 3600),
                ("core hours of all epochs", "in proportion", hours * value / first),
                ("MiB at most", "own", figures["own"] / 2**20),
                ("MiB at most", "mapped", figures["mapped"] / 2**20),
            )
        ]
        table = pd.DataFrame(rows, columns=[name, "measure", "part", "number"])
        panels = [
            alt.Chart(own)
            .mark_line(point=True)
            .encode(
                x=alt.X(f"{name}:Q", scale=alt.Scale(type="log")),
                y=alt.Y("number:Q", title=measure, scale=alt.Scale(type="log")),
                color=alt.Color("part:N", title=None),
            )
            .properties(width=200, height=180)
            for measure, own in table.groupby("measure", sort=False)
        ]
        columns.append(alt.vconcat(*panels).resolve_scale(color="independent"))
    save_pngs({out: alt.hconcat(*columns)}, 120)


def report(base: Case, growth: dict[str, Sequence[int]], steps: int, out: Path) -> None:
    """Measure every case once, print the table and draw it."""
    print(
        f"one core, base case {base}, {steps} steps a stack, extrapolated to all\n\n"
        "| windows | stocks | inputs | seeds | core hours | ms a step a network "
        "| own memory, MiB | panel mapped, MiB |\n" + "|---:" * 8 + "|"
    )
    known: dict[Case, dict[str, float]] = {}
    found: dict[str, list[tuple[int, dict[str, float]]]] = {name: [] for name in growth}
    from konkyo import config

    chosen = config.load().train
    for name, values in growth.items():
        for value in values:
            case = replace(base, **{name: value})
            if case not in known:
                own = known[case] = measure(case, steps)
                networks = case.windows * case.seeds
                each = -(-case.stocks * MONTHS // chosen.batch_size) * chosen.epochs * networks
                print(
                    f"| {case.windows:,} | {case.stocks:,} | {case.inputs:,} | {case.seeds} "
                    f"| {own['seconds'] / 3600:.3f} | {1000 * own['seconds'] / each:.2f} "
                    f"| {own['own'] / 2**20:,.0f} | {own['mapped'] / 2**20:,.0f} |",
                    flush=True,
                )
            found[name].append((value, known[case]))
    draw(found, out)
    print(f"\n{out}")


def main() -> None:
    """Measure all cases, or one in the process made for it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path("growth.png"))
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--small", action="store_true", help="toy sizes: does it run?")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        print(json.dumps(work(asked.work, Case(**json.loads(asked.case)), asked.steps)))
    elif asked.small:
        report(replace(SMALL, precision=asked.precision), SMALL_GROWTH, asked.steps, asked.out)
    else:
        report(Case(precision=asked.precision), GROWTH, asked.steps, asked.out)


if __name__ == "__main__":
    main()
