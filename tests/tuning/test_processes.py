"""Real coordinators and workers on real storages, killed and interrupted."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

import fake_engine as fake
from konkyo.errors import TuningError
from konkyo.tuning import results, study
from konkyo.tuning.coordinator import Coordinator
from konkyo.tuning.storage import DEATHS, RETRY_OF, WORKER, open_storage
from processes import PATIENCE, until

SCRIPT = Path(fake.__file__)
TRIALS = 12
RUNNING = (TrialState.RUNNING,)


@pytest.fixture
def name(request) -> str:
    """Return the name of a study: tests share one database."""
    return request.node.originalname


@pytest.fixture
def start(name) -> Iterator:
    """Return a function that starts a coordinator, in a session of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(address: str, workers: int, seconds: float) -> subprocess.Popen[str]:
        arguments = [address, name, str(TRIALS), str(workers), str(seconds)]
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def workers_of(group: int) -> list[int]:
    """Return the worker processes of a coordinator's session."""
    pids = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, IndexError):
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            command = (entry / "cmdline").read_text()
            if int(fields[3]) == group and fields[0] not in "ZX" and "popen_loky" in command:
                pids.append(int(entry.name))
    return pids


def ended(process: subprocess.Popen[str]) -> str:
    said = process.communicate(timeout=2 * PATIENCE)[0]
    assert process.returncode == 0, said
    return said


def check_finished(search: study.Search) -> list:
    """Check that all trials are there once, failed ones again, with the series of one process."""
    trials = search.study.get_trials(deepcopy=False)
    counted = [trial for trial in trials if trial.state in study.COUNTED]
    failed = [trial for trial in trials if trial.state == TrialState.FAIL]
    assert len(counted) == TRIALS
    assert len(trials) == len(counted) + len(failed)
    retried = {t.user_attrs[RETRY_OF] for t in trials if RETRY_OF in t.user_attrs}
    assert retried == {t.user_attrs.get(RETRY_OF, t.number) for t in failed}
    for trial in counted:
        first = trials[trial.user_attrs.get(RETRY_OF, trial.number)]
        assert first.params.items() <= trial.params.items()
        series = results.unpack(trial.user_attrs[results.SERIES])
        (alone,) = fake.scores([trial.params], fake.GROUPS)
        whole = fake.series(alone)
        part = whole[whole["month"].isin(series["month"])].reset_index(drop=True)
        assert (series - part)[["spread", "turnover"]].abs().max().max() < 1e-8
    return failed


@pytest.fixture(params=["journal", pytest.param("postgresql", marks=pytest.mark.server)])
def address(request, tmp_path) -> str:
    if request.param == "journal":
        return f"journal:{tmp_path}/journal.log"
    return request.getfixturevalue("postgres")


@pytest.mark.slow
@pytest.mark.cluster
def test_a_killed_worker_loses_its_trials_only(address, name, start):
    coordinator = start(address, workers=2, seconds=0.7)
    search = fake.begin(fake.section(address, study=name, trials=TRIALS))
    states = lambda: [trial.state for trial in search.study.get_trials(deepcopy=False)]  # noqa: E731
    until(lambda: states().count(TrialState.RUNNING) == 6, "two workers at work")
    kills = 0

    def lost_its_trials() -> bool:
        """Kill a worker; one that waits for its next chunk has none to lose."""
        nonlocal kills
        for pid in workers_of(coordinator.pid)[:1]:
            os.kill(pid, signal.SIGKILL)
            kills += 1
        end = time.monotonic() + 3
        while TrialState.FAIL not in states() and time.monotonic() < end:
            time.sleep(0.05)
        return TrialState.FAIL in states()

    until(lost_its_trials, "a worker killed at work")
    ended(coordinator)
    failed = check_finished(search)
    search.storage.close()
    # Three trials train in one stack.
    assert 1 <= len(failed) <= 3 * kills
    again = [t for t in search.study.trials if RETRY_OF in t.user_attrs]
    assert len(again) == len(failed) and {t.user_attrs[DEATHS] for t in again} <= {1, 2}
    assert workers_of(coordinator.pid) == []


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.long
def test_a_killed_coordinator_ends_its_workers(address, name, start):
    first = start(address, workers=2, seconds=0.6)
    search = fake.begin(fake.section(address, study=name, trials=TRIALS))
    until(lambda: study.finished_trials(search.study), "a finished trial")
    before = {trial.number for trial in study.finished_trials(search.study)}
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not workers_of(first.pid), "the end of its workers")
    fake.run(fake.begin(fake.section(address, study=name, trials=TRIALS)))
    failed = check_finished(search)
    assert failed and before <= {trial.number for trial in study.finished_trials(search.study)}
    search.storage.close()


