"""The luck of a search in plain numbers: names, values, nothing that JSON cannot hold."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting import selection_bias
from konkyo.backtesting.expected_max_sharpe import null_distribution
from konkyo.backtesting.overfitting import overfitting
from konkyo.backtesting.performance import sharpe_ratio
from konkyo.backtesting.sharpe import minimum_track_record, moments, probabilistic_sharpe
from konkyo.errors import KonkyoError

_NAMES = {
    "months",
    "trials",
    "pruned",
    "objective",
    "rank",
    "sharpe_ratio",
    "effective_trials",
    "sharpe_std",
    "expected_maximum",
    "p_value",
    "psr",
    "dsr",
    "minimum_track_record",
    "minimum_track_record_deflated",
    "compared",
    "blocks",
    "pbo",
    "degradation",
    "probability_of_loss",
}


@pytest.fixture
def series() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    months = pd.date_range("2004-01-31", periods=121, freq="ME")
    frame = pd.DataFrame(rng.normal(0, 0.04, (121, 12)), index=months)
    frame[4] += 0.03
    frame.loc[months[20:], [10, 11]] = np.nan
    return frame


def _values(series: pd.DataFrame) -> pd.Series:
    return series.apply(sharpe_ratio).where(series.notna().all())


def test_every_figure(series: pd.DataFrame) -> None:
    values = _values(series)
    found = selection_bias(series, values, 4)
    assert set(found) == _NAMES
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["months"], found["trials"], found["pruned"]) == (121, 12, 2)
    assert (found["compared"], found["blocks"], found["rank"]) == (10, 16, 1)
    assert found["objective"] == sharpe_ratio(series[4]) == pytest.approx(found["sharpe_ratio"])

    null, record = null_distribution(series, 1), moments(series[4])
    assert found["effective_trials"] == null.effective_trials > 10
    assert found["sharpe_std"] == pytest.approx(null.std * math.sqrt(12))
    assert found["expected_maximum"] == pytest.approx(null.expected_maximum * math.sqrt(12))
    assert found["psr"] == probabilistic_sharpe(record)
    assert found["dsr"] == probabilistic_sharpe(record, null.expected_maximum)
    assert found["minimum_track_record"] == minimum_track_record(record)
    assert found["minimum_track_record_deflated"] > found["minimum_track_record"]
    halves = overfitting(series)
    assert found["pbo"] == halves.pbo
    assert found["degradation"] == halves.slope
    assert found["probability_of_loss"] == halves.probability_of_loss


def test_skill_is_told_from_luck(series: pd.DataFrame) -> None:
    skilled = selection_bias(series, _values(series), 4)
    assert skilled["dsr"] > 0.95
    # One of ten that is far ahead widens the scatter that it is measured by.
    assert skilled["p_value"] < 0.06
    assert skilled["pbo"] < 0.01
    noise = series.drop(columns=4)
    values = _values(noise)
    lucky = selection_bias(noise, values, values.idxmax())
    assert lucky["dsr"] < 0.9
    assert lucky["p_value"] > 0.05
    assert lucky["pbo"] > 0.2


def test_undefined_figures_are_absent(series: pd.DataFrame) -> None:
    values = _values(series)
    worst = selection_bias(series, values, values.idxmin())
    assert "minimum_track_record" not in worst
    assert worst["rank"] == 10
    alone = selection_bias(series[[4]], values[[4]], 4)
    assert alone["effective_trials"] == 1.0
    assert alone["expected_maximum"] == 0.0
    assert alone["dsr"] == alone["psr"]
    assert "pbo" not in alone
    short = selection_bias(series.iloc[:3, :10], values[:10], 4)
    assert "pbo" not in short
    for months, blocks in ((4, 2), (7, 2), (8, 4), (10, 4)):
        assert selection_bias(series.iloc[:months, :10], values[:10], 4)["blocks"] == blocks
    json.dumps([worst, alone, short], allow_nan=False)


def test_a_trial_that_was_pruned_cannot_be_the_choice(series: pd.DataFrame) -> None:
    with pytest.raises(KonkyoError, match="trial 10 did not run in 101 of 121 months"):
        selection_bias(series, _values(series), 10)
    with pytest.raises(KonkyoError, match="trial 99 is not among the 12 trials"):
        selection_bias(series, _values(series), 99)
    with pytest.raises(KonkyoError, match="trial 4 is not among the 12 trials"):
        selection_bias(series, _values(series).drop(4), 4)
