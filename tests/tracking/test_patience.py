"""Waiting for a store: real locks on a real database, and errors as MLflow words them."""

import sqlite3
import threading
import time

import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

from konkyo.errors import TrackingError
from konkyo.tracking import patience, results, runs, store

LOCKED = MlflowException("(sqlite3.OperationalError) database is locked", TEMPORARILY_UNAVAILABLE)
AWAY = MlflowException(
    "API request to http://x failed with exception HTTPConnectionPool: Connection refused"
)


@pytest.fixture
def quick(monkeypatch):
    """Let waiting be short, and MLflow's own waiting for a lock too."""
    monkeypatch.setattr(patience, "LIMIT", 0.3)
    monkeypatch.setattr(patience, "AT_FIRST", 0.3)
    monkeypatch.setattr(store, "AT_FIRST", 0.3)
    monkeypatch.setattr(patience, "_PAUSES", (0.01, 0.05))
    from mlflow.store.db import utils

    plain = utils.sql.text
    long, short = "busy_timeout = 20000", "busy_timeout = 1"
    monkeypatch.setattr(utils.sql, "text", lambda text: plain(text.replace(long, short)))


def failing(*errors: Exception | None):
    """Return a call that raises these in turn, and then returns how often it was called."""
    left = list(errors)
    calls = []

    def call() -> int:
        calls.append(1)
        if left and (error := left.pop(0)) is not None:
            raise error
        return len(calls)

    return call


@pytest.mark.parametrize(
    "error", [LOCKED, AWAY, requests.ConnectionError("reset"), requests.Timeout("slow")]
)
def test_what_passes_is_waited_for_and_said_once(quick, capsys, error):
    assert patience.patiently(failing(error, error, error)) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("konkyo: the MLflow store ")
    assert ("is locked by another process" in said) == (error is LOCKED)


@pytest.mark.parametrize(
    "error",
    [
        MlflowException("no such run"),
        MlflowException("(sqlite3.OperationalError) database or disk is full"),
        MlflowException("failed with exception: too many 500 error responses"),
        requests.HTTPError("404"),
    ],
)
def test_what_does_not_pass_is_raised_at_once(quick, error):
    call = failing(error)
    with pytest.raises(type(error)):
        patience.patiently(call)
    assert call() == 2


RACED = MlflowException(
    "BAD_REQUEST: (psycopg.errors.UniqueViolation) duplicate key value violates unique constraint"
)


def test_what_another_process_wrote_first_is_found_when_it_is_tried_again(quick, capsys):
    assert patience.patiently(failing(RACED, RACED)) == 3
    assert capsys.readouterr().err == ""
    with pytest.raises(MlflowException, match="UniqueViolation"):
        patience.patiently(failing(*[RACED] * 1000))


def test_after_the_limit_it_is_given_up_in_words(quick):
    with pytest.raises(TrackingError, match=r"does not answer for \d seconds .*refused.*again"):
        patience.patiently(failing(*[AWAY] * 1000))


def test_what_a_lost_answer_made_is_found_and_not_made_again(quick):
    call = failing(AWAY)
    assert patience.patiently(call, lambda: 99) == 99
    assert call() == 2


def test_a_call_whose_answer_is_lost_makes_nothing_twice(project, quick, monkeypatch, chosen):
    """The calls that make something reach the store, and their first answers are lost."""
    names = ("create_run", "create_logged_model", "create_model_version", "create_registered_model")
    lost = []

    def losing(name: str):
        plain = getattr(MlflowClient, name)

        def call(self: MlflowClient, *arguments: object, **named: object) -> object:
            made = plain(self, *arguments, **named)
            lost.append(name)
            if lost.count(name) % 2:
                raise AWAY
            return made

        # `signature` is that of what is wrapped.
        call.__wrapped__ = plain
        return call

    # Never twice for one call: the second try of a plain client would be answered.
    for name in names:
        monkeypatch.setattr(MlflowClient, name, losing(name))
    tracked = runs.track(results.read(project), chosen, {})
    assert set(lost) == set(names)
    check_logged_once(tracked, months=3)


def check_logged_once(tracked: runs.Tracked, months: int) -> None:
    client = MlflowClient(tracked.uri, tracked.uri)
    found = client.search_runs([tracked.experiment_id])
    assert {run.info.status for run in found} == {"FINISHED"}
    names = [run.info.run_name for run in found if run.info.run_id != tracked.run_id]
    assert sorted(names) == [f"2020-{month:02d}" for month in range(1, months + 1)]
    assert len(client.search_model_versions(f"name = '{tracked.model}'")) == 1
    assert len(client.search_logged_models([tracked.experiment_id])) == 1
    table = "tables/performance.json"
    assert len(client.load_table(tracked.experiment_id, table, [tracked.run_id])) == 5


@pytest.fixture
def locked(project):
    """Return what locks the project's database for some seconds, as a backup does."""
    threads = []

    def begin(seconds: float) -> None:
        holding = threading.Event()

        def hold() -> None:
            base = sqlite3.connect(project / "mlflow.db", isolation_level=None)
            base.execute("BEGIN EXCLUSIVE")
            holding.set()
            time.sleep(seconds)
            base.execute("ROLLBACK")
            base.close()

        threads.append(threading.Thread(target=hold))
        threads[-1].start()
        assert holding.wait(5)

    yield begin
    for thread in threads:
        thread.join()


def test_a_locked_database_is_waited_for(project, quick, locked, monkeypatch, chosen, capsys):
    monkeypatch.setattr(patience, "LIMIT", 30.0)
    begun = []
    plain = runs._log_months

    def slow(*arguments: object) -> None:
        locked(1.0)
        begun.append(time.monotonic())
        plain(*arguments)

    monkeypatch.setattr(runs, "_log_months", slow)
    tracked = runs.track(results.read(project), chosen, {})
    assert time.monotonic() - begun[0] > 0.9
    assert (
        "konkyo: the MLflow store is locked by another process: trying" in capsys.readouterr().err
    )
    check_logged_once(tracked, months=3)


def test_a_database_that_stays_locked_is_an_error(project, quick, locked):
    # SQLite's driver waits five seconds before it says so.
    locked(8.0)
    before = time.monotonic()
    with pytest.raises(TrackingError, match=r"is locked by another process for \d+ seconds"):
        store.connect(f"sqlite:///{project}/mlflow.db")
    assert time.monotonic() - before < 8
