"""The whole way from records to spread: nothing is found where nothing was planted."""

import numpy as np
import pandas as pd
import pytest

from konkyo import backtesting
from konkyo.attribution.attributions import explain_months
from konkyo.features.build import build
from konkyo.models import store
from konkyo.models.train import train
from konkyo.windows import MonthSlices, rolling
from small_market import market_of, params_of

pytestmark = pytest.mark.slow


def monthly(seed: int, strength: float, folder) -> pd.DataFrame:
    """Return a small market's series of the network: spread, rank_ic by month."""
    market = market_of(seed, strength, "2009-12")
    params = params_of(placebo_every=0, seed=seed, max_networks_per_stack=32)
    panel, _ = build(market.stocks, market.series, params.prepare)
    windows = rolling(MonthSlices.of(panel.index["month"]), params.train.window_months)
    train(panel, windows, params.train, folder)
    networks = [store.read(folder / "weights" / f"{w.month}.safetensors") for w in windows]
    rows = [panel.features[w.test_start : w.test_stop] for w in windows]
    scores = np.concatenate([g.score for g in explain_months(networks, rows, 0.001)])
    frame = panel.index.iloc[windows[0].test_start :][["month", "stock", "ret"]]
    ranked = backtesting.assign_quantiles(frame.assign(model="network", score=scores), 5)
    return backtesting.monthly_returns(ranked, 5, 0.0)


def t_of(values: pd.Series) -> float:
    return float(values.mean() / (values.std() / np.sqrt(len(values))))


@pytest.mark.parametrize("measure", ["spread", "rank_ic"])
def test_without_effects_spread_and_ic_are_zero(measure, without):
    assert abs(t_of(without[measure])) < 2.6  # one per cent, two-sided


@pytest.mark.parametrize("measure", ["spread", "rank_ic"])
def test_with_strong_effects_there_are_both(measure, tmp_path):
    assert t_of(monthly(1, 0.05, tmp_path)[measure]) > 4


@pytest.fixture(scope="module")
def without(tmp_path_factory) -> pd.DataFrame:
    """Return the series of four markets without any effect, one after the other."""
    return pd.concat(
        [monthly(seed, 0.0, tmp_path_factory.mktemp("market")) for seed in range(1, 5)]
    )
