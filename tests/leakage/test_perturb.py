"""Perturbed tables: nothing up to the month changes, everything after it does, within rules."""

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.dates import ordinal
from konkyo.leakage import perturb
from konkyo.leakage.perturb import EXTREME, REDRAWN, TRUNCATED, perturb_table, to_table
from small import make_records

STOCKS, MARKET = make_records()
T = 12 * 31 + 3
"""2001-04, counted from 1970-01."""


def of_stocks() -> perturb.Table:
    return to_table(STOCKS)


def upto(frame: pd.DataFrame, t: int = T) -> pd.DataFrame:
    return frame[ordinal(frame["month"]) <= t].reset_index(drop=True)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    t=st.integers(T - 14, T + 14),
    perturbation=st.sampled_from([TRUNCATED, REDRAWN, EXTREME]),
)
def test_the_past_stays_and_the_future_does_not(seed, t, perturbation):
    table = of_stocks()
    made, new = perturb_table(table, t, perturbation, rng=np.random.default_rng(seed), last=T + 14)
    known = ordinal(made["month"])
    past = made[known <= t].reset_index(drop=True)
    before = table.frame[table.available <= t].reset_index(drop=True)
    pd.testing.assert_frame_equal(past, before, check_dtype=False)
    ahead = made[known > t]
    assert ahead.duplicated(["month", "stock"]).sum() == 0
    if perturbation is TRUNCATED:
        assert ahead.empty and not new
        return
    returns = pd.to_numeric(ahead["return"]).dropna()
    assert (returns >= -1).all() and (ahead["size"].dropna() > 0).all()
    assert (ordinal(ahead["month"]) <= t + max(perturbation.months, 3)).all()
    assert set(new) <= set(ahead["stock"]) and not set(new) & set(STOCKS["stock"])
    assert min(new) < STOCKS["stock"].min() and max(new) > STOCKS["stock"].max()
    both = ahead.merge(table.frame, on=["month", "stock"], suffixes=("", "_before"))
    assert (both["size"] != both["size_before"]).all()
    assert perturb.NEW_SECTOR in set(ahead["sector"])
    if perturbation is EXTREME:
        assert 1e30 in {*returns, *ahead["illiquidity"], *ahead["size"]}


def test_future_rows_lie_between_past_rows():
    made, _ = perturb_table(of_stocks(), T, REDRAWN, rng=np.random.default_rng(0))
    after = ordinal(made["month"]) > T
    assert after[: len(after) // 2].mean() > 0.2 and not after[-len(after) // 2 :].all()


def test_a_table_that_ends_with_the_month_goes_on():
    table = to_table(upto(MARKET))
    made, _ = perturb_table(table, T, EXTREME, rng=np.random.default_rng(0), last=T)
    assert sorted(ordinal(made["month"]))[-3:] == [T + 1, T + 2, T + 3]
    assert made["VIX"].notna().all()
    days = pd.date_range("2001-01-01", "2001-04-30", freq="B")
    daily = to_table(pd.DataFrame({"date": days, "VIX": 1.0}))
    more, _ = perturb_table(
        replace(daily, dated=True), T, REDRAWN, rng=np.random.default_rng(0), last=T
    )
    # 91 days after the last quarter's rows, and no day of a month that has not all its days.
    assert more["date"].max() == pd.Timestamp("2001-07-30")
    assert more["date"].is_unique and (more["date"].dt.dayofweek < 5).all()
    # 91 days after 1 October is the last day of December, which is there.
    days = pd.date_range("2001-10-01", "2001-12-31", freq="B")
    daily = to_table(pd.DataFrame({"date": days, "VIX": 1.0}))
    more, _ = perturb_table(
        replace(daily, dated=True), T + 8, REDRAWN, rng=np.random.default_rng(0), last=T
    )
    assert more["date"].is_unique and more["date"].max() == pd.Timestamp("2002-03-29")
