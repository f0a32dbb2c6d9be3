"""Stage attribute: score and grounds of every out-of-sample prediction."""

from pathlib import Path

from tqdm import tqdm

from konkyo import params, windows
from konkyo.attribution.grounds import as_frame, explain_months
from konkyo.files import write_parquet
from konkyo.network import store as weights
from konkyo.panel import store
from konkyo.stages import stage

PANEL, MODELS, OUT = Path("data/panel"), Path("data/models"), Path("data/attributions")


@stage
def main() -> None:
    """Write one table a decision month."""
    chosen = params.load()
    panel = store.read(PANEL)
    blocks = windows.MonthBlocks.of(panel.index["month"])
    decisions = windows.rolling(blocks, chosen.train.window)
    networks = [weights.read(MODELS / "weights" / f"{w.month}.safetensors") for w in decisions]
    rows = [panel.features[w.test_start : w.test_stop] for w in decisions]
    grounds = explain_months(networks, rows, chosen.attribute.epsilon)
    for window, own in tqdm(
        zip(decisions, grounds, strict=True), "grounds", len(decisions), unit="month"
    ):
        keys = panel.index.iloc[window.test_start : window.test_stop]
        write_parquet(as_frame(keys, panel.names, own), OUT / f"{window.month}.parquet")
    print(f"grounds: {len(decisions)} months, {sum(map(len, rows)):,} predictions")


if __name__ == "__main__":
    main()
