"""What more seeds bring: rank IC and stability of the grounds of ensembles of 1, 2, 4, 8.

    python tests/benchmarks/ensemble.py [--members 8] [--every 8]

Trains the members for every n-th decision month of the panel that `dvc repro` has made, and
compares disjoint ensembles: the rank IC is a mean over months and ensembles, the stability the rank
correlation, over a stock's inputs, of the relevances of two ensembles that share no member.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from konkyo import config
from konkyo.attribution.attributions import Attribution, explain_months
from konkyo.attribution.stability import over_seeds
from konkyo.features import store
from konkyo.models import store as weights
from konkyo.models.train import train
from konkyo.windows import MonthSlices, rolling


def mean_of(members: Sequence[Attribution]) -> tuple[np.ndarray, np.ndarray]:
    """Return an ensemble's score [stocks] and relevance [stocks, features]."""
    score = np.mean([member.score for member in members], axis=0)
    return score, np.mean([member.relevance for member in members], axis=0)


def one_month(members: Sequence[Attribution], ret: np.ndarray, present: np.ndarray) -> pd.DataFrame:
    """Return size, rank_ic and stability of one month's disjoint ensembles."""
    known = np.isfinite(ret)
    lines = []
    size = 1
    while size <= len(members):
        groups = [mean_of(members[i : i + size]) for i in range(0, len(members) - size + 1, size)]
        ics = [spearmanr(score[known], ret[known]).statistic for score, _ in groups]
        pairs = list(combinations([relevance[:, present] for _, relevance in groups], 2))
        alike = [over_seeds(pair)["rank_correlation"].iloc[0] for pair in pairs[:6]]
        lines.append((size, np.mean(ics), np.mean(alike) if alike else np.nan))
        size *= 2
    return pd.DataFrame(lines, columns=["size", "rank_ic", "stability"])


def main() -> None:
    """Train, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--members", type=int, default=8)
    parser.add_argument("--every", type=int, default=8)
    asked = parser.parse_args()
    whole = config.load()
    chosen = replace(whole.train, ensemble=asked.members, placebo_every=0)
    panel = store.read(Path("data/panel"))
    ret = panel.index["ret"].to_numpy()
    decisions = rolling(MonthSlices.of(panel.index["month"]), chosen.window_months)[:: asked.every]
    decisions = [w for w in decisions if np.isfinite(ret[w.test_start : w.test_stop]).any()]
    tables = []
    with tempfile.TemporaryDirectory() as folder:
        train(panel, decisions, chosen, Path(folder))
        for window in decisions:
            rows = panel.features[window.test_start : window.test_stop]
            kept = weights.read(Path(folder) / "weights" / f"{window.month}.safetensors")
            alone = explain_months(
                [[one] for one in kept], [rows] * len(kept), whole.attribute.epsilon
            )
            present = np.any(rows != 0, axis=0)
            own = ret[window.test_start : window.test_stop]
            tables.append(one_month(list(alone), own, present))
    means = pd.concat(tables).groupby("size").agg(["mean", "sem"])
    print(f"{len(decisions)} decision months, {asked.members} members each")
    print("members  rank IC (standard error)  stability (standard error)")
    for size, row in means.iterrows():
        ic, alike = row["rank_ic"], row["stability"]
        pair = f"{alike['mean']:6.3f} ({alike['sem']:.3f})"
        # The largest ensemble has no other to be compared with.
        shown = pair if np.isfinite(alike["mean"]) else "     -"
        print(f"{size:7d}  {ic['mean']:7.4f} ({ic['sem']:.4f})          {shown}")


if __name__ == "__main__":
    main()
