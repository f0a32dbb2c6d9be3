"""A backtest without networks: a trial's scores are a function of its values that tests know."""

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo import config, dates
from konkyo.config import Params, Tune
from konkyo.tuning import study
from konkyo.tuning.coordinator import Coordinator
from konkyo.tuning.storage import open_storage

PARAMS = Path(__file__).parents[2] / "params.yaml"
MONTHS = [dates.label(m) for m in pd.date_range("2010-01-31", periods=30, freq="ME")]
GROUPS = [tuple(MONTHS[i : i + 3]) for i in range(0, 30, 3)]
STOCKS = 30


def section(address: str, **changes: Any) -> Tune:
    """Return the project's section with another storage and a small search."""
    small = {
        "storage": address, "trials": 12, "trials_per_stack": 3, "turnover_cap": 2.0, "workers": 1,
    }  # fmt: skip
    return replace(config.load(PARAMS).tune, **{**small, **changes})


def params_with(tune: Tune) -> Params:
    return replace(config.load(PARAMS), tune=tune)


def begin(tune: Tune, heartbeat: int = 1) -> study.Search:
    storage = open_storage(tune.storage, heartbeat)
    return study.begin(storage, params_with(tune), {"months": len(MONTHS)})


def skill(values: dict[str, Any]) -> float:
    """Return how much a trial's scores know of the returns: relu knows, tanh hardly."""
    return {"relu": 0.9, "tanh": 0.3}[values["activation"]] - values["dropout"] / 2


@cache
def _drawn(month: str) -> np.ndarray:
    """Return the month's returns and its noise, [2, stocks]."""
    return np.random.default_rng(int(month.replace("-", ""))).normal(0, 0.1, (2, STOCKS))


def scores(
    trials: Sequence[dict[str, Any]], groups: Sequence[tuple[str, ...]]
) -> list[pd.DataFrame]:
    """Return scores of which the share `skill` is the return itself."""
    asked = [month for group in groups for month in group]
    ends = np.repeat([dates.parse(month) for month in asked], STOCKS)
    stocks = [f"S{i}" for i in range(STOCKS)] * len(asked)
    ret, noise = np.stack([_drawn(month) for month in asked], axis=1).reshape(2, -1)
    frames = []
    for values in trials:
        score = skill(values) * ret + (1 - abs(skill(values))) * noise
        frames.append(pd.DataFrame({"month": ends, "stock": stocks, "score": score, "ret": ret}))
    return frames


def series(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of the ten best less that of the ten worst; half a book turned over."""
    ordered = scores.sort_values(["month", "score"])
    ret = ordered["ret"].to_numpy().reshape(-1, STOCKS)
    spread = ret[:, -10:].mean(axis=1) - ret[:, :10].mean(axis=1)
    frame = pd.DataFrame({"month": ordered["month"].to_numpy()[::STOCKS], "spread": spread})
    return frame.assign(spread_net=spread - 0.002, turnover=0.5, rank_ic=spread)


@dataclass(frozen=True)
class Backtest:
    """The parts of `TrialBacktest` that a search calls, each of them replaceable.

    Attributes
    ----------
    scores_of, series_of : callable
        What scores trials, and what measures them.
    seconds : float
        That a chunk takes.
    """

    scores_of: Callable[..., list[pd.DataFrame]] = scores
    series_of: Callable[[pd.DataFrame], pd.DataFrame] = series
    seconds: float = 0.0

    def groups(self) -> list[tuple[str, ...]]:
        return GROUPS

    def scores(self, trials, groups) -> list[pd.DataFrame]:
        time.sleep(self.seconds)
        return self.scores_of(trials, groups)

    def series(self, scores: pd.DataFrame) -> pd.DataFrame:
        return self.series_of(scores)


class Here:
    """A worker that is this process."""

    def submit(self, function: Callable, *arguments: Any) -> Future:
        future: Future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, kill_workers: bool) -> None:
        pass


def run(search: study.Search, backtest: Backtest = Backtest()) -> None:
    """Run a search in this process."""
    Coordinator(search, backtest, start=Here).run()


if __name__ == "__main__":
    address, name, trials, workers, seconds = sys.argv[1:]
    tune = section(address, study=name, trials=int(trials), workers=int(workers))
    search = begin(tune)
    # By its module: a worker process has another __main__.
    from fake_engine import Backtest as Importable

    try:
        Coordinator(search, Importable(seconds=float(seconds))).run(pause=0.2)
    finally:
        search.storage.close()
