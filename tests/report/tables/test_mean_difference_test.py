import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from konkyo.report.tables.factors import mean_differences


def test_by_hand():
    long = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 1.0, 1.0]})
    short = pd.DataFrame({"a": [0.0, 0.0, 0.0, 2.0], "b": [1.0, 1.0, 1.0, 1.0]})
    table = mean_differences(long, short, ["a", "b"]).set_index("feature")
    # Means 2 and 1/2, variances 1 and 1: t = 1.5 / sqrt(1/3 + 1/4).
    assert table.loc["a", "difference"] == 1.5
    assert table.loc["a", "t"] == pytest.approx(1.5 / math.sqrt(7 / 12))
    assert table.loc["b", ["difference", "p", "stars"]].tolist() == [0.0, 1.0, ""]
    assert math.isnan(table.loc["b", "t"])


def test_adjusted_for_many_factors_by_a_loop():
    rng = np.random.default_rng(0)
    names = [f"f{i}" for i in range(12)]
    long = pd.DataFrame(rng.normal(np.linspace(0, 1, 12), 1, (40, 12)), columns=names)
    short = pd.DataFrame(rng.normal(0, 1, (40, 12)), columns=names)
    table = mean_differences(long, short, names)
    p = [stats.ttest_ind(long[n], short[n], equal_var=False).pvalue for n in names]
    order = np.argsort(p)
    adjusted, least = [0.0] * 12, 1.0
    for place in reversed(range(12)):
        least = min(least, p[order[place]] * 12 / (place + 1))
        adjusted[order[place]] = least
    np.testing.assert_allclose(table["p"], p)
    np.testing.assert_allclose(table["p_adjusted"], adjusted)
    assert table["stars"].tolist() == ["**" if v < 0.01 else "*" if v < 0.05 else "" for v in p]


def test_stars_come_at_their_nominal_rate_by_chance():
    names = [f"f{i}" for i in range(20)]
    tables = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        # Fat tails and unlike scales, as relevances have them.
        values = rng.standard_t(4, (340, 20)) * np.geomspace(0.001, 1, 20)
        frame = pd.DataFrame(values, columns=names)
        tables.append(mean_differences(frame[:170], frame[170:], names))
    p = pd.concat(tables)["p"]
    # 1,200 tests: the standard error of the share is 0.006 at 5 per cent and 0.003 at 1.
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert (p < 0.01).mean() == pytest.approx(0.01, abs=0.01)
    any_star = [(table["p_adjusted"] < 0.05).any() for table in tables]
    assert np.mean(any_star) <= 0.15
