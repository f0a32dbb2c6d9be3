"""Where a search is kept, and which of its trials still have a living worker.

A journal file serves the processes of one machine: a worker holds a lock on a file of its own,
which the kernel takes from it when it dies, however it dies. PostgreSQL serves many machines: a
worker's heartbeat goes on while it lives.
"""

import os
import secrets
import socket
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from konkyo.errors import TuningError
from konkyo.resilience import is_locked, locked

WORKER, RETRY_OF, DEATHS, PAPER = "worker", "retry_of", "deaths", "paper"
"""Attributes of a trial: who runs it, the trial that it repeats, how many workers died running it,
whether it has the paper's values."""
BEAT = 20
"""Seconds between two heartbeats."""
_BEATS_MISSED = 6
_DEATHS_ALLOWED = 3
"""A trial that kills its workers, by its need of memory say, is not begun a fourth time."""
_JOURNAL, _POSTGRES = "journal:", "postgresql://"


def open_storage(address: str, beat: int = BEAT) -> "Journal | Postgres":
    """Open or make the storage at an address.

    Parameters
    ----------
    address : str
        journal:<path of the file> or postgresql://<user>:<password>@<host>/<database>.
    beat : int
        Seconds between two heartbeats; a worker that missed six is dead.

    Raises
    ------
    TuningError
        It cannot be opened.
    """
    if address.startswith(_JOURNAL):
        return Journal(Path(address.removeprefix(_JOURNAL)))
    return Postgres(address, beat)


def again(study: optuna.Study, trial: FrozenTrial, died: bool = True) -> None:
    """Put a failed trial's values at the head of the queue, for whichever worker asks next.

    Parameters
    ----------
    study : optuna.Study
        The study.
    trial : FrozenTrial
        The one that failed, as it was.
    died : bool
        Whether its worker died of it; a trial is given up after the third such worker.
    """
    deaths = trial.user_attrs.get(DEATHS, 0) + died
    if deaths >= _DEATHS_ALLOWED:
        return
    kept = {RETRY_OF: trial.user_attrs.get(RETRY_OF, trial.number), DEATHS: deaths}
    if PAPER in trial.user_attrs:
        kept[PAPER] = True
    queued = {k: v for k, v in trial.system_attrs.items() if k == "fixed_params"}
    study.add_trial(
        optuna.trial.create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs=kept,
            system_attrs=queued,
        )
    )


class _Lock:
    """Lets one process at a time write to a journal; the kernel takes it from one that dies.

    Optuna's own locks are files, which a killed process leaves behind: all others would wait 30
    seconds for them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = ExitStack()

    def acquire(self) -> bool:
        """Wait for the lock."""
        self._lock.enter_context(locked(self._path))
        return True

    def release(self) -> None:
        """Give it back."""
        self._lock.close()


def _refuse_other(path: Path) -> None:
    """Refuse a file whose first line is not a journal's: it would be written on.

    Raises
    ------
    ValueError
        It is another file. A last line that was cut off is Optuna's to judge.
    """
    if path.is_file():
        with path.open("rb") as file:
            first = file.read(1)
        if first not in (b"", b"{"):
            raise ValueError(path)


class Journal:
    """A journal file and, in a folder beside it, a lock file for each of its workers."""

    def __init__(self, path: Path) -> None:
        self._folder = path.with_name(f"{path.name}.workers")
        self._lock: ExitStack | None = None
        self._worker = _name()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _refuse_other(path)
            lock: Any = _Lock(self._folder / "writing.lock")
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

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep the storage's other workers from asking for trials meanwhile."""
        with locked(self._folder / "asking.lock"):
            yield

    def own(self, study: optuna.Study, trials: Sequence[optuna.Trial]) -> None:
        """Mark running trials as this process's, so that others see when it dies."""
        if self._lock is None:
            self._lock = ExitStack()
            self._lock.enter_context(locked(self._file(self._worker)))
        for trial in trials:
            trial.set_user_attr(WORKER, self._worker)

    def disown(self, number: int) -> None:
        """Take note that a trial has ended: nothing to do, the lock is the worker's."""

    def sweep(self, study: optuna.Study) -> None:
        """Fail the trials of dead workers and queue them again; within `exclusive`."""
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            worker = trial.user_attrs.get(WORKER)
            if worker is None or not self._alive(worker):
                study.tell(trial.number, state=TrialState.FAIL)
                again(study, trial)

    def close(self) -> None:
        """Let go of the lock file."""
        if self._lock is not None:
            self._file(self._worker).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def _alive(self, worker: str) -> bool:
        return worker == self._worker or is_locked(self._file(worker))

    def _file(self, worker: str) -> Path:
        return self._folder / f"{worker}.lock"


