"""Stage train: a network for each rolling window, and the baselines on the same windows."""

from dataclasses import dataclass

import torch

from konkyo import windows
from konkyo.artifacts import HERE
from konkyo.config import Params, load
from konkyo.features import store
from konkyo.io import write_csv, write_parquet
from konkyo.models import baselines
from konkyo.models.accelerator import precision_warning
from konkyo.models.train import TrainSummary, history, train
from konkyo.pipeline import locking, preflight, stage


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What the stage did: counts of networks, first and last decision month (YYYY-MM)."""

    networks: TrainSummary
    first: str
    last: str

    def __str__(self) -> str:
        """Return the line that the command prints."""
        counts = self.networks
        return (
            f"networks: {counts.trained} trained, {counts.current} kept, {counts.dropped} dropped; "
            f"decision months {self.first} to {self.last}"
        )


@stage
@locking.writing
def main() -> None:
    """Train the networks that are not up to date, and score the baselines."""
    config, panel = load(), store.read(HERE.panel)
    # Params may have changed since ingest: what a later stage refuses is refused before training.
    preflight.require_panel(config, panel.index, panel.catalogue)
    print(run(config, panel))


def run(config: Params, panel: store.Panel) -> TrainReport:
    """Write weights, losses, windows and baseline scores, up to date with a panel."""
    # A sum's last bits depend on how many threads share it.
    torch.set_num_threads(1)
    decisions = windows.rolling(
        windows.MonthSlices.of(panel.index["month"]),
        config.train.window_months,
        config.prepare.skip_months,
    )
    asked = {"train.precision": config.train.precision}
    if config.train.resamples:
        asked["train.resample_precision"] = config.train.resample_precision
    if warning := precision_warning(asked, config.train.accelerator):
        print(warning)
    summary = train(panel, decisions, config.train, HERE.models, HERE.timings)
    # After the training, since the placebo's keys hold the bytes of its weights.
    penalty = config.train.ridge_penalty
    keys = baselines.keys(panel, decisions, penalty=penalty, placebo=HERE.placebo)
    cached = baselines.cached_scores(HERE.baselines, keys)
    scores = baselines.scores(
        panel, decisions, config.train, placebo=HERE.placebo, cached=cached, keys=keys
    )
    write_csv(windows.table(decisions), HERE.windows)
    write_parquet(history(HERE.models, decisions), HERE.history)
    write_parquet(scores, HERE.baselines, keys)
    return TrainReport(networks=summary, first=decisions[0].month, last=decisions[-1].month)
