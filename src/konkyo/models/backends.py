"""Where jobs run: in this process, in processes of this machine (loky), or on a cluster (Dask).

Each backend takes the same jobs and yields every result as it arrives. Dask is used through its own
futures: joblib's backend for it waits for ever for a job that killed its workers.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from typing import Protocol, TypeVar
from uuid import uuid4

from konkyo.errors import BackendError

Job = TypeVar("Job")
Result = TypeVar("Result")

_WORKER_TIMEOUT = 60
"""Seconds in which a scheduler must have a worker."""
_STARTS = 3
"""Times in a row that loky's workers may die without any job done."""


class Backend(Protocol):
    """Runs `work` on every job and yields name and result, in any order."""

    def __call__(
        self,
        work: Callable[[Job], Result],
        jobs: Mapping[str, Job],
        *,
        workers: int,
        address: str = "",
    ) -> Iterator[tuple[str, Result]]:
        """Yield results as they arrive.

        Parameters
        ----------
        work : callable
            A function of a module that every machine has.
        jobs : mapping of str to object
            By name.
        workers : int
            Processes, where they are started here.
        address : str
            Of a scheduler; "" for processes of this machine, which end with the generator.

        Raises
        ------
        BackendError
            The backend is not installed, or its scheduler cannot be reached.
        Exception
            That of a job, or of a backend whose workers die again and again.
        """


def in_process(
    work: Callable[[Job], Result], jobs: Mapping[str, Job], *, workers: int, address: str = ""
) -> Iterator[tuple[str, Result]]:
    """Run the jobs here, one after another."""
    for name, job in jobs.items():
        yield name, work(job)


def loky(
    work: Callable[[Job], Result], jobs: Mapping[str, Job], *, workers: int, address: str = ""
) -> Iterator[tuple[str, Result]]:
    """Run the jobs in processes of this machine.

    loky gives up all jobs when one of its workers dies: they are started again for those that are
    left, up to three times in a row without any job done.
    """
    from joblib import Parallel, delayed

    def named(name: str, job: Job) -> tuple[str, Result]:
        return name, work(job)

    left, starts = dict(jobs), 0
    while left:
        starts += 1
        # Nothing goes into shared memory, where it would stay if this process were killed.
        parallel = Parallel(
            n_jobs=workers, backend="loky", max_nbytes=None, return_as="generator_unordered",
            initializer=end_with_parent, initargs=(os.getpid(),),
        )  # fmt: skip
        try:
            with closing(parallel(delayed(named)(*item) for item in left.items())) as results:
                for name, result in results:
                    yield name, result
                    left = {other: job for other, job in left.items() if other != name}
                    starts = 0
        except BrokenProcessPool:
            if starts >= _STARTS:
                raise


def end_with_parent(parent: int) -> None:
    """Let this process exit within a second of its parent: loky's workers live on for minutes.

    They would train on beside the next run and write its states; idle ones would keep their memory.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def dask(
    work: Callable[[Job], Result], jobs: Mapping[str, Job], *, workers: int, address: str = ""
) -> Iterator[tuple[str, Result]]:
    """Run the jobs on a Dask cluster, or on one of this machine where there is no address.

    Dask gives a job whose worker died to another one, until four have died on it
    (`distributed.scheduler.allowed-failures`); that is raised when the other jobs are done.
    """
    try:
        from distributed import Client, KilledWorker, LocalCluster, as_completed
    except ImportError:
        raise BackendError(
            "train.backend = 'dask' needs a package that is not installed: "
            'pip install "konkyo[dask]" (here pip install -e ".[dask]"), on every machine, or set '
            "train.backend to loky"
        ) from None

    killed = None
    with ExitStack() as stack:
        if not address:
            # No dashboard, and the loopback interface only. A mapped panel is not memory that a
            # worker has taken, though a limit would count it.
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, host="127.0.0.1", memory_limit=None,
                dashboard_address="127.0.0.1:0", scheduler_kwargs={"dashboard": False},
                silence_logs=logging.ERROR,
            )  # fmt: skip
            stack.enter_context(cluster)
        try:
            client = stack.enter_context(
                Client(address or cluster.scheduler_address, set_as_default=False)
            )
            client.wait_for_workers(1, timeout=_WORKER_TIMEOUT)
        except (OSError, ValueError, TimeoutError) as error:
            message = str(error).strip().partition("\n")[0] or type(error).__name__
            where = f"at train.scheduler_address = {address!r}" if address else "of this machine"
            raise BackendError(
                f"the dask cluster {where} cannot be used ({message}): start its scheduler and at "
                'least one worker, correct the address, or set it to "" to train on this machine'
            ) from None
        # A scheduler remembers the fate of a key: each run has keys of its own.
        run = uuid4().hex
        name_of = {
            client.submit(work, job, key=f"konkyo-{run}-{name}", pure=False): name
            for name, job in jobs.items()
        }
        stack.callback(client.cancel, list(name_of), force=True)
        # Results are fetched at once, so that a worker that dies takes none with it.
        results = as_completed(
            list(name_of), loop=client.loop, with_results=True, raise_errors=False
        )
        for future, result in results:
            if future.status == "finished":
                yield name_of[future], result
            elif future.status == "cancelled":
                raise BackendError(
                    f"the scheduler at {address} was closed, or its jobs were cancelled there: run "
                    "the same command again, which resumes"
                )
            elif isinstance(result[1], KilledWorker):
                killed = result[1]
            else:
                raise result[1]
    if killed is not None:
        raise killed


BACKENDS: dict[str, Backend] = {"in_process": in_process, "loky": loky, "dask": dask}
"""By their names in params.yaml; `in_process` is taken for few networks and for a GPU."""
