"""The engines that run stacks side by side: loky here, Dask and Ray here or on many machines.

Each takes the same jobs, yields what is done as it is done, and raises `Lost` where workers died on
their jobs. Dask and Ray are used through their own futures: joblib's backend for Dask waits for
ever for a job that killed its workers, and Ray's gives up all jobs when one worker dies.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, closing
from typing import Any, Literal, TypeVar
from uuid import uuid4

from konkyo.errors import BackendError

Backend = Literal["loky", "dask", "ray"]
Asked = TypeVar("Asked")
Given = TypeVar("Given")

_FIRST_WORKER = 60
"""Seconds in which a scheduler must have a worker."""
_AGAIN = 3
"""Times that Ray starts a job again whose worker died; Dask's schedulers do it as often."""
_STORE = 128 * 2**20
"""Bytes of memory that a local Ray shares: results are small and nothing else passes through it."""


class WorkersLost(Exception):
    """Workers died on their jobs, and the engine gave these up; the cause is what it said."""


def run(
    backend: Backend,
    address: str,
    workers: int,
    work: Callable[[Asked], Given],
    jobs: Mapping[str, Asked],
) -> Iterator[tuple[str, Given]]:
    """Do jobs side by side and yield each result as it is there.

    Parameters
    ----------
    backend : str
        "loky", "dask" or "ray".
    address : str
        Of the scheduler; "" for processes of this machine, which end with the generator.
    workers : int
        Processes, where they are started here.
    work : callable
        A function of a module, which is there on every machine.
    jobs : mapping of str to object
        By name.

    Yields
    ------
    str, object
        Name and result of a job.

    Raises
    ------
    Lost
        After the other jobs are done, where the engine can.
    BackendError
        The engine is not installed, or its scheduler cannot be reached.
    """
    if backend == "dask":
        return _dask(address, workers, work, jobs)
    if backend == "ray":
        return _ray(address, workers, work, jobs)
    return _loky(workers, work, jobs)


def end_with_parent(parent: int) -> None:
    """Let this process end within a second after its parent: loky's go on for minutes.

    They would train on beside the next run, and write its states; those that wait for a job would
    keep their memory.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _named(work: Callable[[Asked], Given], name: str, job: Asked) -> tuple[str, Given]:
    return name, work(job)


def _loky(
    workers: int, work: Callable[[Asked], Given], jobs: Mapping[str, Asked]
) -> Iterator[tuple[str, Given]]:
    from joblib import Parallel, delayed

    # Nothing is put into shared memory, where it would stay if this process were killed.
    spread = Parallel(
        n_jobs=workers, backend="loky", max_nbytes=None, return_as="generator_unordered",
        initializer=end_with_parent, initargs=(os.getpid(),),
    )  # fmt: skip
    asked = (delayed(_named)(work, name, job) for name, job in jobs.items())
    try:
        with closing(spread(asked)) as done:
            yield from done
    except BrokenProcessPool as error:
        raise WorkersLost from error


def _dask(
    address: str, workers: int, work: Callable[[Asked], Given], jobs: Mapping[str, Asked]
) -> Iterator[tuple[str, Given]]:
    try:
        from distributed import Client, KilledWorker, LocalCluster, as_completed
    except ImportError:
        raise BackendError(_not_installed("dask")) from None

    lost = None
    with ExitStack() as stack:
        if not address:
            # No pages, and none but this machine may ask. What a worker maps of the panel is no
            # memory that it has taken, as a limit would count it.
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, host="127.0.0.1", memory_limit=None,
                dashboard_address="127.0.0.1:0", scheduler_kwargs={"dashboard": False},
                silence_logs=logging.ERROR,
            )  # fmt: skip
            stack.enter_context(cluster)
            address = cluster.scheduler_address
        try:
            client = stack.enter_context(Client(address, set_as_default=False))
            client.wait_for_workers(1, timeout=_FIRST_WORKER)
        except (OSError, ValueError, TimeoutError) as error:
            raise BackendError(_not_there("dask", address, error)) from None
        # A job that was given up is another one when it is asked for again.
        run = uuid4().hex
        name_of = {
            client.submit(work, job, key=f"konkyo-{run}-{name}", pure=False): name
            for name, job in jobs.items()
        }
        stack.callback(client.cancel, list(name_of), force=True)
        # Results come at once, so that a worker that dies takes none with it.
        results = as_completed(
            list(name_of), loop=client.loop, with_results=True, raise_errors=False
        )
        for future, result in results:
            if future.status == "finished":
                yield name_of[future], result
            elif future.status == "cancelled":
                raise BackendError(
                    f"the scheduler at {address} was closed, or its jobs were cancelled there: run "
                    "the same again, which goes on from where it was"
                )
            elif isinstance(result[1], KilledWorker):
                lost = result[1]
            else:
                raise result[1]
    if lost is not None:
        raise WorkersLost from lost


def _ray(
    address: str, workers: int, work: Callable[[Asked], Given], jobs: Mapping[str, Asked]
) -> Iterator[tuple[str, Given]]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if not address:
        # Its name notwithstanding, this is what makes Ray stay on the loopback interface.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    try:
        import ray
        from ray import exceptions
    except ImportError:
        raise BackendError(_not_installed("ray")) from None

    own: dict[str, Any] = {} if address else {
        "num_cpus": workers, "include_dashboard": False, "object_store_memory": _STORE
    }  # fmt: skip
    lost = None
    with ExitStack() as stack:
        try:
            ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **own)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise BackendError(_not_there("ray", address, error)) from None
        # It ends what is still under way too; asking for that by name can end this process.
        stack.callback(ray.shutdown)
        task = ray.remote(work).options(num_cpus=1, max_retries=_AGAIN)
        name_of = {task.remote(job): name for name, job in jobs.items()}
        while name_of:
            (ready,), _ = ray.wait(list(name_of), num_returns=1)
            try:
                result = ray.get(ready)
            except exceptions.RayTaskError as error:
                raise error.cause from None
            except exceptions.RayError as error:
                lost = error
                del name_of[ready]
            else:
                yield name_of.pop(ready), result
    if lost is not None:
        raise WorkersLost from lost


def _not_installed(backend: str) -> str:
    return (
        f"train.backend = {backend!r} needs a package that is not installed: "
        f'pip install "konkyo[{backend}]" (here pip install -e ".[{backend}]"), on every machine, '
        "or set train.backend to loky"
    )


def _not_there(backend: str, address: str, error: BaseException) -> str:
    said = str(error).strip().partition("\n")[0] or type(error).__name__
    where = f"at train.scheduler_address = {address!r}" if address else "of this machine"
    return (
        f"the {backend} cluster {where} cannot be used ({said}): start its scheduler and at least "
        'one worker, correct the address, or set it to "" to train on this machine'
    )
