"""Stage verify: attribution methods evaluated on the networks and against the ground truth."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from tqdm import tqdm

from konkyo import windows
from konkyo.artifacts import HERE
from konkyo.attribution import evaluation, ground_truth, methods
from konkyo.cache import EVALUATION, code_digest, digest_of, weights_bytes
from konkyo.config import LARGEST_EPSILON_SHARE, Params, load
from konkyo.features import store
from konkyo.io import read_parquet, write_csv, write_json
from konkyo.models import baselines, jobs
from konkyo.models import store as weights
from konkyo.models.batches import NetworkSpec
from konkyo.pipeline import locking, stage

_NOT_INPUTS = ["expected", "baseline"]
"""Columns of the ground truth that are no input's contribution."""


@dataclass(frozen=True)
class VerifySummary:
    """Months evaluated in this run, months cached, and whether there was a ground truth.

    `epsilon_share` is the share of the scores that LRP's epsilon takes.
    """

    evaluated: int
    cached: int
    ground_truth: bool
    epsilon_share: float

    def __str__(self) -> str:
        """Return the line that the command prints."""
        source = "with" if self.ground_truth else "without"
        line = (
            f"attribution methods: {self.evaluated} months evaluated, {self.cached} cached, "
            f"{source} ground truth"
        )
        if not math.isnan(self.epsilon_share):
            line += f"; epsilon absorbs {self.epsilon_share:.1%} of the scores"
        if self.epsilon_share > LARGEST_EPSILON_SHARE:
            line += f" (above {LARGEST_EPSILON_SHARE:.0%}: lower attribute.epsilon)"
        return line


@stage
@locking.writing
def main() -> None:
    """Evaluate the attribution methods on every n-th decision month."""
    print(run(load(), store.read(HERE.panel)))


def run(config: Params, panel: store.Panel) -> VerifySummary:
    """Evaluate the months whose network, rows or params changed; write all tables and figures."""
    months = windows.MonthSlices.of(panel.index["month"])
    decisions = windows.rolling(months, config.train.window_months, config.prepare.skip_months)[
        :: config.verify.every_n_months
    ]
    keys = cache_keys(config, panel, decisions)
    evaluation.drop_stale(HERE.verify_months, keys)
    pending = set(evaluation.pending(HERE.verify_months, keys))
    due = [window for window in decisions if window.month in pending]
    specs = {s.month: s for s in jobs.network_specs(panel, due, config.train) if not s.placebo}
    for window in tqdm(due, "evaluated", unit="month"):
        rows = sample_rows(config, window)
        result = evaluate_month(config, panel, specs[window.month], rows)
        evaluation.save(
            HERE.verify_months / window.month,
            result,
            stocks=panel.index.iloc[rows][["month", "stock"]].reset_index(drop=True),
            features=panel.names,
            key=keys[window.month],
        )

    evaluations, attributions = evaluation.load(HERE.verify_months, keys)
    tables = evaluation.summarise(evaluations)
    # The ground truth is of the return of t+1: with a gap the networks learn another one.
    with_truth = HERE.truth.exists() and not config.prepare.skip_months
    if with_truth:
        truth = read_parquet(HERE.truth).drop(columns=_NOT_INPUTS)
        tables |= ground_truth_tables(truth, panel, attributions)
    for path in HERE.verify.glob("*.csv"):
        # A run on other records had a ground truth, or an earlier version other names.
        if path.stem not in tables:
            path.unlink()
    for name, table in tables.items():
        write_csv(table, HERE.verify / f"{name}.csv")
    figures = evaluation.metrics(tables)
    write_json(figures, HERE.verify_metrics)
    return VerifySummary(
        evaluated=len(due),
        cached=len(decisions) - len(due),
        ground_truth=with_truth,
        epsilon_share=figures.get(evaluation.LRP, {}).get("epsilon_share", math.nan),
    )


def evaluate_month(
    config: Params, panel: store.Panel, spec: NetworkSpec, rows: np.ndarray
) -> evaluation.MethodEvaluation:
    """Evaluate every method, and the ridge regression's attribution, on rows of a month.

    The ridge regression takes part in the comparison with the ground truth alone: deletion and
    randomisation are of the network.
    """
    features = panel.features[rows]
    result = evaluation.evaluate_methods(
        weights.read(HERE.weights_of(spec.month)),
        features,
        epsilon=config.attribute.epsilon,
        n_permutations=config.verify.n_permutations,
        seed=config.train.seed,
        method=config.attribute.method,
    )
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    model = baselines.ridge(panel, spec, labels, config.train.ridge_penalty)
    ridge = methods.coefficients_input(features, model.coef_, mean=spec.mean, std=spec.std)
    return replace(result, attributions=result.attributions | {"ridge": ridge})


def sample_rows(config: Params, window: windows.Window) -> np.ndarray:
    """Return the rows of the panel that are explained for a decision month: a random sample."""
    size = window.test_stop - window.test_start
    generator = np.random.default_rng([config.train.seed, window.test_start])
    return window.test_start + methods.sample(size, config.verify.n_stocks, generator)


def cache_keys(
    config: Params, panel: store.Panel, decisions: list[windows.Window]
) -> dict[str, str]:
    """Return the cache key of each month's evaluation: params, rows, networks and code."""
    params = repr((config.attribute, config.verify, config.train.seed))
    ridge = baselines.keys(panel, decisions, config.train.ridge_penalty, HERE.weights)["ridge"]
    return {
        window.month: digest_of(
            code_digest(*EVALUATION),
            params,
            str(window.test_start),
            ridge[window.month],
            weights_bytes(HERE.weights, window.month),
        )
        for window in decisions
    }


def ground_truth_tables(
    truth: pd.DataFrame, panel: store.Panel, attributions: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return how well each method agrees with the true contributions, overall and by input.

    Parameters
    ----------
    truth : pandas.DataFrame
        month, stock and the true contribution of each input with an effect.
    panel : Panel
        Names the inputs that are dummies.
    attributions : dict of str to pandas.DataFrame
        Method to month, stock and a column a feature.

    Returns
    -------
    dict of str to pandas.DataFrame
        ground_truth: method, measure, mean, standard_error, months; ground_truth_by_input: method,
        feature, rank_correlation over stocks (mean over months).
    """
    effect = ground_truth.with_effect(truth)
    dummies = panel.catalogue.loc[panel.catalogue["group"].isin(["sector", "calendar"]), "name"]
    agreement = {
        name: ground_truth.agreement(truth, table, effect=effect, dummies=dummies.tolist())
        for name, table in attributions.items()
    }
    inputs = [
        ground_truth.per_input(truth, table, effect=effect).assign(method=name)
        for name, table in attributions.items()
    ]
    by_input = pd.concat(inputs).groupby(["method", "feature"], sort=False, as_index=False)
    return {
        "ground_truth": ground_truth.compare(agreement),
        "ground_truth_by_input": by_input["rank_correlation"].mean(),
    }
