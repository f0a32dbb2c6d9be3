"""Every engine does the same: on clusters on the loopback interface, on processes of its own."""

import builtins
import os
import signal
import subprocess
import sys

import psutil
import pytest

import engine_jobs
from clusters import SECONDS, below, until
from konkyo.errors import BackendError
from konkyo.network import engines

BACKENDS = ("loky", "dask", "ray")


@pytest.fixture
def address(cluster):
    """Return what gives the address of a backend's cluster."""
    return lambda backend: "" if backend == "loky" else cluster(backend).address


def done(backend: str, address: str, jobs: dict) -> dict[str, str]:
    results = engines.run(backend, address, 2, engine_jobs.work, jobs)
    return {name: doubled for name, (doubled, _) in results}


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_come_under_their_names_and_errors_as_they_are(backend, address):
    jobs = {f"job {i}": ("double", str(i)) for i in range(5)}
    assert done(backend, address(backend), jobs) == {f"job {i}": f"{i}{i}" for i in range(5)}
    with pytest.raises(ValueError, match="^too few$"):
        done(backend, address(backend), {"a": ("double", "1"), "b": ("fail", "too few")})


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_worker_that_dies_is_replaced_or_its_job_is_lost(backend, address, tmp_path):
    jobs = {"first": ("double", "x"), "dies": ("die", str(tmp_path / "died"))}
    if backend == "loky":
        with pytest.raises(engines.Lost):
            done(backend, "", jobs)
    # Dask and Ray have done it elsewhere.
    assert done(backend, address(backend), jobs) == {
        "first": "xx", "dies": str(tmp_path / "died") * 2
    }  # fmt: skip


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_what_is_missing_is_said(backend, monkeypatch):
    found = builtins.__import__

    def without(name, *rest):
        if name in ("distributed", "ray"):
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BackendError, match=rf"pip install \"konkyo\[{backend}\]\""):
        done(backend, "", {"a": ("double", "1")})


LOCAL = """
import signal, sys
sys.path[:0] = sys.argv[2:]
signal.signal(signal.SIGINT, signal.default_int_handler)
import engine_jobs
from konkyo.network import engines
if __name__ == "__main__":
    jobs = {"short": ("double", "1"), "long": ("sleep", "600"), "longer": ("sleep", "600")}
    try:
        for name, _ in engines.run(sys.argv[1], "", 2, engine_jobs.work, jobs):
            print(name, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_local_cluster_keeps_to_this_machine_and_an_interrupt_leaves_none_of_it(backend):
    run = subprocess.Popen(
        [sys.executable, "-c", LOCAL, backend, *sys.path], stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert run.stdout.readline() == "short\n"
    processes = [psutil.Process(run.pid), *below(run.pid)]
    try:
        assert len(processes) > 2
        listening = {
            kept.laddr.ip
            for process in processes
            for kept in process.net_connections("inet")
            if kept.status == psutil.CONN_LISTEN
        }
        assert listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
        # As a terminal does it: the signal reaches all of the group.
        os.killpg(run.pid, signal.SIGINT)
        assert run.communicate(timeout=SECONDS)[0] == "interrupted\n"
        until(lambda: not any(alive(process) for process in processes), SECONDS)
    finally:
        for process in processes:
            if process.is_running():
                process.kill()


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
