"""Where a search is stored, and which of its running trials lost their process.

On one machine a journal file: one coordinator alone writes to it and knows what its own worker
processes run, so any other running trial was left by a process that died. On many machines
PostgreSQL: each coordinator records Optuna's heartbeat for the trials of its workers, and any other
fails and queues again the trials whose heartbeat is stale.
"""

import time
import warnings
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna import Study
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from konkyo.errors import TuningError
from konkyo.resilience import locked

WORKER, RETRY_OF, DEATHS, CURRENT = "worker", "retry_of", "deaths", "current"
"""Attributes of a trial: the coordinator that runs it, the first trial that it repeats, how many
processes died of it, and whether it has the values of params.yaml."""
HEARTBEAT = 20
"""Seconds between two heartbeats."""
_HEARTBEATS_MISSED = 6
_DEATHS_ALLOWED = 3
"""A trial that kills its processes, by its need of memory say, is not begun a fourth time."""
_JOURNAL, _POSTGRES = "journal:", "postgresql://"


def open_storage(address: str, heartbeat: int = HEARTBEAT) -> "Journal | Postgres":
    """Open or create the storage at an address.

    Parameters
    ----------
    address : str
        journal:<path of the file> or postgresql://<user>:<password>@<host>/<database>.
    heartbeat : int
        Seconds between two heartbeats; a coordinator that missed six is dead.

    Raises
    ------
    TuningError
        It cannot be opened.
    """
    if address.startswith(_JOURNAL):
        return Journal(Path(address.removeprefix(_JOURNAL)))
    return Postgres(address, heartbeat)


def retry(study: Study, trial: FrozenTrial, died: bool = True) -> None:
    """Queue a failed trial's values again.

    Optuna's RetryHeartbeatStaleTrialCallback would count an interrupt as it counts a death, and
    copy what the failed trial had measured.

    Parameters
    ----------
    study : optuna.Study
        The study.
    trial : FrozenTrial
        The failed trial, as it was.
    died : bool
        Whether its process died; after the third death a trial is given up.
    """
    deaths = trial.user_attrs.get(DEATHS, 0) + died
    if deaths >= _DEATHS_ALLOWED:
        return
    attributes = {RETRY_OF: trial.user_attrs.get(RETRY_OF, trial.number), DEATHS: deaths}
    if CURRENT in trial.user_attrs:
        attributes[CURRENT] = True
    # A process may die before all values of a queued trial have been drawn.
    values = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
    study.enqueue_trial(values, user_attrs=attributes)


class _Lock:
    """Lets one process at a time append to a journal.

    Optuna's own locks are files, which a killed process leaves behind: the next search would wait
    30 seconds for them.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, ExitStack()

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._lock.enter_context(locked(self._path))
        return True

    def release(self) -> None:
        """Release the lock."""
        self._lock.close()


class Journal:
    """A journal file and, beside it, its lock files."""

    def __init__(self, path: Path) -> None:
        self._study_lock = path.with_name(f"{path.name}.study.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Optuna would append to any file.
            if path.is_file() and path.read_bytes()[:1] not in (b"", b"{"):
                raise ValueError(path)
            lock: Any = _Lock(path.with_name(f"{path.name}.append.lock"))
            self.backend: BaseStorage = JournalStorage(JournalFileBackend(str(path), lock))
        except OSError as error:
            raise TuningError(
                f"tune.storage: {path} cannot be written ({error.strerror}): name a file in a "
                "folder that can"
            ) from None
        except (ValueError, LookupError, TypeError, AssertionError, RecursionError):
            raise TuningError(
                f"tune.storage: {path} is not a journal of Optuna, or its last line was cut off: "
                "remove that line, or name another file"
            ) from None

    def exclusive(self) -> AbstractContextManager[None]:
        """Create a study or ask for trials while no other process does."""
        return locked(self._study_lock)

    def record_heartbeats(self, study: Study, running: Collection[int], *, now: bool) -> None:
        """Do nothing: no other process asks whether this one lives."""

    def fail_stale(self, study: Study, running: Collection[int]) -> None:
        """Fail and queue again the running trials but this process's, by number."""
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.number not in running:
                fail(study, trial)

    def close(self) -> None:
        """Do nothing: the file is opened and closed at every access."""


class Postgres:
    """A PostgreSQL database. Optuna's heartbeats go with `optimize` only, so they are sent here."""

    def __init__(self, address: str, heartbeat: int) -> None:
        # The driver by its name: what the plain scheme means depends on SQLAlchemy's version.
        url = address.replace(_POSTGRES, "postgresql+psycopg://", 1)
        self._heartbeat, self._last = heartbeat, time.monotonic()
        try:
            self._engine = sqlalchemy.create_engine(url, pool_pre_ping=True)
            # Two processes that create one set of tables together break it.
            with self.exclusive(), ignore_experimental():
                # Optuna would create its tables in MLflow's database and stop only then.
                tables = set(sqlalchemy.inspect(self._engine).get_table_names())
                if "alembic_version" in tables and "version_info" not in tables:
                    raise ValueError("it has another program's tables")
                self.backend = RDBStorage(
                    url,
                    engine_kwargs={"pool_pre_ping": True},
                    heartbeat_interval=heartbeat,
                    grace_period=heartbeat * _HEARTBEATS_MISSED,
                    heartbeat_stale_trial_callback=retry,
                )
        except (
            sqlalchemy.exc.SQLAlchemyError, StorageInternalError, ValueError, RuntimeError,
        ) as error:  # fmt: skip
            # Optuna raises a RuntimeError of tables of another version.
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise TuningError(
                f"tune.storage: the PostgreSQL database cannot be opened ({reason}): correct "
                "postgresql://user:password@host/database, start the server, make a database for "
                "the searches alone, or set journal:<file>"
            ) from None

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Create a study or ask for trials while no other machine does.

        The server releases the lock when the connection ends, however it ends.
        """
        with self._engine.begin() as connection:
            connection.execute(sqlalchemy.text("select pg_advisory_xact_lock(hashtext('konkyo'))"))
            yield

    def record_heartbeats(self, study: Study, running: Collection[int], *, now: bool) -> None:
        """Record the heartbeats of this process's trials, by number, when they are due or now."""
        if now or time.monotonic() - self._last >= self._heartbeat:
            self._last = time.monotonic()
            # The server may be back by the next heartbeat: some may be missed.
            with suppress(sqlalchemy.exc.SQLAlchemyError, StorageInternalError):
                study_id = self.backend.get_study_id_from_name(study.study_name)
                for number in running:
                    trial = self.backend.get_trial_id_from_study_id_trial_number(study_id, number)
                    self.backend.record_heartbeat(trial)

    def fail_stale(self, study: Study, running: Collection[int]) -> None:
        """Fail and queue again the trials of dead coordinators; within `exclusive`."""
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            # Without a heartbeat a trial never gets stale: its process died before the first.
            if WORKER not in trial.user_attrs:
                fail(study, trial)
        with ignore_experimental():
            optuna.storages.fail_stale_trials(study)

    def close(self) -> None:
        """Close the connections."""
        self.backend.engine.dispose()
        self._engine.dispose()


def ignore_experimental() -> AbstractContextManager[Any]:
    """Call what Optuna marks as experimental without its warning."""
    return warnings.catch_warnings(action="ignore", category=ExperimentalWarning)


def fail(study: Study, trial: FrozenTrial, died: bool = True) -> None:
    """Fail a running trial and queue it again; see `retry`."""
    study.tell(trial.number, state=TrialState.FAIL)
    retry(study, trial, died)
