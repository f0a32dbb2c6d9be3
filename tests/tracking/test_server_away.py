"""A real tracking server that is killed while a run is logged, and comes back."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from konkyo import config
from konkyo.errors import TrackingError
from konkyo.tracking import results, runs
from konkyo.tracking.client import RETRIES, StoreRetries
from processes import answers, free_port, until

pytestmark = [pytest.mark.slow, pytest.mark.server]


class Server:
    """An MLflow server on a port of its own that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        command += ["--artifacts-destination", str(self.folder / "served")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def wait(self) -> None:
        until(lambda: answers(f"{self.uri}/health"), (self.folder / "server.log").read_text)

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


def waiting(seconds: float) -> StoreRetries:
    """Return retries for so many seconds, with pauses that suit a server away for seconds."""
    policy = replace(RETRIES.logging, seconds=seconds, longest=1.0)
    # A busy machine takes long to start a server.
    return replace(RETRIES, connecting=replace(policy, seconds=120.0), logging=policy)


@pytest.fixture
def server(project):
    made = Server(project)
    made.start()
    made.wait()
    yield made
    made.kill()


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.long)])
def test_a_server_that_comes_back_has_everything_once(
    kills: int, server: Server, chosen: config.Params, capsys
):
    environment = {"MLFLOW_TRACKING_URI": server.uri}
    random = np.random.default_rng(1)
    stop = threading.Event()
    killed = []

    # A server that is killed again and again is up for longer than the longest pause of a client,
    # one second, or no client would ever find it; a busy machine takes a minute to start one.
    longest = 1.5 if kills == 1 else 4.0
    retries = waiting(120.0 * kills)

    def trouble() -> None:
        while len(killed) < kills and not stop.wait(random.uniform(0.3, longest)):
            server.kill()
            killed.append(time.monotonic())
            time.sleep(random.uniform(0.2, 2.0))
            server.start()
            server.wait()

    thread = threading.Thread(target=trouble)
    thread.start()
    tracked = []
    try:
        while len(killed) < kills or not tracked:
            # The same results would be logged once.
            rows = replace(chosen, train=replace(chosen.train, seed=len(tracked)))
            tracked.append(runs.track(results.read(server.folder), rows, environment, retries))
    finally:
        stop.set()
        thread.join()
    assert "konkyo: the MLflow store does not answer: trying again for" in capsys.readouterr().err
    client = MlflowClient(server.uri, server.uri)
    result = client.search_runs([tracked[0].experiment_id], max_results=1000)
    assert {run.info.status for run in result} == {"FINISHED"}
    assert len(result) == 4 * len(tracked)
    assert len(client.search_model_versions(f"name = '{chosen.track.model}'")) == len(tracked)
    assert len(client.search_logged_models([tracked[0].experiment_id])) == len(tracked)
    for one in tracked:
        names = [artifact.path for artifact in client.list_artifacts(one.run_id, "tables")]
        assert "tables/performance.json" in names
        children = [r for r in result if r.data.tags.get("mlflow.parentRunId") == one.run_id]
        assert sorted(run.info.run_name for run in children) == ["2020-01", "2020-02", "2020-03"]
        for child in children:
            remaining = [
                client.list_artifacts(child.info.run_id, part)
                for part in ("attributions", "weights")
            ]
            assert [len(part) for part in remaining] == [1, 1]


def test_a_server_that_stays_away(server: Server, chosen: config.Params, monkeypatch):
    environment = {"MLFLOW_TRACKING_URI": server.uri}
    plain = runs._log_months

    def kill(*arguments: object) -> None:
        server.kill()
        plain(*arguments)

    monkeypatch.setattr(runs, "_log_months", kill)
    result = results.read(server.folder)
    with pytest.raises(TrackingError, match=r"does not answer for \d+ seconds") as given_up:
        runs.track(result, chosen, environment, waiting(1.0))
    (note,) = given_up.value.__notes__
    assert "could not be marked FAILED" in note
    monkeypatch.setattr(runs, "_log_months", plain)
    server.start()
    server.wait()
    tracked = runs.track(result, chosen, environment, waiting(60.0))
    client = MlflowClient(server.uri, server.uri)
    whole = client.search_runs([tracked.experiment_id], "attributes.status = 'FINISHED'")
    assert len(whole) == 4
    assert tracked.model_version == 1
