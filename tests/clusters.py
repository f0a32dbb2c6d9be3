"""A Dask scheduler and a Ray cluster with two workers each, on the loopback interface."""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil
import pytest

SECONDS = 180


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


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def _running(
    *command: str, cache: str, said: IO[str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    env = {"PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": cache}
    process = subprocess.Popen(
        [sys.executable, *command], env=os.environ | env,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said or subprocess.DEVNULL, text=True,
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


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


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
        with Client(address, timeout=SECONDS, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=SECONDS)
        workers = [psutil.Process(process.pid) for process in started]
        yield Cluster("dask", address, Path(cache), lambda: [w for w in workers if w.is_running()])


RAY = """
import sys
from ray.cluster_utils import Cluster
own = {"num_cpus": 1, "object_store_memory": 100_000_000, "temp_dir": sys.argv[1]}
cluster = Cluster(initialize_head=True, head_node_args={**own, "include_dashboard": False})
cluster.add_node(**own)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
sys.stdin.read()
"""


@contextmanager
def ray_cluster() -> Iterator[Cluster]:
    """Two nodes of a core each, which ask every caller for a token that is made here."""
    env = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # On a busy machine each of its processes may take its time.
        "RAY_raylet_start_wait_time_s": str(SECONDS),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, value in env.items():
            patch.setenv(name, value)
        # Sockets have short names.
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        said = stack.enter_context(tempfile.TemporaryFile("w+"))
        process = stack.enter_context(_running("-c", RAY, folder, cache=folder, said=said))
        address = process.stdout.readline().strip()
        said.seek(0)
        assert address.startswith("127.0.0.1:"), said.read()

        def workers() -> list[psutil.Process]:
            return [p for p in below(process.pid) if cmd(p)[:1] == ["ray::work"]]

        yield Cluster("ray", address, Path(folder), workers)


CLUSTERS = {"dask": dask_cluster, "ray": ray_cluster}
