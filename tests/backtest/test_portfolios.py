"""Portfolios: equal counts, ties by draws, nothing but order matters."""

from collections import Counter
from hashlib import blake2b

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from konkyo.backtesting import monthly_returns
from konkyo.backtesting.portfolios import (
    NoPortfoliosError,
    assign_quantiles,
    months_without_portfolios,
    with_realised_returns,
)
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
    ranked = assign_quantiles(scores, 2)
    best = ranked[ranked["quantile"] == 2].groupby("month")["stock"].agg("".join).tolist()
    assert best == ["CD", "AC", "DE", "DE"]
    columns = ["month", "stock", "model", "score", "rank", "quantile", "ret"]
    assert ranked.columns.tolist() == columns
    assert ranked["rank"].tolist() == [4, 3, 2, 1, 1, 4, 2, 3, 4, 3, 2, 1, 4, 3, 2, 1]


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
    quantile = assign_quantiles(_one_month(list(range(stocks))), portfolios)["quantile"]
    assert quantile.value_counts().sort_index().tolist() == sizes


def test_too_few_stocks_is_an_error_with_its_remedy(scores: pd.DataFrame) -> None:
    with pytest.raises(KonkyoError, match=r"network: 2020-01 has 4 .*n_quantiles = 5: lower"):
        assign_quantiles(scores, 5)
    full, later = _one_month([1.0, 2.0, 3.0]), _one_month([1.0, 2.0])
    later["month"] = pd.Timestamp("2020-02-29")
    with pytest.raises(KonkyoError, match=r"network: 2020-02 has 2 .*n_quantiles = 3: lower"):
        assign_quantiles(pd.concat([full, later], ignore_index=True), 3)


def test_each_model_is_ranked_by_itself(scores: pd.DataFrame) -> None:
    other = scores.assign(model="ridge", score=-scores["score"])
    both = assign_quantiles(pd.concat([other, scores]), 2)
    alone = assign_quantiles(scores, 2)
    pd.testing.assert_frame_equal(both[both["model"] == "network"].reset_index(drop=True), alone)
    ridge = both[both["model"] == "ridge"]["quantile"].to_numpy()
    np.testing.assert_array_equal(ridge, 3 - alone["quantile"])


def test_months_without_any_return_are_not_realised(scores: pd.DataFrame) -> None:
    known = with_realised_returns(assign_quantiles(scores, 2))
    assert known["month"].max() == pd.Timestamp("2020-03-31")
    assert known["ret"].isna().sum() == 1
    with pytest.raises(KonkyoError, match="none of the 4 scored months"):
        with_realised_returns(assign_quantiles(scores.assign(ret=np.nan), 2))


@settings(max_examples=40)
@given(n=st.integers(2, 400), portfolios=st.integers(2, 20), seed=st.integers(0, 99))
def test_portfolios_partition_the_month_in_order(n: int, portfolios: int, seed: int) -> None:
    if n < portfolios:
        n += portfolios
    ranked = assign_quantiles(
        _one_month(list(np.random.default_rng(seed).normal(size=n))), portfolios
    )
    sizes = ranked["quantile"].value_counts().sort_index()
    assert sizes.index.tolist() == list(range(1, portfolios + 1))
    assert sizes.max() - sizes.min() <= 1
    assert portfolios == 2 or sizes.iloc[0] == sizes.iloc[-1]
    assert ranked.sort_values("score")["quantile"].is_monotonic_increasing


@settings(max_examples=40)
@given(
    values=st.lists(st.integers(-50, 50), min_size=5, max_size=40, unique=True),
    portfolios=st.integers(3, 5),
)
def test_only_the_order_of_scores_matters(values: list[int], portfolios: int) -> None:
    frame = _one_month([float(value) for value in values])
    ranked = assign_quantiles(frame, portfolios)["quantile"]
    shifted = assign_quantiles(frame.assign(score=frame["score"] + 1000.0), portfolios)["quantile"]
    bent = assign_quantiles(frame.assign(score=np.exp(frame["score"] / 25.0)), portfolios)[
        "quantile"
    ]
    pd.testing.assert_series_equal(ranked, shifted)
    pd.testing.assert_series_equal(ranked, bent)


def _draw(month: pd.Timestamp, stock: str) -> int:
    count = (month.year - 1970) * 12 + month.month - 1
    return int.from_bytes(blake2b(f"1 {count} {stock}".encode(), digest_size=8).digest(), "little")


