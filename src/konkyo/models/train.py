"""A training run: plan the networks, train those whose key is not on file, drop stale ones."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.cache import digest_of, training_code
from konkyo.config import Train
from konkyo.errors import ArtifactError
from konkyo.features.store import Panel
from konkyo.io import append_json, read_json, read_parquets, write_json, write_parquet
from konkyo.models import jobs, store
from konkyo.models.accelerator import Placement, placement
from konkyo.models.backends import BACKENDS
from konkyo.models.distributed import STACKS, StackJob, StackResult, train_stack
from konkyo.models.gather import write_rounded
from konkyo.models.jobs import Plan
from konkyo.models.panel_cache import publish
from konkyo.models.progress import progress_bar
from konkyo.windows import MonthSlices, Window

KINDS = ("weights", "placebo", "weights_halves", "placebo_halves")
"""Of networks: folders of files of weights."""


@dataclass(frozen=True, kw_only=True)
class TrainSummary:
    """Counts of a run.

    Attributes
    ----------
    trained, current, dropped : int
        Networks trained by this run, on file with the right key before it, and removed because no
        window asks for them (files).
    """

    trained: int
    current: int
    dropped: int


def train(
    panel: Panel, windows: Sequence[Window], params: Train, folder: Path, log: Path | None = None
) -> TrainSummary:
    """Bring a folder of weights up to date with a panel.

    Parameters
    ----------
    panel : Panel
        Features and labels; workers map the same matrix.
    windows : sequence of Window
        The decision months.
    params : Train
        The train section of params.yaml.
    folder : Path
        Holds <kind>/<month>.safetensors of every kind of `Plan`, history/ (the losses) and, during
        a run, state/ (from which a killed run resumes).
    log : Path, optional
        Receives a line a stack: the keys of its files, when it began, its seconds and networks.

    Returns
    -------
    TrainSummary
        Every file is replaced atomically: a killed run loses at most one epoch of its stacks.
    """
    if "." in params.module:
        # Before its source is read for the keys: a name that cannot be imported has none.
        from konkyo.models import user_module

        user_module.check(params, panel.names, panel.features[:2])
    plan = jobs.plan(panel, windows, params)
    dropped = drop_stale(folder, plan.keys)
    pending = pending_files(plan.keys, folder)
    networks, current = plan.count(pending), plan.count(plan.specs) - plan.count(pending)
    state = folder / "state"
    if pending:
        where = placement(panel.features, params, networks=networks)
        stacks = assign_stacks(plan, pending, where, state)
        stack_jobs = make_jobs(panel, plan, params, stacks=stacks, state=state)
        sizes = {name: plan.count(files) for name, files in stacks.items()}
        run = BACKENDS[where.backend]
        with progress_bar(state, sizes, current):
            for name, result in run(
                train_stack, stack_jobs, workers=where.workers, address=params.scheduler_address
            ):
                if log is not None:
                    # Before the weights, which are the mark that a window is done.
                    append_json(timing(result), log)
                save(result, folder)
                # A worker on another machine reports no progress.
                (state / f"{name}.progress").write_text("1", encoding="ascii")
    # Also where nothing was pending: a run may have been killed after its last network, and a
    # worker whose parent was killed may still be writing its last step there.
    shutil.rmtree(state, ignore_errors=True)
    return TrainSummary(trained=networks, current=current, dropped=dropped)


def drop_stale(folder: Path, keys: Collection[str]) -> int:
    """Remove weights and losses of files that no key names; return the number of files."""
    dropped = 0
    for kind in KINDS:
        for path in sorted((folder / kind).glob("*.safetensors")):
            if f"{kind}/{path.stem}" not in keys:
                path.unlink()
                (folder / "history" / kind / f"{path.stem}.parquet").unlink(missing_ok=True)
                dropped += 1
    return dropped


def pending_files(keys: Mapping[str, str], folder: Path) -> list[str]:
    """Return the names of the files of weights that are not there with the key that they need."""
    return [
        name for name, key in keys.items() if store.read_key(folder / f"{name}.safetensors") != key
    ]


def assign_stacks(
    plan: Plan, pending: Sequence[str], where: Placement, state: Path
) -> dict[str, list[str]]:
    """Divide pending files among stacks, and write these down for a run that resumes this one.

    Parameters
    ----------
    plan : Plan
        The networks and keys of all files.
    pending : sequence of str
        The files to train. Those of a killed run stay in its stacks.
    where : Placement
        Workers, and the most networks in a stack.
    state : Path
        Folder of states; those of stacks that this run does not have are removed, so are
        half-written files.

    Returns
    -------
    dict of str to list of str
        By the digest of a stack's keys, its files.
    """
    stacks = unfinished_stacks(state, plan.keys, pending)
    begun = {name for files in stacks.values() for name in files}
    rest = [name for name in pending if name not in begun]
    # Halves have epochs of their own, and a stack goes on until its last network ends.
    for half in (False, True):
        names = [name for name in rest if plan.is_half(name) == half]
        for part in jobs.divide(
            [len(plan.specs[name]) for name in names],
            largest=where.networks_per_stack,
            workers=where.workers,
        ):
            stacks[digest_of(*(plan.keys[name] for name in names[part]))] = names[part]
    write_json(stacks, state / STACKS)
    for path in state.iterdir():
        if path.name != STACKS and (path.stem not in stacks or path.suffix == ".progress"):
            path.unlink(missing_ok=True)
    return stacks


def unfinished_stacks(
    state: Path, keys: Mapping[str, str], pending: Sequence[str]
) -> dict[str, list[str]]:
    """Return the unfinished stacks of a killed run: by the digest of their keys, their files.

    They resume with the same networks, since a product's last digits depend on its shape: the
    weights are those of a run that was not killed, to the bit.
    """
    try:
        recorded = read_json(state / STACKS)
    except ArtifactError:
        return {}
    return {
        name: files
        for name, files in recorded.items()
        if set(files) <= keys.keys()
        and digest_of(*(keys[file] for file in files)) == name
        and not set(files).isdisjoint(pending)
    }


def make_jobs(
    panel: Panel,
    plan: Plan,
    params: Train,
    *,
    stacks: Mapping[str, Sequence[str]],
    state: Path,
) -> dict[str, StackJob]:
    """Return the job of each stack, with the panel where every worker finds it."""
    label = panel.index["label"].to_numpy(dtype=np.float32)
    blocks = MonthSlices.of(panel.index["month"])
    labels = np.stack([label, jobs.shuffle_labels(label, blocks, params.seed)])
    halves = replace(params, epochs=params.resample_epochs, precision=params.resample_precision)
    own = {name: halves if plan.is_half(files[0]) else params for name, files in stacks.items()}
    arrays = {"features": panel.features, "labels": labels}
    if params.module == "stacked" and any(of.precision == "bf16-mixed" for of in own.values()):
        arrays["rounded"] = write_rounded(panel.features, state / "rounded.npy")
    cached = {
        name: publish(array, state / f"{name}.npy", params.panel_cache_url)
        for name, array in arrays.items()
    }
    return {
        name: StackJob(
            name=name,
            specs={file: plan.specs[file] for file in files},
            keys={file: plan.keys[file] for file in files},
            inputs=tuple(panel.names),
            params=own[name],
            features=cached["features"],
            labels=cached["labels"],
            rounded=cached.get("rounded") if own[name].precision == "bf16-mixed" else None,
            state=state.absolute(),
            code=training_code(params.module),
        )
        for name, files in stacks.items()
    }


def timing(result: StackResult) -> dict[str, object]:
    """Return when a stack was trained, for how many seconds, and how many networks it had."""
    files = result.networks.values()
    return {
        "keys": [networks[0].key for networks in files],
        "started": result.started,
        "seconds": result.seconds,
        "networks": sum(map(len, files)),
    }


def save(result: StackResult, folder: Path) -> None:
    """Write the weights and losses of a stack."""
    for name, networks in result.networks.items():
        frame = result.losses[name].copy()
        frame.insert(0, "month", networks[0].month)
        # The losses go first: the weights are the mark that a window is done.
        write_parquet(frame, folder / "history" / f"{name}.parquet")
        store.write(networks, folder / f"{name}.safetensors")


def history(folder: Path, windows: Sequence[Window]) -> pd.DataFrame:
    """Return the losses by month: month, epoch (from 1), loss; see `engines.loss_table`."""
    paths = [folder / "history" / "weights" / f"{window.month}.parquet" for window in windows]
    return read_parquets(paths)
