"""Every engine does the same on processes of this machine; test_spread.py has clusters."""

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
from konkyo.models import backends

# The jobs' module, for workers that know of the environment alone.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def done(backend: str, address: str, jobs: dict) -> dict[str, str]:
    results = backends.run(backend, address, 2, engine_jobs.work, jobs)
    return {name: doubled for name, (doubled, _) in results}


def test_a_worker_of_loky_that_dies_is_lost_with_its_jobs(tmp_path):
    jobs = {"first": ("double", "x"), "dies": ("die", str(tmp_path / "died"))}
    with pytest.raises(backends.WorkersLost):
        done("loky", "", jobs)
    assert done("loky", "", jobs) == {"first": "xx", "dies": str(tmp_path / "died") * 2}


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
sys.path[:0] = sys.argv[5:]
signal.signal(signal.SIGINT, signal.default_int_handler)
import engine_jobs
from konkyo.models import backends
if __name__ == "__main__":
    jobs = {"first": tuple(sys.argv[3:5]), "long": ("sleep", "600")}
    try:
        for name, _ in backends.run(sys.argv[1], "", int(sys.argv[2]), engine_jobs.work, jobs):
            print(name, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize(
    ("backend", "first"), [("loky", "double"), ("dask", "die"), ("ray", "die")]
)
def test_a_local_cluster_keeps_to_this_machine_and_an_interrupt_leaves_none_of_it(
    backend, first, tmp_path
):
    """And Dask and Ray have done elsewhere what a worker died on."""
    mark = tmp_path / "died"
    run = subprocess.Popen(
        [sys.executable, "-c", LOCAL, backend, "2", first, str(mark), *sys.path],
        stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, start_new_session=True,
    )  # fmt: skip
    # Ray tells of the worker before that.
    told = "first\n" in iter(run.stdout.readline, "")
    processes = [psutil.Process(run.pid), *below(run.pid)]
    try:
        assert told and mark.exists() == (first == "die")
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


def test_workers_of_loky_end_with_a_run_that_is_killed():
    # There are two jobs: at least one worker has none when the other is at the long one.
    run = subprocess.Popen(
        [sys.executable, "-c", LOCAL, "loky", "3", "double", "x", *sys.path],
        stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, start_new_session=True,
    )  # fmt: skip
    assert run.stdout.readline() == "first\n"
    until(lambda: len(below(run.pid)) >= 3)
    workers = below(run.pid)
    run.kill()
    run.wait()
    until(lambda: not any(alive(process) for process in workers), SECONDS)


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
