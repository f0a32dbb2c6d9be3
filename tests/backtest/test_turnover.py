"""Turnover: weights by hand, a slow oracle, fresh starts after gaps."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.backtesting.portfolios import assign_quantiles, with_realised_returns
from konkyo.backtesting.turnover import equal_weights, trades


def _oracle(ranked: pd.DataFrame, portfolios: int) -> dict[tuple[str, str, str], float]:
    """Carry each leg's book from month to month in dictionaries, as the docstring words it."""
    units = {}
    for model in ranked["model"].unique():
        for leg, quantile in (("long", portfolios), ("short", 1)):
            rows = ranked[(ranked["model"] == model) & (ranked["quantile"] == quantile)]
            book: dict[str, float] = {}
            book_month = None
            for month in sorted(rows["month"].unique()):
                if book_month is None or month != book_month + pd.offsets.MonthEnd(1):
                    book = {}
                chosen = rows[rows["month"] == month].set_index("stock")["ret"].to_dict()
                target = {stock: 1 / len(chosen) for stock in chosen}
                changes = [
                    abs(target.get(stock, 0.0) - book.get(stock, 0.0))
                    for stock in set(target) | set(book)
                ]
                units[model, f"{month:%Y-%m}", leg] = sum(changes)

                present = [ret for ret in chosen.values() if not np.isnan(ret)]
                worth = 1 + sum(present) / len(present) if present else float("nan")
                book = {
                    stock: target[stock] * (1 + ret) / worth
                    for stock, ret in chosen.items()
                    if not np.isnan(ret) and worth > 0
                }
                book_month = month
    return units


def test_by_hand(scores: pd.DataFrame) -> None:
    traded = trades(equal_weights(with_realised_returns(assign_quantiles(scores, 2)), 2)).set_index(
        ["month", "leg"]
    )
    units = traded["units"].to_dict()
    january, february, march = (
        pd.Timestamp(day) for day in ("2020-01-31", "2020-02-29", "2020-03-31")
    )
    assert units[january, "long"] == pytest.approx(1.0)
    assert units[january, "short"] == pytest.approx(1.0)
    # C has drifted to 6/11 and D to 5/11: sell D, trim C, buy A.
    assert units[february, "long"] == pytest.approx(0.5 + 1 / 22 + 5 / 11)
    # A has drifted to 0.45 and B to 0.55: sell A, trim B, buy D.
    assert units[february, "short"] == pytest.approx(0.45 + 0.05 + 0.5)
    assert units[march, "long"] == pytest.approx(2.0)
    # B is gone: its half is cash that nobody sells. Sell D, buy A and C.
    assert units[march, "short"] == pytest.approx(1.5)

    assert np.isnan(traded["turnover"][january, "long"])
    assert traded["turnover"][march, "short"] == pytest.approx(0.75)


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_the_loop(seed: int, panel: Callable[..., pd.DataFrame]) -> None:
    network = panel(seed, stocks=15, months=8)
    gaps = panel(seed + 100, stocks=15, months=8, without=(2, 5, 6)).assign(model="placebo")
    ranked = assign_quantiles(pd.concat([network, gaps]), 4)
    fast = trades(equal_weights(ranked, 4))
    slow = _oracle(ranked, 4)
    assert len(fast) == len(slow) == 2 * (8 + 5)
    for row in fast.itertuples():
        assert row.units == pytest.approx(slow[row.model, f"{row.month:%Y-%m}", row.leg])


def test_a_month_after_a_gap_starts_from_cash(panel: Callable[..., pd.DataFrame]) -> None:
    ranked = assign_quantiles(panel(1, months=6, without=(2,)), 3)
    traded = trades(equal_weights(ranked, 3))
    fresh = traded[traded["turnover"].isna()]
    assert sorted(f"{month:%Y-%m}" for month in set(fresh["month"])) == ["2019-10", "2020-01"]
    np.testing.assert_allclose(fresh["units"], 1.0)


def test_an_unchanged_portfolio_trades_nothing(scores: pd.DataFrame) -> None:
    january = scores[scores["month"] == "2020-01-31"].assign(ret=0.0)
    february = january.assign(month=pd.Timestamp("2020-02-29"))
    traded = trades(equal_weights(assign_quantiles(pd.concat([january, february]), 2), 2))
    np.testing.assert_allclose(traded["turnover"].dropna(), [0.0, 0.0], atol=1e-15)


def test_a_leg_that_lost_everything_starts_from_cash(scores: pd.DataFrame) -> None:
    january = scores[scores["month"] == "2020-01-31"].assign(ret=-1.0)
    february = january.assign(month=pd.Timestamp("2020-02-29"), ret=0.0)
    traded = trades(equal_weights(assign_quantiles(pd.concat([january, february]), 2), 2))
    np.testing.assert_allclose(traded["units"], 1.0)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.3]))
def test_one_way_turnover_is_a_share_of_the_book(
    panel: Callable[..., pd.DataFrame], seed: int, missing: float
) -> None:
    turnover = trades(
        equal_weights(assign_quantiles(panel(seed, months=4, missing=missing), 3), 3)
    )["turnover"].dropna()
    assert len(turnover) == 2 * 3
    assert turnover.between(0.0, 1.0 + 1e-12).all()


@pytest.mark.parametrize("seed", range(5))
def test_later_months_change_no_bit_of_earlier_ones(seed, panel) -> None:
    whole = panel(seed, stocks=60, months=5, missing=0.0)
    # The model that comes second meets stocks that the first one chooses only later.
    both = pd.concat([whole, whole.assign(model="ridge", score=-(whole["score"] ** 2))])
    ranked = assign_quantiles(both, 3)
    last = whole["month"].max()
    before = trades(equal_weights(ranked[ranked["month"] < last], 3))
    after = trades(equal_weights(ranked, 3))
    same = after[after["month"] < last].reset_index(drop=True)
    pd.testing.assert_frame_equal(before, same, check_exact=True)
