import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.monitoring.drift import (
    bin_edges,
    characteristic_drift,
    market_z_scores,
    stability_index,
)


def slow_index(reference: list[float], now: list[float], bins: int = 10) -> float:
    """PSI straight from its definition, for samples without ties."""
    ordered = sorted(reference)
    ends = [ordered[-(-k * len(ordered) // bins) - 1] for k in range(1, bins)]
    total = 0.0
    for low, high in zip([-np.inf, *ends], [*ends, np.inf], strict=True):
        e = sum(low < value <= high for value in reference)
        a = sum(low < value <= high for value in now)
        e, a = max(e, 0.5) / len(reference), max(a, 0.5) / len(now)
        total += (a - e) * np.log(a / e)
    return total


def test_by_hand():
    reference = np.arange(1.0, 11.0)
    # Halves: 1 to 5 and 6 to 10. Of the sample a fifth and four fifths.
    now = np.array([1.0, 6.0, 7.0, 8.0, 9.0])
    expected = (0.2 - 0.5) * np.log(0.2 / 0.5) + (0.8 - 0.5) * np.log(0.8 / 0.5)
    assert stability_index(reference, now, bins=2) == pytest.approx(expected)
    assert expected == pytest.approx(0.41589, abs=1e-5)


def test_an_empty_bin_counts_as_half_a_row():
    now = np.full(5, 8.0)
    expected = (0.1 - 0.5) * np.log(0.1 / 0.5) + (1.0 - 0.5) * np.log(1.0 / 0.5)
    assert stability_index(np.arange(1.0, 11.0), now, bins=2) == pytest.approx(expected)


def test_what_moves_off_a_frequent_value_is_seen():
    reference = np.zeros(100)
    assert stability_index(reference, np.zeros(50)) == 0
    # Half a row of 100 below, all of 50 now; all of 100 at zero, half a row of 50 now.
    low = (1 - 0.005) * np.log(1 / 0.005)
    at = (0.01 - 1) * np.log(0.01 / 1)
    for moved in (-1.0, 1.0):
        assert stability_index(reference, np.full(50, moved)) == pytest.approx(low + at)


def test_quantiles_of_the_reference():
    np.testing.assert_array_equal(bin_edges(np.arange(100.0)), np.arange(9.0, 90.0, 10))


def test_nothing_to_compare():
    assert np.isnan(stability_index(np.array([]), np.ones(3)))
    assert np.isnan(stability_index(np.ones(3), np.array([])))


@settings(max_examples=60)
@given(
    reference=st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=60, unique=True),
    now=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
)
def test_agrees_with_the_definition(reference: list[float], now: list[float]):
    result = stability_index(np.array(reference), np.array(now))
    assert result == pytest.approx(slow_index(reference, now), abs=1e-9)
    assert result >= 0


@settings(max_examples=60)
@given(
    values=st.lists(st.integers(-20, 20), min_size=1, max_size=80),
    now=st.lists(st.integers(-20, 20), min_size=1, max_size=80),
    seed=st.integers(0, 100),
)
def test_order_and_scale_do_not_matter(values: list[int], now: list[int], seed: int):
    a, b = np.array(values, dtype=float), np.array(now, dtype=float)
    result = stability_index(a, b)
    assert stability_index(a, a) == 0
    shuffled = np.random.default_rng(seed).permutation(a)
    assert stability_index(shuffled, b[::-1]) == pytest.approx(result, abs=1e-12)
    assert stability_index(np.exp(a / 10), np.exp(b / 10)) == pytest.approx(result, abs=1e-12)


def test_chance_is_what_random_rows_give():
    rng = np.random.default_rng(0)
    drawn = [stability_index(rng.normal(size=2000), rng.normal(size=500)) for _ in range(200)]
    assert np.mean(drawn) == pytest.approx(9 * (1 / 2000 + 1 / 500), rel=0.1)


def _months(count: int, stocks: int) -> pd.Series:
    ends = pd.date_range("2020-01-31", periods=count, freq="ME")
    return pd.Series(np.repeat(ends.to_numpy(), stocks))


def test_drift_compares_a_month_with_its_own_window():
    rng = np.random.default_rng(1)
    month = _months(6, 200)
    raw = pd.DataFrame({"still": rng.normal(size=1200), "moved": rng.normal(size=1200)})
    raw.loc[month == month.iloc[-1], "moved"] += 2
    raw.loc[3, "still"] = np.nan
    table = characteristic_drift(raw, month, window=3, n_months=2)
    assert table["feature"].tolist() == ["still", "moved"] * 2
    assert table["month"].drop_duplicates().tolist() == list(month.drop_duplicates()[-2:])
    psi = table["psi"].to_numpy()
    assert (psi[:3] < 0.15).all()
    assert psi[3] > 1
    window, now = raw["moved"].to_numpy()[400:1000], raw["moved"].to_numpy()[1000:]
    assert psi[3] == stability_index(window, now)
    assert table["chance"].iloc[3] == pytest.approx(9 * (1 / 600 + 1 / 200))
    assert table["stocks"].tolist() == [200] * 4


def test_drift_of_the_past_does_not_know_the_future():
    rng = np.random.default_rng(2)
    month = _months(8, 50)
    raw = pd.DataFrame({"x": rng.normal(size=400)})
    before = characteristic_drift(raw, month, 3, 8)
    later = raw.copy()
    later.loc[(month > month.iloc[250]).to_numpy(), "x"] *= 5
    after = characteristic_drift(later, month, 3, 8)
    past = before["month"] <= month.iloc[250]
    assert past.sum() == 3
    pd.testing.assert_frame_equal(before[past], after[past])
    assert (before["psi"][~past] != after["psi"][~past]).all()


def test_too_few_months_have_no_drift():
    table = characteristic_drift(pd.DataFrame({"x": np.ones(20)}), _months(2, 10), 3, 5)
    assert table.empty
    assert table.columns.tolist() == ["month", "feature", "psi", "chance", "stocks"]
    assert market_z_scores(np.ones((20, 1)), _months(2, 10), ["x"], 3, 5).empty


def test_market_series_by_hand():
    series = np.array([[1.0, 7.0, 7.0], [2.0, 7.0, 7.0], [3.0, 7.0, 7.0], [6.0, 7.0, 7.5]])
    table = market_z_scores(series.repeat(2, axis=0), _months(4, 2), ["a", "b", "c"], 3, 5)
    assert table["feature"].tolist() == ["a", "b", "c"]
    deviation = np.sqrt(2 / 3)
    assert table["mean"].tolist() == [2.0, 7.0, 7.0]
    np.testing.assert_allclose(table["std"], [deviation, 0, 0])
    np.testing.assert_allclose(table["z"], [4 / deviation, 0, np.inf])


def test_drift_with_a_gap_leaves_the_month_before_out():
    rng = np.random.default_rng(3)
    month, values = _months(7, 50), rng.normal(size=350)
    (row,) = characteristic_drift(
        pd.DataFrame({"x": values}), month, 3, 1, skip_months=1
    ).itertuples()
    assert row.psi == stability_index(values[100:250], values[300:])
    series = np.array([1.0, 2.0, 3.0, 9.0, 6.0])[:, None].repeat(2, axis=0)
    (row,) = market_z_scores(series, _months(5, 2), ["a"], 3, 5, skip_months=1).itertuples()
    assert row.mean == 2.0 and row.z == pytest.approx(4 / np.sqrt(2 / 3))
