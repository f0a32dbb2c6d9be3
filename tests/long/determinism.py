"""What moves results: processes, threads, workers, stacks and instruction sets.

    python tests/long/determinism.py --times 2 --stocks 1000

Every line is a run of prepare, train, attribute, verify and backtest in a process of its own on the
same made records, against the first one: how many files of results differ in a byte, and by how
much at most the scores (of the network, of ridge), the relevances and the metrics do. Instruction
sets stand for other machines: they choose other kernels of torch, MKL and OpenBLAS on this one.
Ends with 1 where a further run or another number of threads changes a byte, or anything a score, a
ridge score or a relevance by more than the last digits.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parents[1] / "support"
sys.path.insert(0, str(HERE))

import chain  # noqa: E402
from konkyo import config  # noqa: E402
from small import make_records, small_params  # noqa: E402

STAGES = ("prepare", "train", "attribute", "verify", "backtest")
SETS = {
    "torch without AVX": {"ATEN_CPU_CAPABILITY": "default"},
    "MKL compatible": {"MKL_CBWR": "COMPATIBLE"},
    "OpenBLAS of 2004": {"OPENBLAS_CORETYPE": "Prescott"},
    "all three": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Prescott",
    },
}


LAST_DIGITS = {"score": 1e-5, "ridge": 1e-5, "relevance": 1e-4}
"""Largest differences between instruction sets, and between stacks of other networks."""


def chosen(stocks: int, epochs: int) -> config.Params:
    """Return the small params, or those of the paper's network where there are many stocks."""
    small = small_params(resamples=4)
    if stocks < 100:
        return small
    prepare = replace(small.prepare, universe_size=stocks)
    train = replace(
        small.train,
        window_months=20,
        hidden_sizes=(64, 64, 32),
        batch_size=300,
        epochs=epochs,
        max_networks_per_stack=8,
    )
    return replace(small, prepare=prepare, train=train)


def run(folder: Path, settings: config.Params, stocks: int, environment: dict[str, str]) -> Path:
    """Run the stages in a process of its own and return its folder."""
    folder.mkdir()
    records = make_records(count=30, stocks=24 if stocks < 100 else int(stocks * 1.3))
    chain.lay(folder, settings, records)
    path = os.pathsep.join([str(HERE), str(HERE.parents[1] / "src")])
    done = subprocess.run(
        [sys.executable, "-c", f"import chain; chain.run({STAGES})"],
        cwd=folder, env=os.environ | {"PYTHONPATH": path} | environment, capture_output=True,
        text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return folder


def numbers(folder: Path) -> dict[str, np.ndarray]:
    """Return the scores, relevances and metrics of a run."""
    data = folder / "data"
    files = sorted((data / "attributions").glob("*.parquet"))
    grounds = pd.concat(map(pd.read_parquet, files)).drop(columns=["month", "stock"])
    metrics = pd.json_normalize(json.loads((data / "metrics.json").read_text()))
    return {
        "score": grounds.pop("score").to_numpy(),
        "relevance": grounds.drop(columns="absorbed").to_numpy(),
        "ridge": pd.read_parquet(data / "models/baselines.parquet")["ridge"].to_numpy(),
        "metrics": metrics.to_numpy(dtype=float)[0],
    }


def main() -> int:
    """Print a line a run; return 1 if a difference is too large."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=2, help="further runs that change nothing")
    parser.add_argument("--stocks", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=1, help="where there are 100 stocks or more")
    asked = parser.parse_args()
    settings = chosen(asked.stocks, asked.epochs)
    trained = settings.train
    runs: dict[str, tuple[config.Params, dict[str, str]]] = {"first": (settings, {})}
    failed = False
    for time in range(asked.times):
        runs[f"again {time + 1}"] = (settings, {"PYTHONHASHSEED": str(time + 1)})
    for threads in ("1", "2", "4"):
        given = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        runs[f"{threads} threads"] = (settings, given)
    same_bytes = set(runs)
    for workers, stack in ((2, trained.max_networks_per_stack), (1, 3), (1, 64)):
        other = replace(
            settings, train=replace(trained, workers=workers, max_networks_per_stack=stack)
        )
        runs[f"{workers} workers, stacks of {stack}"] = (other, {})
    runs |= {name: (settings, given) for name, given in SETS.items()}
    print(f"{'run':26}  files  differ  {'score':>8} {'relevance':>9} {'ridge':>8} {'metrics':>8}")
    with tempfile.TemporaryDirectory() as scratch:
        for place, (name, (own, given)) in enumerate(runs.items()):
            folder = run(Path(scratch, str(place)), own, asked.stocks, given)
            found = chain.results(folder)
            if place == 0:
                bytes_of, values = found, numbers(folder)
            differ = sum(found.get(file) != digest for file, digest in bytes_of.items())
            away = {
                kind: np.nanmax(np.abs(of_run - values[kind]))
                for kind, of_run in numbers(folder).items()
            }
            figures = " ".join(f"{away[kind]:8.1e}" for kind in values)
            print(f"{name:26}  {len(found):5}  {differ:6}  {figures}", flush=True)
            failed |= bool(differ) and name in same_bytes
            failed |= any(not away[kind] <= limit for kind, limit in LAST_DIGITS.items())
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
