"""Stage attribute: score and grounds of every out-of-sample prediction."""

import torch
from tqdm import tqdm

from konkyo import config, windows
from konkyo.artifacts import HERE
from konkyo.attribution.attributions import as_frame, explain_months
from konkyo.cache import attribution_keys, file_digests
from konkyo.features import store
from konkyo.io import read_key, write_json, write_parquet
from konkyo.models import jobs
from konkyo.models import store as weights
from konkyo.pipeline import locking, stage


@stage
@locking.writing
def main() -> None:
    """Write one table a decision month."""
    print(run(config.load(), store.read(HERE.panel)))


def run(chosen: config.Params, panel: store.Panel) -> str:
    """Explain the months whose network, rows or rule changed, and say how many.

    The other months' files are left as they are, and those of months that are gone are removed.
    """
    # A sum's last bits depend on how many threads share it.
    torch.set_num_threads(1)
    blocks = windows.MonthSlices.of(panel.index["month"])
    decisions = windows.rolling(blocks, chosen.train.window_months)
    keys = attribution_keys(
        HERE.weights, jobs.row_digests(panel, decisions), chosen.attribute.epsilon
    )
    for path in HERE.attributions.glob("*.parquet"):
        if path.stem not in keys:
            path.unlink()
    due = [w for w in decisions if read_key(HERE.attributions_of(w.month)) != keys[w.month]]
    networks = [weights.read(HERE.weights_of(w.month)) for w in due]
    rows = [panel.features[w.test_start : w.test_stop] for w in due]
    grounds = explain_months(networks, rows, chosen.attribute.epsilon)
    for window, own in tqdm(zip(due, grounds, strict=True), "grounds", len(due), unit="month"):
        at = panel.index.iloc[window.test_start : window.test_stop]
        table = as_frame(at, panel.names, own)
        write_parquet(table, HERE.attributions_of(window.month), keys[window.month])
    write_json(file_digests(HERE.weights, HERE.attributions, keys), HERE.digests)
    return (
        f"grounds: {len(due)} months made, {len(decisions) - len(due)} kept; "
        f"{sum(map(len, rows)):,} new predictions"
    )
