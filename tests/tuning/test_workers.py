"""The parent of worker processes."""

import os
import signal
import sys
import threading
import time

import pytest

from konkyo.tuning import pool


def command(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_it_returns_when_all_have_ended_and_says_how_those_that_failed_did(tmp_path, capfd):
    script = "import os; print('last words'); os.kill(os.getpid(), 9) if {} else None"
    seen = []
    pool.run_workers(command(script.format(0)), 2, tmp_path, lambda: seen.append(1), 0.05)
    assert seen and capfd.readouterr().err == ""
    pool.run_workers(command(script.format(1)), 1, tmp_path, lambda: None, 0.05)
    assert "worker 1 killed by SIGKILL" in capfd.readouterr().err


def test_an_interrupt_reaches_every_worker_once(tmp_path):
    # Under a shell's background job interrupts are ignored, here and in what is started here.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    script = (
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "print('begun', flush=True)\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.3); print('given back')\n"
    )

    def interrupt() -> None:
        logs = [tmp_path / f"worker-{n}.log" for n in (1, 2)]
        while not all(log.exists() and "begun" in log.read_text() for log in logs):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            pool.run_workers(command(script), 2, tmp_path, lambda: None, 0.05)
    finally:
        signal.signal(signal.SIGINT, before)
    for number in (1, 2):
        assert (tmp_path / f"worker-{number}.log").read_text() == "begun\ngiven back\n"
