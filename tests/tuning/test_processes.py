"""Real worker processes on real storages, one of them killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy
from optuna.trial import TrialState

import fake_engine as fake
from konkyo.errors import TuningError
from konkyo.tuning import study, trial_tables
from konkyo.tuning.storage import DEATHS, RETRY_OF, WORKER, open_storage

WORKER_SCRIPT = Path(fake.__file__)
TRIALS = 9


def start(address: str, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER_SCRIPT), address, str(TRIALS), str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(condition, what: str, patience: float = 60.0):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"{what} did not come within {patience} seconds")


@pytest.fixture(params=["journal", "postgresql"])
def address(request, tmp_path) -> str:
    if request.param == "journal":
        return f"journal:{tmp_path}/journal.log"
    return request.getfixturevalue("postgres")


def test_a_killed_worker_loses_its_own_trials_only_and_they_are_run_again(address):
    workers = [start(address, 0.1), start(address, 0.1)]
    search = fake.begin(fake.section(address, trials=TRIALS))

    def of(worker):
        name = f"-{worker.pid}-"
        running = search.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return {t.number for t in running if name in t.user_attrs.get(WORKER, "")}

    try:
        lost = until(lambda: of(workers[0]), "a trial of the first worker")
        before = {t.number for t in study.finished_trials(search.study)}
        workers[0].send_signal(signal.SIGKILL)
        workers[0].wait()
        lost = of(workers[0])
        said = workers[1].communicate(timeout=100)[0]
        assert workers[1].returncode == 0, said
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()

    trials = search.study.get_trials(deepcopy=False)
    search.storage.close()
    by_state = {s: [t for t in trials if t.state == s] for s in TrialState}
    failed = {t.number: t for t in by_state[TrialState.FAIL]}
    # It may have died between asking for a trial and marking it as its own.
    assert lost == {number for number, t in failed.items() if WORKER in t.user_attrs}
    assert len(failed) <= len(lost) + 1
    assert by_state[TrialState.RUNNING] == by_state[TrialState.WAITING] == []
    counted = by_state[TrialState.COMPLETE] + by_state[TrialState.PRUNED]
    assert len(counted) == TRIALS
    assert before <= {t.number for t in counted}

    again = {t.user_attrs[RETRY_OF]: t for t in counted if RETRY_OF in t.user_attrs}
    assert set(again) == set(failed)
    for number, trial in again.items():
        assert trials[number].params.items() <= trial.params.items()
        assert trial.user_attrs[DEATHS] == 1
    # Every trial's series can be had from the study alone, and it is what one process computes.
    for trial in counted:
        series = trial_tables.unpack(trial.user_attrs[trial_tables.SERIES])
        (alone,) = fake.run([trial.params], fake.GROUPS)
        whole = fake.measure(alone)
        part = whole[whole["month"].isin(series["month"])].reset_index(drop=True)
        assert (series - part)[["spread", "turnover"]].abs().max().max() < 1e-8


VERSIONS = "alembic_version (version_num text)"
OPTUNAS = "version_info (version_info_id int, schema_version int, library_version text)"


@pytest.mark.parametrize(
    ("tables", "said"),
    [([VERSIONS], "another program's tables"), ([VERSIONS, OPTUNAS], "cannot be used")],
)
def test_a_database_of_another_program_or_version_is_refused(postgres, tables, said):
    plain = postgres.replace("postgresql://", "postgresql+psycopg://")
    name = f"other_{len(tables)}"
    engine = sqlalchemy.create_engine(plain, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"create database {name}"))
    engine.dispose()
    place = postgres.rsplit("/", 1)[0] + f"/{name}"
    other = sqlalchemy.create_engine(place.replace("postgresql://", "postgresql+psycopg://"))
    with other.begin() as connection:
        for table in tables:
            connection.execute(sqlalchemy.text(f"create table {table}"))
        connection.execute(sqlalchemy.text("insert into alembic_version values ('0123')"))
    with pytest.raises(TuningError, match=said):
        open_storage(place)
    there = sqlalchemy.inspect(other).get_table_names()
    other.dispose()
    assert "studies" not in there or said == "cannot be used"


def test_an_interrupt_gives_the_trials_back_and_starting_again_goes_on(address):
    tune = fake.section(address, trials=TRIALS, study="interrupted")
    search = fake.begin(tune)
    asked = study.ask(search)
    study.requeue(search, asked, died=False)
    states = [t.state for t in search.study.get_trials(deepcopy=False)]
    assert states == [TrialState.FAIL] * 3 + [TrialState.WAITING] * 3
    later = fake.begin(tune)
    assert [t.params for t in study.ask(later)] == [t.params for t in asked]
    assert later.study.get_trials()[3].user_attrs[DEATHS] == 0
    search.storage.close()
    later.storage.close()


def test_a_trial_that_kills_three_workers_is_given_up(address):
    search = fake.begin(fake.section(address, study="deadly", trials_per_stack=1))
    for _ in range(3):
        asked = study.ask(search)
        assert "paper" in asked[0].user_attrs
        study.requeue(search, asked, died=True)
    (other,) = study.ask(search)
    search.storage.close()
    assert "paper" not in other.user_attrs
    assert other.number == 3
