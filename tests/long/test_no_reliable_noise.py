"""Where nothing was planted, next to nothing is called reliable."""

import numpy as np
import pandas as pd
import pytest

import chain
from konkyo.artifacts import HERE
from small_market import market_of, params_of

pytestmark = pytest.mark.long


def reliable_share(seed: int, strength: float, folder) -> float:
    """Return the mean share of reliable relevances in a small market, by month."""
    market = market_of(seed, strength, "2007-12")
    params = params_of(
        epochs=30, max_networks_per_stack=64, resamples=6, resample_epochs=15, seed=seed
    )
    chain.lay(folder, params, (market.stocks, market.series))
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
    assert reliable_share(1, 0.05, tmp_path) > 0.1
