"""Lineage of a run: commit, digests of params and data, library versions, data sets."""

import json
import os
import platform
import subprocess  # nosec B404 # fixed programs, never a shell
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_GIT_COMMIT
from ruamel.yaml import YAML

from konkyo import cache, dates, io
from konkyo.artifacts import Artifacts
from konkyo.features.store import read_catalogue
from konkyo.tracking.results import Results

LIBRARIES = (
    "konkyo",
    "torch",
    "pytorch-lightning",
    "numpy",
    "pandas",
    "scikit-learn",
    "mlflow",
    "dvc",
)
_MAX_PROFILE = 10_000
"""Characters; a store keeps a data set's profile in one column of bounded length."""


def tags(results: Results, params: dict[str, Any], datasets: list[DatasetInput]) -> dict[str, str]:
    """Return the lineage of a run as tags.

    Parameters
    ----------
    results : Results
        Results of the project's folder.
    params : dict
        Params that the results depend on, nested.
    datasets : list of DatasetInput
        `data_digest` is the digest of their digests, in order.

    Returns
    -------
    dict of str to str
        Names have no dots, which the UI's search would need quoted.
    """
    source = results.source
    lock = results.artifacts.root / "requirements.lock"
    code = results.artifacts.code
    return {
        **git(results.artifacts.root),
        **({"environment_digest": io.sha256_of(lock)[:32]} if lock.is_file() else {}),
        **({"code_digest": io.sha256_of(code)[:32]} if code.is_file() else {}),
        "dvc_lock_digest": _digest(dvc_lock(results.artifacts.root)),
        "params_digest": _digest(params),
        "data_digest": cache.digest_of(*(entry.dataset.digest for entry in datasets)),
        "source": str(source["source"]),
        "licence": str(source["licence"]),
        "point_in_time": json.dumps(source["point_in_time"]),
        "survivorship_free": json.dumps(source["survivorship_free"]),
        "machine": machine(),
        "version_python": platform.python_version(),
        **version_tags(LIBRARIES),
    }


def machine() -> str:
    """Return name, cores, memory and processor of this machine, such as `desk, 8 cores, 32 GB`."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{platform.node()}, {os.cpu_count()} cores, {memory:.0f} GB, {platform.machine()}"


def version_tags(libraries: Sequence[str]) -> dict[str, str]:
    """Return the installed versions as tags, such as version_pytorch_lightning."""
    return {f"version_{name.replace('-', '_')}": installed(name) for name in libraries}


def results_digest(results: Results) -> str:
    """Return the digest of all results logged: weights, attributions, metrics and report."""
    ends = [dates.label(end) for end in results.windows["month"]]
    by_month = cache.file_digests(results.artifacts.weights, results.artifacts.attributions, ends)
    folder = results.artifacts.report
    report = (path for path in sorted(folder.rglob("*")) if path.is_file())
    tables = (results.returns, results.cumulative, results.history, *results.tables.values())
    return cache.digest_of(
        json.dumps([by_month, results.metrics], sort_keys=True),
        *(frame.to_csv() for frame in tables),
        *(f"{path.relative_to(folder)} {io.sha256_of(path)}" for path in report),
    )


def git(root: Path) -> dict[str, str]:
    """Return the commit of a folder and whether its working tree differs from it.

    What the pipeline itself rewrites does not count, the lock files and the results that git has:
    a commit that reproduces the run may be older than they are. Outside a repository there is no
    commit, and git_dirty is "unknown".
    """
    study = Artifacts(root).intervention.relative_to(root)
    locks = [Path("dvc.lock"), study / "dvc.lock"]
    written = [*map(str, locks), str(study / "dvc.yaml")]
    for lock in locks:
        stages = _read_lock(root / lock).get("stages", {})
        written += [out["path"] for entry in stages.values() for out in entry.get("outs", [])]
    commit = _output("git", "-C", str(root), "rev-parse", "HEAD")
    others = [f":(exclude,literal){path}" for path in written]
    state = _output("git", "-C", str(root), "status", "--porcelain", "--", ".", *others)
    if commit is None or state is None:
        return {"git_dirty": "unknown"}
    return {
        MLFLOW_GIT_COMMIT: commit,
        "git_commit": commit,
        "git_dirty": json.dumps(state != ""),
    }


def dvc_lock(root: Path) -> dict[str, Any]:
    """Return dvc.lock without the stage `track`, whose entry is written after the run is logged.

    Two runs of one state of the pipeline thus have the same digest. Empty if there is no dvc.lock.
    """
    lock = _read_lock(root / "dvc.lock")
    stages = {name: entry for name, entry in lock.get("stages", {}).items() if name != "track"}
    return {**lock, "stages": stages} if lock else {}


def _read_lock(path: Path) -> dict[str, Any]:
    return _lock(path.read_text(encoding="utf-8")) if path.is_file() else {}


@lru_cache(maxsize=4)
def _lock(text: str) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(text) or {}


def datasets(results: Results) -> list[DatasetInput]:
    """Return `records` and `panel` as MLflow data sets, without loading their rows.

    Each digest depends on every byte of the data set's files.
    """
    records, panel = results.artifacts.records, results.artifacts.panel
    index = parquet.read_metadata(panel / "index.parquet")
    catalogue = len(read_catalogue(panel))
    return [
        _dataset(
            "records",
            [records / "stocks.parquet", records / "market.parquet"],
            root=results.artifacts.root,
            profile=results.source,
            context="source",
        ),
        _dataset(
            "panel",
            [panel / "features.npy", panel / "index.parquet", panel / "catalogue.csv"],
            root=results.artifacts.root,
            profile={"rows": index.num_rows, "features": catalogue},
            context="training",
        ),
    ]


def installed(name: str) -> str:
    """Return the version of a package, "absent" if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _dataset(
    name: str,
    paths: list[Path],
    *,
    root: Path,
    profile: dict[str, Any],
    context: str,
) -> DatasetInput:
    text = json.dumps(profile)
    entity = Dataset(
        name=name,
        digest=cache.digest_of(*(io.sha256_of(path) for path in paths)),
        source_type="local",
        source=json.dumps({"uri": str(paths[0].parent.relative_to(root))}),
        profile=text if len(text) <= _MAX_PROFILE else None,
    )
    return DatasetInput(entity, [InputTag(MLFLOW_DATASET_CONTEXT, context)])


def _digest(value: Any) -> str:
    """Return the digest of a JSON value, "none" for an empty one."""
    return cache.digest_of(json.dumps(value, sort_keys=True, default=str)) if value else "none"


def _output(*command: str) -> str | None:
    """Return the output of a command, None if it cannot run or fails."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True)  # nosec B603 # a list
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
