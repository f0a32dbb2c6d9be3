"""Measures of monthly series: literal answers and the library that defines them alike."""

from collections.abc import Callable

import empyrical
import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting.information_coefficient import (
    information_coefficients,
    newey_west_t,
    t_statistic,
)
from konkyo.backtesting.performance import (
    PORTFOLIOS,
    cumulative,
    measures,
    performance,
    performance_by_quantile,
    sharpe_ratio,
)
from konkyo.backtesting.portfolios import assign_quantiles
from konkyo.backtesting.returns import monthly_returns
from konkyo.backtesting.sharpe import moments


def test_measures_by_hand() -> None:
    found = measures(pd.Series([0.10, -0.02, 0.06]))
    assert found == pytest.approx(
        {
            "annual_return": (1.1 * 0.98 * 1.06) ** 4 - 1,
            "annual_return_arithmetic": 0.56,
            "annual_volatility": np.sqrt(12 * 0.0112 / 3),
            "return_risk_ratio": ((1.1 * 0.98 * 1.06) ** 4 - 1) / np.sqrt(12 * 0.0112 / 3),
            "sharpe_ratio": np.sqrt(7.0),
            "max_drawdown": -0.02,
            "hit_rate": 2 / 3,
            "months": 3,
        }
    )


def test_a_loss_in_the_first_month_is_a_drawdown() -> None:
    # 1 -> 0.9 -> 0.99 -> 0.495 -> 0.99: the peak is the 1 at the start.
    found = measures(pd.Series([-0.1, 0.1, -0.5, 1.0]))
    assert found["max_drawdown"] == pytest.approx(0.495 - 1.0)


def test_one_month_has_no_risk() -> None:
    found = measures(pd.Series([0.02]))
    assert found["annual_return_arithmetic"] == pytest.approx(0.24)
    assert np.isnan(found["annual_volatility"])
    assert np.isnan(found["sharpe_ratio"])
    assert np.isnan(found["return_risk_ratio"])


@pytest.mark.parametrize("value", [0.1, 0.0, -0.02, 1 / 3, 1e-9])
@pytest.mark.parametrize("months", [2, 5, 169])
def test_constant_returns_have_no_sharpe_ratio(value: float, months: int) -> None:
    # The mean of five times 0.1 is not 0.1, so that their standard deviation is not 0 but 1e-17.
    returns = pd.Series([value] * months)
    rounded = returns * (1 + 1e-15 * np.arange(months).clip(max=9))
    for series in (returns, rounded):
        found = measures(series)
        assert np.isnan(found["sharpe_ratio"])
        assert np.isnan(found["return_risk_ratio"])
        assert found["annual_return"] == pytest.approx((1 + value) ** 12 - 1, rel=1e-6)
        assert found["annual_volatility"] == 0.0
        assert found["annual_return_arithmetic"] == pytest.approx(12 * value)
        assert np.isnan(t_statistic(series))
        assert np.isnan(moments(series).sharpe_ratio)
        dates = pd.Series(pd.date_range("2000-01-31", periods=months, freq="ME"))
        assert np.isnan(newey_west_t(dates, series))


def test_small_but_real_variation_has_a_sharpe_ratio() -> None:
    returns = pd.Series([0.1, 0.1 + 1e-10])
    std = 1e-10 / np.sqrt(2) * np.sqrt(12)
    assert sharpe_ratio(returns) == pytest.approx(1.2 / std, rel=1e-5)


@pytest.mark.parametrize("loss", [-1.0, -1.3])
def test_a_total_loss_ends_the_series_at_zero(loss: float) -> None:
    assert measures(pd.Series([0.1, loss, 0.5, loss, 2.0]))["max_drawdown"] == -1.0
    assert measures(pd.Series([loss]))["max_drawdown"] == -1.0
    assert measures(pd.Series([0.1, loss, 0.5, loss, 2.0]))["annual_return"] == -1.0
    columns = {name: [0.1, loss, 0.5, loss] for name in PORTFOLIOS}
    months = pd.date_range("2020-01-31", periods=4, freq="ME")
    ends = {"month": months, "earned": months + pd.offsets.MonthEnd(1)}
    table = cumulative(pd.DataFrame({**ends, "model": "network", **columns}))
    for _, series in table.groupby("portfolio"):
        np.testing.assert_allclose(series["cumulative"], [0.1, -1.0, -1.0, -1.0])