class Postgres:
    """A PostgreSQL database. Optuna's heartbeats go with `optimize` only, so they beat here."""

    def __init__(self, address: str, beat: int) -> None:
        # The driver by its name: what the plain scheme means depends on SQLAlchemy's version.
        url = address.replace(_POSTGRES, "postgresql+psycopg://", 1)
        self._worker = _name()
        self._running: dict[int, int] = {}
        self._beat, self._ended = beat, threading.Event()
        try:
            self._engine = sqlalchemy.create_engine(url, pool_pre_ping=True)
            # Two processes that make one set of tables together break it.
            with self.exclusive(), warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                self._refuse_other()
                self._database = RDBStorage(
                    url,
                    engine_kwargs={"pool_pre_ping": True},
                    heartbeat_interval=beat,
                    grace_period=beat * _BEATS_MISSED,
                    heartbeat_stale_trial_callback=again,
                )
        except (sqlalchemy.exc.SQLAlchemyError, StorageInternalError, ValueError) as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise TuningError(
                f"tune.storage: the PostgreSQL database cannot be opened ({reason}): correct "
                "postgresql://user:password@host/database, start the server, or set journal:<file>"
            ) from None
        except RuntimeError as error:
            # What Optuna raises of tables that another version of it has made.
            raise TuningError(
                f"tune.storage: the database cannot be used ({str(error).splitlines()[0]}): "
                "install the version of optuna that made it, or name another database"
            ) from None
        self.backend: BaseStorage = self._database
        self._beating = threading.Thread(target=self._go_on_beating, daemon=True)
        self._beating.start()

    def _refuse_other(self) -> None:
        """Refuse a database in which another program keeps its versions as Optuna does: MLflow's.

        Raises
        ------
        TuningError
            Optuna would put its tables there and then find a version that it does not know.
        """
        there = set(sqlalchemy.inspect(self._engine).get_table_names())
        if "alembic_version" in there and "version_info" not in there:
            raise TuningError(
                "tune.storage: the database has another program's tables, MLflow's say: make one "
                "for the searches (`create database tuning`) and name it"
            )

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep the storage's other workers from asking for trials meanwhile.

        The server takes the lock back when the connection ends, however it ends.
        """
        with self._engine.begin() as connection:
            connection.execute(sqlalchemy.text("select pg_advisory_xact_lock(hashtext('konkyo'))"))
            yield

    def own(self, study: optuna.Study, trials: Sequence[optuna.Trial]) -> None:
        """Mark running trials as this process's and begin to beat for them."""
        study_id = self._database.get_study_id_from_name(study.study_name)
        for trial in trials:
            known = self._database.get_trial_id_from_study_id_trial_number(study_id, trial.number)
            self._database.record_heartbeat(known)
            self._running[trial.number] = known
            trial.set_user_attr(WORKER, self._worker)

    def disown(self, number: int) -> None:
        """Take note that a trial has ended."""
        self._running.pop(number, None)

    def sweep(self, study: optuna.Study) -> None:
        """Fail the trials of dead workers and queue them again; within `exclusive`."""
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            # Marked before `exclusive` ends, so one without a mark lost its worker in there.
            if WORKER not in trial.user_attrs:
                study.tell(trial.number, state=TrialState.FAIL)
                again(study, trial)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)

    def close(self) -> None:
        """End the heartbeats and the connections."""
        self._ended.set()
        self._beating.join()
        self._database.engine.dispose()
        self._engine.dispose()

    def _go_on_beating(self) -> None:
        while not self._ended.wait(self._beat):
            for known in list(self._running.values()):
                # The server may be back by the next beat: that is what the missed ones are for.
                with suppress(sqlalchemy.exc.SQLAlchemyError, StorageInternalError):
                    self._database.record_heartbeat(known)


def _name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
