"""A run: train what is not there yet, in stacks side by side, and drop what is stale."""

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.cache import TRAINING, code_digest, digest_of
from konkyo.config import Train
from konkyo.errors import ArtifactError
from konkyo.features.store import Panel
from konkyo.io import read_json, read_parquet, write_json, write_parquet
from konkyo.models import accelerator, store
from konkyo.models import jobs as plan
from konkyo.models.distributed import STACKS, StackJob, StackResult, compact, train_stacks
from konkyo.models.panel_cache import publish
from konkyo.models.progress import progress_bar
from konkyo.windows import MonthSlices, Window

# Starting a worker takes as long as training about so many networks.
_ALONE = 4
_FEATURES, _LABELS = "features.npy", "labels.npy"


@dataclass(frozen=True)
class TrainSummary:
    """What a run did.

    Attributes
    ----------
    trained, kept, dropped : int
        Networks trained now, found with the right key, and removed because nothing asks for them.
    """

    trained: int
    kept: int
    dropped: int


def train(panel: Panel, windows: Sequence[Window], params: Train, folder: Path) -> TrainSummary:
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
        Holds weights/<month>.safetensors, placebo/<month>.safetensors, history/ (the losses) and,
        while a run is under way, state/ (what a killed run resumes from).

    Returns
    -------
    Outcome
        Every file is written whole: a run that is killed loses at most one epoch of its stacks.
    """
    made = plan.network_specs(panel, windows, params)
    members = plan.specs_by_file(made)
    key_of = plan.keys(panel, windows, made, params)
    dropped = _drop_stale(folder, set(key_of))
    due = missing(key_of, folder)
    networks = sum(len(members[name]) for name in due)
    if due:
        away = uses_cluster(params, networks)
        workers, largest = processes_and_stack_size(panel, params, networks)
        state = folder / "state"
        stacks = unfinished_stacks(state, key_of, due)
        begun = {name for group in stacks.values() for name in group}
        rest = [name for name in due if name not in begun]
        sizes = [len(members[name]) for name in rest]
        for part in plan.stacks(sizes, largest, workers):
            group = rest[part]
            stacks[digest_of(*(key_of[name] for name in group))] = group
        write_json(stacks, state / STACKS)
        _keep_only(state, stacks)
        features = publish(panel.features, state / _FEATURES, params.panel_cache_url)
        labels = publish(_labels(panel, params), state / _LABELS, params.panel_cache_url)
        code = code_digest(*TRAINING)
        jobs = {
            name: StackJob(
                name,
                {file: [compact(entry) for entry in members[file]] for file in group},
                {file: key_of[file] for file in group},
                tuple(panel.names), params, features, labels, state.absolute(), code,
            )
            for name, group in stacks.items()
        }  # fmt: skip
        of_stack = {s: sum(len(members[name]) for name in group) for s, group in stacks.items()}
        with progress_bar(state, of_stack, len(made) - networks):
            for name, done in train_stacks(jobs, params, here=workers == 1 and not away):
                _keep(folder, done)
                # Workers on other machines may have told nothing of it.
                (state / f"{name}.progress").write_text("1", encoding="ascii")
        # A worker whose own parent was killed may still be at its last step there.
        shutil.rmtree(state, ignore_errors=True)
    return TrainSummary(networks, len(made) - networks, dropped)


def processes_and_stack_size(panel: Panel, params: Train, networks: int) -> tuple[int, int]:
    """Return the processes, and the most networks in a stack, for so many networks to train.

    A GPU runs one stack that is as large as its memory allows: a step of many small products costs
    there what a step of few does. What there is on other machines is not known here.
    """
    if uses_cluster(params, networks):
        return params.workers, params.max_networks_per_stack
    device = accelerator.device_of(params.accelerator)
    if device.type == "cpu":
        return (1 if networks <= _ALONE else params.workers), params.max_networks_per_stack
    of_one = accelerator.bytes_of_network(
        panel.features.shape[1], params.hidden_sizes, params.batch_size
    )
    free = accelerator.free_bytes(device)
    return 1, accelerator.networks_that_fit(free, panel.features.nbytes, of_one)


def uses_cluster(params: Train, networks: int) -> bool:
    """Return whether so many networks train on a cluster."""
    return bool(params.scheduler_address) and networks > _ALONE


def missing(keys: Mapping[str, str], folder: Path) -> list[str]:
    """Return the names of the weights files that are not there with the key that they must have."""
    return [name for name, key in keys.items() if store.read_key(_path(folder, name)) != key]


def history(folder: Path, windows: Sequence[Window]) -> pd.DataFrame:
    """Return the training loss by month: month, epoch (from 1), loss (mean over an ensemble)."""
    paths = [folder / "history" / "weights" / f"{w.month}.parquet" for w in windows]
    return pd.concat([read_parquet(path) for path in paths], ignore_index=True)


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"


def _keep(folder: Path, done: StackResult) -> None:
    """Write the networks of a stack."""
    for file, members in done.networks.items():
        losses = done.losses[file].mean(0)
        frame = pd.DataFrame(
            {"month": members[0].month, "epoch": range(1, len(losses) + 1), "loss": losses}
        )
        # The losses go first: the weights are the mark that a window is done.
        write_parquet(frame, folder / "history" / f"{file}.parquet")
        store.write(members, _path(folder, file))


def _drop_stale(folder: Path, wanted: set[str]) -> int:
    """Remove weights and losses of months that the run does not have; return their number."""
    dropped = 0
    for kind in ("weights", "placebo"):
        for path in sorted((folder / kind).glob("*.safetensors")):
            if f"{kind}/{path.stem}" not in wanted:
                path.unlink()
                (folder / "history" / kind / f"{path.stem}.parquet").unlink(missing_ok=True)
                dropped += 1
    return dropped


def unfinished_stacks(
    state: Path, keys: Mapping[str, str], due: Sequence[str]
) -> dict[str, list[str]]:
    """Return the stacks of a killed run that are not done: name of the state, names of the files.

    They go on in the same company, since a product's last digits depend on its shape: the weights
    are those of a run that was not killed, to the bit.
    """
    try:
        recorded = read_json(state / STACKS)
    except ArtifactError:
        return {}
    return {
        name: group
        for name, group in recorded.items()
        if set(group) <= keys.keys()
        and digest_of(*(keys[file] for file in group)) == name
        and not set(group).isdisjoint(due)
    }


def _labels(panel: Panel, params: Train) -> np.ndarray:
    """Return true and shuffled labels, [2, rows]."""
    blocks = MonthSlices.of(panel.index["month"])
    label = panel.index["label"].to_numpy(dtype=np.float32)
    return np.stack([label, plan.shuffle_labels(label, blocks, params.seed)])


def _keep_only(state: Path, names: Collection[str]) -> None:
    """Remove the states of stacks that this run does not have, half-written files too."""
    for path in state.iterdir():
        if path.name != STACKS and (path.stem not in names or path.suffix == ".progress"):
            path.unlink(missing_ok=True)
