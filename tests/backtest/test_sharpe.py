"""The published worked examples, and the values of two released libraries."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from konkyo.backtesting.expected_max_sharpe import expected_maximum
from konkyo.backtesting.performance import sharpe_ratio
from konkyo.backtesting.sharpe import Moments, minimum_track_record, moments, probabilistic_sharpe

_WAVE = pd.Series(np.round(0.01 + 0.04 * np.sin(np.arange(1, 25) ** 2), 4))


def test_published_example_of_deflated_sharpe_ratio() -> None:
    # Bailey and Lopez de Prado (2014): 100 trials, variance of the annual ratios 1/2, five years of
    # 250 days, annual ratio 2.5, skew -3, kurtosis 10.
    benchmark = expected_maximum(100, math.sqrt(0.5 / 250))
    assert benchmark == pytest.approx(0.1132, abs=5e-5)
    record = Moments(sharpe_ratio=2.5 / math.sqrt(250), months=1250, skew=-3.0, kurtosis=10.0)
    assert probabilistic_sharpe(record, benchmark) == pytest.approx(0.9004, abs=5e-5)


@pytest.mark.parametrize(("a_year", "years"), [(252, 2.73), (52, 2.83), (12, 3.24)])
def test_the_published_minimum_track_records(a_year: int, years: float) -> None:
    # Bailey and Lopez de Prado (2012): an annual ratio of 2 above 1 with 95 per cent, normal.
    root = math.sqrt(a_year)
    record = Moments(sharpe_ratio=2 / root, months=0, skew=0.0, kurtosis=3.0)
    assert minimum_track_record(record, 1 / root) / a_year == pytest.approx(years, abs=0.005)


def test_values_of_a_released_library() -> None:
    # skfolio 1.12.2: probabilistic_sharpe_ratio, expected_max_sharpe_ratio, deflated_sharpe_ratio.
    record = moments(_WAVE)
    assert probabilistic_sharpe(record) == pytest.approx(0.7993856303195981)
    assert probabilistic_sharpe(record, 0.1) == pytest.approx(0.6348261966194838)
    assert expected_maximum(37.5, 0.2) == pytest.approx(0.4327720546522391)
    ratios = np.array([0.1, -0.05, 0.2, 0.0, 0.12])
    benchmark = expected_maximum(5, ratios.std(ddof=1))
    assert benchmark == pytest.approx(0.11854168405423408)
    assert probabilistic_sharpe(record, benchmark) == pytest.approx(0.599837030043196)


def test_moments_by_hand() -> None:
    # Mean 2, every deviation 1 or -1: sample variance 4/3, fourth moment 1.
    found = moments(pd.Series([1.0, 1.0, 3.0, 3.0, np.nan]))
    assert found.months == 4
    assert found.sharpe_ratio == pytest.approx(2 / math.sqrt(4 / 3))
    assert (found.skew, found.kurtosis) == (pytest.approx(0.0), pytest.approx(1.0))
    assert found.sharpe_ratio * math.sqrt(12) == pytest.approx(
        sharpe_ratio(pd.Series([1.0, 1, 3, 3]))
    )
    for series in ([0.01], [0.01, 0.01], [0.1] * 3, []):
        empty = moments(pd.Series(series, dtype="float64"))
        assert math.isnan(empty.sharpe_ratio)
        assert math.isnan(probabilistic_sharpe(empty))
        assert math.isnan(minimum_track_record(empty))


def test_a_ratio_below_the_benchmark_never_gets_there() -> None:
    record = Moments(sharpe_ratio=0.1, months=100, skew=0.0, kurtosis=3.0)
    assert minimum_track_record(record, 0.1) == math.inf
    assert probabilistic_sharpe(record, 0.1) == 0.5


@given(
    st.floats(0.01, 1.0),
    st.floats(-2.0, 2.0),
    st.floats(0.0, 5.0),
    st.floats(0.0, 0.9),
    st.floats(0.6, 0.99),
)
def test_minimum_track_record_gives_the_probability(
    ratio: float, skew: float, more: float, share: float, confidence: float
) -> None:
    shape = {"skew": skew, "kurtosis": 1.01 + skew**2 + more}
    months = minimum_track_record(Moments(ratio, 0, **shape), share * ratio, confidence)
    reached = Moments(ratio, months, **shape)  # type: ignore[arg-type]
    assert probabilistic_sharpe(reached, share * ratio) == pytest.approx(confidence, abs=1e-6)


def test_probability_is_right_for_normal_months() -> None:
    # With a true ratio at the benchmark the probability is uniform: a tenth are above 0.9.
    rng = np.random.default_rng(0)
    found = [
        probabilistic_sharpe(moments(pd.Series(rng.normal(0.2, 1.0, 120))), 0.2)
        for _ in range(1000)
    ]
    assert np.mean(np.array(found) > 0.9) == pytest.approx(0.1, abs=0.03)
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)
