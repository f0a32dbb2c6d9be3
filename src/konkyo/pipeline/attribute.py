"""Stage attribute: score and relevances of every out-of-sample prediction."""

from dataclasses import dataclass

import torch
from tqdm import tqdm

from konkyo import windows
from konkyo.artifacts import HERE
from konkyo.attribution.attributions import as_frame, explain_months
from konkyo.cache import attribution_keys, file_digests
from konkyo.config import Params, load
from konkyo.features import store
from konkyo.io import read_key, write_json, write_parquet
from konkyo.models import jobs
from konkyo.models import store as weights
from konkyo.pipeline import locking, stage, standard_errors


@dataclass(frozen=True, kw_only=True)
class AttributeReport:
    """What the stage did: months explained, months up to date before, rows explained.

    `with_errors` counts the months whose standard errors were computed.
    """

    explained: int
    current: int
    predictions: int
    with_errors: int

    def __str__(self) -> str:
        """Return the line that the command prints."""
        return (
            f"attributions: {self.explained} months explained, {self.current} kept; "
            f"{self.predictions:,} new predictions; standard errors of {self.with_errors} months"
        )


@stage
@locking.writing
def main() -> None:
    """Write one table of attributions a decision month."""
    print(run(load(), store.read(HERE.panel)))


def run(config: Params, panel: store.Panel) -> AttributeReport:
    """Explain the months whose network, rows or rule changed, and remove those that are gone."""
    # A sum's last bits depend on how many threads share it.
    torch.set_num_threads(1)
    blocks = windows.MonthSlices.of(panel.index["month"])
    decisions = windows.rolling(blocks, config.train.window_months, config.prepare.skip_months)
    epsilon, method = config.attribute.epsilon, config.attribute.method
    keys = attribution_keys(HERE.weights, jobs.row_digests(panel, decisions), epsilon, method)
    for path in HERE.attributions.glob("*.parquet"):
        if path.stem not in keys:
            path.unlink()
    due = [w for w in decisions if read_key(HERE.attributions_of(w.month)) != keys[w.month]]
    networks = [weights.read(HERE.weights_of(w.month)) for w in due]
    rows = [panel.features[w.test_start : w.test_stop] for w in due]
    attributions = explain_months(networks, rows, epsilon, method)
    # Written month by month, so that a killed run has lost one.
    for window, attribution in zip(
        tqdm(due, "attributions", unit="month"), attributions, strict=True
    ):
        index = panel.index.iloc[window.test_start : window.test_stop]
        table = as_frame(index, panel.names, attribution)
        write_parquet(table, HERE.attributions_of(window.month), keys[window.month])
    write_json(file_digests(HERE.weights, HERE.attributions, keys), HERE.digests)
    return AttributeReport(
        explained=len(due),
        current=len(decisions) - len(due),
        predictions=sum(map(len, rows)),
        with_errors=standard_errors.run(config, panel, decisions, keys),
    )