def test_one_stock_a_leg() -> None:
    months = pd.to_datetime(["2020-01-31"] * 2 + ["2020-02-29"] * 2)
    scores = pd.DataFrame(
        {
            "month": months,
            "stock": ["A", "B"] * 2,
            "model": "network",
            "score": [1.0, 2.0, 3.0, 2.0],
            "ret": [0.5, -0.8, 0.4, 0.1],
        }
    )
    ranked = assign_quantiles(scores, 2)
    returns = monthly_returns(ranked, 2, 10.0)
    np.testing.assert_allclose(returns["spread"], [-1.3, 0.3])
    np.testing.assert_allclose(returns["rank_ic"], [-1.0, 1.0])
    np.testing.assert_allclose(returns["turnover"], [np.nan, 1.0])
    table = performance(returns).set_index("portfolio")
    assert table.loc["spread", "max_drawdown"] == -1.0
    assert performance_by_quantile(ranked)["stocks"].tolist() == [1.0, 1.0]
    alone = information_coefficients(scores[scores["stock"] == "A"])
    assert alone[["ic", "rank_ic"]].isna().all(axis=None)


def test_a_month_without_a_return_is_no_hit() -> None:
    assert measures(pd.Series([0.0, 0.1, -0.1, 0.2]))["hit_rate"] == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_measures_equal_empyricals(seed: int) -> None:
    returns = pd.Series(np.random.default_rng(seed).normal(0.01, 0.05, 36))
    risk = returns.std(ddof=1) * np.sqrt(12)
    assert empyrical.annual_volatility(returns, period="monthly") == pytest.approx(risk)
    ratio = returns.mean() * 12 / risk
    assert empyrical.sharpe_ratio(returns, period="monthly") == pytest.approx(ratio)
    assert sharpe_ratio(returns) == pytest.approx(ratio, rel=1e-12)
    value, peak, deepest = 1.0, 1.0, 0.0
    for one in returns:
        value *= 1 + one
        peak = max(peak, value)
        deepest = min(deepest, value / peak - 1)
    assert empyrical.max_drawdown(returns) == pytest.approx(deepest)


def test_the_table_has_a_row_a_model_and_portfolio(scores: pd.DataFrame) -> None:
    placebo = scores[scores["month"].dt.month.isin([1, 3])].assign(model="placebo")
    returns = monthly_returns(assign_quantiles(pd.concat([scores, placebo]), 2), 2, 10.0)
    table = performance(returns.sample(frac=1.0, random_state=0)).set_index(["model", "portfolio"])
    assert len(table) == 10
    assert table.loc[("network", "spread"), "annual_return_arithmetic"] == pytest.approx(0.56)
    assert table.loc[("network", "spread_net"), "annual_return_arithmetic"] == pytest.approx(
        4 * 0.1325
    )
    assert table.loc[("network", "long"), "max_drawdown"] == 0.0
    assert table["months"].loc["network"].tolist() == [3] * 5
    assert table["months"].loc["placebo"].tolist() == [2] * 5


def test_quantiles_by_hand(scores: pd.DataFrame) -> None:
    table = performance_by_quantile(assign_quantiles(scores, 2))
    assert table["quantile"].tolist() == [1, 2]
    np.testing.assert_allclose(table["annual_return_arithmetic"], [4 * 0.04, 4 * 0.18])
    assert table["months"].tolist() == [3, 3]
    assert table["stocks"].tolist() == [2.0, 2.0]


def test_the_ends_of_the_quantiles_are_the_legs(panel: Callable[..., pd.DataFrame]) -> None:
    ranked = assign_quantiles(panel(5, stocks=20, months=12), 5)
    ends = performance_by_quantile(ranked).set_index("quantile")["annual_return_arithmetic"]
    legs = performance(monthly_returns(ranked, 5, 0.0)).set_index("portfolio")[
        "annual_return_arithmetic"
    ]
    assert ends[5] == pytest.approx(legs["long"])
    assert ends[1] == pytest.approx(legs["short"])
    assert legs["spread_net"] == legs["spread"]


def test_cumulative_compounds_in_the_months_earned(scores: pd.DataFrame) -> None:
    table = cumulative(monthly_returns(assign_quantiles(scores, 2), 2, 10.0))
    spread = table[table["portfolio"] == "spread"]
    assert spread["month"].tolist() == list(
        pd.to_datetime(["2020-02-29", "2020-03-31", "2020-04-30"])
    )
    np.testing.assert_allclose(
        spread["cumulative"], [0.10, 1.10 * 0.98 - 1, 1.10 * 0.98 * 1.06 - 1]
    )
    assert sorted(table["portfolio"].unique()) == [
        "long",
        "market",
        "short",
        "spread",
        "spread_net",
    ]
