"""Stage verify: grounds against the truth where it is known, and against the networks."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from konkyo import baselines, params, windows
from konkyo.attribution import agreement, methods
from konkyo.attribution.examination import Examined, examine, summarise
from konkyo.attribution.findings import findings
from konkyo.files import write_csv, write_json
from konkyo.network import plan
from konkyo.network import store as weights
from konkyo.panel import store
from konkyo.stages import stage

RECORDS, PANEL, MODELS = Path("data/records"), Path("data/panel"), Path("data/models")
OUT, METRICS = Path("data/verify"), Path("data/verify.json")
_NOT_INPUTS = ["expected", "baseline"]


@stage
def main() -> None:
    """Examine every n-th decision month on a sample of its stocks."""
    chosen = params.load()
    panel = store.read(PANEL)
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    blocks = windows.MonthBlocks.of(panel.index["month"])
    decisions = windows.rolling(blocks, chosen.train.window)
    entries = {e.month: e for e in plan.entries(panel, decisions, chosen.train) if not e.shuffled}

    examined: list[Examined] = []
    grounds: dict[str, list[pd.DataFrame]] = {}
    for window in tqdm(decisions[:: chosen.verify.every], "examined", unit="month"):
        seed = chosen.train.seed
        size = window.test_stop - window.test_start
        generator = np.random.default_rng([seed, window.test_start])
        at = window.test_start + methods.sample(size, chosen.verify.stocks, generator)
        rows = panel.features[at]
        members = weights.read(MODELS / "weights" / f"{window.month}.safetensors")
        found = examine(members, rows, chosen.attribute.epsilon, chosen.verify.draws, seed)
        entry = entries[window.month]
        linear = baselines.ridge(panel, entry, labels, chosen.train.ridge_penalty)
        relevance = found.relevance | {
            "linear": methods.coefficients_input(linear.coef_, entry.mean, entry.deviation, rows)
        }
        keys = panel.index.iloc[at][["month", "stock"]].reset_index(drop=True)
        for name, values in relevance.items():
            table = pd.concat([keys, pd.DataFrame(values, columns=panel.names)], axis=1)
            grounds.setdefault(name, []).append(table)
        examined.append(found)

    tables = summarise(examined)
    path = RECORDS / "truth.parquet"
    if path.exists():
        truth = pd.read_parquet(path).drop(columns=_NOT_INPUTS)
        tables |= compare_with(truth, panel, {k: pd.concat(v) for k, v in grounds.items()})
    for name, table in tables.items():
        write_csv(table, OUT / f"{name}.csv")
    write_json(findings(tables), METRICS)
    known = "with" if path.exists() else "without"
    print(f"grounds: {len(examined)} months examined, {known} the truth")


def compare_with(
    truth: pd.DataFrame, panel: store.Panel, grounds: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the agreement of each method with the true contributions, in all and by input."""
    effect = agreement.with_effect(truth)
    dummies = panel.catalogue.loc[panel.catalogue["group"].isin(["sector", "calendar"]), "name"]
    measured = {
        name: agreement.agreement(truth, table, effect, dummies.tolist())
        for name, table in grounds.items()
    }
    inputs = [
        agreement.per_input(truth, table, effect).assign(method=name)
        for name, table in grounds.items()
    ]
    by_input = pd.concat(inputs).groupby(["method", "feature"], sort=False, as_index=False)
    return {
        "agreement": agreement.compare(measured),
        "inputs": by_input["rank_correlation"].mean(),
    }


if __name__ == "__main__":
    main()
