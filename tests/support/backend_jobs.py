"""Light jobs for the backends, which import nothing that takes long."""

import os
import signal
import time
from pathlib import Path


def work(job: tuple[str, str]) -> tuple[str, int]:
    """Run a job: ("double", "2"), ("fail", message), ("die", file), ("sleep", seconds)."""
    kind, value = job
    if kind == "fail":
        raise ValueError(value)
    if kind == "sleep":
        time.sleep(float(value))
    if kind == "die" and not Path(value).exists():
        # Once, or at every start where the file cannot be made.
        if Path(value).parent.exists():
            Path(value).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value * 2, os.getpid()
