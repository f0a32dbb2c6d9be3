"""Runs of killed commands are ended; those of other projects and of other users are left alone."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from mlflow.entities import LoggedModelStatus

from konkyo.tracking import open_runs, store

WRITER = """
import sys, time
from pathlib import Path
from konkyo.tracking import open_runs, store
target = store.Target(sys.argv[1], sys.argv[2], None, Path(sys.argv[3]))
client = open_runs.connect(target)
with open_runs.open_run(client, target, "killed") as run:
    print(run.run_id, flush=True)
    time.sleep(1000)
"""


@pytest.fixture
def target(project):
    return store.Target(f"sqlite:///{project}/mlflow.db", "konkyo", None, project)


@pytest.fixture
def client(target):
    return store.connect(target.uri)


def killed_run(target, experiment="konkyo"):
    """Return the parent run of a command that was killed while it logged."""
    command = [sys.executable, "-c", WRITER, target.uri, experiment, str(target.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    run_id = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return run_id


@pytest.fixture
def family(client, target):
    """Return a killed parent run, a child of it, a finished child, and an unfinished model."""
    parent = killed_run(target)
    experiment = store.experiment_id(client, "konkyo")
    child, finished = (
        client.create_run(experiment, tags={"mlflow.parentRunId": parent}).info.run_id
        for _ in range(2)
    )
    client.set_terminated(finished, "FINISHED")
    model = client.create_logged_model(experiment, name="ranker", source_run_id=parent).model_id
    return (parent, child, finished), model


def statuses(client, run_ids):
    return [client.get_run(run_id).info.status for run_id in run_ids]


@pytest.mark.slow
def test_runs_of_a_killed_command_are_ended_once(client, target, family):
    run_ids, model = family
    stranger = client.create_run(client.get_run(run_ids[0]).info.experiment_id).info.run_id
    assert statuses(client, run_ids) == ["RUNNING", "RUNNING", "FINISHED"]
    assert open_runs.end_stale_runs(client, target) == [run_ids[0]]
    # The finished child too: the next run logs its month again.
    assert statuses(client, run_ids) == ["KILLED", "KILLED", "KILLED"]
    assert client.get_logged_model(model).status == LoggedModelStatus.FAILED
    assert statuses(client, [stranger]) == ["RUNNING"]
    assert open_runs.end_stale_runs(client, target) == []


@pytest.mark.slow
def test_the_next_command_ends_all_open_runs(client, target):
    run_ids = killed_run(target), killed_run(target, "another")
    # The second process ended the run of the first.
    assert statuses(client, run_ids) == ["KILLED", "RUNNING"]
    open_runs.connect(target)
    assert statuses(client, run_ids) == ["KILLED", "KILLED"]


def test_a_run_ends_with_its_block(client, target):
    with open_runs.open_run(client, target, "next") as run:
        tags = client.get_run(run.run_id).data.tags
        assert tags[open_runs.PROJECT] == open_runs.project_id(target.root)
        assert statuses(client, [run.run_id]) == ["RUNNING"]
    assert statuses(client, [run.run_id]) == ["FINISHED"]


@pytest.mark.slow
def test_a_finished_child_keeps_its_end_time(client, target, family):
    (_, _, finished), _ = family
    before = client.get_run(finished).info.end_time
    open_runs.end_stale_runs(client, target)
    assert client.get_run(finished).info.end_time == before


@pytest.mark.slow
def test_runs_of_a_copied_folder_are_not_its_own(client, target, tmp_path_factory):
    """The file of the id is copied with the folder: the copy must not end the original's runs."""
    run_id = killed_run(target)
    copy = tmp_path_factory.mktemp("copies") / "copy"
    shutil.copytree(target.root, copy)
    assert open_runs.project_id(copy) != open_runs.project_id(target.root)
    assert open_runs.end_stale_runs(client, replace(target, root=copy)) == []
    assert statuses(client, [run_id]) == ["RUNNING"]


def test_a_moved_folder_keeps_its_id(target, tmp_path_factory):
    before = open_runs.project_id(target.root)
    assert open_runs.project_id(target.root) == before
    moved = target.root.rename(tmp_path_factory.mktemp("moved") / "project")
    assert open_runs.project_id(moved) == before


def test_all_pages_of_a_search(client):
    experiment = store.experiment_id(client, "konkyo")
    created = {client.create_run(experiment).info.run_id for _ in range(5)}
    pages = []

    def search(page_token):
        pages.append(client.search_runs([experiment], max_results=2, page_token=page_token))
        return pages[-1]

    assert {run.info.run_id for run in open_runs.all_pages(search)} == created
    assert len(pages) == 3
