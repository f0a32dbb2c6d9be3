"""Locks, temporary files and interrupts that survive a kill at any moment.

locked                  a lock that the kernel releases however its process ends
temporary_file, _folder locked while they are used, so that a later command recognises stale ones
reraise_lost_interrupt  interrupts that Python would drop
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
"""Prefix of temporary files and folders."""
_JOBLIB = "JOBLIB_TEMP_FOLDER"
_LATER = 0.05
"""Seconds until a lost interrupt is raised again, when the callback that lost it has ended."""


@contextmanager
def locked(
    path: Path, *, blocking: bool = True, shared: bool = False, create: bool = True
) -> Iterator[None]:
    """Hold the lock of a file (flock) until the block ends or the process does.

    Parameters
    ----------
    path : Path
        The file, created if it does not exist.
    blocking : bool
        Wait for the lock while another process holds it.
    shared : bool
        Hold it together with other sharing processes.
    create : bool
        False for a folder, or a file that must exist.

    Raises
    ------
    BlockingIOError
        Another process holds it, and `blocking` is False.
    StorageError
        The disk has no locks.
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


@contextmanager
def temporary_file(beside: Path) -> Iterator[Path]:
    """Yield an empty file in the folder of `beside`, with its suffix, removed after the block.

    After a kill, the next `remove_stale_temp` removes it. It has the permissions of a new file.
    """

    def create() -> Path:
        path = beside.with_name(f"{_TEMPORARY}{secrets.token_hex(8)}{beside.suffix}")
        # Not by `tempfile`, whose files only this user may read: this one may become `beside`.
        path.touch(exist_ok=False)
        return path

    with _temporary(create, remove=lambda path: path.unlink(missing_ok=True)) as path:
        yield path


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield a new folder, removed after the block or, after a kill, by `remove_stale_temp`.

    Parameters
    ----------
    parent : Path, optional
        Its parent; by default the system's folder for temporary files.
    """
    parent = parent or Path(tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)

    def create() -> Path:
        return Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=parent))

    with _temporary(create, remove=lambda path: shutil.rmtree(path, ignore_errors=True)) as path:
        yield path


@contextmanager
def _temporary(create: Callable[[], Path], remove: Callable[[Path], None]) -> Iterator[Path]:
    """Create a file or folder, hold its lock during the block, then remove it."""
    while True:
        path = create()
        with ExitStack() as lock:
            # On a disk without locks `remove_stale_temp` cannot lock either, and removes nothing.
            with suppress(StorageError, FileNotFoundError):
                lock.enter_context(locked(path, create=False))
            # Another process may have removed it as stale before it was locked.
            if not path.exists():
                continue
            try:
                yield path
            finally:
                remove(path)
            return


def remove_stale_temp(folder: Path, deep: bool = True) -> None:
    """Remove the temporary files and folders of killed processes.

    Those of living processes are locked and stay. Age is no criterion: a download or a training may
    take hours, and the next command should find no rest of a killed one.

    Parameters
    ----------
    folder : Path
        The folder to search.
    deep : bool
        Search its subfolders too.
    """
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if name.startswith(_TEMPORARY):
                path = Path(root, name)
                # Errors: it belongs to another user, another process removes it, or no locks.
                with suppress(OSError, StorageError), locked(path, blocking=False, create=False):
                    if path.is_dir():
                        shutil.rmtree(path)
                    else:
                        path.unlink()
        folders[:] = [name for name in folders if deep and not name.startswith(_TEMPORARY)]


@contextmanager
def scoped_tempdir() -> Iterator[Path]:
    """Let libraries write their temporary files to a folder that is removed even after a kill.

    Yields
    ------
    Path
        The folder that `tempfile` uses during the block, and joblib too (by default it would use
        shared memory), unless the user has set JOBLIB_TEMP_FOLDER.
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
    """Turn errors of writing a temporary file into OSErrors with the name of the final file.

    Some libraries raise errors without a name, or report a full disk by an error of their own.
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
    """Let signals such as SIGTERM raise KeyboardInterrupt.

    Except for signals that this process ignores: `nohup` lets a command ignore SIGHUP.
    """
    for number in signals:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def reraise_lost_interrupt() -> Iterator[None]:
    """Raise a KeyboardInterrupt again that was lost in a callback or destructor.

    Python drops exceptions raised in callbacks of weak references and in destructors. SQLAlchemy
    has many such callbacks: of 180 interrupts of a search, 14 were lost, and the search went on.

    It uses SIGALRM; in a thread, which receives no signals, it does nothing.
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


def after_interrupt(error: BaseException) -> bool:
    """Return whether an error was raised because of an interrupt or while one was handled."""
    seen: set[int] = set()
    chain: list[BaseException | None] = [error]
    while chain:
        link = chain.pop()
        if link is not None and id(link) not in seen:
            if isinstance(link, KeyboardInterrupt):
                return True
            seen.add(id(link))
            chain += [link.__cause__, link.__context__]
    return False
