"""Evaluation of attribution methods on the same stocks, its files, and verify.json.

Every method explains the same rows. What is measured needs no ground truth: deletion curves
(faithfulness to the network), cascading randomisation (dependence on the trained weights) and seed
correlation (agreement between the members of an ensemble). `ground_truth` has the measures for
records whose true contributions are available.
"""

import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from konkyo.attribution import methods
from konkyo.attribution.attributions import INTEGRATED_GRADIENTS
from konkyo.attribution.faithfulness import deletion
from konkyo.attribution.lrp import absorbed_by_epsilon
from konkyo.attribution.stability import cascading_randomisation, seed_correlation
from konkyo.io import read_key, read_parquet, write_parquet
from konkyo.models.store import Network, modules, restack, stackable

SAMPLED = "shapley_sampling"
"""The one method that is too slow for all rows and all randomised networks."""

TABLES = {
    "deletion": ("method", "deleted"),
    "cascading_randomisation": ("method", "layers"),
    "seed_correlation": ("method",),
    "absorption": ("method",),
    "reliability": ("method",),
}
"""The tables of an evaluation, and the columns by which their mean over months is taken."""

_ATTRIBUTIONS = "attributions.parquet"

LRP = methods.LRP_EPSILON
"""The method of the paper and, for the built-in networks, of the stage attribute."""


@dataclass(frozen=True)
class MethodEvaluation:
    """Attributions of one month's stocks by every method, and what they were measured by.

    Attributes
    ----------
    attributions : dict of str to numpy.ndarray
        Method to relevances [rows, features], in units of the score; means over an ensemble.
    deletion : pandas.DataFrame
        method, deleted (share of the inputs set to the baseline), ordered, random (root mean square
        change of the score), auc (area between the curves relative to the random one, the same in
        all lines of a method).
    cascading_randomisation : pandas.DataFrame
        method, layers (randomised, from the output down), rank_correlation, size_correlation.
    seed_correlation : pandas.DataFrame
        method, first, second, rank_correlation of members of the ensemble; empty for one network.
    absorption : pandas.DataFrame
        method (LRP's epsilon rule alone), epsilon (mean size of what epsilon takes), score (mean
        size of the score).
    reliability : pandas.DataFrame
        method and the counts of `reliable_methods.counts`; empty without networks of halves.
    """

    attributions: dict[str, np.ndarray]
    deletion: pd.DataFrame
    cascading_randomisation: pd.DataFrame
    seed_correlation: pd.DataFrame
    absorption: pd.DataFrame
    reliability: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"method": []}))


def evaluate_methods(
    members: Sequence[Network],
    rows: np.ndarray,
    *,
    epsilon: float,
    n_permutations: int,
    seed: int,
    method: str = INTEGRATED_GRADIENTS,
) -> MethodEvaluation:
    """Explain the same rows by every method and evaluate the methods on the networks.

    Parameters
    ----------
    members : sequence of Weights
        The networks of one month.
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    epsilon : float
        Of LRP's epsilon rule, in units of the score.
    n_permutations : int
        Orders of the inputs that Shapley sampling draws.
    seed : int
        Of every draw.
    method : str
        `attribute.method`, of a user's module.
    """
    by_name = methods.methods_of(members[0], epsilon, method)
    of_members = {
        name: [explain(member, rows) for member in members] for name, explain in by_name.items()
    }
    of_members[SAMPLED] = [
        methods.shapley_sampling(member, rows, n_permutations, seed=seed) for member in members
    ]
    attributions = {name: np.mean(parts, axis=0) for name, parts in of_members.items()}

    callables = [methods.as_module(member) for member in members]

    def score(x: Tensor) -> Tensor:
        return torch.stack([module(x).reshape(-1) for module in callables]).mean(0)

    x = methods.scaled(members[0], rows)
    curves = []
    for name, relevance in attributions.items():
        # The same seed for each method: all are compared with the same random orders.
        curve = deletion(score, x, relevance, np.random.default_rng(seed))
        columns = {
            "method": name,
            "deleted": curve.deleted / rows.shape[1],
            "ordered": curve.ordered,
            "random": curve.random,
            "auc": curve.auc,
        }
        curves.append(pd.DataFrame(columns))
    # One member stands for the ensemble: each randomised network costs a pass of every method.
    randomised = [
        cascading_randomisation(members[0], rows, explain, seed=seed).assign(method=name)
        for name, explain in by_name.items()
    ]
    # A feature that is 0 for all stocks, a dummy of another month, has relevance 0 under every
    # seed; such ties would raise the correlation.
    present = np.any(rows != 0, axis=0)
    correlations = [
        seed_correlation([relevance[:, present] for relevance in parts]).assign(method=name)
        for name, parts in of_members.items()
    ]
    return MethodEvaluation(
        attributions=attributions,
        deletion=pd.concat(curves, ignore_index=True),
        cascading_randomisation=pd.concat(randomised, ignore_index=True),
        seed_correlation=pd.concat(correlations, ignore_index=True),
        absorption=epsilon_absorption(members, rows, epsilon),
    )


def epsilon_absorption(
    members: Sequence[Network], rows: np.ndarray, epsilon: float
) -> pd.DataFrame:
    """Return how much of the scores LRP's epsilon takes, beside their size.

    A large part means that the relevances explain a smaller score than the network's: epsilon is
    large against the pre-activations.

    Parameters
    ----------
    members : sequence of Weights
        The networks of one month; both are means over an ensemble.
    rows : numpy.ndarray
        [rows, features] as the panel holds them.
    epsilon : float
        Of LRP's epsilon rule, in units of the score.

    Returns
    -------
    pandas.DataFrame
        One row: method, epsilon, score; means of absolute values over the rows. None for a user's
        module.
    """
    if modules(members):
        return pd.DataFrame({"method": pd.Series(dtype="str"), "epsilon": [], "score": []})
    stack = restack(stackable(members), torch.float64)
    x = torch.from_numpy(np.asarray(rows, dtype=np.float64)).repeat(len(members), 1, 1)
    scaled = stack.scale_(x)
    absorbed = absorbed_by_epsilon(stack, scaled, epsilon).mean(0).abs().mean()
    score = stack(scaled).reshape(len(members), -1).mean(0).abs().mean()
    sizes = {"epsilon": [float(absorbed)], "score": [float(score)]}
    return pd.DataFrame({"method": [LRP], **sizes})


