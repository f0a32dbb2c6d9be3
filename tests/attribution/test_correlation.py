"""Rank correlation against scipy, pair by pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from konkyo.attribution.correlation import nan_mean, rank_correlation


@given(seed=st.integers(0, 10_000), ties=st.booleans())
def test_equals_scipy_on_each_pair(seed, ties):
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=(2, 7, 4))
    if ties:
        one, other = one.round(), other.round()
    for axis in (0, 1):
        pairs = zip(np.moveaxis(one, axis, -1), np.moveaxis(other, axis, -1), strict=True)
        expected = [
            spearmanr(a, b).statistic if np.ptp(a) and np.ptp(b) else np.nan for a, b in pairs
        ]
        np.testing.assert_allclose(rank_correlation(one, other, axis), expected, atol=1e-12)


def test_four_ranks_by_hand():
    # Differences of ranks 1, -1, 1, -1: 1 - 6 * 4 / (4 * 15).
    one, other = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[20.0, 10.0, 40.0, 30.0]])
    assert rank_correlation(one, other, axis=1)[0] == pytest.approx(0.6)


def test_a_side_that_does_not_vary_has_none():
    one, other = np.ones((1, 3)), np.arange(3.0)[None]
    assert np.isnan(rank_correlation(one, other, axis=1)[0])
    assert rank_correlation(np.zeros((0, 2)), np.zeros((0, 2)), axis=0).shape == (2,)


def test_mean_known_skips_what_is_not():
    assert nan_mean(np.array([1.0, np.nan, 3.0])) == 2.0
    assert np.isnan(nan_mean(np.array([np.nan])))
