"""Stage train: one network a rolling month, and the baselines on the same windows."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from konkyo import baselines, params, windows
from konkyo.files import write_csv, write_parquet
from konkyo.network import plan
from konkyo.network import store as weights
from konkyo.network.train import history, train
from konkyo.panel import store
from konkyo.stages import stage

PANEL, OUT = Path("data/panel"), Path("data/models")


@stage
def main() -> None:
    """Train what is not there yet and write weights, losses, windows and baseline scores."""
    chosen = params.load().train
    panel = store.read(PANEL)
    blocks = windows.MonthBlocks.of(panel.index["month"])
    decisions = windows.rolling(blocks, chosen.window)
    outcome = train(panel, decisions, chosen, OUT)
    print(
        f"networks: {outcome.trained} trained, {outcome.kept} kept, {outcome.dropped} dropped; "
        f"decision months {decisions[0].month} to {decisions[-1].month}"
    )
    write_csv(windows.table(decisions), OUT / "windows.csv")
    write_parquet(history(OUT, decisions), OUT / "history.parquet")

    labels = panel.index["label"].to_numpy(dtype=np.float32)
    made = {e.month: e for e in plan.entries(panel, decisions, chosen) if not e.shuffled}
    ridge: list[np.ndarray | None] = [
        baselines.ridge_scores(panel, w, made[w.month], labels, chosen.ridge_penalty)
        for w in tqdm(decisions, "ridge", unit="month")
    ]
    shuffled: list[np.ndarray | None] = []
    for window in decisions:
        path = OUT / "shuffled" / f"{window.month}.safetensors"
        rows = panel.features[window.test_start : window.test_stop]
        there = path.exists()
        shuffled.append(baselines.network_scores(weights.read(path), rows) if there else None)
    scores = baselines.table(panel, decisions, {"ridge": ridge, "shuffled": shuffled})
    write_parquet(scores, OUT / "baselines.parquet")


if __name__ == "__main__":
    main()
