"""Which store and which experiment a run goes to."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from konkyo.errors import TrackingError
from konkyo.params import Track

MARKS = Path("data/.runs")
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Target:
    """Where a run goes.

    Attributes
    ----------
    uri : str
        The store.
    experiment : str
        Name of the experiment for a run that is to be made.
    run_id : str or None
        The run to fill, made by `mlflow run`; None makes one.
    marks : Path
        Folder of the marks of open runs.
    """

    uri: str
    experiment: str
    run_id: str | None
    marks: Path


def target(track: Track, root: Path, environment: Mapping[str, str]) -> Target:
    """Decide where a run goes: what `mlflow run` passes in the environment, else params.yaml.

    Parameters
    ----------
    track : Track
        The track section of params.yaml.
    root : pathlib.Path
        The project's folder, to which a relative SQLite path belongs.
    environment : mapping of str to str
        MLFLOW_TRACKING_URI and MLFLOW_RUN_ID are looked at.

    Returns
    -------
    Target
        An empty variable counts as absent.
    """
    uri = environment.get("MLFLOW_TRACKING_URI") or track.uri
    given = environment.get("MLFLOW_RUN_ID") or None
    return Target(resolve(uri, root), track.experiment, given, root / MARKS)


def resolve(uri: str, root: Path) -> str:
    """Return a SQLite URI with its path absolute, any other URI as it is."""
    path = _sqlite_path(uri)
    return uri if path is None else f"{_SQLITE}{root.absolute() / path}"


def connect(uri: str) -> MlflowClient:
    """Open a store, making its SQLite database first where there is none.

    Two processes that make one database together break it, so this comes before anything else.

    Raises
    ------
    TrackingError
        The store does not answer.
    """
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    path = _sqlite_path(uri)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        client = MlflowClient(uri, uri)
        client.search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError) as error:
        raise TrackingError(
            f"the MLflow store cannot be opened: {str(error).splitlines()[0]}; "
            "set track.uri in params.yaml, or MLFLOW_TRACKING_URI, to a store that can"
        ) from None
    return client


def experiment_id(client: MlflowClient, name: str) -> str:
    """Return the id of an experiment, made where there is none.

    Artifacts of a SQLite store go to the plain folder `mlartifacts` beside the database; any other
    store has its own place for them.

    Raises
    ------
    TrackingError
        The experiment was deleted.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        path = _sqlite_path(client.tracking_uri)
        location = None if path is None else str(path.parent / "mlartifacts")
        return client.create_experiment(name, artifact_location=location)
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"the experiment {name!r} is deleted in the MLflow store: restore it with `mlflow "
            f"experiments restore -x {found.experiment_id}`, or set another track.experiment"
        )
    return found.experiment_id


def _sqlite_path(uri: str) -> Path | None:
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None
