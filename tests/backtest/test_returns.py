"""The monthly series: literal answers, a slow oracle, and what must not matter."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.backtesting.performance import cumulative, performance, performance_by_quantile
from konkyo.backtesting.portfolios import (
    NoPortfoliosError,
    assign_quantiles,
    months_without_leg_return,
)
from konkyo.backtesting.returns import monthly_returns
from konkyo.errors import KonkyoError


def _run(scores: pd.DataFrame, portfolios: int = 3, cost: float = 10.0) -> pd.DataFrame:
    return monthly_returns(assign_quantiles(scores, portfolios), portfolios, cost)


def test_by_hand(scores: pd.DataFrame) -> None:
    found = _run(scores, portfolios=2, cost=10.0)
    expected = pd.DataFrame(
        {
            "month": pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"]),
            "earned": pd.to_datetime(["2020-02-29", "2020-03-31", "2020-04-30"]),
            "model": "network",
            "long": [0.10, 0.00, 0.08],
            "short": [0.00, 0.02, 0.02],
            "spread": [0.10, -0.02, 0.06],
            # 2.0, 2.0 and 3.5 units traded at 10 basis points
            "spread_net": [0.098, -0.022, 0.0565],
            "market": [0.05, 0.02 / 3, 0.05],
            "turnover": [np.nan, 0.5, 0.875],
            # centred: scores 1, 0, -1 in February; returns -5, -1, 1, 5 per cent in March
            "ic": [0.4, 0.08 / np.sqrt(2 * (0.0204 - 0.02**2 / 3)), 0.16 / np.sqrt(5 * 0.0052)],
            "rank_ic": [0.4, 0.5, 1.0],
            "stocks": [4, 4, 4],
            "missing": [0, 1, 0],
        }
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_means_agree_with_a_loop(seed: int, panel: Callable[..., pd.DataFrame]) -> None:
    ranked = assign_quantiles(panel(seed, stocks=21, months=5), 4)
    found = monthly_returns(ranked, 4, 25.0).set_index("month")
    for month in ranked["month"].unique():
        legs: dict[int, list[float]] = {1: [], 4: []}
        everything = []
        missing = 0
        for row in ranked[ranked["month"] == month].itertuples():
            if np.isnan(row.ret):
                missing += row.quantile in legs
                continue
            everything.append(row.ret)
            if row.quantile in legs:
                legs[row.quantile].append(row.ret)
        line = found.loc[month]
        assert line["long"] == pytest.approx(sum(legs[4]) / len(legs[4]))
        assert line["short"] == pytest.approx(sum(legs[1]) / len(legs[1]))
        assert line["market"] == pytest.approx(sum(everything) / len(everything))
        assert line["stocks"] == 21
        assert line["missing"] == missing


def test_after_a_gap_the_whole_books_are_bought_again(panel: Callable[..., pd.DataFrame]) -> None:
    found = _run(panel(3, months=7, without=(1, 3, 5), missing=0.0), cost=50.0)
    assert len(found) == 4
    assert found["turnover"].isna().all()
    np.testing.assert_allclose(found["spread"] - found["spread_net"], 2 * 0.005)


@pytest.mark.parametrize("leg", [["B", "D"], ["A", "C"]])
def test_a_leg_without_any_return_is_a_missing_month(scores: pd.DataFrame, leg: list[str]) -> None:
    gone = scores["month"].eq("2020-02-29") & scores["stock"].isin(leg)
    ranked = assign_quantiles(scores.assign(ret=scores["ret"].mask(gone)), 2)
    found = monthly_returns(ranked, 2, 10.0)
    assert found["month"].dt.strftime("%m").tolist() == ["01", "03"]
    # March buys its books from cash, as after any gap.
    assert found["turnover"].isna().all()
    assert months_without_leg_return(ranked).to_dict() == {"network": 1}
    assert performance_by_quantile(ranked)["months"].tolist() == [2, 2]
    assert cumulative(found)["month"].dt.strftime("%m").unique().tolist() == ["02", "04"]


def test_no_month_with_both_legs_is_refused(scores: pd.DataFrame) -> None:
    gone = scores["stock"].isin(["B", "D"]) | scores["month"].ne("2020-02-29")
    with pytest.raises(NoPortfoliosError, match=r"in none of the 1 months .* lower backtest"):
        _run(scores.assign(ret=scores["ret"].mask(gone)), portfolios=2)


def test_one_month_has_a_return_and_no_volatility(scores: pd.DataFrame) -> None:
    found = _run(scores[scores["month"].eq("2020-01-31")], portfolios=2)
    assert len(found) == 1 and found["spread"].tolist() == pytest.approx([0.1 - 0.0])
    spread = performance(found).set_index("portfolio").loc["spread"]
    assert spread["annual_return"] == pytest.approx(1.1**12 - 1) and spread["months"] == 1
    assert spread["annual_return_arithmetic"] == pytest.approx(1.2)
    assert spread[["annual_volatility", "sharpe_ratio"]].isna().all()


def test_one_stock_in_a_month_is_refused(scores: pd.DataFrame) -> None:
    with pytest.raises(KonkyoError, match="2020-03 has 1 scored stocks, fewer than"):
        _run(scores[scores["month"].ne("2020-03-31") | scores["stock"].eq("E")], portfolios=2)


def test_returns_are_earned_after_the_gap(scores: pd.DataFrame) -> None:
    ranked = assign_quantiles(scores, 2)
    found = monthly_returns(ranked, 2, 10.0, skip_months=1)
    plain = monthly_returns(ranked, 2, 10.0)
    assert (found["earned"] == plain["earned"] + pd.offsets.MonthEnd(1)).all()
    pd.testing.assert_frame_equal(found.drop(columns="earned"), plain.drop(columns="earned"))
    assert cumulative(found)["month"].min() == pd.Timestamp("2020-03-31")


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_reversed_scores_flip_the_spread(panel: Callable[..., pd.DataFrame], seed: int) -> None:
    scores = panel(seed, stocks=14, missing=0.0)
    found = _run(scores)
    flipped = _run(scores.assign(score=-scores["score"]))
    np.testing.assert_allclose(flipped["spread"], -found["spread"], atol=1e-15)
    np.testing.assert_allclose(flipped["rank_ic"], -found["rank_ic"], atol=1e-15)
    np.testing.assert_allclose(flipped["turnover"], found["turnover"], atol=1e-15)


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_row_order_and_stock_names_change_nothing(
    panel: Callable[..., pd.DataFrame], seed: int
) -> None:
    scores = panel(seed, missing=0.0)
    found = _run(scores)
    pd.testing.assert_frame_equal(found, _run(scores.sample(frac=1.0, random_state=seed)))
    names = scores["stock"].drop_duplicates()
    renamed = dict(zip(names, names.sample(frac=1.0, random_state=seed), strict=True))
    pd.testing.assert_frame_equal(
        found, _run(scores.assign(stock=scores["stock"].map(renamed))), rtol=1e-12, atol=1e-15
    )


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), last=st.integers(0, 3))
def test_the_future_never_changes_the_past(
    panel: Callable[..., pd.DataFrame], seed: int, last: int
) -> None:
    scores = panel(seed, months=5, missing=0.0)
    months = sorted(scores["month"].unique())
    after = scores["month"] > months[last]
    rng = np.random.default_rng(seed + 1)
    noise = rng.normal(0.0, 0.3, size=len(scores))
    changed = scores.assign(
        score=scores["score"].mask(after, noise), ret=scores["ret"].mask(after, noise / 2)
    )
    before, now = _run(scores), _run(changed)
    early = before["month"] <= months[last]
    pd.testing.assert_frame_equal(before[early], now[early])
    assert not before[~early].equals(now[~early])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_later_gap_changes_no_bit_of_earlier_months(
    panel: Callable[..., pd.DataFrame], seed: int
) -> None:
    scores = panel(seed, stocks=13, missing=0.0)
    last = scores["month"] == scores["month"].max()
    gone = scores.assign(ret=scores["ret"].mask(last & (scores["stock"] > "s005")))
    before, after = _run(scores)[:-1], _run(gone)[: scores["month"].nunique() - 1]
    pd.testing.assert_frame_equal(before, after, check_exact=True)
