from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo import windows
from konkyo.errors import ParamsError
from konkyo.features import store
from konkyo.models import baselines, jobs
from konkyo.models import store as weights
from konkyo.models.batches import Hyperparameters
from konkyo.models.train import train
from konkyo.tuning import trials
from konkyo.tuning.trials import Shape
from small_search import Search

SHAPE = Shape((8, 4), "tanh", 16, 3, 6, "rank", "rank")
NUMBERS = (
    Hyperparameters(learning_rate=0.001, weight_decay=0.0, dropout=0.4, seed=1),
    Hyperparameters(learning_rate=0.01, weight_decay=0.01, dropout=0.0, seed=1),
    Hyperparameters(learning_rate=0.005, weight_decay=0.0, dropout=0.2, seed=1),
)


def test_months_are_those_after_the_longest_window_that_have_a_return(search: Search) -> None:
    index = store.read(search.folder / "panels" / "rank-rank").index
    names = windows.MonthSlices.of(index["month"]).names
    assert trials.decision_months(search.folder, 9) == list(names[9:-1])
    with pytest.raises(ParamsError, match="500 months leave no decision month"):
        trials.decision_months(search.folder, 500)


def test_refits_cover_every_month_once() -> None:
    assert trials.refits(["a", "b", "c", "d", "e"], 2) == [("a", "b"), ("c", "d"), ("e",)]


def test_a_month_of_its_own_network_is_the_main_job_s(search: Search, tmp_path) -> None:
    panel = store.read(search.folder / "panels" / "rank-rank")
    decisions = windows.rolling(windows.MonthSlices.of(panel.index["month"]), 6)[:4]
    params = replace(search.params.train, placebo_every=1, ensemble=2, dropout=0.4)
    train(panel, decisions, params, tmp_path / "main")
    groups = trials.refits([w.month for w in decisions], 1)
    for placebo in (False, True):
        seeds = 1 if placebo else 2
        (found,) = trials.run(
            search.folder, SHAPE, NUMBERS[:1], groups, params, tmp_path / "state", seeds, placebo
        )
        kind = "placebo" if placebo else "weights"
        expected = [
            baselines.network_scores(
                weights.read(tmp_path / "main" / kind / f"{w.month}.safetensors"),
                panel.features[w.test_start : w.test_stop],
            )
            for w in decisions
        ]
        np.testing.assert_allclose(found["score"], np.concatenate(expected), rtol=1e-4, atol=1e-6)


def test_trials_together_equal_trials_one_at_a_time(search: Search, tmp_path) -> None:
    names = trials.decision_months(search.folder, 9)[:5]
    groups = trials.refits(names, 2)
    params = replace(search.params.train, max_networks_per_stack=6)
    together = trials.run(search.folder, SHAPE, NUMBERS, groups, params, tmp_path)
    for numbers, table in zip(NUMBERS, together, strict=True):
        (alone,) = trials.run(search.folder, SHAPE, [numbers], groups, params, tmp_path)
        pd.testing.assert_frame_equal(
            table.drop(columns="score"), alone.drop(columns="score"), check_exact=True
        )
        np.testing.assert_allclose(table["score"], alone["score"], rtol=1e-3, atol=1e-5)
    assert np.abs(together[0]["score"] - together[1]["score"]).max() > 1e-2
    assert list(tmp_path.iterdir()) == []


def test_the_order_of_the_groups_changes_nothing(search: Search, tmp_path) -> None:
    groups = trials.refits(trials.decision_months(search.folder, 9)[:6], 2)
    params = search.params.train
    (one,) = trials.run(search.folder, SHAPE, NUMBERS[1:2], groups, params, tmp_path)
    (other,) = trials.run(search.folder, SHAPE, NUMBERS[1:2], groups[::-1], params, tmp_path)
    pd.testing.assert_frame_equal(one, other, rtol=1e-3, atol=1e-5)
    assert one["month"].nunique() == 6
    assert not one["ret"].isna().all()


def test_linear_is_the_ridge_of_the_same_rows(search: Search) -> None:
    panel = store.read(search.folder / "panels" / "zscore-rank")
    window = windows.rolling(windows.MonthSlices.of(panel.index["month"]), 6)[3]
    shape = replace(SHAPE, standardise="zscore")
    params = search.params.train
    (entry,) = jobs.network_specs(panel, [window], replace(params, placebo_every=0))
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    expected = baselines.ridge_scores(panel, window, entry, labels, params.ridge_penalty)
    found = trials.linear(search.folder, shape, [(window.month,)], params)
    np.testing.assert_array_equal(found["score"], expected)


def test_the_series_is_that_of_the_backtest_and_costs_are_paid(search: Search) -> None:
    names = trials.decision_months(search.folder, 9)
    scores = trials.linear(search.folder, SHAPE, trials.refits(names, 1), search.params.train)
    table = trials.series(scores, 4, 50.0)
    assert len(table) == len(names)
    first = table["spread"].iloc[0] - table["spread_net"].iloc[0]
    assert first == pytest.approx(2 * 50e-4)
    ranked = scores[scores["month"] == scores["month"].iloc[0]].sort_values("score")
    count = len(ranked) // 4
    assert table["spread"].iloc[0] == pytest.approx(
        ranked["ret"].iloc[-count:].mean() - ranked["ret"].iloc[:count].mean(), abs=0.03
    )
