"""What keeps files whole and processes apart when one is killed or interrupted at any moment.

Three mechanisms, none of which the rest of the package has to know about: locks that the kernel
releases however their process ends, temporary files that a later command can tell from those of
living processes, and interrupts that Python would throw away.
"""

import errno
import fcntl
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from konkyo.errors import StorageError

_TEMPORARY = ".konkyo-"
"""How the names of temporary files and folders begin."""
_JOBLIB = "JOBLIB_TEMP_FOLDER"
_LATER = 0.05
"""Seconds after which a lost interrupt is raised again, outside of what swallowed it."""


@contextmanager
def locked(
    path: Path, *, blocking: bool = True, shared: bool = False, create: bool = True
) -> Iterator[None]:
    """Hold the lock of a file (flock) until the block ends or the process does.

    Parameters
    ----------
    path : Path
        The file, made if it is missing.
    blocking : bool
        Wait for the lock while another process holds it.
    shared : bool
        Hold it together with others that share it.
    create : bool
        False for a file or folder that has to be there.

    Raises
    ------
    BlockingIOError
        Another process holds it, and `blocking` is False.
    StorageError
        The file's disk has no locks.
    """
    flags = os.O_RDWR | os.O_CREAT if create else os.O_RDONLY
    handle = os.open(path, flags, 0o666)
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(handle, kind if blocking else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError as error:
            raise StorageError(
                f"{path} cannot be locked ({error.strerror}), and without a lock two commands "
                "could write the same files: move the project to a disk that has locks"
            ) from None
        yield
    finally:
        os.close(handle)


def is_locked(path: Path) -> bool:
    """Return whether a living process holds a file's lock."""
    try:
        with locked(path, blocking=False, create=False):
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


@contextmanager
def temporary_file(beside: Path) -> Iterator[Path]:
    """Yield an empty file in the folder of `beside`, with its suffix, gone when the block ends.

    After a kill the next `remove_stale_temp` removes it. It is as readable as any new file.
    """

    def create() -> Path:
        path = beside.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}{beside.suffix}")
        # Not by `tempfile`, whose files are this user's alone: this one becomes `beside`.
        path.touch(exist_ok=False)
        return path

    with _temporary(create, remove=lambda path: path.unlink(missing_ok=True)) as path:
        yield path


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield a new folder, gone when the block ends, or by `remove_stale_temp` after a kill.

    Parameters
    ----------
    parent : Path, optional
        Where it is made; the system's folder for temporary files if not given.
    """
    parent = parent or Path(tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)

    def create() -> Path:
        return Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=parent))

    with _temporary(create, remove=lambda path: shutil.rmtree(path, ignore_errors=True)) as path:
        yield path


@contextmanager
def _temporary(create: Callable[[], Path], remove: Callable[[Path], None]) -> Iterator[Path]:
    """Make a file or folder, hold its lock during the block, then remove it."""
    while True:
        path = create()
        with ExitStack() as lock:
            # On a disk without locks `remove_stale_temp` cannot lock either, and removes nothing.
            with suppress(StorageError, FileNotFoundError):
                lock.enter_context(locked(path, create=False))
            # Until it was locked, `remove_stale_temp` could take it for a dead process's.
            if not path.exists():
                continue
            try:
                yield path
            finally:
                remove(path)
            return


def remove_stale_temp(folder: Path, deep: bool = True) -> None:
    """Remove the temporary files and folders of killed processes.

    Those of living processes are locked and stay. Age would not tell: a download or the training
    of a month may take hours, and what a kill left is to be gone with the next command.

    Parameters
    ----------
    folder : Path
        Where to look.
    deep : bool
        Whether to look in the folders below too.
    """
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if name.startswith(_TEMPORARY):
                path = Path(root, name)
                # Another user's, or removed by another process at this moment, or no locks here.
                with suppress(OSError, StorageError), locked(path, blocking=False, create=False):
                    if path.is_dir():
                        shutil.rmtree(path)
                    else:
                        path.unlink()
        folders[:] = [name for name in folders if deep and not name.startswith(_TEMPORARY)]


@contextmanager
def scoped_tempdir() -> Iterator[Path]:
    """Put what libraries write to the system's temporary folder where it is removed after a kill.

    Yields
    ------
    Path
        A temporary folder, which `tempfile` takes for the system's as long as the block runs, and
        joblib for its own, which would be in shared memory, unless JOBLIB_TEMP_FOLDER names one.
    """
    with temporary_folder() as folder:
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        set_by_user = os.environ.setdefault(_JOBLIB, str(folder)) != str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = before
            if not set_by_user:
                del os.environ[_JOBLIB]


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Let an OSError of writing a file's temporary file name the file itself.

    A library may also fail without saying where, or hide a full disk in an error of its own kind.
    """
    try:
        yield
    except OSError as error:
        failed = [str(name) for name in (error.filename, error.filename2) if name is not None]
        if not failed or any(Path(name).name.startswith(_TEMPORARY) for name in failed):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
    except Exception as error:
        # "os error 28" is ENOSPC as safetensors, written in Rust, reports it.
        if "os error 28" in str(error) or os.strerror(errno.ENOSPC) in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise


def interrupt_on(*signals: signal.Signals) -> None:
    """Let signals such as SIGTERM raise KeyboardInterrupt, unless this process ignores them.

    A process ignores them if whoever started it said so, as `nohup` does for SIGHUP.
    """
    for number in signals:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def reraise_lost_interrupt() -> Iterator[None]:
    """Raise an interrupt again that Python threw away, until it arrives.

    Python drops an exception raised within a callback of a weak reference or within a destructor,
    KeyboardInterrupt too. SQLAlchemy has many such callbacks: of 180 interrupts of a search over
    its database, 14 were lost, and the search went on.

    It takes SIGALRM and its timer for itself; in a thread, which gets no signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    next_hook = sys.unraisablehook

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, _LATER)
        else:
            next_hook(lost)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    sys.unraisablehook = hook
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = next_hook
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
