"""MLflow's client with retries: waits for a store that is busy or away, and creates nothing twice.

MLflow's own retries are switched off by `store.connect`: they are silent, and create a second run
where the answer to `create_run` was lost.
"""

import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from konkyo.cache import digest_of
from konkyo.errors import TrackingError
from konkyo.retry import RetryPolicy, retry

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

_BUSY = ("database is locked", "database table is locked", "database schema is locked")
_CONFLICT = ("duplicate key value", "unique constraint failed", "duplicate entry")
_AWAY_STATUS = (408, 429, 502, 503, 504)
_AWAY = (
    "failed with exception",
    "failed with timeout",
    "connection refused",
    "connection aborted",
    "connection reset",
    "server closed the connection",
    "could not connect",
    *(f"error code {status}" for status in _AWAY_STATUS),
)
_ERRORS = (MlflowException, OperationalError, requests.RequestException)
_SERVER_FAULT = "too many 500 error responses"
"""MLflow's message for status 500, a fault of the server that another attempt does not mend."""
_MAX_ENTRIES = 100
"""The most params, and the most tags, that a store takes in one call."""
_MAX_KEY = 250
"""Characters of a param's name."""
_MAX_METRICS = 900
"""The most metrics in one call: a store takes 1,000 entries of all kinds."""


@dataclass(frozen=True)
class StoreRetries:
    """Retry policies of an MLflow store.

    Attributes
    ----------
    connecting : RetryPolicy
        Of the first call: short, since the address may be wrong. Limited by seconds.
    logging : RetryPolicy
        Of every later call. Limited by seconds.
    """

    connecting: RetryPolicy
    logging: RetryPolicy


RETRIES = StoreRetries(
    connecting=RetryPolicy(seconds=30.0, first=0.5, longest=15.0),
    logging=RetryPolicy(seconds=300.0, first=0.5, longest=15.0),
)


def unavailable(error: BaseException) -> str | None:
    """Return the state of a store that may be back soon, None for an error that will not pass."""
    if not isinstance(error, _ERRORS):
        return None
    text = str(error).lower()
    if any(part in text for part in _BUSY):
        return "is locked by another process"
    # A name that MLflow itself reports as taken is not retried: it is the answer.
    is_taken = getattr(error, "error_code", "") == "RESOURCE_ALREADY_EXISTS"
    if any(part in text for part in _CONFLICT) and not is_taken:
        return "is written by another process"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        is_away = error.response.status_code in _AWAY_STATUS
    elif isinstance(error, requests.ConnectionError | requests.Timeout):
        is_away = True
    else:
        is_away = _SERVER_FAULT not in text and any(part in text for part in _AWAY)
    return "does not answer" if is_away else None


def retry_store(call: Callable[[], Result], policy: RetryPolicy) -> Result:
    """Call the store until it succeeds; the first failure is reported on standard error.

    Parameters
    ----------
    call : callable
        Must be safe to repeat: its answer may be lost after it took effect.
    policy : RetryPolicy
        Limited by seconds.

    Raises
    ------
    TrackingError
        The store was busy or away until the policy was exhausted.
    """
    started = time.monotonic()

    def report(error: BaseException) -> None:
        # While it waits, not afterwards: a user who sees no progress would end the command.
        print(
            f"konkyo: the MLflow store {unavailable(error)}: trying again for "
            f"{policy.seconds:.0f} seconds",
            file=sys.stderr,
            flush=True,
        )

    try:
        return retry(
            call,
            policy,
            retry_on=lambda error: unavailable(error) is not None,
            on_first_failure=report,
        )
    except _ERRORS as error:
        state = unavailable(error)
        if state is None:
            raise
        raise TrackingError(
            f"the MLflow store {state} for {time.monotonic() - started:.0f} seconds "
            f"({str(error).splitlines()[0][:200]}): end what holds it or bring it back, then run "
            "the same command again"
        ) from None


