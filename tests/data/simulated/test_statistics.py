"""Shocks of known moments, and ranks that are the panel's."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from konkyo.data.simulated.scenario import centred_ranks, student_t
from konkyo.features.standardise import ranks

COUNT = 200_000


def test_shocks_have_unit_variance_and_fat_tails():
    values = student_t(np.random.default_rng(1), COUNT)
    assert abs(values.mean()) < 0.01 and abs(values.std() - 1) < 0.02
    assert abs((values > 0).mean() - 0.5) < 0.005
    # Student's t with 5 degrees of freedom: 0.0117 beyond 3 standard deviations, the normal 0.0027.
    assert abs((np.abs(values) > 3).mean() - 0.0117) < 0.001


@given(st.lists(st.sampled_from([np.nan, -2.5, 0.0, 0.1, 1.0, 3.0, 7.25]), min_size=1))
def test_ranks_are_the_panels(values):
    column = pd.DataFrame({"x": np.array(values, dtype=float)})
    expected = ranks(column, np.zeros(len(values)))["x"].fillna(0)
    np.testing.assert_allclose(centred_ranks(column["x"].to_numpy()), expected, atol=1e-15)
