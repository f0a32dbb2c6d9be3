"""Every backend does the same on processes of this machine; test_distributed.py has a cluster."""

import builtins
import os
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool

import psutil
import pytest

import backend_jobs
from clusters import below
from konkyo.errors import BackendError
from konkyo.models.backends import BACKENDS
from processes import PATIENCE, until

# The jobs' module, for workers that know of the environment alone.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def run(backend: str, jobs: dict) -> dict[str, str]:
    results = BACKENDS[backend](backend_jobs.work, jobs, workers=2)
    return {name: doubled for name, (doubled, _) in results}


@pytest.mark.slow
@pytest.mark.cluster
def test_loky_starts_workers_again_for_what_is_left(tmp_path):
    jobs = {"first": ("double", "x"), "dies": ("die", str(tmp_path / "died"))}
    assert run("loky", jobs) == {"first": "xx", "dies": str(tmp_path / "died") * 2}
    assert (tmp_path / "died").exists()


@pytest.mark.slow
@pytest.mark.cluster
def test_loky_gives_up_a_job_that_kills_its_workers(tmp_path):
    # Where the file cannot be made, it dies every time.
    jobs = {"first": ("double", "x"), "dies": ("die", str(tmp_path / "absent" / "died"))}
    results = {}
    with pytest.raises(BrokenProcessPool):
        for name, (doubled, _) in BACKENDS["loky"](backend_jobs.work, jobs, workers=2):
            results[name] = doubled
    assert results == {"first": "xx"}


def test_dask_missing_is_an_error_with_its_remedy(monkeypatch):
    original = builtins.__import__

    def without(name, *rest):
        if name == "distributed":
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BackendError, match=r"pip install \"konkyo\[dask\]\""):
        run("dask", {"a": ("double", "1")})


LOCAL = """
import sys
sys.path[:0] = sys.argv[5:]
import backend_jobs
from konkyo.models.backends import BACKENDS
if __name__ == "__main__":
    jobs = {"first": tuple(sys.argv[3:5]), "long": ("sleep", "600")}
    try:
        backend = BACKENDS[sys.argv[1]]
        for name, _ in backend(backend_jobs.work, jobs, workers=int(sys.argv[2])):
            print(name, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.parametrize(("backend", "first"), [("loky", "double"), ("dask", "die")])
def test_a_cluster_is_local_and_ends_on_interrupt(backend, first, tmp_path):
    """And Dask has done elsewhere what a worker died on."""
    mark = tmp_path / "died"
    run = subprocess.Popen(
        [sys.executable, "-c", LOCAL, backend, "2", first, str(mark), *sys.path],
        stdout=subprocess.PIPE, text=True, env=ENVIRONMENT, start_new_session=True,
    )  # fmt: skip
    finished = run.stdout.readline() == "first\n"
    processes = [psutil.Process(run.pid), *below(run.pid)]
    try:
        assert finished and mark.exists() == (first == "die")
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
        assert run.communicate(timeout=PATIENCE)[0] == "interrupted\n"
        until(lambda: not any(alive(process) for process in processes))
    finally:
        for process in processes:
            if process.is_running():
                process.kill()


@pytest.mark.slow
@pytest.mark.cluster
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
    until(lambda: not any(alive(process) for process in workers))


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
