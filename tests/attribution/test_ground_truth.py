"""Agreement with a known truth: answers by hand, bounds, and what must not matter."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from konkyo.attribution.ground_truth import agreement, compare, measure, per_input, with_effect
from konkyo.errors import ArtifactError

MONTHS = pd.to_datetime(["2010-01-31", "2010-02-28", "2010-03-31"])


def by_hand() -> tuple[np.ndarray, np.ndarray]:
    """Return truth and relevance of four stocks; the inputs are a, b, c, a dummy d; c, d no effect.

    Relevance ranks the stocks by a rightly, by b with the first two turned round.
    """
    truth = np.array(
        [[1.0, -4.0, 0.0, 0.0], [2.0, -2.0, 0.0, 0.0], [3.0, 2.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0]]
    )
    relevance = np.array(
        [[0.1, -0.1, 0.1, 0.0], [0.2, -0.3, -0.1, 0.2], [0.3, 0.2, 0.0, 0.2], [0.5, -0.2, 0.0, 0.1]]
    )
    return truth, relevance


def test_four_stocks_by_hand():
    truth, relevance = by_hand()
    out = measure(
        truth, relevance, effect=np.array([1, 1, 0, 0], bool), dummy=np.array([0, 0, 0, 1], bool)
    )
    # b over stocks: truth ranks 1 2 4 3, relevance ranks 3 1 4 2, squares 4 + 1 + 0 + 1 = 6.
    assert out["rank_per_input"] == pytest.approx((1 + (1 - 36 / 60)) / 2)
    # Over a and b the order is right for every stock.
    assert out["rank_per_stock"] == 1
    # The last stock over all inputs: truth 4 0 0 0, relevance 0.5 -0.2 0 0.1.
    expected = np.mean([spearmanr(t, r).statistic for t, r in zip(truth, relevance, strict=True)])
    assert out["rank_per_stock_all"] == pytest.approx(expected)
    # Sizes: a 1.1, b 0.8, c 0.2, d 0.5.
    assert out["irrelevant_share"] == pytest.approx(0.7 / 2.6)
    assert out["irrelevant_share_no_dummies"] == pytest.approx(0.2 / 2.1)
    # Seven contributions differ from 0 (b of the last stock does not), all with the right sign.
    assert out["sign_agreement"] == 1
    relevance[3, 1] = 0.0
    assert measure(truth, relevance, effect=np.array([1, 1, 0, 0], bool))["sign_agreement"] == 1
    relevance[2, 1] = -0.2
    relevance[0, 0] = 0.0
    wrong = measure(truth, relevance, effect=np.array([1, 1, 0, 0], bool))
    assert wrong["sign_agreement"] == pytest.approx(5 / 7)
    assert wrong["sign_agreement_weighted"] == pytest.approx((18 - 3) / 18)


def random_case(seed: int, stocks: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    effect = np.array([True, True, True, True, False, False])
    truth = rng.normal(size=(stocks, 6)) * effect
    return truth, rng.normal(size=(stocks, 6)), effect


def test_truth_against_itself_and_turned_round():
    truth, _, effect = random_case(1)
    itself, turned = measure(truth, truth, effect=effect), measure(truth, -truth, effect=effect)
    for name in ("rank_per_input", "rank_per_stock", "rank_per_stock_all"):
        assert itself[name] == pytest.approx(1)
        assert turned[name] == pytest.approx(-1)
    for name in ("sign_agreement", "sign_agreement_weighted"):
        assert itself[name] == 1
        assert turned[name] == 0
    assert itself["irrelevant_share"] == turned["irrelevant_share"] == 0


def test_random_relevances_agree_by_chance_alone():
    truth, relevance, effect = random_case(2, stocks=20_000)
    out = measure(truth, relevance, effect=effect)
    for name in ("rank_per_input", "rank_per_stock", "rank_per_stock_all"):
        assert abs(out[name]) < 0.02
    assert abs(out["sign_agreement"] - 0.5) < 0.01
    assert abs(out["sign_agreement_weighted"] - 0.5) < 0.01
    assert abs(out["irrelevant_share"] - 2 / 6) < 0.01


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-4, 1e4), other=st.floats(1e-4, 1e4))
def test_neither_scale_nor_order_matters(seed, scale, other):
    truth, relevance, effect = random_case(seed)
    rng = np.random.default_rng(seed)
    columns, order = rng.permutation(6), rng.permutation(len(truth))
    dummy = np.array([False, False, True, False, False, True])
    one = measure(truth, relevance, effect=effect, dummy=dummy)
    two = measure(
        scale * truth[order][:, columns],
        other * relevance[order][:, columns],
        effect=effect[columns],
        dummy=dummy[columns],
    )
    assert one == pytest.approx(two, abs=1e-9)


def test_an_input_without_spread_is_left_out():
    truth = np.array([[1.0, 5.0, 1.0], [2.0, 5.0, 2.0], [3.0, 5.0, 3.0]])
    relevance = np.array([[1.0, 1.0, 0.5], [2.0, 3.0, 0.5], [3.0, 2.0, 0.5]])
    out = measure(truth, relevance, effect=np.ones(3, dtype=bool))
    assert out["rank_per_input"] == pytest.approx((1 + 0) / 2)


def test_rounding_of_the_truth_is_not_an_effect():
    truth, relevance, effect = random_case(3)
    truth[:, 3] = 5.0 + np.random.default_rng(3).normal(size=len(truth)) * 1e-13
    truth[:, 2] = np.random.default_rng(4).normal(size=len(truth)) * 1e-13
    noisy = measure(truth, relevance, effect=effect)
    truth[:, 3], truth[:, 2] = 5.0, 0.0
    assert measure(truth, relevance, effect=effect) == pytest.approx(noisy)
    assert with_effect(pd.DataFrame({"month": 1, "stock": "A", "a": [1.0], "b": [1e-13]})) == ["a"]


def test_without_effects_only_shares_are_known():
    _, relevance, _ = random_case(4)
    out = measure(np.zeros((30, 6)), relevance, effect=np.zeros(6, dtype=bool))
    assert out.pop("irrelevant_share") == out.pop("irrelevant_share_no_dummies") == 1
    assert np.isnan(list(out.values())).all()


@pytest.fixture
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return truth of a and b, and relevances of c, b, a, d in another order of rows."""
    truth, relevance = [], []
    for place, month in enumerate(MONTHS):
        true, found = by_hand()
        keys = pd.DataFrame({"month": month, "stock": list("ABCD")})
        truth.append(keys.assign(a=true[:, 0], b=true[:, 1], c=0.0))
        found = found * (-1) ** place
        names = keys.assign(score=found.sum(1), c=found[:, 2], b=found[:, 1])
        relevance.append(names.assign(a=found[:, 0], d=found[:, 3], absorbed=0.0))
    return pd.concat(truth), pd.concat(relevance).sample(frac=1, random_state=1)


