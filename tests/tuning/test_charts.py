"""Charts of a search: their data and encodings, in both languages."""

import math

import numpy as np
import optuna
import pandas as pd
import pytest

from konkyo.backtesting import NullDistribution, Overfitting, null_distribution, overfitting
from konkyo.i18n import LANGUAGES
from konkyo.report.charts import search
from konkyo.report.charts.theme import to_spec


@pytest.fixture(scope="module")
def series() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    months = pd.date_range("2004-01-31", periods=96, freq="ME")
    return pd.DataFrame(rng.normal(0, 0.04, (96, 12)), index=months)


@pytest.fixture(scope="module")
def splits(series: pd.DataFrame) -> Overfitting:
    return overfitting(series, blocks=8)


@pytest.fixture(scope="module")
def null(series: pd.DataFrame) -> NullDistribution:
    return null_distribution(series)


def layers(chart) -> list[pd.DataFrame]:
    """Return the table of each layer that has one."""
    spec = to_spec(chart)
    names = [layer.get("data", spec.get("data", {})).get("name") for layer in spec["layer"]]
    return [pd.DataFrame(spec["datasets"][name]) for name in names if name in spec["datasets"]]


def test_steps_of_the_logit_are_closed_on_the_right() -> None:
    shares = search.logit_shares(pd.DataFrame({"logit": [-0.1, 0.0, 0.1, 0.25]}))
    assert shares["left"].tolist() == [-0.25, 0.0]
    assert shares["right"].tolist() == [0.0, 0.25]
    assert shares["share"].tolist() == [0.5, 0.5]
    assert shares["fails"].tolist() == [True, False]


def test_failing_bars_sum_to_overfitting_probability(splits: Overfitting) -> None:
    chart = search.logit_histogram(splits)
    bars = layers(chart)[0]
    assert bars.loc[bars["fails"], "share"].sum() == pytest.approx(splits.pbo, abs=1e-5)
    assert to_spec(chart)["layer"][0]["encoding"]["x"]["bin"] == "binned"
    assert f"{splits.pbo:.0%} of splits" in chart.usermeta["title"]


def test_the_scatter_has_every_split_and_their_line(splits: Overfitting) -> None:
    cloud, fit = layers(search.degradation_scatter(splits, "mean", "ja"))[:2]
    assert len(cloud) == len(splits.splits) == 70
    fit = next(table for table in layers(search.degradation_scatter(splits)) if len(table) == 2)
    line = splits.intercept + splits.slope * fit["in_sample"]
    np.testing.assert_allclose(fit["out_of_sample"], line, rtol=1e-4)
    ends = splits.splits["in_sample"].agg(["min", "max"])
    np.testing.assert_allclose(fit["in_sample"], ends, rtol=1e-5)


def test_of_many_splits_the_scatter_has_a_sample(series: pd.DataFrame) -> None:
    many = overfitting(series, blocks=14)
    assert len(many.splits) == 3_432
    assert len(layers(search.degradation_scatter(many))[0]) == search.MAX_POINTS


def test_the_maximum_shows_the_bar_and_the_best(null: NullDistribution) -> None:
    best = float(np.quantile(null.annual_maxima(), 0.9))
    chart = search.maximum_by_luck(null, best, trials=12)
    bars, marks = layers(chart)
    assert bars["share"].sum() == pytest.approx(1.0, rel=1e-5)
    assert bars.loc[bars["reaches"], "share"].sum() == pytest.approx(0.1, abs=0.03)
    expected = null.expected_maximum * math.sqrt(12)
    np.testing.assert_allclose(marks["value"], [expected, best], rtol=1e-5)
    assert marks["name"].iloc[1] == f"best trial {best:.2f}"
    assert chart.usermeta["note"] == "10.0% of searches under zero skill reach it"


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_are_in_the_language(splits, null, language) -> None:
    drawn = [
        search.logit_histogram(splits, language),
        search.degradation_scatter(splits, "t_statistic", language),
        search.maximum_by_luck(null, 0.5, trials=12, language=language),
    ]
    for chart in drawn:
        japanese = any(ord(letter) > 0x3000 for letter in chart.usermeta["title"])
        assert japanese == (language == "ja")


def test_choices_without_in_sample_ratio_can_be_drawn() -> None:
    months = pd.date_range("2004-01-31", periods=8, freq="ME")
    idle = pd.DataFrame({"a": [0.0] * 4 + [0.01, 0.02] * 2, "b": [0.01] * 4 + [0.0] * 4}, months)
    halves = overfitting(idle, blocks=2)
    to_spec(search.logit_histogram(halves))
    to_spec(search.degradation_scatter(halves))


TRIALS = pd.DataFrame(
    {
        "trial": [0, 1, 3],
        "objective": [0.5, 0.2, 0.9],
        "rate": [0.001, 0.1, 0.01],
        "label": ["rank", "zscore", "rank"],
    }
)


def test_the_history_has_the_best_so_far() -> None:
    table = layers(search.search_history(TRIALS))[0]
    assert table["best"].tolist() == [0.5, 0.5, 0.9]


def test_slices_have_a_panel_a_hyperparameter() -> None:
    spec = to_spec(search.slices(TRIALS, ["rate", "label"], log=["rate"], language="ja"))
    encodings = [panel["encoding"]["x"] for panel in spec["concat"]]
    assert [x["type"] for x in encodings] == ["quantitative", "ordinal"]
    assert encodings[0]["scale"]["type"] == "log"


def test_importances_equal_optunas_largest_on_top() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(
        lambda trial: trial.suggest_float("a", 0, 1) + 0.01 * trial.suggest_int("b", 0, 9), 30
    )
    importance = optuna.importance.get_param_importances(study)
    spec = to_spec(search.importance_bars({"b": importance["b"], "a": importance["a"]}))
    assert spec["encoding"]["y"]["sort"] == ["a", "b"]
