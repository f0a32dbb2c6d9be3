"""Stage train: one network a rolling month, and the baselines on the same windows."""

import numpy as np
import torch

from konkyo import config, windows
from konkyo.artifacts import HERE
from konkyo.features import store
from konkyo.io import write_csv, write_parquet
from konkyo.models import baselines, jobs
from konkyo.models import store as weights
from konkyo.models.train import history, train
from konkyo.pipeline import locking, stage


@stage
@locking.writing
def main() -> None:
    """Train what is not there yet and write weights, losses, windows and baseline scores."""
    print(run(config.load(), store.read(HERE.panel)))


def run(chosen: config.Params, panel: store.Panel) -> str:
    """Train the windows that are not there, score the baselines likewise, and say how many."""
    # A sum's last bits depend on how many threads share it.
    torch.set_num_threads(1)
    decisions = windows.rolling(
        windows.MonthSlices.of(panel.index["month"]), chosen.train.window_months
    )
    outcome = train(panel, decisions, chosen.train, HERE.models)
    write_csv(windows.table(decisions), HERE.windows)
    write_parquet(history(HERE.models, decisions), HERE.history)
    score_baselines(panel, decisions, chosen.train)
    return (
        f"networks: {outcome.trained} trained, {outcome.kept} kept, {outcome.dropped} dropped; "
        f"decision months {decisions[0].month} to {decisions[-1].month}"
    )


def score_baselines(
    panel: store.Panel, decisions: list[windows.Window], chosen: config.Train
) -> None:
    """Write the baselines' scores, of which those that are there and still right are kept."""
    path, shuffled = HERE.baselines, HERE.placebo
    keys = baselines.keys(panel, decisions, chosen.ridge_penalty, shuffled)
    there = baselines.cached_scores(path, keys)
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    due = [w for w in decisions if w.month not in there["ridge"]]
    entries = {e.month: e for e in jobs.network_specs(panel, due, chosen) if not e.placebo}

    def ridge(window: windows.Window) -> np.ndarray:
        entry = entries[window.month]
        return baselines.ridge_scores(panel, window, entry, labels, chosen.ridge_penalty)

    def placebo(window: windows.Window) -> np.ndarray:
        rows = panel.features[window.test_start : window.test_stop]
        return baselines.network_scores(
            weights.read(shuffled / f"{window.month}.safetensors"), rows
        )

    scores = {
        name: baselines.fill_missing_scores(keys[name], there[name], decisions, score)
        for name, score in (("ridge", ridge), ("placebo", placebo))
    }
    write_parquet(baselines.table(panel, decisions, scores), path, keys)
