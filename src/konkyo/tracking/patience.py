"""Waiting for a store that is busy or away: the same call again, and nothing made twice."""

import random
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial, wraps
from inspect import signature
from typing import Any, TypeVar

import requests
from mlflow import MlflowClient
from mlflow.entities import Run, RunInputs
from mlflow.entities.logged_model import LoggedModel
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from konkyo.errors import TrackingError

Result = TypeVar("Result")

LIMIT, AT_FIRST = 300.0, 30.0
"""Seconds of trouble after which a call is given up; of the first call, which may have a wrong
address."""
_PAUSES = (0.5, 15.0)
"""The first and the longest seconds between two tries."""
_BUSY = ("database is locked", "database table is locked", "database schema is locked")
_RACED = ("duplicate key value", "unique constraint failed", "duplicate entry")
"""Two processes wrote the same row at the same moment, two users' data set say: the one that was
later finds it when it tries again."""
_RACES = 5
_AWAY_CODES = (408, 429, 502, 503, 504)
_AWAY = (
    "failed with exception",
    "failed with timeout",
    "connection refused",
    "connection aborted",
    "connection reset",
    "server closed the connection",
    "could not connect",
    *(f"error code {code}" for code in _AWAY_CODES),
)
_FAULTY = "too many 500 error responses"
"""How MLflow reports an answer 500, which is a fault that waiting does not mend."""


def busy(error: BaseException) -> bool:
    """Return whether another process has the database locked."""
    return any(text in str(error).lower() for text in _BUSY)


def away(error: BaseException) -> bool:
    """Return whether the store does not answer just now, or says that it cannot."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code in _AWAY_CODES
    if isinstance(error, requests.ConnectionError | requests.Timeout):
        return True
    text = str(error).lower()
    known = isinstance(error, MlflowException | OperationalError)
    return known and _FAULTY not in text and any(part in text for part in _AWAY)


def raced(error: BaseException) -> bool:
    """Return whether another process wrote first what the call was about to write."""
    return any(text in str(error).lower() for text in _RACED)


def patiently(
    call: Callable[[], Result],
    made: Callable[[], Result | None] = lambda: None,
    limit: float | None = None,
) -> Result:
    """Call until it succeeds, or for some time.

    Parameters
    ----------
    call : callable
        May be called again: what it does twice is as if done once, or `made` finds it.
    made : callable
        Returns what a call made whose answer was lost, None where it made nothing.
    limit : float, optional
        Seconds; otherwise `LIMIT`. What does not pass by itself is raised at once.

    Raises
    ------
    TrackingError
        The store was busy or away for all that time.
    """
    limit = LIMIT if limit is None else limit
    began = time.monotonic()
    pause, longest = _PAUSES
    again, races = False, 0
    while True:
        try:
            found = made() if again else None
            return call() if found is None else found
        except (MlflowException, OperationalError, requests.RequestException) as error:
            if raced(error) and races < _RACES:
                races += 1
                continue
            if not (busy(error) or away(error)):
                raise
            gone = time.monotonic() - began
            what = "is locked by another process" if busy(error) else "does not answer"
            if gone >= limit:
                raise TrackingError(
                    f"the MLflow store {what} for {gone:.0f} seconds ({_short(error)}): end what "
                    "holds it or bring it back, then run the same command again"
                ) from None
            if not again:
                _say(f"the MLflow store {what}: trying again for {limit:.0f} seconds")
            again = True
        spread = random.uniform(0.7, 1.0)  # nosec B311 # no secret hangs on it
        time.sleep(min(pause, max(limit - gone, 0.0)) * spread)
        pause = min(2 * pause, longest)


class PatientClient(MlflowClient):
    """MLflow's client, each call of which waits for a store that is busy or away.

    A run, a model or a version is never made twice: a call whose answer was lost is looked up.
    """

    def __getattribute__(self, name: str) -> Any:
        """Return an attribute, a method with patience."""
        found = super().__getattribute__(name)
        # A table is added to the one that is there: its parts are patient, the whole is not.
        if name.startswith("_") or not callable(found) or name == "log_table":
            return found

        @wraps(found)
        def called(*arguments: Any, **named: Any) -> Any:
            given = signature(found).bind(*arguments, **named).arguments
            if name == "create_run" and given.get("start_time") is None:
                # A run is known by its name and the millisecond of its start.
                given["start_time"] = int(time.time() * 1000)
            made = partial(_MADE[name], self, given) if name in _MADE else lambda: None
            return patiently(lambda: found(**given), made)

        return called


def _run_made(client: MlflowClient, given: Mapping[str, Any]) -> Run | None:
    asked = f"attributes.start_time = {given['start_time']}"
    if given.get("run_name"):
        asked += f" and attributes.run_name = '{given['run_name']}'"
    there = MlflowClient.search_runs(client, [given["experiment_id"]], asked)
    wanted = (given.get("tags") or {}).items()
    return next((run for run in there if wanted <= run.data.tags.items()), None)


def _model_made(client: MlflowClient, given: Mapping[str, Any]) -> LoggedModel | None:
    asked = f"source_run_id = '{given['source_run_id']}' and name = '{given['name']}'"
    there = MlflowClient.search_logged_models(client, [given["experiment_id"]], asked)
    return next(iter(there), None)


def _version_made(client: MlflowClient, given: Mapping[str, Any]) -> ModelVersion | None:
    asked = f"run_id = '{given['run_id']}'"
    there = MlflowClient.search_model_versions(client, asked)
    return next((version for version in there if version.name == given["name"]), None)


def _inputs_made(client: MlflowClient, given: Mapping[str, Any]) -> RunInputs | None:
    there = MlflowClient.get_run(client, given["run_id"]).inputs
    if there is None:
        return None
    known = {(one.dataset.name, one.dataset.digest) for one in there.dataset_inputs}
    asked = {(one.dataset.name, one.dataset.digest) for one in given.get("datasets") or ()}
    return there if asked and asked <= known else None


_MADE: dict[str, Callable[[MlflowClient, Mapping[str, Any]], Any]] = {
    "create_run": _run_made,
    "create_logged_model": _model_made,
    "create_model_version": _version_made,
    "log_inputs": _inputs_made,
}


def _short(error: BaseException) -> str:
    return str(error).splitlines()[0][:200]


def _say(text: str) -> None:
    print(f"konkyo: {text}", file=sys.stderr, flush=True)
