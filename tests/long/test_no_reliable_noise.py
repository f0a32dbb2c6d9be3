"""Where nothing was planted, next to nothing is called reliable."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import chain
from konkyo.artifacts import HERE
from konkyo.config import Simulated
from konkyo.data.simulated import simulate
from small import small_params

pytestmark = pytest.mark.long

EFFECTS = ("reversal", "quality", "value", "interaction", "regime")


def reliable_share(seed: int, strength: float, folder) -> float:
    """Return the mean share of reliable relevances in a small market, by month."""
    settings = Simulated(seed=seed, stocks=80, noise=1.0, **dict.fromkeys(EFFECTS, strength))
    market = simulate(settings, "2004-01", "2007-12")
    small = small_params()
    prepare = replace(
        small.prepare,
        first_month="2006-01",
        universe_size=400,
        characteristics=(
            *("return_1", "return_3", "return_12", "roe_forecast", "book_to_price", "size"),
            *("earnings_yield_forecast", "share_turnover"),
        ),
        market={"topix": ("change",)},
    )
    train = replace(
        small.train, window_months=12, hidden_sizes=(8,), epochs=10, batch_size=64, dropout=0.1,
        max_networks_per_stack=64, resamples=6, resample_epochs=5, seed=seed,
    )  # fmt: skip
    chain.lay(folder, replace(small, prepare=prepare, train=train), (market.stocks, market.series))
    chain.run(["prepare", "train", "attribute"])
    return float(pd.read_csv(HERE.reliability)["reliable_share"].mean())


def test_without_effects_hardly_anything_is_reliable(tmp_path, monkeypatch):
    shares = []
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        monkeypatch.chdir(folder)
        shares.append(reliable_share(seed, 0.0, folder))
    assert np.mean(shares) <= 0.005, shares


def test_with_strong_effects_there_is_something(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert reliable_share(1, 0.05, tmp_path) > 0.02
