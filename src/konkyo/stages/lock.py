"""One command at a time in a folder: one that writes goes alone, those that read wait for it.

The kernel gives a lock back when its process ends, however it ends: none is ever left behind.
"""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import IO, ParamSpec, TypeVar

from konkyo.artifacts import HERE
from konkyo.errors import StorageError

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
    with path.open("a+", encoding="utf-8") as file:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                f"konkyo: {_who(file)} works in this folder: waiting until it has ended "
                "(Ctrl-C gives up)",
                file=sys.stderr,
                flush=True,
            )
            fcntl.flock(file, kind)
        except OSError as error:
            raise StorageError(
                f"{path} cannot be locked ({error.strerror}), and without a lock two commands "
                "could write the same files: move the project to a disk that has locks"
            ) from None
        _sign(file)
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


def _sign(file: IO[str]) -> None:
    """Say in a lock's file who has it, for those who wait."""
    file.truncate(0)
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    command = " ".join(["konkyo", *sys.argv[1:]])
    file.write(json.dumps({"command": command, "process": os.getpid(), "since": since}))
    file.flush()


def _who(file: IO[str]) -> str:
    """Return who has a lock, as far as its file tells."""
    file.seek(0)
    try:
        said = json.loads(file.read())
        os.kill(said["process"], 0)
        return f"`{said['command']}` (process {said['process']}, since {said['since']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "another command"
