import numpy as np
import pandas as pd
import pytest
from scipy import stats

from konkyo.backtesting import newey_west_t
from konkyo.monitoring.signals import missing_shares, rank_ic_against_history, sign_changes


def _ends(count: int) -> pd.DatetimeIndex:
    return pd.date_range("2018-01-31", periods=count, freq="ME")


def test_rank_ic_by_hand():
    values = [0.2, 0.4, 0.6, 0.0, 0.1]
    returns = pd.DataFrame({"month": _ends(5), "rank_ic": values})
    table = rank_ic_against_history(returns, 2)
    last = table.iloc[-1]
    assert last["recent"] == pytest.approx(0.05)
    assert last["earlier"] == pytest.approx(0.4)
    # Variances of the means: 0.005 / 2 and 0.04 / 3.
    assert last["t"] == pytest.approx(-0.35 / np.sqrt(0.005 / 2 + 0.04 / 3))
    assert table["t"].isna().tolist() == [True, True, True, False, False]
    slow = stats.ttest_ind([0.6, 0.0], [0.2, 0.4], equal_var=False).statistic
    assert table["t"].iloc[3] == pytest.approx(slow)


def test_a_month_without_returns_has_no_rank_ic():
    returns = pd.DataFrame({"month": _ends(5), "rank_ic": [0.2, 0.4, 0.1, 0.3, np.nan]})
    table = rank_ic_against_history(returns, 2)
    assert table["month"].tolist() == list(_ends(4))


def test_rank_ic_that_never_varies_is_not_judged():
    returns = pd.DataFrame({"month": _ends(6), "rank_ic": 0.1})
    assert rank_ic_against_history(returns, 2)["t"].isna().all()


def test_missing_shares_of_the_newest_months():
    missing = pd.DataFrame(
        {
            "month": np.repeat(_ends(3), 2),
            "feature": ["a", "b"] * 3,
            "missing": [9, 9, 1, 2, 3, 4],
            "stocks": [10, 10, 10, 10, 20, 20],
        }
    )
    table = missing_shares(missing, 2)
    assert table["share"].tolist() == [0.1, 0.2, 0.15, 0.2]


def _effects(**series: np.ndarray) -> pd.DataFrame:
    wide = pd.DataFrame(series, index=_ends(len(next(iter(series.values())))))
    return (
        wide.rename_axis("month")
        .reset_index()
        .melt("month", var_name="feature", value_name="effect")
    )


def test_only_a_clear_sign_change_counts():
    wiggle = 0.01 * np.array([1, -1, 2, -2] * 2)
    effects = _effects(
        turned=np.r_[np.full(4, 0.5), np.full(4, -0.5)] + wiggle,
        kept=np.full(8, 0.5) + wiggle,
        hovering=np.r_[np.full(4, 0.002), np.full(4, -0.002)] + wiggle,
    )
    table = sign_changes(effects, span=4).set_index("feature")
    assert (table["month"] == _ends(8)[-1]).all()
    assert table["changed"].to_dict() == {"turned": True, "kept": False, "hovering": False}
    assert table.loc["turned", "before"] == pytest.approx(0.5)
    assert table.loc["turned", "now"] == pytest.approx(-0.5)
    early = pd.Series(0.5 + wiggle[:4])
    assert table.loc["turned", "t_before"] == pytest.approx(
        newey_west_t(pd.Series(_ends(4)), early)
    )
    assert abs(table.loc["hovering", "t_now"]) < 2


def test_months_are_judged_by_what_was_known_then():
    rng = np.random.default_rng(0)
    values = rng.normal(size=12)
    table = sign_changes(_effects(x=values), span=4)
    assert table["month"].tolist() == list(_ends(12)[7:])
    later = values.copy()
    later[10:] += 9
    other = sign_changes(_effects(x=later), span=4)
    pd.testing.assert_frame_equal(table[:3], other[:3])
    assert (table["now"][3:] != other["now"][3:]).all()


def test_effects_that_are_missing_or_too_few():
    with_gap = np.r_[np.full(7, 0.5), np.nan] + 0.01 * np.array([1, -1, 2, -2] * 2)
    table = sign_changes(_effects(x=with_gap), span=4)
    assert table["now"].iloc[0] == pytest.approx(0.5 + 0.02 / 3)
    assert sign_changes(_effects(x=np.ones(7)), span=4).empty
