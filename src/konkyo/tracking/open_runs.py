"""The parent run of a command: opened, closed, and ended by the next command after a kill.

MLflow does not notice that a process died: its runs would stay RUNNING for ever. Every parent run
has the id of its project as a tag, and the commands of a project that log hold its lock, so that
one at a time does. A run of this project that is RUNNING when a command begins to log is therefore
of a killed one. A search, which takes an hour, has a lock and a tag of its own.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.store.entities import PagedList
from mlflow.tracking.context.registry import resolve_tags
from mlflow.utils.mlflow_tags import (
    MLFLOW_PARENT_RUN_ID,
    MLFLOW_RUN_NOTE,
    MLFLOW_SOURCE_NAME,
    MLFLOW_SOURCE_TYPE,
)

from konkyo import io
from konkyo.artifacts import Artifacts
from konkyo.errors import TrackingError, redact
from konkyo.tracking import store
from konkyo.tracking.client import RETRIES, StoreClient, StoreRetries

_DEFAULT_EXPERIMENT = "0"
"""The experiment that every store of MLflow has."""
PROJECT = "project"
"""Tag of a parent run: the id of the project folder that logs it."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class OpenRun:
    """A parent run that is being filled, and the id of its experiment."""

    run_id: str
    experiment_id: str


@dataclass(frozen=True)
class LoggedRun:
    """A finished parent run, its experiment by id and name, and the store without a password."""

    run_id: str
    experiment_id: str
    experiment: str
    uri: str


def project_id(root: Path) -> str:
    """Return the id of a project folder, created at its first use.

    A token alone would be the same in a copy of the folder, whose commands would then end the runs
    of the original while they are logged; a copy of the file has another inode. The folder's path
    would do for neither: containers of different projects share it.
    """
    path = Artifacts(root).project_id
    if not path.is_file():
        with io.atomic_write(path) as temporary:
            temporary.write_text(secrets.token_hex(8), encoding="ascii")
    return f"{path.read_text(encoding='ascii')}-{path.stat().st_ino:x}"


def connect(target: store.Target, retries: StoreRetries = RETRIES) -> StoreClient:
    """Connect to a store, and end the runs that killed commands of this project left there.

    Parameters
    ----------
    target : Target
        The store, and the project's folder, whose lock the caller holds.
    retries : StoreRetries
        How long the store is waited for.

    Raises
    ------
    TrackingError
        The store does not answer.
    """
    client = store.connect(target.uri, retries)
    end_stale_runs(client, target)
    return client


def owner(target: store.Target) -> str:
    """Return the tag by which the runs of a project, or of one of its searches, are recognised."""
    return f"{project_id(target.root)}{target.scope and f'-{target.scope}'}"


def end_stale_runs(client: StoreClient, target: store.Target) -> list[str]:
    """End the RUNNING parent runs of a project as KILLED, in all experiments; return their ids."""
    experiments = [item.experiment_id for item in all_pages(client.search_experiments)]
    query = f"tags.{PROJECT} = '{owner(target)}' and attributes.status = 'RUNNING'"
    stale = all_pages(partial(client.search_runs, experiments, query))
    for run in stale:
        end_run(client, OpenRun(run.info.run_id, run.info.experiment_id), "KILLED")
    return [run.info.run_id for run in stale]


