"""Which store and which experiment a run goes to."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow
from mlflow import MlflowClient
from mlflow.db import upgrade
from mlflow.exceptions import MlflowException
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from konkyo import resilience
from konkyo.artifacts import Artifacts
from konkyo.config import Track
from konkyo.config.fields import plain_login
from konkyo.errors import TrackingError, split_login
from konkyo.tracking.client import RETRIES, StoreClient, StoreRetries, retry_store

_SQLITE = "sqlite:///"
_SERVERS = ("postgresql", "mysql", "mssql")


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

    Raises
    ------
    TrackingError
        User and password of the address cannot be told from the rest.
    """
    try:
        uri = plain_login(environment.get("MLFLOW_TRACKING_URI") or track.uri)
    except ValueError as error:
        raise TrackingError(str(error)) from None
    given = environment.get("MLFLOW_RUN_ID") or None
    return Target(resolve(uri, root), track.experiment, given, Artifacts(root).run_marks)


def resolve(uri: str, root: Path) -> str:
    """Return a SQLite URI with its path absolute, any other URI as it is."""
    path = _sqlite_path(uri)
    return uri if path is None else f"{_SQLITE}{root.absolute() / path}"


def connect(uri: str, retries: StoreRetries = RETRIES) -> StoreClient:
    """Open a store, making its SQLite database first where there is none.

    A server's user and password go from the address to the environment, where MLflow looks for
    them too: it prints addresses.

    Parameters
    ----------
    uri : str
        The store.
    retries : StoreRetries
        How long it is waited for.

    Returns
    -------
    StoreClient
        Which waits for a store that is busy or away, and makes nothing twice.

    Raises
    ------
    TrackingError
        The store does not answer.
    """
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Each try of a busy database would show a traceback; `retry_store` says it once.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    # MLflow's own tries again are silent, and make a run twice if it is the answer that was lost.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    # What a server keeps in an object store comes through it, not past it: the store may be out of
    # this machine's reach.
    os.environ.setdefault("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "false")
    os.environ.setdefault("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "false")
    path = _sqlite_path(uri)
    uri = _login_to_environment(uri)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)

    def opened() -> StoreClient:
        if path is not None:
            _make(path)
        if urlsplit(uri).scheme.split("+")[0] in _SERVERS:
            # MLflow would try for two hours to reach one that is not there.
            create_engine(uri, poolclass=NullPool).connect().close()
        client = StoreClient(uri, retries)
        client.search_experiments(max_results=1)
        return client

    try:
        return retry_store(opened, retries.connecting, retries.conflicts)
    except (MlflowException, SQLAlchemyError, ImportError) as error:
        raise TrackingError(
            f"the MLflow store cannot be opened: {str(error).splitlines()[0]}; "
            "set track.uri in params.yaml, or MLFLOW_TRACKING_URI, to a store that can"
        ) from None


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
        try:
            return client.create_experiment(name, artifact_location=location)
        except MlflowException as error:
            # Someone else made it meanwhile, or this client did and the answer was lost.
            found = client.get_experiment_by_name(name)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
                raise
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"the experiment {name!r} is deleted in the MLflow store: restore it with `mlflow "
            f"experiments restore -x {found.experiment_id}`, or set another track.experiment"
        )
    return found.experiment_id


def _make(path: Path) -> None:
    """Make a SQLite database with MLflow's tables where there is none.

    It is made aside: MLflow cannot go on with one whose making was killed, and two processes that
    make one together break it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    resilience.remove_stale_temp(path.parent, deep=False)
    if path.exists():
        return
    with resilience.temporary_folder(path.parent) as folder:
        made = folder / path.name
        upgrade.main([f"{_SQLITE}{made}"], standalone_mode=False)
        try:
            os.link(made, path)
        except FileExistsError:
            return
        except OSError:
            # A disk without links.
            made.replace(path)


def _login_to_environment(uri: str) -> str:
    """Return a server's address without its login, which MLflow finds in the environment."""
    login, address = split_login(uri)
    if not login or urlsplit(uri).scheme not in ("http", "https"):
        return uri
    user, _, password = login.partition(":")
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(user)
    os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(password)
    return address


def _sqlite_path(uri: str) -> Path | None:
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None
