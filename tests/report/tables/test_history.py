from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.history import effects, groups_over_time


def test_groups_by_hand(tiny: ExplainedPanel):
    table = groups_over_time(tiny)
    assert table["group"].tolist() == [
        "characteristic", "sector", "calendar", "market", "absorbed",
    ] * 3  # fmt: skip
    january = table.iloc[:5].set_index("group")
    np.testing.assert_allclose(january["long"], [0.3, 0.05, 0, 0.05, 0], atol=1e-7)
    np.testing.assert_allclose(january["short"], [-0.3, 0, 0, -0.1, 0.05], atol=1e-7)
    np.testing.assert_allclose(january["difference"], [0.6, 0.05, 0, 0.15, -0.05], atol=1e-7)
    # Absolute: 0.9 and 0.3 of the characteristics, 0.1, 0, 0.3 and 0.1; 1.7 in all.
    np.testing.assert_allclose(january["share"] * 1.7, [1.2, 0.1, 0, 0.3, 0.1], atol=1e-6)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_groups_add_up(made: Callable[..., ExplainedPanel], seed: int):
    e = made(seed)
    table = groups_over_time(e).groupby("month")[["long", "short", "share"]].sum()
    for side in ("long", "short"):
        mean = e.index.iloc[e.side(side)].groupby("month")["score"].mean()
        np.testing.assert_allclose(table[side], mean, atol=1e-6)
    np.testing.assert_allclose(table["share"], 1)


def test_effects_by_hand(tiny: ExplainedPanel):
    table = effects(tiny)
    assert table["feature"].tolist() == ["return_1", "size"] * 3
    # Of four stocks the percentiles lie between the outermost two: one stock on each side.
    assert table["effect"].iloc[0] == pytest.approx(-0.3 - 0.4)
    assert table["effect"].iloc[1] == pytest.approx(0.1 + 0.2)


def test_effects_agree_with_the_loop(made: Callable[..., ExplainedPanel]):
    e = made(8, stocks=50)
    table = effects(e).set_index(["month", "feature"])["effect"]
    for month in e.months():
        rows = e.rows(month)
        for column, name in enumerate(["return_1", "size"]):
            value, relevance = e.features[rows, column], e.relevance[rows, column]
            low, high = np.quantile(value, [0.2, 0.8])
            slow = relevance[value >= high].mean() - relevance[value <= low].mean()
            assert table[month, name] == pytest.approx(slow, abs=1e-7)


def test_no_effect_of_a_value_that_does_not_vary(tiny: ExplainedPanel):
    values = tiny.features.copy()
    values[4:8, 0] = 0
    e = ExplainedPanel(tiny.index, values, tiny.relevance, tiny.absorbed, tiny.catalogue)
    table = effects(e).set_index(["month", "feature"])["effect"]
    assert np.isnan(table[pd.Timestamp("2020-02-29"), "return_1"])
    assert table.notna().sum() == 5
