"""Open runs have a mark in the project's folder, so that those of a killed process are ended.

MLflow does not notice that a process died: its runs would be RUNNING for ever. A mark is a file
that the process locks, and the kernel takes the lock away however the process dies.
"""

import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus, Run
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from konkyo.resilience import locked

PROCESS = "process"
"""The tag of a parent run that names its process, and its mark."""


@contextmanager
def run_marker(client: MlflowClient, marks: Path, experiment: str) -> Iterator[str]:
    """Keep a mark while a run is open; yield what its tag `process` has to be.

    Parameters
    ----------
    client : MlflowClient
        Of the store.
    marks : Path
        Folder of the marks, made if it is missing.
    experiment : str
        Id of the experiment that has the run.
    """
    marks.mkdir(parents=True, exist_ok=True)
    process = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    mark = marks / process
    with locked(mark):
        of = {"store": _address(client), "experiment": experiment}
        mark.write_text(json.dumps(of), encoding="ascii")
        yield process
        # After an error it stays: the next run sees that this one was ended indeed.
        mark.unlink(missing_ok=True)


def end_stale_runs(client: MlflowClient, marks: Path) -> list[str]:
    """End the runs that killed processes left open in this store, as KILLED; return their ids.

    Those of other stores wait until one of theirs is opened again.
    """
    ended = []
    for mark in sorted(marks.glob("*")):
        # Of a living process; one that another sweep has just removed is made anew, and empty.
        with suppress(BlockingIOError), locked(mark, blocking=False):
            try:
                of = json.loads(mark.read_text(encoding="ascii"))
            except json.JSONDecodeError:
                # Killed before there was a run.
                of = {"store": _address(client)}
            if of["store"] != _address(client):
                continue
            if "experiment" in of:
                asked = f"tags.{PROCESS} = '{mark.name}' and attributes.status = 'RUNNING'"
                for run in client.search_runs([of["experiment"]], asked):
                    end(client, run.info.experiment_id, run.info.run_id, "KILLED")
                    ended.append(run.info.run_id)
            mark.unlink(missing_ok=True)
    return ended


def end(client: MlflowClient, experiment: str, run_id: str, status: str) -> None:
    """End a run that will not be whole, and with it all its children and the models that are open.

    Its children that had ended well take its status too: the next run has them again, and a month
    is FINISHED once.
    """
    for child in every(client, experiment, f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run_id}'"):
        if child.info.status != status:
            client.set_terminated(child.info.run_id, status, child.info.end_time)
    for model in client.search_logged_models([experiment], f"source_run_id = '{run_id}'"):
        if model.status == LoggedModelStatus.PENDING:
            client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
    client.set_terminated(run_id, status)


def every(client: MlflowClient, experiment: str, asked: str) -> list[Run]:
    """Return the runs that a filter finds, page after page."""
    found: list[Run] = []
    token: str | None = None
    while True:
        page = client.search_runs([experiment], asked, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _address(client: MlflowClient) -> str:
    """Return the store's address; the part that may hold a password is no part of a mark."""
    return client.tracking_uri.rsplit("@", 1)[-1]
