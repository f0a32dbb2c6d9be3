"""The whole way from records to spread: nothing is found where nothing was planted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo import backtesting, config
from konkyo.attribution.attributions import explain_months
from konkyo.data.simulated import simulate
from konkyo.features.build import build
from konkyo.models import store
from konkyo.models.train import train
from konkyo.windows import MonthSlices, rolling
from small import small_params

pytestmark = pytest.mark.slow

SMALL = small_params()
PREPARE = replace(
    SMALL.prepare,
    first_month="2006-01",
    universe_size=400,
    characteristics=(
        *("return_1", "return_3", "return_12", "roe_forecast", "book_to_price", "size"),
        *("earnings_yield_forecast", "share_turnover"),
    ),
    market={"topix": ("change",)},
)
TRAIN = replace(
    SMALL.train,
    window_months=12,
    hidden_sizes=(8,),
    epochs=5,
    batch_size=64,
    dropout=0.1,
    max_networks_per_stack=32,
)


def monthly(seed: int, strength: float, folder) -> pd.DataFrame:
    """Return a small market's series of the network: spread, rank_ic by month."""
    effects = dict.fromkeys(("reversal", "quality", "value", "interaction", "regime"), strength)
    settings = config.Simulated(seed=seed, stocks=80, noise=1.0, **effects)
    market = simulate(settings, "2004-01", "2009-12")
    panel, _ = build(market.stocks, market.series, PREPARE)
    windows = rolling(MonthSlices.of(panel.index["month"]), TRAIN.window_months)
    chosen = replace(TRAIN, placebo_every=0, seed=seed)
    train(panel, windows, chosen, folder)
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