def _slow(frame: pd.DataFrame, portfolios: int) -> dict[str, tuple[int, int | None]]:
    """Rank one month as the docstring says it: stock to rank and portfolio."""
    scores = dict(zip(frame["stock"], frame["score"], strict=True))
    month, largest = frame["month"].iloc[0], max(abs(score) for score in scores.values())
    level: dict[str, int] = {}
    before, number = None, 0
    for stock in sorted(scores, key=lambda stock: scores[stock]):
        if before is None or scores[stock] - before > 1e-12 * largest:
            number += 1
        before, level[stock] = scores[stock], number
    drawn = sorted(scores, key=lambda stock: _draw(month, stock))
    unlike = [stock for stock in drawn if level[stock] != level[drawn[0]]]
    upwards = bool(unlike) and level[drawn[0]] > level[unlike[0]]
    order: list[str] = []
    for wanted in range(1, number + 1):
        block = [stock for stock in drawn if level[stock] == wanted]
        order += block if upwards else block[::-1]
    n, found = len(order), {}
    for position, stock in enumerate(order):
        if 2 * position + 1 > n:
            portfolio = portfolios - (2 * (n - 1 - position) + 1) * portfolios // (2 * n)
        else:
            portfolio = (2 * position + 1) * portfolios // (2 * n) + 1
        found[stock] = (n - position, portfolio if number >= portfolios else None)
    return found


# From no ties to one block of all; few values make blocks that straddle every boundary.
_TIED = st.lists(st.integers(-3, 3).map(float), min_size=6, max_size=40)
_ANY_MONTH = st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2030-01-01").date()).map(
    lambda day: pd.Timestamp(day) + pd.offsets.MonthEnd(0)
)


@settings(max_examples=150)
@given(values=_TIED, portfolios=st.integers(2, 6), month=_ANY_MONTH)
def test_equals_the_slow_way(values: list[float], portfolios: int, month: pd.Timestamp) -> None:
    frame = _one_month(values).assign(month=month)
    ranked = assign_quantiles(frame, portfolios)
    expected = _slow(frame, portfolios)
    for row in ranked.itertuples():
        assert (row.rank, None if pd.isna(row.quantile) else row.quantile) == expected[row.stock]


@pytest.mark.slow
@settings(max_examples=200)
@given(values=_TIED, portfolios=st.integers(2, 6), month=_ANY_MONTH)
def test_reversed_scores_exchange_long_and_short(
    values: list[float], portfolios: int, month: pd.Timestamp
) -> None:
    frame = _one_month(values).assign(month=month)
    ranked, other = (
        assign_quantiles(frame, portfolios),
        assign_quantiles(frame.assign(score=-frame["score"]), portfolios),
    )
    if len(set(values)) > 1:
        assert (ranked["rank"] + other["rank"] == len(values) + 1).all()
    if len(set(values)) < portfolios:
        assert ranked["quantile"].isna().all() and other["quantile"].isna().all()
        return
    mirrored = portfolios + 1 - other["quantile"]
    # An odd number of stocks leaves one in the middle, which an even number of portfolios puts
    # into the lower of the two middle ones.
    middle = (2 * ranked["rank"] == len(values) + 1) & (portfolios % 2 == 0)
    assert (ranked["quantile"] == mirrored)[~middle].all()
    if portfolios > 2:
        assert ((ranked["quantile"] == portfolios) == (other["quantile"] == 1)).all()
        assert ((ranked["quantile"] == 1) == (other["quantile"] == portfolios)).all()


@pytest.mark.parametrize("values", [[1, 2, 2, 3], [1, 2, 2, 2, 2, 3], [1, 1, 2, 2], [0, 0, 0, 1]])
def test_reversal_exchanges_blocks_at_the_middle(values: list[float]) -> None:
    for month in pd.date_range("2000-01-31", periods=60, freq="ME"):
        frame = _one_month(values).assign(month=month)
        one, other = (
            assign_quantiles(frame, 2),
            assign_quantiles(frame.assign(score=-frame["score"]), 2),
        )
        assert (one["quantile"] == 3 - other["quantile"]).all()


@settings(max_examples=60)
@given(values=_TIED, others=_TIED, portfolios=st.integers(2, 4), seed=st.integers(0, 99))
def test_row_order_months_and_models_do_not_matter(
    values: list[float], others: list[float], portfolios: int, seed: int
) -> None:
    frame = _one_month(values)
    alone = assign_quantiles(frame, portfolios)
    later = _one_month(others).assign(month=pd.Timestamp("2020-02-29"))
    ridge = frame.assign(model="ridge", score=frame["score"] * 2.0 + 1.0)
    both = pd.concat([later, frame, ridge]).sample(frac=1.0, random_state=seed)
    ranked = assign_quantiles(both, portfolios)
    own = ranked[(ranked["month"] == "2020-01-31") & (ranked["model"] == "network")]
    pd.testing.assert_frame_equal(own.reset_index(drop=True), alone)
    # The same order of the same stocks: the draws are the same for every model.
    other = ranked[ranked["model"] == "ridge"]
    assert other["rank"].tolist() == alone["rank"].tolist()


