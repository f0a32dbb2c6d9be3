"""A Dask scheduler with two workers, on the loopback interface."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from processes import PATIENCE, free_port


@dataclass(frozen=True)
class Cluster:
    """A scheduler with two workers.

    Attributes
    ----------
    backend, address : str
        As params.yaml names them.
    cache : Path
        Where its workers keep what they fetch.
    workers : callable
        The processes that jobs run in, those that live now.
    """

    backend: str
    address: str
    cache: Path
    workers: Callable[[], list[psutil.Process]]


@contextmanager
def _running(*command: str, cache: str) -> Iterator[subprocess.Popen[str]]:
    env = {"PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": cache}
    process = subprocess.Popen(
        [sys.executable, *command], env=os.environ | env,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        started = [psutil.Process(process.pid), *below(process.pid)]
        for each in started:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.communicate()


def below(pid: int) -> list[psutil.Process]:
    """Return all processes that a process has started, and those that they have."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def cmd(process: psutil.Process) -> list[str]:
    """Return the words of a process's command, none if it has ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@contextmanager
def dask_cluster() -> Iterator[Cluster]:
    from distributed import Client

    port = free_port()
    address, host = f"tcp://127.0.0.1:{port}", ("--host", "127.0.0.1", "--no-dashboard")
    with ExitStack() as stack:
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        own = ("--port", str(port), "--dashboard-address", "127.0.0.1:0")
        stack.enter_context(
            _running("-m", "distributed.cli.dask_scheduler", *host, *own, cache=cache)
        )
        own = (address, "--nthreads", "1", "--no-nanny", "--memory-limit", "0")
        worker = ("-m", "distributed.cli.dask_worker", *host, *own)
        started = [stack.enter_context(_running(*worker, cache=cache)) for _ in range(2)]
        with Client(address, timeout=PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
        workers = [psutil.Process(process.pid) for process in started]
        yield Cluster("dask", address, Path(cache), lambda: [w for w in workers if w.is_running()])


CLUSTERS = {"dask": dask_cluster}
