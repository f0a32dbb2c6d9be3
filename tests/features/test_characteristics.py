import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from konkyo.features import characteristics as c

NAN = math.nan
RNG = np.random.default_rng(3)


def grid(months: int = 14, stocks: int = 5, missing: float = 0.15) -> np.ndarray:
    values = RNG.normal(0, 0.1, (months, stocks))
    values[RNG.random(values.shape) < missing] = NAN
    return values


def test_compound_return_by_hand():
    returns = np.array([[0.1, 0.0], [0.5, NAN], [-0.5, 1.0], [0.2, 0.5]])
    expected = np.array([[NAN, NAN], [0.65, NAN], [-0.25, NAN], [-0.4, 2.0]])
    np.testing.assert_allclose(c.compound_return(returns, 2), expected)


def test_a_total_loss_stays_a_total_loss():
    assert c.compound_return(np.array([[-1.0], [0.5]]), 2)[1, 0] == -1.0


@pytest.mark.parametrize("length", [1, 3, 6, 12])
def test_rolling_characteristics_against_loops(length):
    returns, market = grid(), RNG.normal(0, 0.05, 14)
    market[4] = NAN
    made = {
        "return": c.compound_return(returns, length),
        "lag": c.lagged_return(returns, length),
        "maximum": c.maximum_return(returns, length),
        "volatility": c.volatility(returns, length),
        "beta": c.beta(returns, market, length),
    }
    for t in range(returns.shape[0]):
        for s in range(returns.shape[1]):
            past = returns[max(t - length + 1, 0) : t + 1, s]
            index = market[max(t - length + 1, 0) : t + 1]
            known = past[np.isfinite(past)]
            expected = dict.fromkeys(made, NAN)
            if t >= length:
                expected["lag"] = returns[t - length, s]
            if len(past) == length and len(known) == length:
                expected["return"] = math.prod(1 + r for r in past) - 1
            if len(past) == length and len(known) >= 2 / 3 * length:
                expected["maximum"] = max(known)
            if len(known) >= max(2 / 3 * length, 2):
                expected["volatility"] = np.std(known, ddof=1)
            both = np.isfinite(past) & np.isfinite(index)
            if both.sum() >= max(2 / 3 * length, 2):
                expected["beta"] = np.polyfit(index[both], past[both], 1)[0]
            for name, value in expected.items():
                assert made[name][t, s] == pytest.approx(value, abs=1e-9, nan_ok=True), (name, t, s)


def test_market_return_weighs_by_lagged_size():
    returns = np.array([[0.5, 0.5, 0.5], [0.1, 0.4, NAN], [0.2, -0.1, 0.3]])
    size = np.array([[1.0, 3.0, 9.0], [2.0, NAN, 2.0], [7.0, 7.0, 7.0]])
    expected = [NAN, (0.1 + 3 * 0.4) / 4, (2 * 0.2 + 2 * 0.3) / 4]
    np.testing.assert_allclose(c.market_return(returns, size), expected)


def test_a_market_that_stands_still_gives_no_beta():
    assert np.isnan(c.beta(grid(), np.full(14, 0.01), 6)).all()


@pytest.mark.parametrize(
    "name", ["return_3", "return_lag_3", "maximum_3", "volatility_3", "beta_3", "size"]
)
def test_the_future_changes_nothing(name):
    grids = {"return": grid(), "size": np.exp(grid(missing=0))}
    before = c.compute(name, grids)
    changed = {key: value.copy() for key, value in grids.items()}
    for value in changed.values():
        value[9:] = 7.0
    np.testing.assert_array_equal(c.compute(name, changed)[:9], before[:9])


def test_names():
    grids = {"return": grid(), "size": np.full((14, 5), math.e), "turnover": grid()}
    assert (c.compute("size", grids) == 1).all()
    assert c.compute("turnover", grids) is grids["turnover"]
    assert c.describe("beta_36") == "beta over 36 months"
    assert c.describe("return_lag_3") == "return of t-3"
    assert c.describe("turnover") == "records: turnover"


@given(st.integers(1, 40), st.integers(0, 5))
def test_a_later_listing_changes_no_earlier_market(stocks, seed):
    rng = np.random.default_rng(seed)
    returns, size = rng.normal(0, 0.1, (5, stocks)), np.exp(rng.normal(0, 3, (5, stocks)))
    place = int(rng.integers(0, stocks + 1))
    late_returns = np.insert(returns, place, [np.nan] * 4 + [0.1], axis=1)
    late_size = np.insert(size, place, [np.nan] * 4 + [1.0], axis=1)
    alone, together = c.market_return(returns, size), c.market_return(late_returns, late_size)
    np.testing.assert_array_equal(alone[:4], together[:4])
