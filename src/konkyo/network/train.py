"""A run: train what is not there yet, in stacks side by side, and drop what is stale."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed

from konkyo.files import digest_of, write_parquet
from konkyo.network import plan, store
from konkyo.network.fit import fit_stack
from konkyo.network.memory import keep_freed_memory
from konkyo.network.progress import watching
from konkyo.network.schedule import Entry
from konkyo.panel.store import Panel
from konkyo.params import Train
from konkyo.windows import MonthBlocks, Window


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes
    ----------
    trained, kept, dropped : int
        Networks trained now, found with the right key, and removed because nothing asks for them.
    """

    trained: int
    kept: int
    dropped: int


def train(panel: Panel, windows: Sequence[Window], params: Train, folder: Path) -> Outcome:
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
        Holds weights/<month>.safetensors, shuffled/<month>.safetensors, history/ (the losses) and,
        while a run is under way, state/ (what a killed run resumes from).

    Returns
    -------
    Outcome
        Every file is written whole: a run that is killed loses at most one epoch of its stacks.
    """
    made = plan.entries(panel, windows, params)
    key_of = dict(zip((e.name for e in made), plan.keys(panel, windows, made, params), strict=True))
    dropped = _drop_stale(folder, set(key_of))
    due = [e for e in made if store.read_key(_weights_path(folder, e)) != key_of[e.name]]
    if due:
        blocks = MonthBlocks.of(panel.index["month"])
        label = panel.index["label"].to_numpy(dtype=np.float32)
        labels = np.stack([label, plan.shuffle_labels(label, blocks, params.seed)])
        groups = [due[part] for part in plan.stacks(len(due), params.stack, params.workers)]
        names = [digest_of(*(key_of[e.name] for e in group)) for group in groups]
        state = folder / "state"
        _keep_only(state, names)
        jobs = (
            delayed(_train_stack)(
                panel.features, labels, group, [key_of[e.name] for e in group],
                tuple(panel.names), params, folder, name,
            )
            for group, name in zip(groups, names, strict=True)
        )  # fmt: skip
        sizes = dict(zip(names, map(len, groups), strict=True))
        with watching(state, sizes, len(made) - len(due)):
            # Copy on write, as the panel is opened: torch warns of a buffer that it cannot write.
            spread = Parallel(n_jobs=params.workers, backend="loky", mmap_mode="c")
            spread(jobs)
        _keep_only(state, [])
        state.rmdir()
    return Outcome(len(due), len(made) - len(due), dropped)


def history(folder: Path, windows: Sequence[Window]) -> pd.DataFrame:
    """Return the training loss of every network: month, epoch (from 1), loss."""
    paths = [folder / "history" / "weights" / f"{w.month}.parquet" for w in windows]
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def _weights_path(folder: Path, entry: Entry) -> Path:
    return folder / f"{entry.name}.safetensors"


def _train_stack(
    features: np.ndarray,
    labels: np.ndarray,
    group: Sequence[Entry],
    keys: Sequence[str],
    names: Sequence[str],
    params: Train,
    folder: Path,
    name: str,
) -> None:
    """Train one stack in a worker and write its networks."""
    torch.set_num_threads(1)
    keep_freed_memory()
    fitted = fit_stack(features, labels, group, params, folder / "state", name)
    # The losses go first: the weights are the mark that a window is done.
    for entry, losses in zip(group, fitted.losses, strict=True):
        frame = pd.DataFrame(
            {"month": entry.month, "epoch": range(1, len(losses) + 1), "loss": losses}
        )
        write_parquet(frame, folder / "history" / f"{entry.name}.parquet")
    months = [entry.month for entry in group]
    networks = store.unstack(fitted.network, months, keys, names)
    for entry, network in zip(group, networks, strict=True):
        store.write(network, _weights_path(folder, entry))


def _drop_stale(folder: Path, wanted: set[str]) -> int:
    """Remove weights and losses of months that the run does not have; return their number."""
    dropped = 0
    for kind in ("weights", "shuffled"):
        for path in sorted((folder / kind).glob("*.safetensors")):
            if f"{kind}/{path.stem}" not in wanted:
                path.unlink()
                (folder / "history" / kind / f"{path.stem}.parquet").unlink(missing_ok=True)
                dropped += 1
    return dropped


def _keep_only(state: Path, names: Sequence[str]) -> None:
    """Remove the states of stacks that this run does not have, half-written files too."""
    state.mkdir(parents=True, exist_ok=True)
    for path in state.iterdir():
        if path.stem not in names or path.suffix == ".progress":
            path.unlink()
