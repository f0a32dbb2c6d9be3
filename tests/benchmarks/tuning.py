"""What training trials together brings: several in one stack against one at a time.

    OMP_NUM_THREADS=1 python tests/benchmarks/tuning.py [--records data/records] [--turns 3]

Trials of the paper's shape that differ in learning rate, dropout and decay score the same chunk of
refits, as the search does between two looks of the pruner. Prints the median seconds of both ways,
their ratio, and how far the scores differ.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch

from konkyo import config
from konkyo.models.fit import keep_freed_memory
from konkyo.tuning import panels
from konkyo.tuning.space import current_values
from konkyo.tuning.trials import TrialBacktest


def main() -> None:
    """Bring the panel, train both ways, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=Path, default=Path("data/records"))
    parser.add_argument("--panel", type=Path, default=Path("data/panel"))
    parser.add_argument("--together", type=int, default=4)
    parser.add_argument("--refits", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    params = config.load()
    tune = replace(params.tune, precision=asked.precision)
    params = replace(params, tune=tune)
    rng = np.random.default_rng(1)
    trials = [
        {
            **current_values(params.train, params.prepare),
            "epochs": 2,
            "learning_rate": 10 ** rng.uniform(-3.5, -2),
            "weight_decay": 10 ** rng.uniform(-7, -4),
            "dropout": rng.uniform(0, 0.6),
        }
        for _ in range(asked.together)
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        index = pd.read_parquet(asked.panel / "index.parquet", columns=["month", "ret"])
        first = panels.first_holdout_month(index, tune.holdout)
        panels.write_panels(
            asked.records, folder, prepare=params.prepare, space=tune.space, before=first
        )
        backtest = TrialBacktest(folder, folder / "state", params)
        for refits in asked.refits:
            groups = backtest.groups()[:refits]

            def score(some: list[dict], groups: list = groups) -> list[pd.DataFrame]:
                return backtest.scores(some, groups)

            seconds: dict[str, list[float]] = {"together": [], "alone": []}
            for _ in range(asked.turns):
                start = time.perf_counter()
                together = score(trials)
                seconds["together"].append(time.perf_counter() - start)
                start = time.perf_counter()
                alone = [score([one])[0] for one in trials]
                seconds["alone"].append(time.perf_counter() - start)
            apart = max(
                float((a["score"] - b["score"]).abs().max() / b["score"].std())
                for a, b in zip(together, alone, strict=True)
            )
            alike = min(
                float(a["score"].corr(b["score"], method="spearman"))
                for a, b in zip(together, alone, strict=True)
            )
            a, b = median(seconds["together"]), median(seconds["alone"])
            print(
                f"{asked.together} trials, {refits} refits, {trials[0]['epochs']} epochs: together "
                f"{a:.1f} s, one at a time {b:.1f} s, ratio {b / a:.2f}; scores apart by at most "
                f"{apart:.1e} of their deviation, rank correlation at least {alike:.6f}"
            )


if __name__ == "__main__":
    main()
