"""Stage verify: grounds against the truth where it is known, and against the networks."""

import numpy as np
import pandas as pd
from tqdm import tqdm

from konkyo import config, windows
from konkyo.artifacts import HERE
from konkyo.attribution import examined, ground_truth, methods
from konkyo.attribution.examination import evaluate_methods, summarise
from konkyo.attribution.findings import findings
from konkyo.cache import EVALUATION, code_digest, digest_of, weights_bytes
from konkyo.features import store
from konkyo.io import read_parquet, write_csv, write_json
from konkyo.models import baselines, jobs
from konkyo.models import store as weights
from konkyo.pipeline import locking, stage

_NOT_INPUTS = ["expected", "baseline"]


@stage
@locking.writing
def main() -> None:
    """Examine every n-th decision month on a sample of its stocks."""
    print(run(config.load(), store.read(HERE.panel)))


def run(chosen: config.Params, panel: store.Panel) -> str:
    """Examine the months whose network, rows or settings changed, and sum up all of them."""
    blocks = windows.MonthSlices.of(panel.index["month"])
    every = windows.rolling(blocks, chosen.train.window_months)[:: chosen.verify.every_n_months]
    decisions = {window.month: window for window in every}
    keys = keys_of(chosen, panel, every)
    examined.drop_stale(HERE.verify_months, keys)
    due = examined.missing(HERE.verify_months, keys)
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    coming = [decisions[month] for month in due]
    entries = {e.month: e for e in jobs.network_specs(panel, coming, chosen.train) if not e.placebo}
    for month in tqdm(due, "examined", unit="month"):
        at = sample(chosen, decisions[month])
        rows = panel.features[at]
        members = weights.read(HERE.weights_of(month))
        found = evaluate_methods(
            members, rows, chosen.attribute.epsilon, chosen.verify.n_permutations, chosen.train.seed
        )
        entry = entries[month]
        linear = baselines.ridge(panel, entry, labels, chosen.train.ridge_penalty)
        found.relevance["linear"] = methods.coefficients_input(
            linear.coef_, entry.mean, entry.std, rows
        )
        stocks = panel.index.iloc[at][["month", "stock"]].reset_index(drop=True)
        examined.write(HERE.verify_months, month, keys[month], stocks, panel.names, found)

    findings_of, grounds = examined.read(HERE.verify_months, keys)
    tables = summarise(findings_of)
    if HERE.truth.exists():
        truth = read_parquet(HERE.truth).drop(columns=_NOT_INPUTS)
        tables |= compare_with(truth, panel, grounds)
    for old in HERE.verify.glob("*.csv"):
        # Another source knew the truth, and what it told is no part of these records.
        if old.stem not in tables:
            old.unlink()
    for name, table in tables.items():
        write_csv(table, HERE.verify / f"{name}.csv")
    write_json(findings(tables), HERE.verify_metrics)
    known = "with" if HERE.truth.exists() else "without"
    return f"grounds: {len(due)} months examined, {len(every) - len(due)} kept, {known} the truth"


def sample(chosen: config.Params, window: windows.Window) -> np.ndarray:
    """Return the rows of the panel that stand for a decision month."""
    size = window.test_stop - window.test_start
    generator = np.random.default_rng([chosen.train.seed, window.test_start])
    return window.test_start + methods.sample(size, chosen.verify.n_stocks, generator)


def keys_of(
    chosen: config.Params, panel: store.Panel, decisions: list[windows.Window]
) -> dict[str, str]:
    """Return the key of each examination: params, rows, networks and code."""
    chosen_here = repr((chosen.attribute, chosen.verify, chosen.train.seed))
    ridge = baselines.keys(panel, decisions, chosen.train.ridge_penalty, HERE.weights)["ridge"]
    return {
        w.month: digest_of(
            code_digest(*EVALUATION), chosen_here, str(w.test_start),
            ridge[w.month], weights_bytes(HERE.weights, w.month),
        )
        for w in decisions
    }  # fmt: skip


def compare_with(
    truth: pd.DataFrame, panel: store.Panel, grounds: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the agreement of each method with the true contributions, in all and by input."""
    effect = ground_truth.with_effect(truth)
    dummies = panel.catalogue.loc[panel.catalogue["group"].isin(["sector", "calendar"]), "name"]
    measured = {
        name: ground_truth.agreement(truth, table, effect, dummies.tolist())
        for name, table in grounds.items()
    }
    inputs = [
        ground_truth.per_input(truth, table, effect).assign(method=name)
        for name, table in grounds.items()
    ]
    by_input = pd.concat(inputs).groupby(["method", "feature"], sort=False, as_index=False)
    return {
        "agreement": ground_truth.compare(measured),
        "inputs": by_input["rank_correlation"].mean(),
    }
