"""Stacks on a real cluster whose workers are killed; panels downloaded from an object store."""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

import backend_jobs
from clusters import dask_cluster
from konkyo.cache import TRAINING, code_digest
from konkyo.config import Train
from konkyo.errors import BackendError
from konkyo.features import store
from konkyo.io import cache_folder
from konkyo.models import distributed, panel_cache
from konkyo.models import jobs as plan
from konkyo.models import train as room
from konkyo.models.backends import BACKENDS
from konkyo.models.train import train
from konkyo.windows import MonthSlices, rolling
from processes import PATIENCE, until
from small import small_params

MONTHS, EPOCHS = 6, 60
NOWHERE = Path("/nowhere/state")


@pytest.fixture(scope="module")
def chosen() -> Train:
    return replace(small_params().train, epochs=EPOCHS, workers=2)


@pytest.fixture(scope="module")
def mapped(panel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("panel")
    store.write(panel, panel.catalogue, folder)
    return store.read(folder)


def run(panel, params: Train, folder: Path) -> dict[str, bytes]:
    """Train, and return every file of the results."""
    windows = rolling(MonthSlices.of(panel.index["month"]), params.window_months)[:MONTHS]
    train(panel, windows, params, folder)
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def alone(mapped, chosen, tmp_path_factory):
    """Two stacks, one after another in this process."""
    return run(mapped, replace(chosen, workers=1), tmp_path_factory.mktemp("alone"))


def kill_one(
    workers: Callable[[], list[psutil.Process]], begun: Callable[[], bool]
) -> "Future[int]":
    """Kill a worker when stacks are under way; return what will be its id."""

    def kill() -> int:
        # To look for processes takes longer than a small stack may have left.
        while not (found := workers()):
            time.sleep(0.05)
        until(begun)
        found[0].kill()
        return found[0].pid

    pool = ThreadPoolExecutor(1)
    killed = pool.submit(kill)
    pool.shutdown(wait=False)
    return killed


@pytest.mark.slow
@pytest.mark.cluster
def test_a_killed_worker_changes_no_byte(cluster, mapped, chosen, alone, tmp_path):
    at = cluster("dask")
    killed = kill_one(at.workers, lambda: bool(list(tmp_path.glob("state/*.ckpt"))))
    files = run(mapped, replace(chosen, backend="dask", scheduler_address=at.address), tmp_path)
    assert killed.result(PATIENCE)
    assert files == alone


@pytest.mark.slow
@pytest.mark.cluster
@pytest.mark.long
def test_workers_without_the_folder_download_the_panel(
    mapped, chosen, alone, tmp_path, monkeypatch
):
    """On a cluster that shares no file but the store's, and whose worker is killed."""
    monkeypatch.setattr(
        room,
        "StackJob",
        lambda **fields: distributed.StackJob(**(fields | {"state": NOWHERE})),
    )
    with dask_cluster() as at:
        killed = kill_one(at.workers, lambda: bool(list(at.cache.glob("konkyo/state/*/*.ckpt"))))
        params = replace(
            chosen,
            backend="dask",
            scheduler_address=at.address,
            panel_cache_url=(tmp_path / "store").as_uri(),
        )
        files = run(mapped, params, tmp_path / "run")
        assert killed.result(PATIENCE)
        assert files == alone
        stored = sorted(path.name for path in (tmp_path / "store").iterdir())
        # Features and labels, on the machine of the workers once too.
        assert len(stored) == 2
        assert stored == sorted(path.name for path in at.cache.glob("konkyo/*.npy"))


def test_an_error_of_a_job_is_raised_here(cluster):
    jobs = {"a": ("double", "1"), "b": ("fail", "too few")}
    with pytest.raises(ValueError, match=r"^too few$"):
        list(BACKENDS["dask"](backend_jobs.work, jobs, workers=2, address=cluster("dask").address))


@pytest.fixture
def job(mapped, chosen, tmp_path, monkeypatch):
    """Return a stack of one network, as a worker elsewhere is asked for it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(distributed, "_NFS_DELAY", 0.0)
    windows = rolling(MonthSlices.of(mapped.index["month"]), chosen.window_months)[:1]
    params = replace(chosen, epochs=1, placebo_every=0)
    (spec,) = plan.network_specs(mapped, windows, params)
    label = mapped.index["label"].to_numpy(dtype=np.float32)
    place = (tmp_path / "store").as_uri()
    arrays = {"features": mapped.features, "labels": np.stack([label, label])}
    features, labels = (
        panel_cache.publish(array, tmp_path / f"{name}.npy", place)
        for name, array in arrays.items()
    )
    return distributed.StackJob(
        name="digest", specs={spec.name: [plan.compact(spec)]}, keys={spec.name: "key"},
        inputs=tuple(mapped.names), params=params, features=features, labels=labels,
        state=NOWHERE, code=code_digest(*TRAINING),
    )  # fmt: skip


def test_rows_are_not_sent_and_come_back_as_they_were(mapped, chosen):
    windows = rolling(MonthSlices.of(mapped.index["month"]), chosen.window_months)
    label = mapped.index["label"].to_numpy(dtype=np.float32)[None]
    for entry in plan.network_specs(mapped, windows, chosen):
        sent = plan.compact(entry)
        assert sent.rows.shape == (1, 2)
        assert np.array_equal(plan.expand(sent, label).rows, entry.rows)


def test_a_panel_that_is_a_file_is_not_copied(mapped, tmp_path):
    assert (
        panel_cache.publish(mapped.features, tmp_path / "a.npy", "").path
        == mapped.features.filename
    )
    assert not (tmp_path / "a.npy").exists()
    part = panel_cache.publish(mapped.features[1:], tmp_path / "b.npy", "")
    assert part.path == tmp_path / "b.npy"
    np.testing.assert_array_equal(part.mapped(), mapped.features[1:])


def test_what_a_worker_fetches_is_what_was_put_there(job):
    (weights,) = distributed.train_stack(job).networks["weights/" + job.specs.popitem()[1][0].month]
    assert weights.key == "key"
    copy = cache_folder() / f"{job.features.digest}.npy"
    copied = copy.stat().st_mtime_ns
    assert np.array_equal(job.features.fetched(), job.features.mapped())
    assert copy.stat().st_mtime_ns > copied
    copy.unlink()
    Path(job.features.url.removeprefix("file://")).write_bytes(b"another panel")
    with pytest.raises(BackendError, match="is not what this run put there"):
        job.features.fetched()
    assert not copy.exists()


def test_copies_that_nobody_has_used_for_a_week_go(job):
    folder = cache_folder()
    folder.mkdir(parents=True)
    (folder / "old.npy").touch()
    os.utime(folder / "old.npy", (0, 0))
    (folder / "new.npy").touch()
    job.labels.fetched()
    assert {path.stem for path in folder.glob("*.npy")} == {"new", job.labels.digest}


def test_a_worker_without_panel_or_with_other_code(job):
    unshared = replace(job, features=replace(job.features, url=""))
    with pytest.raises(
        BackendError, match=r"does not see /nowhere/state: .* train\.panel_cache_url"
    ):
        distributed.train_stack(unshared)
    with pytest.raises(BackendError, match="would train other weights"):
        distributed.train_stack(replace(job, code="of another version"))
    gone = replace(job.features, url="file:///nowhere/panel.npy")
    with pytest.raises(BackendError, match=r"file:///nowhere/panel\.npy cannot be used"):
        distributed.train_stack(replace(job, features=gone))
