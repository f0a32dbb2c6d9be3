"""Processes that tests start: ports for them, and waits for what they do."""

import socket
import time
import urllib.request
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

PATIENCE = 180.0
"""Seconds that a wait may take where nothing is wrong: a machine may be slow and busy."""


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(
    condition: Callable[[], Value],
    what: str | Callable[[], str] = "",
    seconds: float = PATIENCE,
    pause: float = 0.05,
) -> Value:
    """Return a condition's value as soon as it is true.

    Raises
    ------
    AssertionError
        It was not within so many seconds; `what` says why, or what returns that.
    """
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(what() if callable(what) else what or "it did not come")
        time.sleep(pause)
    return value


def answers(url: str) -> bool:
    """Return whether a server answers a request."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True
