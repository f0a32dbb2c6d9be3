"""Locks of a project folder: one command writes at a time, and none reads meanwhile.

The kernel releases a lock when its process ends, however it ends: none is ever left behind.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from konkyo.artifacts import HERE
from konkyo.resilience import locked

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

MAIN, STUDY = "results", "intervention"
"""The lock of the main pipeline's results, and that of the second study's."""


@contextmanager
def held(name: str = MAIN, shared: bool = False) -> Iterator[None]:
    """Hold a lock of this project; wait for the process that holds it, and say which one.

    Parameters
    ----------
    name : str
        Name of the lock, data/.<name>.lock.
    shared : bool
        For reading: any number of readers hold it together.

    Raises
    ------
    StorageError
        The folder's disk has no locks.
    """
    path = HERE.lock(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as lock:
        try:
            lock.enter_context(locked(path, blocking=False, shared=shared))
        except BlockingIOError:
            print(
                f"konkyo: {_holder(path)} works in this folder: waiting until it has ended "
                "(Ctrl-C gives up)",
                file=sys.stderr,
                flush=True,
            )
            lock.enter_context(locked(path, shared=shared))
        _write_holder(path)
        yield


def writing(main: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a stage that writes the results: no other command reads or writes meanwhile."""
    return _with_lock(main, MAIN, shared=False)


def reading(main: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a stage that reads the results: no command writes meanwhile."""
    return _with_lock(main, MAIN, shared=True)


def writing_study(main: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorate a stage that writes the results of the second study."""
    return _with_lock(main, STUDY, shared=False)


def _with_lock(
    main: Callable[Arguments, Result], name: str, shared: bool
) -> Callable[Arguments, Result]:
    @wraps(main)
    def locked_main(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with held(name, shared):
            return main(*args, **kwargs)

    return locked_main


def _write_holder(path: Path) -> None:
    """Write command, process and time to a lock's file, for those who wait."""
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    command = " ".join(["konkyo", *sys.argv[1:]])
    holder = {"command": command, "process": os.getpid(), "since": since}
    path.write_text(json.dumps(holder), encoding="utf-8")


def _holder(path: Path) -> str:
    """Return command, process and time of a lock's holder, "another command" if unknown."""
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        # Raises if that process has ended: another one holds the lock and has not yet written.
        os.kill(holder["process"], 0)
        return f"`{holder['command']}` (process {holder['process']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "another command"
