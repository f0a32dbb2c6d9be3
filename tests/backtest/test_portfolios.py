"""Portfolios: equal counts, ties by code, nothing but order matters."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.backtest.portfolios import rank, realised
from konkyo.errors import KonkyoError


def _one_month(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "month": pd.Timestamp("2020-01-31"),
            "stock": [f"s{i:03d}" for i in range(len(values))],
            "model": "network",
            "score": values,
            "ret": 0.0,
        }
    )


def test_the_better_half_is_portfolio_two(scores: pd.DataFrame) -> None:
    ranked = rank(scores, 2)
    best = ranked[ranked["decile"] == 2].groupby("month")["stock"].agg("".join).tolist()
    assert best == ["CD", "AC", "DE", "DE"]
    assert ranked.columns.tolist() == ["month", "stock", "model", "score", "decile", "ret"]


@pytest.mark.parametrize(
    ("stocks", "portfolios", "sizes"),
    [
        (10, 10, [1] * 10),
        (12, 10, [1, 1, 2, 1, 1, 1, 1, 2, 1, 1]),
        (15, 10, [1, 2, 1, 2, 1, 2, 2, 1, 2, 1]),
        (5, 2, [2, 3]),
        (7, 3, [2, 3, 2]),
        (8, 3, [3, 2, 3]),
    ],
)
def test_sizes_by_hand(stocks: int, portfolios: int, sizes: list[int]) -> None:
    decile = rank(_one_month(list(range(stocks))), portfolios)["decile"]
    assert decile.value_counts().sort_index().tolist() == sizes


def test_equal_scores_go_by_stock_code() -> None:
    ranked = rank(_one_month([1.0, 1.0, 1.0, 1.0]).iloc[::-1], 4)
    assert ranked["decile"].tolist() == [1, 2, 3, 4]
    assert ranked["stock"].tolist() == ["s000", "s001", "s002", "s003"]


def test_too_few_stocks_names_month_count_limit_and_remedy(scores: pd.DataFrame) -> None:
    with pytest.raises(KonkyoError, match=r"network: 2020-01 has 4 .*portfolios = 5: lower"):
        rank(scores, 5)
    full, later = _one_month([1.0, 2.0, 3.0]), _one_month([1.0, 2.0])
    later["month"] = pd.Timestamp("2020-02-29")
    with pytest.raises(KonkyoError, match=r"network: 2020-02 has 2 .*portfolios = 3: lower"):
        rank(pd.concat([full, later], ignore_index=True), 3)


def test_each_model_is_ranked_by_itself(scores: pd.DataFrame) -> None:
    other = scores.assign(model="ridge", score=-scores["score"])
    both = rank(pd.concat([other, scores]), 2)
    alone = rank(scores, 2)
    pd.testing.assert_frame_equal(both[both["model"] == "network"].reset_index(drop=True), alone)
    ridge = both[both["model"] == "ridge"]["decile"].to_numpy()
    np.testing.assert_array_equal(ridge, 3 - alone["decile"])


def test_months_without_any_return_are_not_realised(scores: pd.DataFrame) -> None:
    known = realised(rank(scores, 2))
    assert known["month"].max() == pd.Timestamp("2020-03-31")
    assert known["ret"].isna().sum() == 1
    with pytest.raises(KonkyoError, match="none of the 4 scored months"):
        realised(rank(scores.assign(ret=np.nan), 2))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 400), portfolios=st.integers(2, 20), seed=st.integers(0, 99))
def test_portfolios_partition_the_month_in_order(n: int, portfolios: int, seed: int) -> None:
    if n < portfolios:
        n += portfolios
    ranked = rank(_one_month(list(np.random.default_rng(seed).normal(size=n))), portfolios)
    sizes = ranked["decile"].value_counts().sort_index()
    assert sizes.index.tolist() == list(range(1, portfolios + 1))
    assert sizes.max() - sizes.min() <= 1
    assert portfolios == 2 or sizes.iloc[0] == sizes.iloc[-1]
    assert ranked.sort_values("score")["decile"].is_monotonic_increasing


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.integers(-50, 50), min_size=5, max_size=40, unique=True),
    portfolios=st.integers(3, 5),
)
def test_only_the_order_of_scores_matters(values: list[int], portfolios: int) -> None:
    frame = _one_month([float(value) for value in values])
    ranked = rank(frame, portfolios)["decile"]
    shifted = rank(frame.assign(score=frame["score"] + 1000.0), portfolios)["decile"]
    bent = rank(frame.assign(score=np.exp(frame["score"] / 25.0)), portfolios)["decile"]
    pd.testing.assert_series_equal(ranked, shifted)
    pd.testing.assert_series_equal(ranked, bent)