@contextmanager
def open_run(client: StoreClient, target: store.Target, name: str) -> Iterator[OpenRun]:
    """Open the parent run; whatever happens in the block, it and its children do not stay RUNNING.

    Parameters
    ----------
    client : StoreClient
        From `connect`.
    target : Target
        The experiment of a new run, or the run of `mlflow run` to fill, which keeps its name. A run
        that `mlflow run` made in MLflow's default experiment, where it puts them unless it is told
        another, only gets a link to a new one in the experiment of the target.
    name : str
        Name of a new run.

    Raises
    ------
    TrackingError
        The experiment is deleted, or the run to fill is missing, deleted or filled.
    """
    tags = {PROJECT: owner(target)}
    asked = None if target.run_id is None else _experiment_of_empty_run(client, target.run_id)
    if target.run_id is None or asked is None or asked == _DEFAULT_EXPERIMENT:
        experiment = store.experiment_id(client, target.experiment)
        created = client.create_run(experiment, tags=origin_tags() | tags, run_name=name)
        run = OpenRun(created.info.run_id, experiment)
    else:
        run = OpenRun(target.run_id, asked)
        client.log(run.run_id, tags=tags)
    if target.run_id not in (None, run.run_id):
        link = f"[{run.run_id}](#/experiments/{run.experiment_id}/runs/{run.run_id})"
        note = f"The results are in the run {link} of the experiment {target.experiment}."
        client.log(target.run_id, tags={"kind": "link", MLFLOW_RUN_NOTE: note})
    try:
        yield run
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        try:
            # Without retries: if the store is away, the next command ends the run.
            end_run(MlflowClient(client.tracking_uri, client.tracking_uri), run, status)
        except Exception as second:
            # The first error is the one that the user has to act upon.
            error.add_note(f"run {run.run_id} could not be marked {status}: {second}")
        raise
    client.set_terminated(run.run_id, "FINISHED")


def logged_run(client: MlflowClient, run: OpenRun) -> LoggedRun:
    """Return where a run was logged."""
    return LoggedRun(
        run_id=run.run_id,
        experiment_id=run.experiment_id,
        experiment=client.get_experiment(run.experiment_id).name,
        uri=redact(client.tracking_uri),
    )


def end_run(client: MlflowClient, run: OpenRun, status: str) -> None:
    """End an incomplete run, its children and its unfinished models.

    Children that had finished take the status too: the next run logs their months again, and a
    month is FINISHED once.
    """
    for child in children(client, run):
        if child.info.status != status:
            client.set_terminated(child.info.run_id, status, child.info.end_time)
    models = client.search_logged_models([run.experiment_id], f"source_run_id = '{run.run_id}'")
    for model in models:
        if model.status == LoggedModelStatus.PENDING:
            client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
    client.set_terminated(run.run_id, status)


def children(client: MlflowClient, run: OpenRun) -> list[Run]:
    """Return the child runs of a parent run."""
    query = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run.run_id}'"
    return all_pages(partial(client.search_runs, [run.experiment_id], query))


def all_pages(search: Callable[..., PagedList[Item]]) -> list[Item]:
    """Return the results of all pages of a search; `search` takes the keyword `page_token`."""
    results: list[Item] = []
    token: str | None = None
    while True:
        page = search(page_token=token)
        results += page
        token = page.token
        if not token:
            return results


def origin_tags() -> dict[str, str]:
    """Return user and program of a run, as the tags of MLflow's own fluent interface."""
    names = {MLFLOW_SOURCE_NAME: "konkyo.pipeline.track", MLFLOW_SOURCE_TYPE: "LOCAL"}
    return resolve_tags(names)


def require_fillable(target: store.Target) -> None:
    """See that the run of `mlflow run`, if there is one, can be filled, before it is computed for.

    Raises
    ------
    TrackingError
        The run is not in the store, as where MLFLOW_TRACKING_URI is relative and the project is not
        in the folder of `mlflow run`; or it has results.
    """
    if target.run_id is None:
        return
    if not store.exists(target.uri):
        raise TrackingError(
            f"there is no store {target.uri}: `mlflow run` of an address or of another folder "
            "needs one that is not relative, such as "
            "MLFLOW_TRACKING_URI=sqlite:////home/me/mlflow.db or http://127.0.0.1:5000"
        )
    _experiment_of_empty_run(store.connect(target.uri), target.run_id)


def _experiment_of_empty_run(client: MlflowClient, run_id: str) -> str:
    """Return the experiment of the run that the environment names, if the run can be filled."""
    try:
        run = client.get_run(run_id)
    except MlflowException:
        raise TrackingError(
            f"MLFLOW_RUN_ID = {run_id} is not in the store {client.tracking_uri}: unset it to "
            "create a new run, or set MLFLOW_TRACKING_URI to the store that has it"
        ) from None
    if "kind" in run.data.tags or run.info.lifecycle_stage != "active":
        raise TrackingError(
            f"MLFLOW_RUN_ID = {run_id} already holds results or is deleted: unset it to create a "
            "new run"
        )
    return run.info.experiment_id