def summarise(evaluations: Sequence[MethodEvaluation]) -> dict[str, pd.DataFrame]:
    """Return the means over months of each table of the evaluations.

    Parameters
    ----------
    evaluations : sequence of MethodEvaluation
        One a month.

    Returns
    -------
    dict of str to pandas.DataFrame
        deletion: method, deleted, ordered, random, auc; cascading_randomisation: method, layers,
        rank_correlation, size_correlation; seed_correlation: method, rank_correlation (over pairs
        of members and months), empty for ensembles of one; absorption: method, epsilon, score;
        reliability: method and mean counts.
    """
    summary = {}
    for name, keys in TABLES.items():
        months = pd.concat([getattr(month, name) for month in evaluations], ignore_index=True)
        numbers = months.drop(columns=["first", "second"], errors="ignore")
        groups = numbers.groupby(list(keys), sort=False, as_index=False)
        summary[name] = groups.mean(numeric_only=True)
    return summary


def metrics(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Return the figures of verify.json, by method.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Those of `summarise`, and `ground_truth` (of `ground_truth.compare`) where the records have
        the true contributions.

    Returns
    -------
    dict
        A method: deletion_auc (above 0: better than a random order), cascading_randomisation (rank
        correlation with the attributions of a network whose layers are all randomised: near 0 is
        right), seed_correlation (rank correlation between members of an ensemble), epsilon_share
        (of the scores, what LRP's epsilon takes), the measures of `reliability_measures` and those
        of `konkyo.attribution.ground_truth` under `ground_truth`. Undefined figures are absent:
        JSON has no NaN.
    """
    result: dict[str, dict[str, Any]] = {}

    def add(method: str, name: str, value: float) -> None:
        if math.isfinite(value):
            result.setdefault(method, {})[name] = float(value)

    for row in tables["deletion"].drop_duplicates("method").itertuples():
        add(row.method, "deletion_auc", row.auc)
    layers = tables["cascading_randomisation"]
    for row in layers[layers["layers"] == layers["layers"].max()].itertuples():
        add(row.method, "cascading_randomisation", row.rank_correlation)
    for row in tables["seed_correlation"].itertuples():
        add(row.method, "seed_correlation", row.rank_correlation)
    for row in tables["absorption"].itertuples():
        add(row.method, "epsilon_share", row.epsilon / row.score if row.score else math.nan)
    if "reliability" in tables:
        for row in tables["reliability"].itertuples():
            add(row.method, row.measure, row.value)
    if "ground_truth" in tables:
        for row in tables["ground_truth"].itertuples():
            if math.isfinite(row.mean):
                figures = result.setdefault(row.method, {}).setdefault("ground_truth", {})
                figures[row.measure] = float(row.mean)
    return result


def save(
    folder: Path,
    evaluation: MethodEvaluation,
    *,
    stocks: pd.DataFrame,
    features: Sequence[str],
    key: str,
) -> None:
    """Write one month's evaluation, each table as a Parquet file.

    Parameters
    ----------
    folder : Path
        Of this month; it is replaced.
    evaluation : MethodEvaluation
        Its attributions are of the rows of `stocks`.
    stocks : pandas.DataFrame
        month and stock of the explained rows.
    features : sequence of str
        The columns of the attributions.
    key : str
        Cache key, of all that the evaluation depends on.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name in TABLES:
        write_parquet(getattr(evaluation, name), folder / f"{name}.parquet")
    by_method = [
        pd.concat([stocks, pd.DataFrame(relevance, columns=list(features))], axis=1).assign(
            method=method
        )
        for method, relevance in evaluation.attributions.items()
    ]
    # Last, since their key marks the month as complete.
    write_parquet(pd.concat(by_method, ignore_index=True), folder / _ATTRIBUTIONS, key)


def pending(folder: Path, keys: Mapping[str, str]) -> list[str]:
    """Return the months whose evaluation is missing or has another key."""
    return [m for m, key in keys.items() if read_key(folder / m / _ATTRIBUTIONS) != key]


def drop_stale(folder: Path, months: Iterable[str]) -> None:
    """Remove the folders of all other months."""
    for path in set(folder.glob("*")) - {folder / month for month in months}:
        shutil.rmtree(path)


def load(
    folder: Path, months: Iterable[str]
) -> tuple[list[MethodEvaluation], dict[str, pd.DataFrame]]:
    """Read the evaluations of months.

    Returns
    -------
    evaluations : list of MethodEvaluation
        In the order of the months, without their attributions.
    attributions : dict of str to pandas.DataFrame
        Method to month, stock and a column a feature, all months.
    """
    evaluations, parts = [], []
    for month in months:
        tables = {name: read_parquet(folder / month / f"{name}.parquet") for name in TABLES}
        evaluations.append(MethodEvaluation(attributions={}, **tables))
        parts.append(read_parquet(folder / month / _ATTRIBUTIONS))
    by_method = pd.concat(parts, ignore_index=True).groupby("method", sort=False)
    return evaluations, {
        str(name): table.drop(columns="method").reset_index(drop=True) for name, table in by_method
    }
