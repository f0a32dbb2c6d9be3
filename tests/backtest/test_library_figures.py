"""The same figures as alphalens-reloaded 0.5.1 and quantstats 0.0.86 on the same scores.

Their values, computed once on the market below (both bring pyplot and dozens of packages, so that
the tests do not install them): get_clean_factor with 5 quantiles, factor_information_coefficient,
mean_return_by_quantile (not demeaned), quantile_turnover (mean of the highest and the lowest);
sharpe, volatility, max_drawdown and cagr with 12 periods a year of the spread of the quantiles.
"""

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting.information_coefficient import information_coefficients
from konkyo.backtesting.performance import measures
from konkyo.backtesting.portfolios import assign_quantiles, mean_returns
from konkyo.backtesting.turnover import equal_weights, trades


@pytest.fixture(scope="module")
def ranked() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    months = pd.date_range("2020-01-31", periods=24, freq="ME")
    score = rng.normal(size=720)
    rows = pd.DataFrame(
        {
            "month": np.repeat(months, 30),
            "stock": np.tile([f"s{i:02d}" for i in range(30)], 24),
            "model": "network",
            "score": score,
            "ret": 0.01 * score + rng.normal(0, 0.1, 720),
        }
    )
    return assign_quantiles(rows, 5)


def test_rank_ics_are_those_of_alphalens(ranked: pd.DataFrame) -> None:
    rank_ic = information_coefficients(ranked)["rank_ic"]
    assert rank_ic.mean() == pytest.approx(0.0617908787541713)
    assert rank_ic[0] == pytest.approx(0.05939933259176862)


def test_quantile_returns_are_those_of_alphalens(ranked: pd.DataFrame) -> None:
    means = mean_returns(ranked, ["quantile", "month"]).groupby("quantile").mean()
    expected = {1: -0.015007651330093888, 3: -0.011177785106290389, 5: 0.006598351936590739}
    assert means[[1, 3, 5]].to_dict() == pytest.approx(expected)


def test_turnover_without_drift_is_that_of_alphalens(ranked: pd.DataFrame) -> None:
    """Theirs counts names; ours counts value, and is the same where no price moves."""
    still = trades(equal_weights(ranked.assign(ret=0.0), 5))
    assert still["turnover"].mean() == pytest.approx(0.7608695652173914)


def test_performance_is_that_of_quantstats(ranked: pd.DataFrame) -> None:
    means = mean_returns(ranked, ["quantile", "month"])
    spread = means[5] - means[1]
    expected = {
        "sharpe_ratio": 1.44506565061143,
        "max_drawdown": -0.08831947611262347,
        "annual_return": 0.27302053208628196,
        "annual_volatility": 0.17941886521938522,
    }
    mine = measures(spread)
    assert {name: mine[name] for name in expected} == pytest.approx(expected)
