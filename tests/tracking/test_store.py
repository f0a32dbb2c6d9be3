"""Which store, which experiment."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from konkyo.errors import TrackingError
from konkyo.tracking import store

ROOT = Path("/project")
KILLED = """
import os, signal, sys
from itertools import count
from sqlalchemy import Engine, event
from konkyo.tracking import store
number = count()
@event.listens_for(Engine, "before_cursor_execute")
def kill(*_):
    if next(number) == 300:
        os.kill(os.getpid(), signal.SIGKILL)
store.connect(sys.argv[1])
"""
"""MLflow's tables take more than a thousand statements."""


@pytest.mark.parametrize(
    ("uri", "resolved"),
    [
        ("sqlite:///mlflow.db", "sqlite:////project/mlflow.db"),
        ("sqlite:///a/b.db", "sqlite:////project/a/b.db"),
        ("sqlite:////elsewhere/b.db", "sqlite:////elsewhere/b.db"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("postgresql://host/base", "postgresql://host/base"),
        ("sqlite:///my%20runs.db", "sqlite:////project/my runs.db"),
        ("sqlite:///50%25.db", "sqlite+pysqlite:////project/50%25.db"),
    ],
)
def test_a_relative_database_belongs_to_the_project(uri, resolved):
    assert store.resolve(uri, ROOT) == resolved


@pytest.mark.parametrize("name", ["feature%2Flrp", "100%25", "a b#c", "日本", "what?x=1&y"])
def test_artifacts_stay_in_a_project_of_any_name(tmp_path, empty_store, name):
    root = tmp_path / name
    root.mkdir()
    shutil.copy(empty_store, root / "mlflow.db")
    client = store.connect(store.resolve("sqlite:///mlflow.db", root))
    run = client.create_run(store.experiment_id(client, "a")).info.run_id
    (tmp_path / "a.txt").write_text("a")
    client.log_artifact(run, str(tmp_path / "a.txt"))
    assert [artifact.path for artifact in client.list_artifacts(run)] == ["a.txt"]
    assert [path.relative_to(root).parts[0] for path in root.rglob("a.txt")] == ["mlartifacts"]
    assert {path.name for path in tmp_path.iterdir()} == {name, "a.txt"}


def test_a_database_of_any_name_is_created(tmp_path):
    store._create_database(tmp_path / "50%25?#日本.db")
    store.connect(store.resolve("sqlite:///50%2525%3F%23日本.db", tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["50%25?#日本.db"]


def test_params_say_where_a_run_goes(chosen):
    assert store.target(chosen.track, ROOT, {"MLFLOW_RUN_ID": ""}) == store.Target(
        "sqlite:////project/mlflow.db", "konkyo", None, ROOT
    )


def test_the_environment_goes_before_params(chosen):
    environment = {"MLFLOW_RUN_ID": "abc", "MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"}
    assert store.target(chosen.track, ROOT, environment) == store.Target(
        "http://127.0.0.1:5000", "konkyo", "abc", ROOT
    )


def test_an_experiment_is_created_once(project):
    client = store.connect(f"sqlite:///{project}/mlflow.db")
    made = store.experiment_id(client, "a/b")
    assert client.get_experiment(made).artifact_location == str(project / "mlartifacts")
    assert store.experiment_id(client, "a/b") == made


def test_a_deleted_experiment(project):
    client = store.connect(f"sqlite:///{project}/mlflow.db")
    made = store.experiment_id(client, "gone")
    client.delete_experiment(made)
    with pytest.raises(TrackingError, match=f"mlflow experiments restore -x {made}"):
        store.experiment_id(client, "gone")


def test_a_store_that_does_not_open(project):
    (project / "broken.db").write_bytes(b"no database, only text of some length" * 50)
    with pytest.raises(TrackingError, match=r"set track\.uri"):
        store.connect(f"sqlite:///{project}/broken.db")


def test_a_new_database_gets_its_folder_and_its_tables(project, empty_store):
    assert empty_store.parent.name == "new"
    client = store.connect(f"sqlite:///{project}/mlflow.db")
    assert [experiment.name for experiment in client.search_experiments()] == ["Default"]


@pytest.mark.slow
def test_a_killed_creation_of_the_database(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    killed = subprocess.run([sys.executable, "-c", KILLED, uri], check=False)
    assert killed.returncode == -9
    assert not (tmp_path / "mlflow.db").exists()
    assert any(path.suffix == ".db" and path.stat().st_size > 0 for path in tmp_path.iterdir())
    client = store.connect(uri)
    assert [experiment.name for experiment in client.search_experiments()] == ["Default"]
    assert list(tmp_path.iterdir()) == [tmp_path / "mlflow.db"]


CREATE = """
import sys
from konkyo.tracking import store
sys.stdin.readline()
client = store.connect(sys.argv[1])
store.experiment_id(client, sys.argv[2])
"""


@pytest.mark.slow
def test_a_database_that_two_processes_create_together(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    names = ["one", "two"]
    processes = [
        subprocess.Popen([sys.executable, "-c", CREATE, uri, name], stdin=subprocess.PIPE)
        for name in names
    ]
    for process in processes:
        process.stdin.write(b"\n")
        process.stdin.flush()
    assert [process.wait() for process in processes] == [0, 0]
    experiments = store.connect(uri).search_experiments()
    assert sorted(experiment.name for experiment in experiments) == ["Default", *names]
    assert sorted(tmp_path.iterdir()) == [tmp_path / "mlflow.db"]
