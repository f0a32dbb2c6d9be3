"""What is planted is earned, and what is not planted is not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo.data.simulated import Market, simulate
from konkyo.data.simulated.ground_truth import EFFECTS

from .conftest import FIRST, LAST, OFF, wide

SEEDS = (1, 2, 3)
STRENGTH = 0.05


def information(market: Market, values: pd.Series) -> pd.Series:
    """Return each month's rank correlation of values known at t with the returns of t+1."""
    keyed = market.stocks.assign(values=values.to_numpy())
    known, earned = wide(keyed, "values"), wide(keyed, "return").shift(-1)
    both = known.notna() & earned.notna()
    return known[both].rank(axis=1).corrwith(earned[both].rank(axis=1), axis=1).iloc[:-1]


@pytest.fixture(scope="module")
def without() -> list[Market]:
    return [simulate(replace(OFF, seed=seed), FIRST, LAST) for seed in SEEDS]


@pytest.mark.parametrize(
    "name", ["return", "size", "roe_forecast", "book_to_price", "share_turnover", "equity_ratio"]
)
def test_without_effects_nothing_is_earned(without, name):
    monthly = pd.concat([information(market, market.stocks[name]) for market in without])
    t = monthly.mean() / (monthly.std() / np.sqrt(len(monthly)))
    # 180 months; one in 10,000 would be beyond 3.9 by chance.
    assert abs(t) < 3.9
    assert abs(monthly.mean()) < 0.05


def test_without_effects_nothing_is_expected(without):
    for market in without:
        assert list(market.truth.columns) == ["month", "stock", "expected", "baseline"]
        assert not market.truth["expected"].any() and not market.truth["baseline"].any()


# return_12 needs 12 published months; the regime effect works after a fall alone.
MONTHS = {"interaction": (48, 48), "regime": (10, 30)}


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_what_is_expected_is_earned(effect):
    strength = 3 * STRENGTH if effect.name == "regime" else STRENGTH
    market = simulate(replace(OFF, noise=0.2, **{effect.name: strength}), FIRST, LAST)
    monthly = information(market, market.truth["expected"]).dropna()
    assert monthly.mean() > 3.5 * monthly.std() / np.sqrt(len(monthly))
    least, most = MONTHS.get(effect.name, (59, 59))
    assert least <= len(monthly) <= most


def test_the_regime_effect_waits_for_a_fall():
    market = simulate(replace(OFF, regime=STRENGTH), FIRST, LAST)
    largest = market.truth.groupby("month")["expected"].agg(lambda x: x.abs().max())
    change = market.series.set_index("month")["topix"].pct_change().iloc[1:]
    assert (largest[1:][change >= -0.0199] == 0).all()
    assert (largest[1:][change <= -0.03] > 0).all()


def test_more_noise_hides_the_truth():
    quiet, loud = (
        information(market, market.truth["expected"]).mean()
        for market in (
            simulate(replace(OFF, noise=noise, reversal=STRENGTH), FIRST, LAST)
            for noise in (0.2, 2.0)
        )
    )
    assert quiet > loud + 0.1
