"""Stage verify: evaluation of the attribution methods, against networks and ground truth."""

from dataclasses import dataclass

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
    """Evaluate every n-th decision month on a sample of its stocks; write data/verify."""
    print(run(config.load(), store.read(HERE.panel)))


@dataclass(frozen=True)
class VerifySummary:
    """Months evaluated and months whose evaluation is still valid."""

    evaluated: int
    cached: int
    ground_truth: bool

    def __str__(self) -> str:
        """Return the summary in one line."""
        truth = "with" if self.ground_truth else "without"
        return (
            f"attributions: {self.evaluated} months evaluated, {self.cached} cached, "
            f"{truth} ground truth"
        )


def run(params: config.Params, panel: store.Panel) -> VerifySummary:
    """Evaluate the months whose network, rows or params changed; summarise all months."""
    blocks = windows.MonthSlices.of(panel.index["month"])
    every = windows.rolling(blocks, params.train.window_months)[:: params.verify.every_n_months]
    decisions = {window.month: window for window in every}
    keys = keys_of(params, panel, every)
    examined.drop_stale(HERE.verify_months, keys)
    due = examined.missing(HERE.verify_months, keys)
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    windows_due = [decisions[month] for month in due]
    specs = jobs.network_specs(panel, windows_due, params.train)
    spec_of = {spec.month: spec for spec in specs if not spec.placebo}
    for month in tqdm(due, "evaluated", unit="month"):
        at = sample(params, decisions[month])
        rows = panel.features[at]
        networks = weights.read(HERE.weights_of(month))
        evaluation = evaluate_methods(
            networks,
            rows,
            params.attribute.epsilon,
            params.verify.n_permutations,
            params.train.seed,
        )
        spec = spec_of[month]
        ridge = baselines.ridge(panel, spec, labels, params.train.ridge_penalty)
        evaluation.relevance["linear"] = methods.coefficients_input(
            ridge.coef_, spec.mean, spec.std, rows
        )
        stocks = panel.index.iloc[at][["month", "stock"]].reset_index(drop=True)
        examined.write(HERE.verify_months, month, keys[month], stocks, panel.names, evaluation)

    metrics, attributions = examined.read(HERE.verify_months, keys)
    tables = summarise(metrics)
    if HERE.truth.exists():
        truth = read_parquet(HERE.truth).drop(columns=_NOT_INPUTS)
        tables |= compare_with(truth, panel, attributions)
    for old in HERE.verify.glob("*.csv"):
        # Tables of the ground truth stay behind when the source changes to one without it.
        if old.stem not in tables:
            old.unlink()
    for name, table in tables.items():
        write_csv(table, HERE.verify / f"{name}.csv")
    write_json(findings(tables), HERE.verify_metrics)
    return VerifySummary(
        evaluated=len(due), cached=len(every) - len(due), ground_truth=HERE.truth.exists()
    )


def sample(params: config.Params, window: windows.Window) -> np.ndarray:
    """Return the sampled rows of the panel of a decision month."""
    size = window.test_stop - window.test_start
    generator = np.random.default_rng([params.train.seed, window.test_start])
    return window.test_start + methods.sample(size, params.verify.n_stocks, generator)


def keys_of(
    params: config.Params, panel: store.Panel, decisions: list[windows.Window]
) -> dict[str, str]:
    """Return the cache key of each month: params, rows, networks and code."""
    used_params = repr((params.attribute, params.verify, params.train.seed))
    ridge = baselines.keys(panel, decisions, params.train.ridge_penalty, HERE.weights)["ridge"]
    return {
        w.month: digest_of(
            code_digest(*EVALUATION), used_params, str(w.test_start),
            ridge[w.month], weights_bytes(HERE.weights, w.month),
        )
        for w in decisions
    }  # fmt: skip


def compare_with(
    truth: pd.DataFrame, panel: store.Panel, attributions: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the agreement of each method with the ground truth, overall and by input."""
    effect = ground_truth.with_effect(truth)
    dummies = panel.catalogue.loc[panel.catalogue["group"].isin(["sector", "calendar"]), "name"]
    measured = {
        name: ground_truth.agreement(truth, table, effect, dummies.tolist())
        for name, table in attributions.items()
    }
    inputs = [
        ground_truth.per_input(truth, table, effect).assign(method=name)
        for name, table in attributions.items()
    ]
    by_input = pd.concat(inputs).groupby(["method", "feature"], sort=False, as_index=False)
    return {
        "agreement": ground_truth.compare(measured),
        "inputs": by_input["rank_correlation"].mean(),
    }
