"""What the machine refuses, in words: a full disk, a folder that cannot be written, a lost worker.

Libraries say the same thing in many ways; what is no known trouble keeps its traceback.
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
"""Errors of loky and Dask."""
_AGAIN = "What was there before is whole: then run the same command again"


def named(error: BaseException) -> StorageError | None:
    """Return what an error means where the machine is at fault, None for any other.

    Parameters
    ----------
    error : BaseException
        Of any library; what caused it is looked at too.

    Returns
    -------
    StorageError or None
        With the file, what is free, and the remedy.
    """
    for cause in _chain(error):
        said = _said(cause)
        if said is not None:
            return StorageError(said)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from, last to first."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


def _said(error: BaseException) -> str | None:
    number = error.errno if isinstance(error, OSError) else None
    text = str(error).lower()
    place = error.filename if isinstance(error, OSError) else None
    path = Path(os.fsdecode(place)) if isinstance(place, str | bytes) else None
    if number in _SPACE or any(part in text for part in _SPACE_TEXTS):
        return (
            f"the disk is full{'' if path is None else f': {path} could not be written'} "
            f"({_reason(error)}; {_free(path or Path.cwd())} now that the unfinished file is "
            f"removed): make room. {_AGAIN}"
        )
    if number in _REFUSED or any(part in text for part in _REFUSED_TEXTS):
        return (
            f"{path or 'a file'} may not be read or written ({_reason(error)}): give this user the "
            f"right to it, or mount its disk for writing. {_AGAIN}"
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
            f"or train.max_networks_per_stack in params.yaml. {_AGAIN}; it goes on from where it "
            "was"
        )
    if isinstance(error, MemoryError):
        return (
            f"memory ran out ({str(error) or 'no size said'}): lower train.workers or "
            f"train.max_networks_per_stack in params.yaml, or use a larger machine. {_AGAIN}"
        )
    return None


def _reason(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error).splitlines()[0]


def _free(path: Path) -> str:
    """Return how much is free on the disk of a file that may not be there."""
    at = path.absolute()
    while not at.exists():
        at = at.parent
    return f"{shutil.disk_usage(at).free / 1e6:,.1f} MB are free at {at}"
