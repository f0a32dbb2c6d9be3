"""Stage verify: attribution methods evaluated on the networks and against the ground truth."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from konkyo import windows
from konkyo.artifacts import HERE
from konkyo.attribution import (
    errors_store,
    evaluation,
    ground_truth,
    reliability,
)
from konkyo.attribution.standard_errors import placebos_up_to
from konkyo.cache import EVALUATION, code_digest, digest_of, weights_bytes
from konkyo.config import LARGEST_EPSILON_SHARE, Params, load
from konkyo.features import store
from konkyo.io import read_parquet, write_csv, write_json
from konkyo.models import baselines, jobs
from konkyo.models.backends import in_process, loky
from konkyo.models.jobs import compact
from konkyo.pipeline import locking, stage
from konkyo.pipeline.month_evaluation import EvaluationJob, Truth, evaluate, sample_rows


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
    """Evaluate the months whose network, rows or params changed; write all tables and figures.

    The months are divided among `train.workers` processes.
    """
    months = windows.MonthSlices.of(panel.index["month"])
    all_months = windows.rolling(months, config.train.window_months, config.prepare.skip_months)
    decisions = all_months[:: config.verify.every_n_months]
    about = errors_store.read_about(HERE.errors)
    # The ground truth is of the return of t+1: with a gap the networks learn another one.
    with_truth = HERE.truth.exists() and not config.prepare.skip_months
    truth = Truth(panel) if with_truth else None
    keys = cache_keys(config, panel, decisions, about, truth)
    evaluation.drop_stale(HERE.verify_months, keys)
    pending = set(evaluation.pending(HERE.verify_months, keys))
    due = [window for window in decisions if window.month in pending]
    # With errors there are placebos: params without them are refused.
    placebos = placebos_up_to(all_months, config.train.placebo_every) if about else {}
    specs = {s.month: s for s in jobs.network_specs(panel, due, config.train) if not s.placebo}
    by_month = {
        window.month: EvaluationJob(
            config=config,
            window=window,
            spec=compact(specs[window.month]),
            placebos=placebos.get(window.month, ()),
            cluster=about[window.month]["cluster"] if about else None,
            with_truth=with_truth,
        )
        for window in due
    }
    workers = min(config.train.workers, len(due))
    backend = in_process if workers < 2 else loky
    results = backend(evaluate, by_month, workers=workers)
    for month, result in tqdm(results, "evaluated", total=len(due), unit="month"):
        rows = sample_rows(config, by_month[month].window)
        evaluation.save(
            HERE.verify_months / month,
            result,
            stocks=panel.index.iloc[rows][["month", "stock"]].reset_index(drop=True),
            features=panel.names,
            key=keys[month],
        )

    evaluations, attributions = evaluation.load(HERE.verify_months, keys)
    tables = evaluation.summarise(evaluations)
    if truth is not None:
        tables |= ground_truth_tables(truth.table, panel, attributions)
    shown = str(tables["deletion"]["method"].iloc[0])
    tables["reliability"] = reliability_table(tables["reliability"], shown, panel, about, truth)
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


def reliability_table(
    counts: pd.DataFrame,
    shown: str,
    panel: store.Panel,
    about: Mapping[str, Mapping[str, Any]],
    truth: Truth | None,
) -> pd.DataFrame:
    """Return the measures of reliable relevances: method, measure, value.

    Parameters
    ----------
    counts : pandas.DataFrame
        method and the mean counts of the sampled months.
    shown : str
        The method of the stage attribute.
    panel : Panel
        Features.
    about : mapping
        What `errors_store.read_about` returns.
    truth : Truth, optional
        The true contributions.
    """
    by_method = [(str(line.pop("method")), line) for line in counts.to_dict("records")]
    if about:
        months = [_counts_of_month(panel, month, values, truth) for month, values in about.items()]
        by_method.insert(0, (shown, pd.DataFrame(months).sum().to_dict()))
    lines = [
        {"method": name, "measure": measure, "value": value}
        for name, sums in by_method
        for measure, value in ground_truth.reliability_measures(sums).items()
    ]
    return pd.DataFrame(lines, columns=["method", "measure", "value"])


def _counts_of_month(
    panel: store.Panel, month: str, about: Mapping[str, Any], truth: Truth | None
) -> dict[str, float]:
    """Return the counts of a month's flags of all stocks."""
    share = about["placebo_share"]
    placebo = {} if share is None else {"placebo_taking_part": 1.0, "placebo_reliable": share}
    if truth is None:
        return placebo | {name: float(about[name]) for name in ("taking_part", "reliable")}
    _, errors = errors_store.read(HERE.errors_of(month))
    shown = read_parquet(HERE.attributions_of(month))
    rows = panel.index.index[panel.index["month"] == shown["month"].iloc[0]]
    takes_part = reliability.taking_part(panel.features[rows], panel.catalogue["group"].tolist())
    return placebo | ground_truth.reliability(
        truth.of(shown),
        shown[panel.names].to_numpy(),
        errors.reliable,
        takes_part=takes_part,
        cluster=pd.factorize(np.array(about["cluster"]))[0],
        effect=truth.effect,
    )


def cache_keys(
    config: Params,
    panel: store.Panel,
    decisions: list[windows.Window],
    about: Mapping[str, Mapping[str, Any]],
    truth: Truth | None,
) -> dict[str, str]:
    """Return the cache key of each month's evaluation: params, rows, networks, truth and code."""
    params = repr((config.attribute, config.verify, config.train.seed))
    ridge = baselines.keys(panel, decisions, config.train.ridge_penalty, HERE.weights)["ridge"]
    return {
        window.month: digest_of(
            code_digest(*EVALUATION),
            params,
            str(window.test_start),
            ridge[window.month],
            weights_bytes(HERE.weights, window.month),
            about.get(window.month, {}).get("key", ""),
            "" if truth is None else truth.digest(panel.index["month"].iloc[window.test_start]),
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
