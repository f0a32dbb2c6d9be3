"""An interrupt arrives wherever it comes."""

import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest

from konkyo.resilience import reraise_lost_interrupt

DROPS = """
import signal, sys, time, weakref
from contextlib import nullcontext
from konkyo.resilience import reraise_lost_interrupt

class Thing:
    pass

def dropped(_):
    # Its Python handler runs within this callback, whose exceptions nobody catches.
    signal.raise_signal(signal.SIGINT)
    time.sleep(0)

with reraise_lost_interrupt() if sys.argv[1] == "reraised" else nullcontext():
    thing = Thing()
    reference = weakref.ref(thing, dropped)
    del thing
    time.sleep(1)
print("went on")
"""


@pytest.mark.parametrize(("how", "code", "said"), [("reraised", -2, ""), ("plain", 0, "went on\n")])
def test_an_interrupt_in_a_callback_ends_the_process(how: str, code: int, said: str):
    ended = subprocess.run(
        [sys.executable, "-c", DROPS, how], capture_output=True, text=True, timeout=180, check=False
    )
    assert (ended.returncode, ended.stdout) == (code, said), ended.stderr
    assert "KeyboardInterrupt" in ended.stderr


def test_other_lost_exceptions_are_told_of_as_before(monkeypatch: pytest.MonkeyPatch):
    told = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    before = sys.unraisablehook
    with reraise_lost_interrupt():
        thing = type("Thing", (), {})()
        reference = weakref.ref(thing, lambda _: 1 / 0)
        del thing
        time.sleep(0.1)
    assert reference() is None
    assert [lost.exc_type for lost in told] == [ZeroDivisionError]
    assert sys.unraisablehook == before


def test_timer_and_handler_are_restored():
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(ValueError, match="own"), reraise_lost_interrupt():
        assert signal.getsignal(signal.SIGALRM) is signal.default_int_handler
        raise ValueError("own")
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_thread_goes_on_without():
    done = []

    def work() -> None:
        with reraise_lost_interrupt():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
