"""Which MLflow store and which experiment a run goes to, and connecting to the store."""

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import mlflow
from mlflow import MlflowClient
from mlflow.db import upgrade
from mlflow.exceptions import MlflowException
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from konkyo import io, resilience
from konkyo.artifacts import owning_project
from konkyo.config import Track
from konkyo.config.fields import plain_login
from konkyo.errors import TrackingError, split_login
from konkyo.tracking.client import RETRIES, StoreClient, StoreRetries, retry_store

_SERVERS = ("postgresql", "mysql", "mssql")


@dataclass(frozen=True)
class Target:
    """Store and experiment of a run.

    Attributes
    ----------
    uri : str
        The store.
    experiment : str
        Name of the experiment of a new run.
    run_id : str or None
        The run to fill, created by `mlflow run`; None for a new run.
    root : Path
        The project's folder.
    scope : str
        Which lock the command holds, if it is not that of the results; see `open_runs`.
    """

    uri: str
    experiment: str
    run_id: str | None
    root: Path
    scope: str = ""


def target(track: Track, root: Path, environment: Mapping[str, str]) -> Target:
    """Return where a run goes: by the environment that `mlflow run` sets, else by params.yaml.

    Parameters
    ----------
    track : Track
        The track section of params.yaml.
    root : pathlib.Path
        The project's folder, to which a relative SQLite path belongs; of an experiment of DVC in a
        temporary folder that of its owner, since the temporary one is deleted.
    environment : mapping of str to str
        MLFLOW_TRACKING_URI and MLFLOW_RUN_ID are used; an empty variable counts as absent.

    Raises
    ------
    TrackingError
        The login of the address cannot be separated from the host: it needs percent-encoding.
    """
    try:
        uri = plain_login(environment.get("MLFLOW_TRACKING_URI") or track.uri)
    except ValueError as error:
        raise TrackingError(str(error)) from None
    return Target(
        uri=resolve(uri, owning_project(root)),
        experiment=track.experiment,
        run_id=environment.get("MLFLOW_RUN_ID") or None,
        root=root,
    )


def resolve(uri: str, root: Path) -> str:
    """Return a SQLite URI with an absolute path, any other URI unchanged."""
    path = _sqlite_path(uri)
    return uri if path is None else _sqlite_uri(root.absolute() / path)


def exists(uri: str) -> bool:
    """Return whether a SQLite store is there; of a store of another kind the call will tell."""
    path = _sqlite_path(uri)
    return path is None or path.is_file()


def connect(uri: str, retries: StoreRetries = RETRIES) -> StoreClient:
    """Connect to a store; a SQLite database that does not exist is created.

    A server's user and password move from the address to the environment, where MLflow looks for
    them too: it prints addresses.

    Parameters
    ----------
    uri : str
        The store.
    retries : StoreRetries
        How long it is waited for, now and by the client that is returned.

    Raises
    ------
    TrackingError
        The store does not answer.
    """
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # MLflow logs a traceback at each attempt at a busy database; `retry_store` reports it once.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    # MLflow's own retries are silent, and create a run twice if the answer was lost.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    # Artifacts in the server's object store go through the server: this machine may have no access
    # to the object store.
    os.environ.setdefault("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "false")
    os.environ.setdefault("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "false")
    path = _sqlite_path(uri)
    uri = _login_to_environment(uri)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)

    def first_call() -> StoreClient:
        if path is not None:
            _create_database(path)
        if urlsplit(uri).scheme.split("+")[0] in _SERVERS:
            # MLflow would try for two hours to reach a database server that does not exist.
            create_engine(uri, poolclass=NullPool).connect().close()
        client = StoreClient(uri, retries)
        # Not the client's own method, whose retries are those of logging.
        MlflowClient.search_experiments(client, max_results=1)
        return client

    try:
        return retry_store(first_call, retries.connecting)
    except (MlflowException, SQLAlchemyError, ImportError) as error:
        raise TrackingError(
            f"the MLflow store cannot be opened: {str(error).splitlines()[0]}; "
            "set track.uri in params.yaml, or MLFLOW_TRACKING_URI, to a store that can"
        ) from None


def experiment_id(client: MlflowClient, name: str) -> str:
    """Return the id of an experiment, which is created if it does not exist.

    Artifacts of a SQLite store go to the folder `mlartifacts` next to the database; any other store
    has a location of its own for them.

    Raises
    ------
    TrackingError
        The experiment was deleted.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        path = _sqlite_path(client.tracking_uri)
        location = None if path is None else _location(path.parent / "mlartifacts")
        try:
            return client.create_experiment(name, artifact_location=location)
        except MlflowException as error:
            # Another user created it meanwhile, or this client did and the answer was lost.
            experiment = client.get_experiment_by_name(name)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or experiment is None:
                raise
    if experiment.lifecycle_stage != "active":
        raise TrackingError(
            f"the experiment {name!r} is deleted in the MLflow store: restore it with `mlflow "
            f"experiments restore -x {experiment.experiment_id}`, or set another track.experiment"
        )
    return experiment.experiment_id


def _create_database(path: Path) -> None:
    """Create a SQLite database with MLflow's tables, unless it exists.

    MLflow cannot continue a database whose creation was killed, and two processes that create one
    together break it: so it is written like any other file, by one process at a time.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # The folder itself is locked: a lock file would stay next to the database.
    with resilience.locked(path.parent, create=False):
        resilience.remove_stale_temp(path.parent, deep=False)
        if not path.exists():
            with io.atomic_write(path) as temporary:
                upgrade.main([_sqlite_uri(temporary)], standalone_mode=False)


def _login_to_environment(uri: str) -> str:
    """Move the login of a server's address to the environment; return the address without it."""
    login, address = split_login(uri)
    if not login or urlsplit(uri).scheme not in ("http", "https"):
        return uri
    user, _, password = login.partition(":")
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(user)
    os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(password)
    return address


def _sqlite_path(uri: str) -> Path | None:
    """Return the database's file, None for a store of another kind."""
    match = re.fullmatch(r"sqlite(?:\+pysqlite)?:///([^?]*)(?:\?.*)?", uri, re.DOTALL)
    return Path(unquote(match[1])) if match else None


def _sqlite_uri(path: Path) -> str:
    """Return the address of a database's file, of whatever name."""
    if not set(str(path)) & set("%?#"):
        return f"sqlite:///{path}"
    # With the driver's name: otherwise MLflow makes the folder as it is written here, percent signs
    # and all.
    return f"sqlite+pysqlite:///{quote(str(path))}"


def _location(folder: Path) -> str:
    """Return where an experiment's artifacts go: MLflow decodes plain paths as it does URIs."""
    return folder.as_uri() if "%" in str(folder) else str(folder)