def test_tables_are_matched_by_month_stock_and_name(tables):
    truth, relevance = tables
    effect = with_effect(truth)
    assert effect == ["a", "b"]
    out = agreement(truth, relevance, effect=effect, dummies=["d", "not a feature"])
    assert list(out.columns) == ["month", "measure", "value"]
    expected = measure(
        *by_hand(), effect=np.array([1, 1, 0, 0], bool), dummy=np.array([0, 0, 0, 1], bool)
    )
    wide = out.set_index(["month", "measure"])["value"]
    assert list(wide.index.unique("month")) == list(MONTHS)
    assert wide.loc[MONTHS[0]].to_dict() == pytest.approx(expected)
    assert wide.loc[(MONTHS[1], "rank_per_input")] == pytest.approx(-0.7)
    single = per_input(truth, relevance, effect=effect)
    first = single[single["month"] == MONTHS[0]].set_index("feature")["rank_correlation"]
    assert first.to_dict() == pytest.approx({"a": 1.0, "b": 0.4})


def test_stocks_of_one_table_alone_are_left_out(tables):
    truth, relevance = tables
    full = agreement(truth, relevance, effect=["a", "b"])
    stranger = relevance.iloc[:1].assign(stock="Z", a=99.0)
    pd.testing.assert_frame_equal(
        agreement(truth, pd.concat([relevance, stranger]), effect=["a", "b"]), full
    )
    fewer = relevance[relevance["stock"] != "D"]
    part = agreement(truth, fewer, effect=["a", "b"])
    pd.testing.assert_frame_equal(
        agreement(truth[truth["stock"] != "D"], fewer, effect=["a", "b"]), part
    )
    assert not part.equals(full)


def test_compare_tabulates_means_and_their_errors(tables):
    truth, relevance = tables
    one = agreement(truth, relevance, effect=["a", "b"])
    last = relevance[relevance["month"] == MONTHS[2]]
    table = compare({"lrp": one, "shapley": agreement(truth, last, effect=["a", "b"])})
    assert list(table.columns) == ["method", "measure", "mean", "standard_error", "months"]
    row = table[(table["method"] == "lrp") & (table["measure"] == "rank_per_input")].iloc[0]
    # 0.7, -0.7, 0.7: mean 0.7 / 3, deviation 0.7 * sqrt(4 / 3), over the root of 3 months.
    assert row["mean"] == pytest.approx(0.7 / 3)
    assert row["standard_error"] == pytest.approx(0.7 * 2 / 3)
    assert row["months"] == 3
    single = table[(table["method"] == "shapley") & (table["measure"] == "rank_per_input")].iloc[0]
    assert single["months"] == 1
    assert np.isnan(single["standard_error"])


def test_bad_tables_are_refused(tables):
    truth, relevance = tables
    with pytest.raises(ArtifactError, match="table of relevances lacks column 'a'"):
        agreement(truth, relevance.drop(columns="a"), effect=["a", "b"])
    with pytest.raises(ArtifactError, match="table of truth lacks column 'e'"):
        agreement(truth, relevance.assign(e=0.0), effect=["a", "e"])
    with pytest.raises(ArtifactError, match="table of truth has stock A twice in 2010-01"):
        agreement(pd.concat([truth, truth.iloc[:1]]), relevance, effect=["a"])
    with pytest.raises(ArtifactError, match="no month and stock in common"):
        agreement(truth, relevance.assign(stock="Z" + relevance["stock"]), effect=["a"])
    with pytest.raises(ArtifactError, match="table of relevances has missing"):
        agreement(truth, relevance.assign(c=np.nan), effect=["a"])
