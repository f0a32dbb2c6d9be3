"""Runs of killed processes are ended; those of living ones and of other stores are left alone."""

import json
import signal
import subprocess
import sys

import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus

from konkyo.tracking import open_runs, runs, store

WRITER = """
import sys, time
from pathlib import Path
from konkyo.tracking import open_runs
class Client:
    tracking_uri = sys.argv[1]
with open_runs.run_marker(Client, Path(sys.argv[2]), sys.argv[3]) as process:
    print(process, flush=True)
    time.sleep(100)
"""


@pytest.fixture
def client(project):
    return store.connect(f"sqlite:///{project}/mlflow.db")


@pytest.fixture
def marks(project):
    return project / "data/.runs"


@pytest.fixture
def left(client, marks):
    """Return a process that has a run open, its run, the run's child and its unfinished model."""
    experiment = store.experiment_id(client, "konkyo")
    command = [sys.executable, "-c", WRITER, client.tracking_uri, str(marks), experiment]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    tags = {open_runs.PROCESS: process.stdout.readline().strip()}
    parent = client.create_run(experiment, tags=tags).info.run_id
    child = client.create_run(experiment, tags={"mlflow.parentRunId": parent}).info.run_id
    done = client.create_run(experiment, tags={"mlflow.parentRunId": parent}).info.run_id
    client.set_terminated(done, "FINISHED")
    model = client.create_logged_model(experiment, name="ranker", source_run_id=parent).model_id
    yield process, (parent, child, done), model
    process.kill()
    process.wait()


def statuses(client, of):
    return [client.get_run(run).info.status for run in of]


def test_runs_of_a_killed_process_are_ended_once(client, marks, left):
    process, of, model = left
    stranger = client.create_run(client.get_run(of[0]).info.experiment_id).info.run_id
    assert open_runs.end_stale_runs(client, marks) == []
    assert statuses(client, of) == ["RUNNING", "RUNNING", "FINISHED"]
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert open_runs.end_stale_runs(client, marks) == [of[0]]
    # The child that had ended well too: the next run has its month again.
    assert statuses(client, of) == ["KILLED", "KILLED", "KILLED"]
    assert client.get_logged_model(model).status == LoggedModelStatus.FAILED
    assert statuses(client, [stranger]) == ["RUNNING"]
    assert list(marks.iterdir()) == [] and open_runs.end_stale_runs(client, marks) == []


def test_the_next_run_ends_those_of_a_killed_process(client, marks, left, project):
    process, of, _ = left
    process.kill()
    process.wait()
    where = store.Target(client.tracking_uri, "konkyo", None, marks)
    with runs.parent(client, where, "next") as (run_id, _):
        assert statuses(client, (*of, run_id)) == ["KILLED", "KILLED", "KILLED", "RUNNING"]
        (mark,) = marks.iterdir()
        assert client.get_run(run_id).data.tags[open_runs.PROCESS] == mark.name
    assert statuses(client, [run_id]) == ["FINISHED"]
    assert list(marks.iterdir()) == []


def test_a_child_that_had_ended_keeps_its_time(client, marks, left):
    process, of, _ = left
    before = client.get_run(of[2]).info.end_time
    process.kill()
    process.wait()
    open_runs.end_stale_runs(client, marks)
    assert client.get_run(of[2]).info.end_time == before


def test_runs_are_found_page_after_page(client):
    experiment = store.experiment_id(client, "konkyo")
    made = {client.create_run(experiment).info.run_id for _ in range(5)}
    whole = client.search_runs
    pages = []

    class Client:
        def search_runs(self, *asked, **named):
            pages.append(whole(*asked, max_results=2, **named))
            return pages[-1]

    assert {run.info.run_id for run in open_runs.every(Client(), experiment, "")} == made
    assert len(pages) == 3


def test_marks_of_another_store_wait(client, marks, left, tmp_path):
    process, of, _ = left
    process.kill()
    process.wait()
    other = store.connect(f"sqlite:///{tmp_path}/other.db")
    assert open_runs.end_stale_runs(other, marks) == [] and len(list(marks.iterdir())) == 1
    assert open_runs.end_stale_runs(client, marks) == [of[0]]


def test_a_mark_of_a_process_that_died_before_its_run_goes(client, marks):
    marks.mkdir(parents=True)
    (marks / "a").write_text("")
    (marks / "b").write_text(json.dumps({"store": client.tracking_uri, "experiment": "0"}))
    assert open_runs.end_stale_runs(client, marks) == [] and list(marks.iterdir()) == []


def test_a_mark_has_no_password(marks):
    client = MlflowClient("http://user:secret@127.0.0.1:9")
    with open_runs.run_marker(client, marks, "1") as process:
        assert "secret" not in (marks / process).read_text()
