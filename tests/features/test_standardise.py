import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from konkyo.features.standardise import ranks, standardise, zscores

MONTH = np.array([1, 1, 1, 1, 2, 2, 3])
VALUES = pd.DataFrame({"a": [3.0, 1.0, 3.0, np.nan, 5.0, 9.0, 4.0]})


def test_ranks_by_hand():
    expected = [0.5, -1.0, 0.5, np.nan, -1.0, 1.0, 0.0]
    np.testing.assert_array_equal(ranks(VALUES, MONTH)["a"], expected)


def test_zscores_by_hand():
    mean, deviation = 7 / 3, np.sqrt(8 / 9)
    first = [(3 - mean) / deviation, (1 - mean) / deviation, (3 - mean) / deviation, np.nan]
    np.testing.assert_allclose(zscores(VALUES, MONTH, None)["a"], [*first, -1, 1, 0])
    np.testing.assert_allclose(zscores(VALUES, MONTH, 1.2)["a"][:2], [first[0], -1.2])


def test_equal_values_are_at_the_centre():
    same = pd.DataFrame({"a": [0.1, 0.1, 0.1]})
    assert (zscores(same, np.zeros(3), 3)["a"] == 0).all()
    assert (ranks(same, np.zeros(3))["a"] == 0).all()


def test_raw_is_as_it_is():
    pd.testing.assert_frame_equal(standardise(VALUES, MONTH, "raw", None), VALUES)


numbers = st.lists(st.integers(-5, 5) | st.none(), min_size=1, max_size=12)


@given(numbers, numbers, st.sampled_from(["rank", "zscore"]))
def test_a_month_sees_itself_alone(first, second, how):
    values = pd.DataFrame({"a": [*first, *second]}, dtype=float)
    month = np.repeat([1, 2], [len(first), len(second)])
    together = standardise(values, month, how, 3.0)["a"]
    alone = standardise(values[: len(first)], month[: len(first)], how, 3.0)["a"]
    np.testing.assert_array_equal(together[: len(first)], alone)
    assert together.abs().max() <= 3 or together.isna().all()


@given(numbers)
def test_ranks_of_one_column_against_scipy(values):
    column = pd.DataFrame({"a": values}, dtype=float)
    defined = column["a"].dropna()
    if len(defined) > 1:
        expected = (rankdata(defined) - 1) / (len(defined) - 1) * 2 - 1
        scaled = ranks(column, np.zeros(len(column)))["a"]
        np.testing.assert_allclose(scaled.dropna(), expected, atol=1e-12)
        assert (scaled.isna() == column["a"].isna()).all()


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(-3, 3) | st.none()), min_size=1))
def test_ranks_against_pandas_in_any_order_of_months(rows):
    month = np.array([m for m, _ in rows])
    values = pd.DataFrame({"a": [v for _, v in rows]}, dtype=float)
    values["b"] = -(values["a"] ** 2)
    groups = values.groupby(month)
    rank, count = groups.rank(), groups.transform("count")
    expected = ((rank - 1) / (count - 1) * 2 - 1).mask((count == 1) & values.notna(), 0.0)
    pd.testing.assert_frame_equal(ranks(values, month), expected, check_exact=True)


def test_a_later_gap_changes_no_bit_of_earlier_months():
    rng = np.random.default_rng(4)
    values, month = pd.DataFrame({"x": rng.normal(size=300)}), np.repeat(range(20), 15)
    gone = values.mask(pd.Series(month >= 19) & (values["x"] > 0), axis=0)
    before, after = (zscores(frame, month, None)[:285] for frame in (values, gone))
    pd.testing.assert_frame_equal(before, after, check_exact=True)
