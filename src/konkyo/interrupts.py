"""An interrupt that is not lost.

Python throws away an exception that is raised within a callback of a weak reference or within a
destructor, an interrupt too: the process goes on as if nobody had asked it to end. SQLAlchemy has
many such callbacks: of 180 interrupts of a search over its database, 14 were lost.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LATER = 0.05
"""Seconds after which a lost interrupt is raised again, outside of what swallowed it."""


@contextmanager
def insisting() -> Iterator[None]:
    """Raise an interrupt again that Python threw away, until it arrives.

    It takes SIGALRM and its timer for itself; in a thread that gets no signals it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    passed_over = sys.unraisablehook

    def look(lost: "sys.UnraisableHookArgs") -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, _LATER)
        else:
            passed_over(lost)

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    sys.unraisablehook = look
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = passed_over
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
