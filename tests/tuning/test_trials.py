from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konkyo import windows
from konkyo.config import Params
from konkyo.errors import ArtifactError, ParamsError
from konkyo.features import store
from konkyo.models import baselines, jobs
from konkyo.models import store as weights
from konkyo.models.train import train
from konkyo.tuning.trials import Group, TrialBacktest
from small_search import Search

SHAPE = {
    "n_hidden_layers": 2,
    "width": 8,
    "activation": "tanh",
    "batch_size": 16,
    "epochs": 3,
    "window_months": 6,
    "label": "rank",
    "standardise": "rank",
}
TRIALS = (
    {**SHAPE, "learning_rate": 0.001, "weight_decay": 0.0, "dropout": 0.4},
    {**SHAPE, "learning_rate": 0.01, "weight_decay": 0.01, "dropout": 0.0},
    {**SHAPE, "learning_rate": 0.005, "weight_decay": 0.0, "dropout": 0.2},
)
LONGEST = 9


def params_of(search: Search, refit_every: int = 1, seeds: int = 1) -> Params:
    tune = search.params.tune
    tune = replace(
        tune,
        refit_every=refit_every,
        seeds=seeds,
        seed=1,
        space=replace(tune.space, window_months=(6, LONGEST)),
    )
    return replace(search.params, tune=tune)


def backtest(search: Search, scratch: Path, **changes: int) -> TrialBacktest:
    return TrialBacktest(search.folder, scratch, params_of(search, **changes))


def months(groups: list[Group]) -> list[str]:
    return [month for group in groups for month in group]


def test_months_have_a_return_after_the_longest_window(search: Search, tmp_path: Path) -> None:
    index = store.read(search.folder / "panels" / "rank-rank").index
    names = windows.MonthSlices.of(index["month"]).names
    runner = backtest(search, tmp_path)
    assert months(runner.groups()) == list(names[LONGEST:-1])
    params = runner.params
    long = replace(params.tune, space=replace(params.tune.space, window_months=(500,)))
    with pytest.raises(ParamsError, match="500 months leave no decision month"):
        TrialBacktest(search.folder, tmp_path, replace(params, tune=long)).groups()
    with pytest.raises(ArtifactError):
        TrialBacktest(tmp_path, tmp_path, params).groups()


def test_groups_cover_every_month_once(search: Search, tmp_path: Path) -> None:
    single = months(backtest(search, tmp_path).groups())
    groups = backtest(search, tmp_path, refit_every=2).groups()
    assert months(groups) == single
    assert [len(group) for group in groups[:-1]] == [2] * (len(groups) - 1)
    later = backtest(search, tmp_path, refit_every=2).groups(single[1])
    assert later[0] == tuple(single[1:3])


def test_a_month_of_its_own_network_is_the_main_job_s(search: Search, tmp_path) -> None:
    panel = store.read(search.folder / "panels" / "rank-rank")
    decisions = windows.rolling(windows.MonthSlices.of(panel.index["month"]), 6)[:4]
    params = replace(search.params.train, placebo_every=1, ensemble=2, dropout=0.4)
    train(panel, decisions, params, tmp_path / "main")
    groups = [(w.month,) for w in decisions]
    for placebo in (False, True):
        runner = backtest(search, tmp_path / "state", seeds=1 if placebo else 2)
        (found,) = runner.scores(TRIALS[:1], groups, placebo=placebo)
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
    params = params_of(search, refit_every=2)
    params = replace(params, train=replace(params.train, max_networks_per_stack=6))
    runner = TrialBacktest(search.folder, tmp_path, params)
    groups = runner.groups()[:3]
    together = runner.scores(TRIALS, groups)
    for trial, table in zip(TRIALS, together, strict=True):
        (alone,) = runner.scores([trial], groups)
        pd.testing.assert_frame_equal(
            table.drop(columns="score"), alone.drop(columns="score"), check_exact=True
        )
        np.testing.assert_allclose(table["score"], alone["score"], rtol=1e-3, atol=1e-5)
    assert np.abs(together[0]["score"] - together[1]["score"]).max() > 1e-2
    assert list(tmp_path.iterdir()) == []


def test_the_order_of_the_groups_changes_nothing(search: Search, tmp_path) -> None:
    runner = backtest(search, tmp_path, refit_every=2)
    groups = runner.groups()[:3]
    (one,) = runner.scores(TRIALS[1:2], groups)
    (other,) = runner.scores(TRIALS[1:2], groups[::-1])
    pd.testing.assert_frame_equal(one, other, rtol=1e-3, atol=1e-5)
    assert one["month"].nunique() == 6
    assert not one["ret"].isna().all()


def test_ridge_scores_are_those_of_the_same_rows(search: Search, tmp_path: Path) -> None:
    panel = store.read(search.folder / "panels" / "zscore-rank")
    window = windows.rolling(windows.MonthSlices.of(panel.index["month"]), 6)[3]
    params = search.params.train
    (entry,) = jobs.network_specs(panel, [window], replace(params, placebo_every=0))
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    expected = baselines.ridge_scores(panel, window, entry, labels, params.ridge_penalty)
    values = {**TRIALS[0], "standardise": "zscore"}
    found = backtest(search, tmp_path).ridge_scores(values, [(window.month,)])
    np.testing.assert_array_equal(found["score"], expected)


def test_the_series_is_the_backtests_after_costs(search: Search, tmp_path: Path) -> None:
    params = params_of(search)
    params = replace(params, backtest=replace(params.backtest, n_quantiles=4, cost_bps=50.0))
    runner = TrialBacktest(search.folder, tmp_path, params)
    scores = runner.ridge_scores(TRIALS[0], runner.groups())
    table = runner.series(scores)
    assert len(table) == len(runner.groups())
    first = table["spread"].iloc[0] - table["spread_net"].iloc[0]
    assert first == pytest.approx(2 * 50e-4)
    ranked = scores[scores["month"] == scores["month"].iloc[0]].sort_values("score")
    count = len(ranked) // 4
    assert table["spread"].iloc[0] == pytest.approx(
        ranked["ret"].iloc[-count:].mean() - ranked["ret"].iloc[:count].mean(), abs=0.03
    )
