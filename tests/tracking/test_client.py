"""Waiting for a store: real locks on a real database, and errors as MLflow words them."""

import ast
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, TEMPORARILY_UNAVAILABLE
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Runs
from mlflow.utils import validation

from konkyo import tracking
from konkyo.errors import TrackingError
from konkyo.retry import RetryPolicy
from konkyo.tracking import client, lineage, results, runs, store
from konkyo.tracking.client import StoreClient, StoreRetries, retry_store
from processes import PATIENCE

LOCKED = MlflowException("(sqlite3.OperationalError) database is locked", TEMPORARILY_UNAVAILABLE)
AWAY = MlflowException(
    "API request to http://x failed with exception HTTPConnectionPool: Connection refused"
)
RACED = MlflowException(
    "BAD_REQUEST: (psycopg.errors.UniqueViolation) duplicate key value violates unique constraint"
)
SHORT = RetryPolicy(seconds=0.3, first=0.01, longest=0.05)
QUICK = StoreRetries(connecting=SHORT, logging=SHORT)


def retried(call):
    return retry_store(call, SHORT)


@pytest.fixture
def quick(monkeypatch):
    """Let MLflow's own waiting for a lock be short."""
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
    "error", [LOCKED, RACED, AWAY, requests.ConnectionError("reset"), requests.Timeout("slow")]
)
def test_an_unavailable_store_is_waited_for(capsys, error):
    """It is said once, whatever the number of attempts."""
    assert retried(failing(error, error, error)) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("konkyo: the MLflow store ")
    assert ("is locked by another process" in said) == (error is LOCKED)
    assert ("is written by another process" in said) == (error is RACED)


@pytest.mark.parametrize(
    "error",
    [
        MlflowException("no such run"),
        MlflowException("(sqlite3.OperationalError) database or disk is full"),
        MlflowException("failed with exception: too many 500 error responses"),
        MlflowException("exists. Error: UNIQUE constraint failed", RESOURCE_ALREADY_EXISTS),
        requests.HTTPError("404"),
        RuntimeError("connection refused"),
    ],
)
def test_other_errors_are_raised_at_once(error):
    call = failing(error)
    with pytest.raises(type(error)):
        retried(call)
    assert call() == 2


def test_a_store_that_stays_away_is_an_error():
    with pytest.raises(TrackingError, match=r"does not answer for \d seconds .*refused.*again"):
        retried(failing(*[AWAY] * 1000))