def _retried(
    method: Callable[Concatenate["StoreClient", Arguments], Result],
) -> Callable[Concatenate["StoreClient", Arguments], Result]:
    """Return a method of MLflow's client that is called with retries."""

    @wraps(method)
    def call(self: "StoreClient", *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return self.retry(lambda: method(self, *args, **kwargs))

    return call


_RETRIED = (
    *("get_experiment", "get_experiment_by_name", "get_metric_history", "get_model_version"),
    *("get_registered_model", "get_run", "search_logged_models", "search_model_versions"),
    *("search_experiments", "search_runs", "list_artifacts", "download_artifacts"),
    # A second call writes the same again. MLflow leaves out a metric, a param or a data set that
    # the run has already, so that a repeated `log_batch` or `log_inputs` adds nothing.
    *("log_artifact", "log_artifacts", "log_batch", "log_inputs", "set_tag", "set_terminated"),
    *("finalize_logged_model", "set_model_version_tag", "update_model_version", "delete_run"),
    *("set_registered_model_alias", "delete_registered_model_alias"),
    # A second call is refused with RESOURCE_ALREADY_EXISTS, which the callers expect: names are
    # unique, and another user may have been first.
    *("create_experiment", "create_registered_model"),
)
"""Methods of MLflow's client that wait for a store that is busy or away."""


class StoreClient(MlflowClient):
    """MLflow's client; those in `_RETRIED` wait for a store that is busy or away.

    `log_dict` and `log_table` consist of listed calls. `create_logged_model` is not listed: it is
    retried together with the files of the model (`log_model`).

    Parameters
    ----------
    uri : str
        The store, of runs and of models.
    retries : StoreRetries
        Policies of its calls.
    """

    def __init__(self, uri: str, retries: StoreRetries) -> None:
        super().__init__(uri, uri)
        self.retries = retries

    def retry(self, call: Callable[[], Result]) -> Result:
        """Return the result of a call to the store that is safe to repeat; see `retry_store`."""
        return retry_store(call, self.retries.logging)

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: dict[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Create a run once: MLflow would create a second one if the first answer was lost."""
        # Name, tags and the millisecond of its start identify the run of an earlier attempt.
        started = int(time.time() * 1000) if start_time is None else start_time
        create = super().create_run

        def find() -> Run | None:
            query = f"attributes.start_time = {started}"
            if run_name:
                query += f" and attributes.run_name = '{run_name}'"
            items = (tags or {}).items()
            runs = self.search_runs([experiment_id], query)
            return next((run for run in runs if items <= run.data.tags.items()), None)

        return self._once(lambda: create(experiment_id, started, tags, run_name), find)

    def create_model_version(
        self, name: str, source: str, run_id: str | None = None, *args: Any, **kwargs: Any
    ) -> ModelVersion:
        """Create the version of a registered model that belongs to a run, once."""
        create = super().create_model_version

        def find() -> ModelVersion | None:
            versions = self.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
            return next(iter(versions), None)

        return self._once(lambda: create(name, source, run_id, *args, **kwargs), find)

    def _once(self, create: Callable[[], Result], find: Callable[[], Result | None]) -> Result:
        """Create with retries; from the second attempt on, look up first what the last one created.

        Not at the first attempt: the look-up would double the time of a child run.
        """
        attempts = 0

        def attempt() -> Result:
            nonlocal attempts
            attempts += 1
            existing = find() if attempts > 1 else None
            return create() if existing is None else existing

        return self.retry(attempt)

    def log(
        self,
        run_id: str,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: list[Metric] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log params, metrics and tags of a run in as few calls as the store takes."""
        metrics = metrics or []
        entries = [Param(param_key(key), str(value)) for key, value in (params or {}).items()]
        run_tags = [RunTag(key, value) for key, value in (tags or {}).items()]
        for first in range(0, max(len(entries), len(run_tags)), _MAX_ENTRIES):
            part = slice(first, first + _MAX_ENTRIES)
            self.log_batch(run_id, params=entries[part], tags=run_tags[part])
        for first in range(0, len(metrics), _MAX_METRICS):
            self.log_batch(run_id, metrics=metrics[first : first + _MAX_METRICS])


for _name in _RETRIED:
    setattr(StoreClient, _name, _retried(getattr(MlflowClient, _name)))


def param_key(key: str) -> str:
    """Return a param's name as MLflow takes it: a market series may be called $V or a/b.

    Characters that MLflow refuses become the hexadecimal digits of their bytes, each after a colon,
    and a name of more than 250 characters ends in a digest.
    """
    plain = re.sub(
        r"[^\w.\- ]", lambda match: "".join(f":{byte:02X}" for byte in match[0].encode()), key
    )
    return plain if len(plain) <= _MAX_KEY else f"{plain[: _MAX_KEY - 33]}:{digest_of(key)}"
