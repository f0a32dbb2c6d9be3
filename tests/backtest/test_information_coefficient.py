"""Information coefficients against scipy, t-statistics against their formulas, and chance."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from konkyo.backtesting.information_coefficient import (
    information_coefficients,
    monotonicity,
    newey_west_t,
    t_statistic,
)


def test_by_hand(scores: pd.DataFrame) -> None:
    found = information_coefficients(scores)
    assert found["month"].tolist() == list(
        pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"])
    )
    np.testing.assert_allclose(found["rank_ic"], [0.4, 0.5, 1.0])
    assert found["ic"][0] == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scipy_ties_included(seed: int, panel: Callable[..., pd.DataFrame]) -> None:
    scores = panel(seed, stocks=20)
    scores["score"] = scores["score"].round(0)
    found = information_coefficients(scores).set_index("month")
    for month, group in scores.dropna().groupby("month"):
        line = found.loc[month]
        assert line["ic"] == pytest.approx(stats.pearsonr(group["score"], group["ret"])[0])
        assert line["rank_ic"] == pytest.approx(stats.spearmanr(group["score"], group["ret"])[0])


def test_constant_scores_know_nothing(scores: pd.DataFrame) -> None:
    found = information_coefficients(scores.assign(score=0.1))
    assert found[["ic", "rank_ic"]].isna().all(axis=None)


def test_t_statistic_is_scipys() -> None:
    values = pd.Series([0.02, -0.01, np.nan, 0.04, 0.03])
    expected = stats.ttest_1samp(values.dropna(), 0.0).statistic
    assert t_statistic(values) == pytest.approx(expected)
    assert t_statistic(pd.Series([1.0, 2.0, 3.0])) == pytest.approx(2.0 * np.sqrt(3.0))
    assert np.isnan(t_statistic(pd.Series([0.1])))
    assert np.isnan(t_statistic(pd.Series([0.1, 0.1])))


def _newey_west_by_loops(months: list[pd.Timestamp], values: list[float]) -> float:
    n = len(values)
    mean = sum(values) / n
    lags = int(4 * (n / 100) ** (2 / 9))
    total = 0.0
    for i in range(n):
        for j in range(n):
            apart = abs(12 * (months[i].year - months[j].year) + months[i].month - months[j].month)
            if apart <= lags:
                total += (1 - apart / (lags + 1)) * (values[i] - mean) * (values[j] - mean)
    return mean / np.sqrt(total / n**2)


@pytest.mark.parametrize("step", [1, 2, 4])
def test_newey_west_agrees_with_a_double_loop(step: int) -> None:
    months = pd.Series(pd.date_range("2010-01-31", periods=48, freq="ME")[::step])
    values = pd.Series(np.random.default_rng(step).normal(0.02, 0.1, len(months)).cumsum())
    expected = _newey_west_by_loops(months.tolist(), values.tolist())
    assert newey_west_t(months, values) == pytest.approx(expected)


def test_newey_west_leaves_missing_values_out() -> None:
    months = pd.Series(pd.date_range("2010-01-31", periods=12, freq="ME"))
    values = pd.Series(np.arange(12.0) % 5)
    holes = values.mask(values == 3.0)
    kept = holes.notna()
    assert newey_west_t(months, holes) == newey_west_t(months[kept], values[kept])
    assert np.isnan(newey_west_t(months[:1], values[:1]))
    assert np.isnan(newey_west_t(months, values * 0 + 0.1))
    expected = _newey_west_by_loops(months[:2].tolist(), values[:2].tolist())
    assert newey_west_t(months[:2], values[:2]) == pytest.approx(expected)


def test_monotonicity() -> None:
    assert monotonicity(pd.Series([0.01, 0.02, 0.05])) == pytest.approx(1.0)
    assert monotonicity(pd.Series([0.05, 0.02, 0.01])) == pytest.approx(-1.0)
    assert monotonicity(pd.Series([0.01, 0.03, 0.02])) == pytest.approx(0.5)
    assert np.isnan(monotonicity(pd.Series([0.01, 0.01])))


def test_random_scores_know_nothing() -> None:
    """A hundred placebos: their t-statistics are spread as chance spreads them."""
    rng = np.random.default_rng(7)
    models, months, stocks = 100, 60, 30
    ends = pd.date_range("2010-01-31", periods=months, freq="ME")
    returns = np.tile(rng.standard_t(4, size=months * stocks), models)
    frame = pd.DataFrame(
        {
            "model": np.repeat([f"seed {i:03d}" for i in range(models)], months * stocks),
            "month": np.tile(np.repeat(ends, stocks), models),
            "stock": np.tile(np.arange(stocks), models * months),
            "score": rng.normal(size=models * months * stocks),
            "ret": returns,
        }
    )
    found = information_coefficients(frame)
    for name in ("ic", "rank_ic"):
        t = found.groupby("model")[name].apply(t_statistic)
        assert abs(t.mean()) < 0.3
        assert 0.8 < t.std() < 1.2
        assert t.abs().max() < 4.0
        assert (t.abs() > 1.96).mean() < 0.12
