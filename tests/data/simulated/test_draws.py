"""Random numbers of known moments, and ranks that are the panel's."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from konkyo.data.simulated.portable_random import Draws, centred_ranks, exponential, mean
from konkyo.features.standardise import ranks

COUNT = 200_000


def test_normal_moments():
    values = Draws(1, 2).normal(COUNT)
    assert abs(values.mean()) < 0.01 and abs(values.std() - 1) < 0.01
    assert abs((values**4).mean() - 2.9) < 0.05  # twelve uniform numbers: 3 - 1.2 / 12


def test_student_is_scaled_symmetric_and_fat_tailed():
    values = Draws(1, 2).student(COUNT)
    assert abs(values.mean()) < 0.01 and abs(values.std() - 1) < 0.02
    assert abs((values > 0).mean() - 0.5) < 0.005
    # Student's t with 5 degrees, scaled: 0.0107 beyond 3 deviations; the normal has 0.0027.
    assert abs((np.abs(values) > 3).mean() - 0.0107) < 0.0015


def test_a_key_has_its_own_numbers():
    assert np.array_equal(Draws(1, 2).uniform(9), Draws(1, 2).uniform(9))
    assert not np.array_equal(Draws(1, 2).uniform(9), Draws(2, 1).uniform(9))


@given(st.lists(st.floats(-4, 4), min_size=1))
def test_exponential_is_near_exp_and_rises(values):
    found = exponential(np.array(values))
    np.testing.assert_allclose(found, np.exp(values), rtol=0.01)
    ordered = exponential(np.sort(values))
    assert (np.diff(ordered) >= 0).all()


@given(st.lists(st.sampled_from([np.nan, -2.5, 0.0, 0.1, 1.0, 3.0, 7.25]), min_size=1))
def test_ranks_are_the_panels(values):
    column = pd.DataFrame({"x": np.array(values, dtype=float)})
    expected = ranks(column, np.zeros(len(values)))["x"].fillna(0)
    assert np.array_equal(centred_ranks(column["x"].to_numpy()), expected)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.randoms())
def test_the_order_does_not_change_a_mean(values, random):
    shuffled = random.sample(values, len(values))
    assert mean(np.array(values)) == mean(np.array(shuffled))
