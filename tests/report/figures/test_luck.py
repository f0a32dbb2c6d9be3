"""The figures of luck show the numbers that they are given, in both languages and both rooms."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from konkyo.backtest import NullDistribution, Overfitting, null_distribution, overfitting
from konkyo.report.figures import luck as drawn
from konkyo.report.interactive import luck as moving


@pytest.fixture(scope="module")
def series() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    months = pd.date_range("2004-01-31", periods=96, freq="ME")
    return pd.DataFrame(rng.normal(0, 0.04, (96, 12)), index=months)


@pytest.fixture(scope="module")
def found(series: pd.DataFrame) -> Overfitting:
    return overfitting(series, blocks=8)


@pytest.fixture(scope="module")
def chance(series: pd.DataFrame) -> NullDistribution:
    return null_distribution(series)


def test_steps_of_the_logit_have_their_upper_end_and_zero_is_one() -> None:
    shares = drawn.logit_shares(pd.DataFrame({"logit": [-0.1, 0.0, 0.1, 0.25]}))
    assert shares["left"].tolist() == [-0.25, 0.0]
    assert shares["right"].tolist() == [0.0, 0.25]
    assert shares["share"].tolist() == [0.5, 0.5]
    assert shares["worthless"].tolist() == [True, False]


def test_the_worthless_bars_are_the_probability_of_overfitting(found: Overfitting) -> None:
    shares = drawn.logit_shares(found.splits)
    assert shares.loc[shares["worthless"], "share"].sum() == pytest.approx(found.pbo)
    axes = drawn.logit_histogram(found).axes[0]
    below = [bar for bar in axes.patches if bar.get_facecolor()[0] > 0.5]
    assert sum(bar.get_height() for bar in below) == pytest.approx(found.pbo)
    assert f"{found.pbo:.0%} of splits" in axes.get_title(loc="left")
    traces = moving.logit_histogram(found).data
    assert sum(traces[0].y) == pytest.approx(found.pbo, rel=1e-6)
    assert sum(traces[1].y) == pytest.approx(1 - found.pbo, rel=1e-6)


def test_the_scatter_has_every_split_and_the_line_of_all(found: Overfitting) -> None:
    axes = drawn.degradation_scatter(found).axes[0]
    points = np.asarray(axes.collections[0].get_offsets())
    np.testing.assert_allclose(points, found.splits[["in_sample", "out_of_sample"]])
    (line,) = (one for one in axes.lines if one.get_label() == "least squares")
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    np.testing.assert_allclose(y, found.intercept + found.slope * x)
    cloud, fit = moving.degradation_scatter(found, "mean", "ja").data
    assert len(cloud.x) == 70
    np.testing.assert_allclose(fit.y, y)


def test_of_many_splits_the_interactive_scatter_has_a_sample(series: pd.DataFrame) -> None:
    many = overfitting(series, blocks=14)
    assert len(many.splits) == 3_432
    cloud, fit = moving.degradation_scatter(many).data
    assert len(cloud.x) == len(cloud.text) == moving.MOST_POINTS
    assert list(fit.x) == [many.splits["in_sample"].min(), many.splits["in_sample"].max()]


def test_the_maximum_shows_the_bar_the_best_and_who_reaches_it(chance: NullDistribution) -> None:
    shares = drawn.maximum_shares(chance)
    assert shares["share"].sum() == pytest.approx(1.0)
    best = float(np.quantile(chance.annual_maxima(), 0.9))
    axes = drawn.maximum_by_luck(chance, best, 12).axes[0]
    places = [float(np.asarray(line.get_xdata())[0]) for line in axes.lines]
    assert places == [pytest.approx(chance.expected_maximum * math.sqrt(12)), best]
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "10.0% of searches under zero skill reach it"
    assert [entry.get_text() for entry in legend.get_texts()][1] == f"best trial {best:.2f}"
    below, above, bar, mark = moving.maximum_by_luck(chance, best, 12).data
    assert sum(below.y) + sum(above.y) == pytest.approx(1.0, rel=1e-5)
    assert sum(above.y) == pytest.approx(0.1, abs=0.03)
    assert (bar.x[0], mark.x[0]) == (pytest.approx(places[0]), best)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_twins_say_the_same_in_both_languages(
    found: Overfitting, chance: NullDistribution, language
) -> None:
    pairs = [
        (drawn.logit_histogram(found, language), moving.logit_histogram(found, language)),
        (
            drawn.degradation_scatter(found, "t_statistic", language),
            moving.degradation_scatter(found, "t_statistic", language),
        ),
        (
            drawn.maximum_by_luck(chance, 0.5, 12, language),
            moving.maximum_by_luck(chance, 0.5, 12, language),
        ),
    ]
    for still, live in pairs:
        still.canvas.draw()
        axes = still.axes[0]
        assert axes.get_title(loc="left") == live.layout.title.text
        assert axes.get_xlabel() == live.layout.xaxis.title.text
        japanese = any(ord(letter) > 0x3000 for letter in axes.get_title(loc="left"))
        assert japanese == (language == "ja")
        assert json.loads(live.to_json())["layout"].get("template", {}) == {}
        assert live.layout.paper_bgcolor == "rgba(0,0,0,0)"
        # Nothing of a title is cut off.
        (title,) = (one for one in still.findobj(Text) if one.get_text() == live.layout.title.text)
        assert title.get_window_extent().x1 <= still.bbox.width


def test_choices_without_a_ratio_in_sample_can_be_drawn() -> None:
    months = pd.date_range("2004-01-31", periods=8, freq="ME")
    idle = pd.DataFrame({"a": [0.0] * 4 + [0.01, 0.02] * 2, "b": [0.01] * 4 + [0.0] * 4}, months)
    found = overfitting(idle, blocks=2)
    for room in (drawn, moving):
        room.logit_histogram(found)
        room.degradation_scatter(found)
