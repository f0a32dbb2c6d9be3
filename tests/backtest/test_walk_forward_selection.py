"""Choosing again and again: by hand, and nothing of the future in the past."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.backtest import walk_forward_returns
from konkyo.backtest.performance import sharpe_ratio
from konkyo.errors import KonkyoError

_MONTHS = pd.date_range("2010-01-31", periods=6, freq="ME")


def _series(seed: int, months: int = 48, trials: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        rng.normal(0, 0.04, (months, trials)),
        index=pd.date_range("2010-01-31", periods=months, freq="ME"),
    )


def test_by_hand() -> None:
    series = pd.DataFrame(
        {"a": [0.03, 0.01, -0.05, -0.05, 0.02, 0.00], "b": [0.01, 0.01, 0.02, 0.09, -0.01, 0.04]},
        index=_MONTHS,
    )
    result = walk_forward_returns(series, "mean", [_MONTHS[4], _MONTHS[2]])
    # Before March: a has a mean of 0.02, b of 0.01. Before May b is ahead.
    expected = pd.DataFrame(
        {
            "month": _MONTHS[2:],
            "decided": [_MONTHS[2], _MONTHS[2], _MONTHS[4], _MONTHS[4]],
            "trial": ["a", "a", "b", "b"],
            "spread": [-0.05, -0.05, -0.01, 0.04],
        }
    )
    pd.testing.assert_frame_equal(result, expected, check_dtype=False, check_index_type=False)


def test_equals_the_loop() -> None:
    series = _series(0)
    dates = series.index[[12, 24, 36]]
    result = walk_forward_returns(series, "sharpe_ratio", dates).set_index("month")
    for month in series.index[12:]:
        date = max(d for d in dates if d <= month)
        past = series[series.index < date]
        best = max(series, key=lambda trial: sharpe_ratio(past[trial]))
        assert result.loc[month, "trial"] == best
        assert result.loc[month, "spread"] == series.loc[month, best]
    assert len(result) == 36


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(12, 47), st.sampled_from(["sharpe_ratio", "mean"]))
def test_changing_the_future_never_changes_the_past(seed: int, place: int, objective) -> None:
    series = _series(seed)
    dates = series.index[12::12]
    changed = series.copy()
    changed.iloc[place:] = np.random.default_rng(seed + 1).normal(0, 1, (48 - place, 6))
    before, after = (
        walk_forward_returns(series, objective, dates),
        walk_forward_returns(changed, objective, dates),
    )
    month = series.index[place]
    # A choice at the date of the change itself knows none of it, nor do the months before.
    early = before["decided"] <= month
    pd.testing.assert_series_equal(before.loc[early, "trial"], after.loc[early, "trial"])
    pd.testing.assert_frame_equal(before[before["month"] < month], after[after["month"] < month])


def test_the_past_does_change_the_choice() -> None:
    series = _series(1)
    changed = series.copy()
    changed.iloc[:12, 3] += 1.0
    result = walk_forward_returns(changed, "mean", [series.index[12]])
    assert set(result["trial"]) == {3}


def test_noise_earns_nothing_except_in_hindsight() -> None:
    earned, hindsight = [], []
    for seed in range(40):
        series = _series(seed, 96, 20)
        dates = series.index[24::12]
        spread = walk_forward_returns(series, "sharpe_ratio", dates)["spread"]
        earned.append(sharpe_ratio(spread))
        hindsight.append(max(sharpe_ratio(series[trial].iloc[24:]) for trial in series))
    assert np.mean(earned) == pytest.approx(0.0, abs=0.15)
    assert np.mean(hindsight) > 0.5


def test_a_trial_without_earlier_months_is_not_chosen() -> None:
    series = _series(2)
    series[3] += 1.0
    series.iloc[5, 3] = np.nan
    assert 3 not in set(walk_forward_returns(series, "mean", series.index[[12, 24]])["trial"])


def test_refusals_say_what_to_do() -> None:
    series = _series(3)
    with pytest.raises(KonkyoError, match="1 months are earned by 2010-02"):
        walk_forward_returns(series, "sharpe_ratio", [series.index[1]])
    with pytest.raises(KonkyoError, match="no re-tune date"):
        walk_forward_returns(series, "sharpe_ratio", [])
    with pytest.raises(KonkyoError, match="not in order"):
        walk_forward_returns(series.iloc[::-1], "mean", [series.index[12]])
    series[3] += 1.0
    series.iloc[20, 3] = np.nan
    with pytest.raises(KonkyoError, match="trial 3, selected at 2011-01, did not run in 2011-09"):
        walk_forward_returns(series, "mean", [series.index[12]])


def test_a_gap_leaves_the_last_months_unseen() -> None:
    series = pd.DataFrame(
        {"a": [0.03, 0.01, -0.09, -0.05, 0.02, 0.00], "b": [0.01, 0.01, 0.02, 0.09, -0.01, 0.04]},
        index=_MONTHS,
    )
    # At the end of April the row of March, earned in May, is not known; that of February is.
    result = walk_forward_returns(series, "mean", [_MONTHS[3]], skip_months=1)
    assert set(result["trial"]) == {"a"}
    assert set(walk_forward_returns(series, "mean", [_MONTHS[3]])["trial"]) == {"b"}
