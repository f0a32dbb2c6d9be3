"""A search in one process, on an engine without networks."""

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState

import fake_engine as fake
from konkyo import config, dates
from konkyo.backtesting.portfolios import assign_quantiles
from konkyo.errors import TuningError
from konkyo.tuning import objective, progress, results, space, study
from konkyo.tuning.coordinator import Coordinator
from konkyo.tuning.storage import DEATHS
from konkyo.tuning.trials import TrialBacktest


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Nine trials of one worker."""
    address = f"journal:{tmp_path_factory.mktemp('search')}/journal.log"
    search = fake.begin(fake.section(address, trials=9))
    fake.run(search)
    search.storage.close()
    return search


def test_trial_0_has_current_values_and_is_not_pruned(searched):
    first = searched.study.trials[0]
    params = config.load(fake.PARAMS)
    assert first.params == space.current_values(params.train, params.prepare)
    assert first.state == TrialState.COMPLETE
    assert results.current_trial(searched.study.trials).number == 0


def test_current_values_outside_the_space_are_left_out(tmp_path):
    tune = fake.section(f"journal:{tmp_path}/journal.log", trials=2)
    narrow = replace(tune, space=replace(tune.space, width=(16, 32)))
    search = fake.begin(narrow)
    fake.run(search)
    search.storage.close()
    assert [trial.params["width"] in (16, 32) for trial in search.study.trials] == [True] * 2
    assert results.current_trial(search.study.trials) is None
    # Applying what was found changes the values; the search goes on all the same.
    applied = replace(fake.params_with(narrow).train, learning_rate=0.005)
    params = replace(fake.params_with(narrow), train=applied)
    again = study.begin(search.storage, params, {"months": len(fake.MONTHS)})
    assert len(again.study.trials) == 2


def test_trials_of_a_group_differ_in_numbers_only(searched):
    trials = searched.study.trials
    for group in (trials[:3], trials[3:6], trials[6:]):
        assert len({space.structure(t.params) for t in group}) == 1
        assert len({t.params["learning_rate"] for t in group}) == 3
    assert space.structure(trials[3].params) != space.structure(trials[0].params)


def test_a_trials_value_is_the_objective_of_its_series(searched):
    search = searched
    assert len(study.finished_trials(search.study)) == 9 and not search.running
    for trial in search.study.trials:
        (scores,) = fake.scores([trial.params], fake.GROUPS)
        if trial.state == TrialState.COMPLETE:
            series = fake.series(scores)
            assert trial.value == pytest.approx(objective.objective("sharpe_ratio", series))
            assert trial.constraints == {"turnover": 0.5 - 2.0}
        else:
            assert 24 <= len(results.unpack(trial.user_attrs["series"])) < 30


def test_the_same_seed_asks_for_the_same_trials(searched, tmp_path):
    other = fake.begin(fake.section(f"journal:{tmp_path}/journal.log", trials=9))
    fake.run(other)
    other.storage.close()
    assert [t.params for t in other.study.trials] == [t.params for t in searched.study.trials]


def test_a_complete_search_asks_for_nothing(searched):
    search = searched
    assert study.ask(search) is None
    longer = replace(search, tune=replace(search.tune, trials=10))
    (trial,) = study.ask(longer)
    assert trial.number == 9
    study.requeue(longer, [trial], died=False)


def test_a_study_begun_otherwise_is_not_gone_on_with(searched):
    tune = replace(searched.tune, objective="mean", precision="bf16-mixed", workers=7, trials=99)
    with pytest.raises(TuningError, match="objective: sharpe_ratio then, mean now") as error:
        fake.begin(tune)
    # What auto stood for is on record: another machine does not go on with another precision.
    assert f"precision: {searched.tune.precision} then, bf16-mixed now" in str(error.value)
    assert "workers" not in str(error.value)


def test_a_trial_above_the_turnover_cap_is_never_best(tmp_path):
    tune = fake.section(f"journal:{tmp_path}/journal.log", trials=3, turnover_cap=0.4)
    search = fake.begin(tune)
    fake.run(search)
    search.storage.close()
    assert study.best(search.study) is None
    assert not results.trial_table(search.study.trials)["feasible"].any()


def test_a_diverged_network_ends_its_trial_alone(tmp_path):
    def run(members, groups):
        frames = fake.scores(members, groups)
        frames[0].loc[3, "score"] = float("nan")
        return frames

    search = fake.begin(
        fake.section(f"journal:{tmp_path}/journal.log", trials=2, trials_per_stack=2)
    )
    fake.run(search, fake.Backtest(run))
    search.storage.close()
    states = [trial.state for trial in search.study.trials]
    assert states[0] == TrialState.PRUNED


def test_tables_hold_every_trial(searched):
    trials = searched.study.trials[:9]
    table = results.trial_table(trials)
    assert table["trial"].to_list() == list(range(9))
    assert table["current"].to_list() == [True] + [False] * 8
    wide = results.wide(trials)
    assert wide.shape == (30, 9) and wide.columns.to_list() == list(range(9))
    pruned = [t.number for t in trials if t.state == TrialState.PRUNED]
    assert wide.columns[wide.isna().any()].to_list() == pruned


def test_a_series_survives_its_packing():
    series = fake.series(fake.scores([{"activation": "relu", "dropout": 0.1}], fake.GROUPS)[0])
    series.loc[0, "turnover"] = float("nan")
    again = results.unpack(results.pack(series))
    pd.testing.assert_frame_equal(again, series[again.columns], atol=1e-8, check_dtype=False)


def test_progress_counts_windows():
    made = optuna.create_study()
    made.tell(made.ask(), 1.0)
    trial = made.ask()
    for step in (7, 3, 9):
        trial.report(0.0, step)
    assert progress.done(made.trials, months=30, windows=10) == pytest.approx(11)
    tune = fake.section("journal:x", trials=5)
    assert progress.text(made.trials, made.trials[0], tune) == "1 of 5 trials, best 1.000 (trial 0)"


@pytest.mark.parametrize(("trials", "shares"), [(4, [2, 2]), (5, [3, 2]), (9, [3, 3]), (1, [1])])
def test_trials_are_shared_out_from_the_start(tmp_path, trials, shares):
    address = f"journal:{tmp_path}/journal.log"
    search = fake.begin(fake.section(address, trials=trials, workers=2))
    first = study.ask(search, idle=2)
    second = study.ask(search, idle=1)
    assert [len(asked) for asked in (first, second) if asked] == shares
    study.requeue(search, [*first, *second], died=False)
    search.storage.close()


BROKEN = fake.GROUPS[2][0]


def _measure(scores: pd.DataFrame) -> pd.DataFrame:
    whole = config.load(fake.PARAMS)
    params = replace(whole, backtest=replace(whole.backtest, n_quantiles=5, cost_bps=10.0))
    return TrialBacktest(Path(), Path(), params).series(scores)


def test_a_search_may_take_another_portfolio():
    scores = fake.scores([{"activation": "relu", "dropout": 0.1}], fake.GROUPS)[0]
    value = np.arange(1.0, len(scores) + 1)
    rows = scores.assign(market_value=value, sector=np.where(value % 2, "x", "y"))
    whole = config.load(fake.PARAMS)
    params = replace(whole, backtest=replace(whole.backtest, n_quantiles=5, cost_bps=10.0))
    by_name = {}
    for name in ("equal_weighted", "value_weighted", "sector_neutral", "score_weighted"):
        chosen = replace(params, tune=replace(params.tune, portfolio=name))
        by_name[name] = TrialBacktest(Path(), Path(), chosen).series(rows)
    long = assign_quantiles(rows.assign(model="trial"), 5)
    long = long.merge(rows[["month", "stock", "market_value"]], on=["month", "stock"])
    weighed = [
        np.average(part["ret"], weights=part["market_value"])
        for _, part in long.groupby(["month", "quantile"])
    ]
    spread = np.array(weighed[4::5]) - np.array(weighed[::5])
    np.testing.assert_allclose(by_name["value_weighted"]["spread"], spread)
    assert len({table["spread_net"].sum() for table in by_name.values()}) == 4
    for table in by_name.values():
        pd.testing.assert_series_equal(table["rank_ic"], by_name["equal_weighted"]["rank_ic"])


def _flattened(frame: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    return frame.assign(score=frame["score"].mask(rows, 0.5 + 1e-15 * frame["score"]))


def test_a_month_broken_for_all_trials_is_missing(tmp_path):
    search = fake.begin(fake.section(f"journal:{tmp_path}/journal.log", trials=3, pruner="none"))

    def run(members, groups):
        frames = fake.scores(members, groups)
        return [_flattened(f, f["month"] == dates.parse(BROKEN)) for f in frames]

    fake.run(search, fake.Backtest(run, _measure))
    search.storage.close()
    assert [t.state for t in search.study.trials] == [TrialState.COMPLETE] * 3
    wide = results.wide(search.study.trials)
    assert dates.parse(BROKEN) not in wide.index
    assert len(wide) == len(fake.MONTHS) - 1 and wide.notna().all(axis=None)
    for trial in search.study.trials:
        (scores,) = fake.scores([trial.params], fake.GROUPS)
        own = _measure(scores[scores["month"] != dates.parse(BROKEN)])
        assert trial.value == pytest.approx(objective.objective("sharpe_ratio", own))


def test_months_broken_for_one_trial_are_missing(tmp_path):
    """One that has no weights in one month holds nothing then; one without any is given up."""
    search = fake.begin(fake.section(f"journal:{tmp_path}/journal.log", trials=3))
    rates: list[float] = []

    def run(members, groups):
        frames = []
        for values, frame in zip(members, fake.scores(members, groups), strict=True):
            rates.extend({values["learning_rate"]} - set(rates))
            place = rates.index(values["learning_rate"])
            gone = [frame["month"] == dates.parse(BROKEN), frame["month"].dt.day > 0, False]
            frames.append(_flattened(frame, pd.Series(gone[place], index=frame.index)))
        return frames

    fake.run(search, fake.Backtest(run, _measure))
    search.storage.close()
    first, dead, other = search.study.trials
    assert (first.state, dead.state) == (TrialState.COMPLETE, TrialState.PRUNED)
    own = results.unpack(first.user_attrs[results.SERIES])
    assert len(own) == len(fake.MONTHS) - 1
    assert first.value == pytest.approx(objective.objective("sharpe_ratio", own))
    assert results.SERIES not in dead.user_attrs
    # Beside a trial that has the month, it held nothing then.
    if other.state == TrialState.COMPLETE:
        wide = results.wide([first, other])
        assert wide.loc[dates.parse(BROKEN), first.number] == 0.0
        assert len(wide) == len(fake.MONTHS)


class Dies(fake.Here):
    """A worker whose process dies of its every chunk."""

    def submit(self, function, *arguments):
        future = Future()
        future.set_exception(BrokenProcessPool("killed"))
        return future


def test_workers_that_die_of_every_trial_end_search(tmp_path):
    search = fake.begin(fake.section(f"journal:{tmp_path}/journal.log", trials=3))
    with pytest.raises(TuningError, match="11 worker processes died one after another"):
        Coordinator(search, fake.Backtest(), start=Dies).run()
    states = [trial.state for trial in search.study.trials]
    assert TrialState.RUNNING not in states and search.running == {}
    # Three stacks of three were given up after their third death, the fourth was not.
    assert states.count(TrialState.FAIL) == 11 * 3
    assert states.count(TrialState.WAITING) == 3


def test_an_error_of_a_trial_ends_the_search(tmp_path):
    calls = []

    def scores(trials, groups):
        calls.append(len(trials))
        if len(calls) == 3:
            raise MemoryError("too large")
        return fake.scores(trials, groups)

    tune = fake.section(f"journal:{tmp_path}/journal.log", trials=9, workers=2)
    search = fake.begin(tune)
    with pytest.raises(MemoryError, match="too large"):
        fake.run(search, fake.Backtest(scores))
    waiting = [t for t in search.study.trials if t.state == TrialState.WAITING]
    deaths = [trial.user_attrs[DEATHS] for trial in waiting]
    assert sorted(deaths) == [0] * 3 + [1] * 3
    fake.run(fake.begin(tune))
    assert len(study.finished_trials(search.study)) == 9
