"""Worker processes on this machine, started and ended by one parent."""

import os
import signal
import subprocess  # nosec B404 # fixed programs, never a shell
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PATIENCE = 60.0
"""Seconds that interrupted workers have to give their trials back."""
_SAID = 20
"""Lines of a dead worker's last words."""


def run_workers(
    command: Sequence[str], count: int, logs: Path, show: Callable[[], None], every: float = 1.0
) -> None:
    """Run a command in many processes until all of them have ended.

    Parameters
    ----------
    command : sequence of str
        Of one worker. It reads end of file on its standard input when this process is gone.
    count : int
        Processes.
    logs : Path
        Folder for worker-<n>.log, what each of them says.
    show : callable
        Called while they run.
    every : float
        Seconds between two calls.

    Raises
    ------
    KeyboardInterrupt
        After the workers were interrupted in turn and have ended.

    Notes
    -----
    How each worker that failed or was killed ended, and its last words, go to standard error.
    """
    logs.mkdir(parents=True, exist_ok=True)
    paths = [logs / f"worker-{number}.log" for number in range(1, count + 1)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for path in paths:
            with path.open("wb") as log:
                # A group of their own: an interrupt from the keyboard reaches them once, from here.
                workers.append(
                    subprocess.Popen(  # nosec B603 # a list, never a shell
                        command,
                        stdin=subprocess.PIPE,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        env=environment,
                        process_group=0,
                    )
                )
        while any(worker.poll() is None for worker in workers):
            show()
            time.sleep(every)
    except BaseException:
        _interrupt(workers)
        raise
    for number, (worker, path) in enumerate(zip(workers, paths, strict=True), 1):
        if worker.returncode != 0:
            print(_ended(number, worker.returncode, path), file=sys.stderr)


def end_with_parent() -> None:
    """Interrupt this process when its standard input ends: its parent was killed."""

    def wait() -> None:
        # Not through sys.stdin, whose lock an ending interpreter would want.
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


def _interrupt(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Interrupt workers, and kill those that do not end of it."""
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGINT)
    end = time.monotonic() + _PATIENCE
    for worker in workers:
        try:
            worker.wait(max(end - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _ended(number: int, code: int, log: Path) -> str:
    """Say how a worker ended, with its last words."""
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_SAID:]
    return "\n  ".join([f"worker {number} {how}; its last words, of {log}:", *lines])
