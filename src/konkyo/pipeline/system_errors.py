"""Errors of the machine in words: a full disk, a folder without permission, a killed worker.

Libraries report the same condition in many ways; an error that is not recognised keeps its
traceback.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from konkyo.errors import StorageError

_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SPACE_TEXTS = ("no space left on device", "disk quota exceeded", "database or disk is full")
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_REFUSED_TEXTS = ("attempt to write a readonly database", "read-only file system")
_FILES = (errno.EMFILE, errno.ENFILE)
_WORKERS = ("TerminatedWorkerError", "BrokenProcessPool", "KilledWorker")
"""Types of errors by which loky and Dask report a killed worker."""
_AGAIN = "Earlier files are complete: then run the same command again"


def explain(error: BaseException) -> StorageError | None:
    """Return an error of the machine in words, with file, free space and remedy.

    Parameters
    ----------
    error : BaseException
        An error of any library; its causes are examined too.

    Returns
    -------
    StorageError or None
        None for an error of any other kind.
    """
    for cause in _chain(error):
        message = _message(cause)
        if message is not None:
            return StorageError(message)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, last to first."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _message(error: BaseException) -> str | None:
    number = error.errno if isinstance(error, OSError) else None
    text = str(error).lower()
    name = error.filename if isinstance(error, OSError) else None
    path = Path(os.fsdecode(name)) if isinstance(name, str | bytes) else None
    if number in _SPACE or any(part in text for part in _SPACE_TEXTS):
        return (
            f"the disk is full{'' if path is None else f': {path} could not be written'} "
            f"({_reason(error)}; {_free_space(path or Path.cwd())} now that the incomplete file "
            f"is removed): free some space. {_AGAIN}"
        )
    if number in _REFUSED or any(part in text for part in _REFUSED_TEXTS):
        return (
            f"{path or 'a file'} may not be read or written ({_reason(error)}): give this user "
            f"permission, or mount its disk for writing. {_AGAIN}"
        )
    if number in _FILES:
        return (
            f"too many files are open ({_reason(error)}): raise the limit, `ulimit -n`, or lower "
            f"train.workers in params.yaml. {_AGAIN}"
        )
    if number == errno.EIO:
        return f"{path or 'a file'} could not be read or written: its disk fails ({_reason(error)})"
    if type(error).__name__ in _WORKERS:
        return (
            "a worker process was killed, most likely because memory ran out: lower train.workers "
            f"or train.max_networks_per_stack in params.yaml. {_AGAIN}; it continues from where it "
            "was"
        )
    if isinstance(error, MemoryError):
        return (
            f"memory ran out ({str(error) or 'size unknown'}): lower train.workers or "
            f"train.max_networks_per_stack in params.yaml, or use a larger machine. {_AGAIN}"
        )
    return None


def _reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error).splitlines()[0]


def _free_space(path: Path) -> str:
    """Return the free space on the disk of a file that may not exist."""
    folder = path.absolute()
    while not folder.exists():
        folder = folder.parent
    return f"{shutil.disk_usage(folder).free / 1e6:,.1f} MB are free at {folder}"