@pytest.mark.slow
@pytest.mark.cluster
def test_two_machines_share_a_database_and_one_dies(postgres, name, start):
    machines = [start(postgres, workers=1, seconds=0.2) for _ in range(2)]
    search = fake.begin(fake.section(postgres, study=name, trials=TRIALS))

    def of(machine):
        running = search.study.get_trials(deepcopy=False, states=RUNNING)
        end = f"-{machine.pid}"
        return {t.number for t in running if t.user_attrs.get(WORKER, "").endswith(end)}

    until(lambda: of(machines[0]) and of(machines[1]), "trials of both")
    os.killpg(machines[0].pid, signal.SIGKILL)
    machines[0].wait()
    lost = of(machines[0])
    ended(machines[1])
    failed = check_finished(search)
    search.storage.close()
    # It may have died between asking for a trial and marking it as its own.
    assert lost == {trial.number for trial in failed if WORKER in trial.user_attrs}
    assert len(failed) <= len(lost) + 1


@pytest.mark.slow
@pytest.mark.cluster
def test_a_keyboard_interrupt_keeps_complete_trials(address, name, start):
    first = start(address, workers=2, seconds=0.6)
    search = fake.begin(fake.section(address, study=name, trials=TRIALS))
    until(lambda: study.finished_trials(search.study), "a finished trial")
    os.killpg(first.pid, signal.SIGINT)
    said = first.communicate(timeout=PATIENCE)[0]
    assert said.rstrip().endswith("KeyboardInterrupt")
    # The workers say nothing of it.
    assert said.count("Traceback (most recent call last)") == 1, said
    assert workers_of(first.pid) == []
    trials = search.study.get_trials(deepcopy=False)
    assert not [trial for trial in trials if trial.state == TrialState.RUNNING]
    waiting = [trial for trial in trials if trial.state == TrialState.WAITING]
    assert waiting and {trial.user_attrs[DEATHS] for trial in waiting} == {0}
    fake.run(fake.begin(fake.section(address, study=name, trials=TRIALS)))
    check_finished(search)
    search.storage.close()


def test_an_interrupt_in_a_query_stays_an_interrupt(monkeypatch):
    def query(*_: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            raise StorageInternalError("the commit failed") from interrupt

    monkeypatch.setattr(Coordinator, "_run", query)
    with pytest.raises(KeyboardInterrupt):
        Coordinator.__new__(Coordinator).run()


def test_an_interrupt_in_ask_leaves_no_running_trial(address, monkeypatch):
    search = fake.begin(fake.section(address, trials=TRIALS, study="asking"))

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    # The trial is created in the storage; its mark never comes.
    with monkeypatch.context() as patched:
        patched.setattr(optuna.Trial, "set_user_attr", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fake.run(search)
    trials = search.study.get_trials(deepcopy=False)
    assert [t.state for t in trials] == [TrialState.FAIL, TrialState.WAITING]
    assert trials[1].user_attrs[DEATHS] == 0
    # Nor where this process does not know of it.
    with monkeypatch.context() as patched:
        patched.setattr(optuna.Study, "ask", created_then(interrupted))
        with pytest.raises(KeyboardInterrupt):
            fake.run(search)
    states = [t.state for t in search.study.get_trials(deepcopy=False)]
    assert states == [TrialState.FAIL] * 2 + [TrialState.WAITING]
    search.storage.close()


def created_then(end):
    """Return a Study.ask that raises when its trial is there."""
    whole = optuna.Study.ask

    def ask(self, *args, **kwargs):
        whole(self, *args, **kwargs)
        end()

    return ask


VERSIONS = "alembic_version (version_num text)"
OPTUNAS = "version_info (version_info_id int, schema_version int, library_version text)"


@pytest.mark.parametrize(
    ("tables", "said"),
    [([VERSIONS], "another program's tables"), ([VERSIONS, OPTUNAS], "no longer compatible")],
)
def test_a_foreign_or_older_database_is_refused(postgres, tables, said):
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
    assert "studies" not in there or said == "no longer compatible"


def test_interrupted_trials_run_again_after_restart(address):
    tune = fake.section(address, trials=TRIALS, study="interrupted")
    search = fake.begin(tune)
    asked = study.ask(search)
    study.requeue(search, asked, died=False)
    states = [t.state for t in search.study.get_trials(deepcopy=False)]
    assert states == [TrialState.FAIL] * 3 + [TrialState.WAITING] * 3
    assert search.running == {}
    later = fake.begin(tune)
    assert [t.params for t in study.ask(later)] == [t.params for t in asked]
    assert later.study.get_trials()[3].user_attrs[DEATHS] == 0
    search.storage.close()
    later.storage.close()


def test_a_trial_that_kills_three_workers_is_given_up(address):
    search = fake.begin(fake.section(address, study="deadly", trials_per_stack=1))
    for _ in range(3):
        asked = study.ask(search)
        assert "current" in asked[0].user_attrs
        study.requeue(search, asked, died=True)
    (other,) = study.ask(search)
    search.storage.close()
    assert "current" not in other.user_attrs
    assert other.number == 3
