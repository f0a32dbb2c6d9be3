"""The comparison of two models: literal answers, a slow oracle, what it may not look at."""

import math
import statistics

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from konkyo.monitoring.comparison import compare, to_text

ENDS = pd.date_range("2020-01-31", periods=5, freq="ME")


def model(rank_ic, spread_net, turnover, ends=ENDS):
    return pd.DataFrame(
        {"month": ends, "rank_ic": rank_ic, "spread_net": spread_net, "turnover": turnover}
    )


CHAMPION = model([0.9, 0.01, 0.02, 0.03, 0.5], [0.9, 0.01, 0.00, 0.02, np.nan], [None] + [0.5] * 4)
CHALLENGER = model([-0.9, 0.02, 0.04, 0.06, 0.5], [0.0, 0.02, 0.01, 0.06, 0.1], [0.4] * 5)


def test_figures_by_hand():
    # The last month has no realised return in the champion, so the last three are 2020-02 to 04.
    comparison = compare(CHAMPION, CHALLENGER, n_months=3, objective="rank_ic", min_improvement=0.0)
    assert [f"{end:%Y-%m}" for end in comparison.monthly["month"]] == [
        "2020-02",
        "2020-03",
        "2020-04",
    ]
    assert comparison.monthly["difference_rank_ic"].tolist() == pytest.approx([0.01, 0.02, 0.03])
    selected = comparison.metrics.set_index("measure")
    # Differences 0.01, 0.02, 0.03: mean 0.02, deviation 0.01, t = 0.02 / (0.01 / sqrt(3)).
    assert selected.loc[
        "rank_ic", ["champion", "challenger", "difference"]
    ].tolist() == pytest.approx([0.02, 0.04, 0.02])
    assert selected.loc["rank_ic", "t"] == pytest.approx(2 * math.sqrt(3))
    # With two degrees of freedom p = 1 - t / sqrt(2 + t^2).
    assert selected.loc["rank_ic", "p"] == pytest.approx(1 - math.sqrt(12 / 14))
    # Net spreads 0.01, 0, 0.02 and 0.02, 0.01, 0.06; differences 0.01, 0.01, 0.04.
    assert selected.loc["mean", ["champion", "challenger", "t"]].tolist() == pytest.approx(
        [0.01, 0.03, 2.0]
    )
    assert selected.loc["sharpe_ratio", "champion"] == pytest.approx(math.sqrt(12))
    assert selected.loc["sharpe_ratio", "challenger"] == pytest.approx(math.sqrt(12 * 9 / 7))
    assert math.isnan(selected.loc["sharpe_ratio", "t"])
    # A difference that is always the same has no t.
    assert selected.loc["turnover", "difference"] == pytest.approx(-0.1)
    assert math.isnan(selected.loc["turnover", "t"])
    assert (selected["months"] == 3).all()
    assert comparison.objections() == []
    assert "over 3 months, 2020-02 to 2020-04" in to_text(comparison, "champion 1", "version 2")


@pytest.mark.parametrize(
    ("objective", "least", "allowed"),
    [
        ("rank_ic", 0.0199, True),
        ("rank_ic", 0.0201, False),
        ("mean", 0.0199, True),
        ("mean", 0.0201, False),
        ("sharpe_ratio", 0.4, True),
        ("sharpe_ratio", 0.5, False),
    ],
)
def test_the_objective_must_be_exceed_min_improvement(objective, least, allowed):
    # Sharpe ratio: sqrt(12 * 9 / 7) - sqrt(12) = 3.928 - 3.464 = 0.464.
    objections = compare(
        CHAMPION, CHALLENGER, n_months=3, objective=objective, min_improvement=least
    ).objections()
    assert objections == [] if allowed else f"promote.min_improvement = {least:g}" in objections[0]


def test_equal_models_are_not_better():
    (objection,) = compare(
        CHAMPION, CHAMPION, n_months=3, objective="rank_ic", min_improvement=0.0
    ).objections()
    assert "its rank_ic is +0.0000 against the champion's" in objection


def test_too_few_months_in_common_is_an_objection():
    later = CHALLENGER.iloc[2:]
    comparison = compare(CHAMPION, later, n_months=3, objective="rank_ic", min_improvement=0.0)
    assert comparison.span == "2 months, 2020-03 to 2020-04"
    (objection,) = comparison.objections()
    assert "2 realised months in common, promote.months = 3" in objection


def test_no_month_in_common_is_two_objections():
    apart = CHALLENGER.assign(month=CHALLENGER["month"] + pd.offsets.MonthEnd(12))
    comparison = compare(
        CHAMPION, apart, n_months=3, objective="sharpe_ratio", min_improvement=-1.0
    )
    assert comparison.span == "no month"
    assert comparison.metrics["difference"].isna().all()
    assert len(comparison.objections()) == 2
    assert "over no month" in to_text(comparison, "a", "b")


def test_turnover_is_compared_where_both_have_it():
    comparison = compare(CHAMPION, CHALLENGER, n_months=4, objective="rank_ic", min_improvement=0.0)
    selected = comparison.metrics.set_index("measure")
    assert selected["months"].to_dict() == {
        "rank_ic": 4,
        "mean": 4,
        "sharpe_ratio": 4,
        "turnover": 3,
    }


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(2, 30))
def test_a_slow_loop_finds_the_same(seed, length, count):
    generator = np.random.default_rng(seed)
    sides = []
    for _ in range(2):
        ends = pd.date_range("2000-01-31", periods=40, freq="ME")
        remaining = np.sort(generator.choice(40, length, replace=False))
        selected = model(*generator.standard_normal((3, length)), ends=ends[remaining])
        selected.loc[generator.random(length) < 0.1, "spread_net"] = np.nan
        sides.append(selected.sample(frac=1, random_state=seed % 1000))
    comparison = compare(*sides, n_months=count, objective="mean", min_improvement=0.0)

    rows = [{r.month: r for r in side.itertuples()} for side in sides]
    shared = sorted(
        m for m in rows[0] if m in rows[1] and not any(math.isnan(s[m].spread_net) for s in rows)
    )[-count:]
    assert comparison.monthly["month"].tolist() == shared
    if len(shared) < 2:
        return
    selected = comparison.metrics.set_index("measure")
    for measure, name in (("rank_ic", "rank_ic"), ("mean", "spread_net"), ("turnover", "turnover")):
        a, b = ([getattr(side[m], name) for m in shared] for side in rows)
        expected = stats.ttest_rel(b, a)
        assert selected.loc[measure, "difference"] == pytest.approx(
            statistics.fmean(b) - statistics.fmean(a)
        )
        assert selected.loc[measure, "t"] == pytest.approx(expected.statistic)
        assert selected.loc[measure, "p"] == pytest.approx(expected.pvalue)
    net = [[side[m].spread_net for m in shared] for side in rows]
    ratios = [statistics.fmean(v) / statistics.stdev(v) * math.sqrt(12) for v in net]
    assert selected.loc["sharpe_ratio", "difference"] == pytest.approx(ratios[1] - ratios[0])


def test_months_before_the_last_ones_decide_nothing():
    other = CHAMPION.copy()
    other.loc[0, ["rank_ic", "spread_net", "turnover"]] = [-5.0, -5.0, 5.0]
    one, two = (
        compare(c, CHALLENGER, n_months=3, objective="rank_ic", min_improvement=0.0)
        for c in (CHAMPION, other)
    )
    pd.testing.assert_frame_equal(one.metrics, two.metrics)
