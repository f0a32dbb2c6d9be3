"""A search in one process, on an engine without networks."""

from dataclasses import replace

import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState

import fake_engine as fake
from konkyo import dates
from konkyo.errors import TuningError
from konkyo.tuning import objective, progress, result_table, space, study, trial_tables, worker
from konkyo.tuning.trials import series


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Nine trials of one worker."""
    address = f"journal:{tmp_path_factory.mktemp('search')}/journal.log"
    search = fake.begin(fake.section(address, trials=9))
    lines: list[str] = []
    ended = worker.work(search, fake.GROUPS, fake.run, fake.measure, lines.append)
    search.storage.close()
    return search, ended, lines


def test_trial_0_has_the_paper_s_values_and_runs_to_the_end(searched):
    first = searched[0].study.trials[0]
    assert first.params == space.paper(fake.config.load(fake.PARAMS).prepare)
    assert first.state == TrialState.COMPLETE
    assert result_table.paper_trial(searched[0].study.trials).number == 0


def test_trials_of_a_group_differ_in_numbers_only(searched):
    trials = searched[0].study.trials
    for group in (trials[:3], trials[3:6], trials[6:]):
        assert len({space.structure(t.params) for t in group}) == 1
        assert len({t.params["learning_rate"] for t in group}) == 3
    assert space.structure(trials[3].params) != space.structure(trials[0].params)


def test_a_trial_s_value_is_the_objective_of_its_whole_series(searched):
    search, ended, lines = searched
    assert ended == len(lines) == len(study.finished_trials(search.study)) == 9
    for trial in search.study.trials:
        (scores,) = fake.run([trial.params], fake.GROUPS)
        if trial.state == TrialState.COMPLETE:
            series = fake.measure(scores)
            assert trial.value == pytest.approx(objective.objective("sharpe_ratio", series))
            assert trial.constraints == {"turnover": 0.5 - 2.0}
        else:
            assert 24 <= len(trial_tables.unpack(trial.user_attrs["series"])) < 30


def test_the_same_seed_asks_for_the_same_trials(searched, tmp_path):
    other = fake.begin(fake.section(f"journal:{tmp_path}/journal.log", trials=9))
    worker.work(other, fake.GROUPS, fake.run, fake.measure, lambda line: None)
    other.storage.close()
    assert [t.params for t in other.study.trials] == [t.params for t in searched[0].study.trials]


def test_a_finished_search_asks_for_nothing_and_a_longer_one_goes_on(searched):
    search = searched[0]
    assert study.ask(search) is None
    longer = replace(search, tune=replace(search.tune, trials=10))
    (trial,) = study.ask(longer)
    assert trial.number == 9
    study.requeue(longer, [trial], died=False)


def test_a_study_begun_otherwise_is_not_gone_on_with(searched):
    tune = replace(searched[0].tune, objective="mean", workers=7, trials=99)
    with pytest.raises(TuningError, match="objective: sharpe_ratio then, mean now") as error:
        fake.begin(tune)
    assert "workers" not in str(error.value)


def test_a_trial_above_the_turnover_cap_is_not_the_best(tmp_path):
    tune = fake.section(f"journal:{tmp_path}/journal.log", trials=3, turnover_cap=0.4)
    search = fake.begin(tune)
    worker.work(search, fake.GROUPS, fake.run, fake.measure, lambda line: None)
    search.storage.close()
    assert study.best(search.study) is None
    assert not trial_tables.table(search.study.trials)["feasible"].any()


def test_a_network_that_diverged_ends_its_trial_and_not_the_others(tmp_path):
    def run(members, groups):
        frames = fake.run(members, groups)
        frames[0].loc[3, "score"] = float("nan")
        return frames

    search = fake.begin(
        fake.section(f"journal:{tmp_path}/journal.log", trials=2, trials_per_stack=2)
    )
    worker.work(search, fake.GROUPS, run, fake.measure, lambda line: None)
    search.storage.close()
    states = [trial.state for trial in search.study.trials]
    assert states[0] == TrialState.PRUNED


def test_tables_hold_every_trial(searched):
    trials = searched[0].study.trials[:9]
    table = trial_tables.table(trials)
    assert table["trial"].to_list() == list(range(9))
    assert table["paper"].to_list() == [True] + [False] * 8
    wide = trial_tables.wide(trials)
    assert wide.shape == (30, 9) and wide.columns.to_list() == list(range(9))
    pruned = [t.number for t in trials if t.state == TrialState.PRUNED]
    assert wide.columns[wide.isna().any()].to_list() == pruned


def test_a_series_survives_its_packing():
    series = fake.measure(fake.run([{"activation": "relu", "dropout": 0.1}], fake.GROUPS)[0])
    series.loc[0, "turnover"] = float("nan")
    again = trial_tables.unpack(trial_tables.pack(series))
    pd.testing.assert_frame_equal(again, series[again.columns], atol=1e-8, check_dtype=False)


def test_a_trial_under_way_counts_as_the_share_of_its_months():
    made = optuna.create_study()
    made.tell(made.ask(), 1.0)
    trial = made.ask()
    for step in (7, 3, 9):
        trial.report(0.0, step)
    assert progress.done(made.trials, 30) == pytest.approx(1.3)
    tune = fake.section("journal:x", trials=5)
    assert progress.text(made.trials, made.trials[0], tune) == "1 of 5 trials, best 1.000 (trial 0)"


BROKEN = fake.GROUPS[2][0]


def _measure(scores: pd.DataFrame) -> pd.DataFrame:
    return series(scores, 5, 10.0)


def _flattened(frame: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    return frame.assign(score=frame["score"].mask(rows, 0.5 + 1e-15 * frame["score"]))


def test_a_month_that_broke_for_all_trials_is_missing_from_all(tmp_path):
    search = fake.begin(fake.section(f"journal:{tmp_path}/journal.log", trials=3, pruner="none"))

    def run(members, groups):
        frames = fake.run(members, groups)
        return [_flattened(f, f["month"] == dates.parse(BROKEN)) for f in frames]

    worker.work(search, fake.GROUPS, run, _measure, lambda line: None)
    search.storage.close()
    assert [t.state for t in search.study.trials] == [TrialState.COMPLETE] * 3
    wide = trial_tables.wide(search.study.trials)
    assert dates.parse(BROKEN) not in wide.index
    assert len(wide) == len(fake.MONTHS) - 1 and wide.notna().all(axis=None)
    for trial in search.study.trials:
        (scores,) = fake.run([trial.params], fake.GROUPS)
        own = _measure(scores[scores["month"] != dates.parse(BROKEN)])
        assert trial.value == pytest.approx(objective.objective("sharpe_ratio", own))


@pytest.mark.parametrize("pruner", ["wilcoxon", "median"])
def test_months_that_break_for_one_trial_are_missing_and_a_dead_trial_ends(tmp_path, pruner):
    """One that has no weights in one month holds nothing then; one without any is given up."""
    search = fake.begin(fake.section(f"journal:{tmp_path}/journal.log", trials=3, pruner=pruner))
    rates: list[float] = []

    def run(members, groups):
        frames = []
        for values, frame in zip(members, fake.run(members, groups), strict=True):
            rates.extend({values["learning_rate"]} - set(rates))
            place = rates.index(values["learning_rate"])
            gone = [frame["month"] == dates.parse(BROKEN), frame["month"].dt.day > 0, False]
            frames.append(_flattened(frame, pd.Series(gone[place], index=frame.index)))
        return frames

    worker.work(search, fake.GROUPS, run, _measure, lambda line: None)
    search.storage.close()
    first, dead, other = search.study.trials
    assert (first.state, dead.state) == (TrialState.COMPLETE, TrialState.PRUNED)
    own = trial_tables.unpack(first.user_attrs[trial_tables.SERIES])
    assert len(own) == len(fake.MONTHS) - 1
    assert first.value == pytest.approx(objective.objective("sharpe_ratio", own))
    assert trial_tables.SERIES not in dead.user_attrs
    # Beside a trial that has the month, it held nothing then.
    if other.state == TrialState.COMPLETE:
        wide = trial_tables.wide([first, other])
        assert wide.loc[dates.parse(BROKEN), first.number] == 0.0
        assert len(wide) == len(fake.MONTHS)
