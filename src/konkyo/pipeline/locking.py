"""One command at a time in a folder: one that writes goes alone, those that read wait for it.

The kernel gives a lock back when its process ends, however it ends: none is ever left behind.
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

Given = ParamSpec("Given")
Result = TypeVar("Result")

MAIN, STUDY = "results", "intervention"
"""What all stages of the main job share, and all of the second study."""


@contextmanager
def held(name: str = MAIN, shared: bool = False) -> Iterator[None]:
    """Keep other processes from working on the same files meanwhile; wait for those that do.

    Parameters
    ----------
    name : str
        What the files are; each name has a lock of its own, data/.<name>.lock.
    shared : bool
        Only to read: any number of readers go together.

    Raises
    ------
    StorageError
        The folder's disk knows no locks.
    """
    path = HERE.lock(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as lock:
        try:
            lock.enter_context(locked(path, blocking=False, shared=shared))
        except BlockingIOError:
            print(
                f"konkyo: {_who(path)} works in this folder: waiting until it has ended "
                "(Ctrl-C gives up)",
                file=sys.stderr,
                flush=True,
            )
            lock.enter_context(locked(path, shared=shared))
        _sign(path)
        yield


def writing(main: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a stage write the results alone."""
    return _holding(main, MAIN, shared=False)


def reading(main: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a stage that reads the results see none that are half made."""
    return _holding(main, MAIN, shared=True)


def writing_study(main: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a stage write the results of the second study alone."""
    return _holding(main, STUDY, shared=False)


def _holding(main: Callable[Given, Result], name: str, shared: bool) -> Callable[Given, Result]:
    @wraps(main)
    def guarded(*arguments: Given.args, **named: Given.kwargs) -> Result:
        with held(name, shared):
            return main(*arguments, **named)

    return guarded


def _sign(path: Path) -> None:
    """Say in a lock's file who has it, for those who wait."""
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    command = " ".join(["konkyo", *sys.argv[1:]])
    holder = {"command": command, "process": os.getpid(), "since": since}
    path.write_text(json.dumps(holder), encoding="utf-8")


def _who(path: Path) -> str:
    """Return who has a lock, as far as its file tells."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        os.kill(said["process"], 0)
        return f"`{said['command']}` (process {said['process']}, since {said['since']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "another command"
