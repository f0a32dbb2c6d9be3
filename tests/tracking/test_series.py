"""Steps and times of every series, worked out by hand."""

import math

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from konkyo import dates
from konkyo.tracking import series

JANUARY, FEBRUARY, MARCH = pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"])
# Milliseconds from 1970-01-01 to the midnights of these days.
AT = {JANUARY: 1580428800000, FEBRUARY: 1582934400000, MARCH: 1585612800000}


def points(metrics):
    return [(m.key, m.value, m.step, m.timestamp) for m in metrics]


def test_final_joins_levels_of_finite_numbers():
    result = series.final({"network": {"rank_ic": 0.1, "spread": {"months": 3}, "t": math.nan}}, 5)
    assert points(result) == [("network/rank_ic", 0.1, 0, 5), ("network/spread/months", 3.0, 0, 5)]


def test_monthly_steps_count_from_the_first_month():
    returns = pd.DataFrame(
        {"month": [JANUARY, FEBRUARY, MARCH], "spread": [0.1, math.nan, 0.3], "other": 1.0}
    )
    assert points(series.monthly(returns)) == [
        ("monthly/spread", 0.1, 0, AT[JANUARY]),
        ("monthly/spread", 0.3, 2, AT[MARCH]),
    ]


def test_monthly_of_no_month_is_empty():
    none = pd.DataFrame({"month": pd.to_datetime([]), "spread": []})
    assert series.monthly(none) == []


def test_cumulative_is_dated_by_the_month_earned():
    paths = pd.DataFrame(
        {
            "earned": [FEBRUARY, MARCH, FEBRUARY],
            "portfolio": ["spread", "spread", "long"],
            "cumulative": [0.1, 0.2, 0.5],
        }
    )
    assert points(series.cumulative(paths, JANUARY)) == [
        ("cumulative/long", 0.5, 1, AT[FEBRUARY]),
        ("cumulative/spread", 0.1, 1, AT[FEBRUARY]),
        ("cumulative/spread", 0.2, 2, AT[MARCH]),
    ]


def test_training_is_the_mean_over_windows():
    history = pd.DataFrame(
        {"month": [JANUARY, JANUARY, MARCH, MARCH], "epoch": [0, 1, 0, 1], "loss": [1, 0.5, 3, 1.5]}
    )
    assert points(series.training(history, 7)) == [
        ("training/loss", 2.0, 0, 7),
        ("training/loss", 1.0, 1, 7),
    ]


def test_metrics_of_a_month():
    history = pd.DataFrame({"epoch": [1, 0], "loss": [0.5, 1.0]})
    returns = pd.DataFrame({"ic": [0.1], "rank_ic": [math.nan], "spread": [0.02], "long": [0.3]})
    metrics = series.of_month(history, returns, n_stocks=12, month=MARCH, at=7)
    assert points(metrics) == [
        ("loss", 1.0, 0, 7),
        ("loss", 0.5, 1, 7),
        ("stocks", 12.0, 0, AT[MARCH]),
        ("ic", 0.1, 0, AT[MARCH]),
        ("spread", 0.02, 0, AT[MARCH]),
    ]


@given(st.lists(st.integers(-120, 900), min_size=1, max_size=30, unique=True))
def test_a_step_and_a_time_name_the_same_month(ordinals):
    ends = dates.month_end(ordinals)
    result = series.monthly(pd.DataFrame({"month": ends, "spread": 0.1}))
    assert len(result) == len(ordinals)
    for metric in result:
        end = pd.Timestamp(metric.timestamp, unit="ms")
        assert dates.ordinal(pd.DatetimeIndex([end]))[0] == min(ordinals) + metric.step
