"""Light jobs for the engines, which import nothing that takes long."""

import os
import signal
import time
from pathlib import Path


def work(job: tuple[str, str]) -> tuple[str, int]:
    """Do what is asked: ("double", "2"), ("fail", said), ("die", file), ("sleep", seconds)."""
    kind, of = job
    if kind == "fail":
        raise ValueError(of)
    if kind == "sleep":
        time.sleep(float(of))
    if kind == "die" and not Path(of).exists():
        # Once, unless the file is nowhere.
        if Path(of).parent.exists():
            Path(of).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return of * 2, os.getpid()
