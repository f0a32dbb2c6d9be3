"""An engine without networks: a trial's scores are known functions of its values."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo import config, dates
from konkyo.config import Tune
from konkyo.tuning import study, worker
from konkyo.tuning.storage import open_storage

PARAMS = Path(__file__).parents[1] / "params.yaml"
MONTHS = [dates.label(m) for m in pd.date_range("2010-01-31", periods=30, freq="ME")]
GROUPS = [tuple(MONTHS[i : i + 3]) for i in range(0, 30, 3)]
STOCKS = 30


def section(address: str, **changes: Any) -> Tune:
    """Return the project's own section with another storage and a small search."""
    own = config.load(PARAMS).tune
    small = {"storage": address, "trials": 12, "trials_per_stack": 3, "turnover_cap": 2.0}
    return replace(own, **{**small, **changes})


def begin(tune: Tune, beat: int = 1) -> study.Search:
    return study.begin(
        open_storage(tune.storage, beat), tune, config.load(PARAMS).prepare, {"months": len(MONTHS)}
    )


def skill(values: dict[str, Any]) -> float:
    """Return how much a trial's scores know of the returns: relu knows, tanh hardly."""
    return {"relu": 0.9, "tanh": 0.3}[values["activation"]] - values["dropout"] / 2


@cache
def _drawn(month: str) -> np.ndarray:
    """Return the month's returns and its noise, [2, stocks]."""
    return np.random.default_rng(int(month.replace("-", ""))).normal(0, 0.1, (2, STOCKS))


def run(
    members: Sequence[dict[str, Any]], groups: Sequence[tuple[str, ...]], seconds: float = 0.0
) -> list[pd.DataFrame]:
    """Return scores of which the share `skill` is the return itself."""
    time.sleep(seconds)
    asked = [month for group in groups for month in group]
    ends = np.repeat([dates.parse(month) for month in asked], STOCKS)
    stocks = [f"S{i}" for i in range(STOCKS)] * len(asked)
    ret, noise = np.stack([_drawn(month) for month in asked], axis=1).reshape(2, -1)
    frames = []
    for values in members:
        score = skill(values) * ret + (1 - abs(skill(values))) * noise
        frames.append(pd.DataFrame({"month": ends, "stock": stocks, "score": score, "ret": ret}))
    return frames


def measure(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of the ten best less that of the ten worst; half a book turned over."""
    ordered = scores.sort_values(["month", "score"])
    ret = ordered["ret"].to_numpy().reshape(-1, STOCKS)
    spread = ret[:, -10:].mean(axis=1) - ret[:, :10].mean(axis=1)
    frame = pd.DataFrame({"month": ordered["month"].to_numpy()[::STOCKS], "spread": spread})
    return frame.assign(spread_net=spread - 0.002, turnover=0.5, rank_ic=spread)


if __name__ == "__main__":
    address, trials, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    found = begin(section(address, trials=trials))
    print("ready", flush=True)
    worker.work(
        found,
        GROUPS,
        lambda members, groups: run(members, groups, seconds),
        measure,
        lambda line: print(line, flush=True),
        pause=0.2,
    )
    found.storage.close()