def test_every_call_of_tracking_is_retried():
    """A call that is not listed in `StoreClient` would end a run where the store is away once."""
    used = {
        node.attr
        for path in Path(tracking.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "client"
    }
    # Made of listed calls; and what `log_model.log` retries as a whole.
    composed = {"log_dict", "log_table"}
    within = {"create_logged_model", "delete_logged_model"}
    attributes = {"tracking_uri"}
    assert "log" in used and "create_run" in used
    assert used - composed - within - attributes <= set(vars(StoreClient))


@pytest.fixture
def losing(monkeypatch):
    """Return what lets every second call of a store's method take effect and lose its answer."""
    lost = []

    def lose(owner: type, name: str) -> None:
        plain = getattr(owner, name)

        def call(self: object, *args: object, **kwargs: object) -> object:
            answer = plain(self, *args, **kwargs)
            lost.append(name)
            if lost.count(name) % 2:
                raise AWAY
            return answer

        monkeypatch.setattr(owner, name, call)

    lose.lost = lost
    return lose


def test_lost_answers_make_nothing_twice(project, losing, chosen):
    """Whatever is created or logged takes effect at the first call, whose answer is lost."""
    names = {
        Runs: ("create_experiment", "create_run", "create_logged_model", "log_batch", "log_inputs"),
        Registry: ("create_registered_model", "create_model_version", "set_registered_model_alias"),
    }
    for owner, methods in names.items():
        for name in methods:
            losing(owner, name)
    waiting = replace(QUICK, logging=replace(SHORT, seconds=PATIENCE))
    tracked = runs.track(results.read(project), chosen, {}, waiting)
    assert set(losing.lost) == {name for methods in names.values() for name in methods}
    check_logged_once(tracked, months=3)


def test_a_run_is_known_by_its_start_name_and_tags(project, losing):
    client = store.connect(f"sqlite:///{project}/mlflow.db", QUICK)
    experiment = store.experiment_id(client, "konkyo")
    first = client.create_run(experiment, 1_000, {"kind": "a"}, "run")
    losing(Runs, "create_run")
    second = client.create_run(experiment, 1_000, {"kind": "b"}, "run")
    third = client.create_run(experiment, 1_000, {"kind": "a"}, "another")
    identities = {run.info.run_id for run in (first, second, third)}
    assert len(identities) == 3
    assert {run.info.run_id for run in client.search_runs([experiment])} == identities


def test_data_sets_logged_again_are_not_logged_twice(project):
    """Why `log_inputs` needs no look-up: MLflow knows a data set by its name and digest."""
    client = store.connect(f"sqlite:///{project}/mlflow.db")
    run_id = client.create_run(store.experiment_id(client, "konkyo")).info.run_id
    inputs = lineage.datasets(results.read(project))
    client.log_inputs(run_id, inputs)
    client.log_inputs(run_id, inputs)
    logged = client.get_run(run_id).inputs.dataset_inputs
    assert [entry.dataset.name for entry in logged] == ["records", "panel"]
    assert [len(entry.tags) for entry in logged] == [1, 1]


def check_logged_once(tracked: runs.TrackedRun, months: int) -> None:
    client = MlflowClient(tracked.uri, tracked.uri)
    result = client.search_runs([tracked.experiment_id])
    assert {run.info.status for run in result} == {"FINISHED"}
    names = [run.info.run_name for run in result if run.info.run_id != tracked.run_id]
    assert sorted(names) == [f"2020-{month:02d}" for month in range(1, months + 1)]
    assert len(client.search_model_versions(f"name = '{tracked.model}'")) == 1
    assert len(client.search_logged_models([tracked.experiment_id])) == 1
    table = "tables/performance.json"
    assert len(client.load_table(tracked.experiment_id, table, [tracked.run_id])) == 5


@pytest.fixture
def locked(project):
    """Return what locks the project's database, as a backup does, until its result is called."""
    bases = []

    def begin() -> Callable[[], None]:
        base = sqlite3.connect(
            project / "mlflow.db", isolation_level=None, timeout=PATIENCE, check_same_thread=False
        )
        base.execute("BEGIN EXCLUSIVE")
        bases.append(base)
        return base.close

    yield begin
    for base in bases:
        base.close()


def test_a_locked_database_is_waited_for(project, quick, locked, monkeypatch, chosen, capsys):
    locks, pauses = [], []
    plain = runs._log_months

    def with_lock(*arguments: object) -> None:
        locks.append(locked())
        plain(*arguments)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            locks[0]()
        time.sleep(seconds)

    monkeypatch.setattr(runs, "_log_months", with_lock)
    waiting = replace(QUICK, logging=replace(SHORT, seconds=PATIENCE, sleep=pause))
    tracked = runs.track(results.read(project), chosen, {}, waiting)
    assert len(pauses) >= 3
    assert (
        "konkyo: the MLflow store is locked by another process: trying" in capsys.readouterr().err
    )
    check_logged_once(tracked, months=3)


def test_a_database_that_stays_locked_is_an_error(project, quick, locked):
    # SQLite's driver waits five seconds before it says so.
    locked()
    with pytest.raises(TrackingError, match=r"is locked by another process for \d+ seconds"):
        store.connect(f"sqlite:///{project}/mlflow.db", QUICK)


@pytest.mark.parametrize(
    ("key", "logged"),
    [
        ("prepare.market.topix", "prepare.market.topix"),
        ("prepare.market.日本 x", "prepare.market.日本 x"),
        ("market.$V&%^(<", "market.:24V:26:25:5E:28:3C"),
        ("market.a/../b:c", "market.a:2F..:2Fb:3Ac"),
    ],
)
def test_a_param_may_have_any_name(key, logged):
    assert client.param_key(key) == logged
    validation._validate_param(logged, "1")


def test_long_names_of_params_stay_apart():
    keys = [client.param_key("x" * 250 + end) for end in ("", "a", "b")]
    assert keys[0] == "x" * 250 and len(set(keys)) == 3
    for key in keys:
        validation._validate_param(key, "1")