def test_no_code_has_an_advantage() -> None:
    """Over many months each of the stocks that tie across the boundary is as often above it."""
    months = pd.date_range("1850-01-31", periods=2000, freq="ME")
    frame = pd.concat([_one_month([0, 1, 1, 1, 1, 2]).assign(month=month) for month in months])
    ranked = assign_quantiles(frame, 2)
    above = Counter(ranked.loc[ranked["quantile"] == 2, "stock"])
    for stock in ("s001", "s002", "s003", "s004"):
        assert stats.binomtest(above[stock], len(months)).pvalue > 1e-4
    # Nor do two stocks move together: one of a pair is above without the other two times in three.
    wide = ranked.pivot_table(index="month", columns="stock", values="quantile")
    parted = int((wide["s001"] != wide["s002"]).sum())
    assert stats.binomtest(parted, len(months), 2 / 3).pvalue > 1e-4
    # The draws are anew each month.
    again = int((wide["s001"].to_numpy()[1:] == wide["s001"].to_numpy()[:-1]).sum())
    assert stats.binomtest(again, len(months) - 1).pvalue > 1e-4


def test_further_stocks_seldom_turn_a_tie() -> None:
    """Only where they are among the first drawn, and then they may turn the month's direction."""
    months = pd.date_range("2000-01-31", periods=300, freq="ME")
    values = [*np.linspace(-5, -1, 20), 0, 0, *np.linspace(1, 5, 20)]
    frame = pd.concat([_one_month(values).assign(month=month) for month in months])
    pair = ["s020", "s021"]
    more = frame[frame["stock"].isin(pair)].assign(stock="new", score=0.5).drop_duplicates("month")

    def better(scores: pd.DataFrame) -> np.ndarray:
        ranked = assign_quantiles(scores, 2).set_index(["stock", "month"])["rank"]
        return (ranked[pair[0]] < ranked[pair[1]]).to_numpy()

    turned = (better(frame) != better(pd.concat([frame, more]))).mean()
    assert 0 < turned < 0.1


def test_two_stocks_of_identical_inputs_are_one_level() -> None:
    """Rounding leaves them apart by a last digit; which digit is none of the ranking's business."""
    for month in pd.date_range("2000-01-31", periods=40, freq="ME"):
        exact = _one_month([0.1, 0.7, 0.7, 0.9]).assign(month=month)
        for dust in (-1e-16, 1e-16):
            near = exact.assign(score=exact["score"] + [0.0, dust, 0.0, 0.0])
            pd.testing.assert_frame_equal(
                assign_quantiles(exact, 2).drop(columns="score"),
                assign_quantiles(near, 2).drop(columns="score"),
            )
    apart = _one_month([0.1, 0.7 + 1e-9, 0.7, 0.9])
    assert assign_quantiles(apart, 2)["rank"].tolist() == [4, 2, 3, 1]


def test_a_broken_market_series_forms_no_portfolios(scores: pd.DataFrame) -> None:
    """One month's scores differ by rounding alone: no leg, no return, a fresh start after it."""
    broken = scores["month"] == "2020-02-29"
    shifted = scores.assign(score=scores["score"].mask(broken, 1e16 + 2 * scores["score"]))
    assert len(set(shifted.loc[broken, "score"])) == 4
    ranked = assign_quantiles(shifted, 2)
    assert ranked["quantile"].isna().tolist() == (ranked["month"] == "2020-02-29").tolist()
    assert sorted(ranked.loc[ranked["quantile"].isna(), "rank"]) == [1, 2, 3, 4]
    assert months_without_portfolios(ranked).to_dict() == {"network": 1}

    table = monthly_returns(ranked, 2, 10.0)
    expected = monthly_returns(assign_quantiles(scores[~broken], 2), 2, 10.0)
    pd.testing.assert_frame_equal(table, expected)
    assert table["month"].dt.month.tolist() == [1, 3]
    assert table["turnover"].isna().all()
    with pytest.raises(NoPortfoliosError, match="none of the 3 scored months with a return has"):
        monthly_returns(assign_quantiles(scores.assign(score=1.0), 2), 2, 10.0)


def test_fewer_scores_than_portfolios_form_none() -> None:
    ranked = assign_quantiles(_one_month([1.0, 1.0, 2.0, 2.0, 3.0, 3.0]), 4)
    assert ranked["quantile"].isna().all()
    assert set(ranked.loc[ranked["score"] == 3.0, "rank"]) == {1, 2}
    assert assign_quantiles(_one_month([1.0, 1.0, 2.0, 2.0, 3.0, 3.0]), 3)["quantile"].tolist() == [
        1, 1, 2, 2, 3, 3,
    ]  # fmt: skip
