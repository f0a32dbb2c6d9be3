"""What a trial is, and the scores that it gives on the panels of the search."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from konkyo import backtest, dates
from konkyo.cache import TRAINING, code_digest, digest_of
from konkyo.config import Train
from konkyo.errors import ArtifactError, ParamsError
from konkyo.features import store
from konkyo.features.store import Panel
from konkyo.io import read_parquet
from konkyo.models import baselines, jobs
from konkyo.models import store as weights
from konkyo.models.batches import Hyperparameters
from konkyo.models.fit import fit, stack_task
from konkyo.tuning import panels
from konkyo.windows import MonthSlices, rolling

Group = tuple[str, ...]
"""Decision months, YYYY-MM, that one network serves: it is trained at the first."""


@dataclass(frozen=True)
class Shape:
    """What the trials of one stack have in common.

    Attributes
    ----------
    layers : tuple of int
        Units of each hidden layer.
    activation : str
        Of the hidden layers.
    batch, epochs, window : int
        Rows a step, passes through the rows, months of rows.
    label, standardise : str
        Transforms of the label and of the inputs.
    """

    hidden_sizes: tuple[int, ...]
    activation: Literal["tanh", "relu"]
    batch_size: int
    epochs: int
    window_months: int
    label: str
    standardise: str


def decision_months(folder: Path, longest: int) -> list[str]:
    """Return the months of the search, YYYY-MM, the same for every trial.

    Parameters
    ----------
    folder : Path
        What `panels.bring` wrote.
    longest : int
        Months of the longest window of the space: a shorter one waits for it, so that all trials
        are compared over the same months.

    Raises
    ------
    ParamsError
        No month has so long a window and a realised return.
    """
    path = next(iter(sorted((folder / "panels").glob("*/index.parquet"))), None)
    if path is None:
        raise ArtifactError(f"{folder} holds no panel: start the search without --worker once")
    index = read_parquet(path, columns=["month", "ret"])
    names = MonthSlices.of(index["month"]).names
    realised = {dates.label(m) for m in index.loc[index["ret"].notna(), "month"].unique()}
    chosen = [name for name in names[longest:] if name in realised]
    if not chosen:
        raise ParamsError(
            f"tune.space.window_months: {longest} months leave no decision month of the "
            f"{len(names)} before the holdout ({names[0]} to {names[-1]}): allow shorter "
            f"windows only"
        )
    return chosen


def refits(names: Sequence[str], every: int) -> list[Group]:
    """Divide consecutive months into groups of `every`, each served by one network."""
    return [tuple(names[i : i + every]) for i in range(0, len(names), every)]


def run(
    folder: Path,
    shape: Shape,
    numbers: Sequence[Hyperparameters],
    groups: Sequence[Group],
    params: Train,
    scratch: Path,
    seeds: int = 1,
    placebo: bool = False,
) -> list[pd.DataFrame]:
    """Train and score several trials of one shape together.

    Parameters
    ----------
    folder : Path
        What `panels.bring` wrote.
    shape : Shape
        Of all of them.
    numbers : sequence of Numbers
        One a trial; a trial's result does not depend on the others.
    groups : sequence of Group
        The months to score, in any order.
    params : Train
        The train section, for what a trial does not choose: the most networks of a stack.
    scratch : Path
        Where the state of a stack under way is kept: the same call goes on from it after a kill.
    seeds : int
        Networks a group of months; the score is their mean.
    placebo : bool
        Whether the labels are shuffled within each month: the placebo.

    Returns
    -------
    list of DataFrame
        One a trial: month, stock, score (known at t), ret (earned in t+1; NaN where not realised),
        sorted by (month, stock).
    """
    scratch.mkdir(parents=True, exist_ok=True)
    own = panels.path_of(folder, shape.label, shape.standardise)
    panel = store.read(own)
    label = panel.index["label"].to_numpy(dtype=np.float32)
    blocks = MonthSlices.of(panel.index["month"])
    # The placebo is the same for every trial, as the labels are.
    targets = jobs.shuffle_labels(label, blocks, params.seed) if placebo else label
    labels = np.stack([label, targets])
    settings = _settings(shape, numbers[0], params, seeds)
    windows = {window.month: window for window in rolling(blocks, shape.window_months)}
    size = max(params.max_networks_per_stack // (len(numbers) * seeds), 1)
    found: list[list[pd.DataFrame]] = [[] for _ in numbers]
    for first in range(0, len(groups), size):
        part = groups[first : first + size]
        served = [windows[group[0]] for group in part]
        entries = [
            replace(entry, placebo=placebo)
            for own_numbers in numbers
            for entry in jobs.network_specs(
                panel, served, _settings(shape, own_numbers, params, seeds)
            )
        ]
        name = digest_of(
            panels.digest_at(own) or "",
            code_digest(*TRAINING),
            repr((asdict(shape), [asdict(n) for n in numbers], part, seeds, placebo)),
        )
        task = stack_task(panel.features, labels, entries, settings)
        fitted = fit(task, scratch=scratch, name=name)
        for suffix in (".ckpt", ".progress"):
            (scratch / f"{name}{suffix}").unlink(missing_ok=True)
        months_of = [entry.month for entry in entries]
        networks = weights.unstack(
            fitted.network, months=months_of, keys=[name] * len(entries), features=panel.names
        )
        # Trial by trial, and within a trial group by group, member by member.
        for trial, position in product(range(len(numbers)), range(len(part))):
            start = (trial * len(part) + position) * seeds
            rows = _rows(blocks, part[position])
            scores = baselines.network_scores(networks[start : start + seeds], panel.features[rows])
            found[trial].append(_table(panel, rows, scores))
    return [_joined(tables) for tables in found]


def linear(folder: Path, shape: Shape, groups: Sequence[Group], params: Train) -> pd.DataFrame:
    """Return the scores of a ridge regression on the rows of a trial, as `run` returns them."""
    panel = store.read(panels.path_of(folder, shape.label, shape.standardise))
    labels = panel.index["label"].to_numpy(dtype=np.float32)
    blocks = MonthSlices.of(panel.index["month"])
    windows = {window.month: window for window in rolling(blocks, shape.window_months)}
    settings = replace(params, ensemble=1, placebo_every=0)
    tables = []
    for group in groups:
        (entry,) = jobs.network_specs(panel, [windows[group[0]]], settings)
        model = baselines.ridge(panel, entry, labels, params.ridge_penalty)
        rows = _rows(blocks, group)
        tables.append(
            _table(panel, rows, baselines.linear_scores(model, entry, panel.features[rows]))
        )
    return _joined(tables)


def series(scores: pd.DataFrame, portfolios: int, cost: float) -> pd.DataFrame:
    """Return the monthly series of one trial.

    Parameters
    ----------
    scores : DataFrame
        month, stock, score, ret. Turnover and costs are those of a fresh start where the month
        before is not there.
    portfolios : int
        The last is long, the first short.
    cost : float
        Basis points a unit traded.

    Returns
    -------
    DataFrame
        month (decision month t), spread, spread_net (fractions, earned in t+1), turnover (one way,
        NaN at a fresh start), rank_ic; sorted by month.
    """
    ranked = backtest.assign_quantiles(scores.assign(model="trial"), portfolios)
    table = backtest.monthly_returns(ranked, portfolios, cost)
    return table[["month", "spread", "spread_net", "turnover", "rank_ic"]]


def _settings(shape: Shape, numbers: Hyperparameters, params: Train, seeds: int) -> Train:
    """Return the train section that a trial stands for."""
    return replace(
        params,
        window_months=shape.window_months,
        hidden_sizes=shape.hidden_sizes,
        activation=shape.activation,
        batch_size=shape.batch_size,
        epochs=shape.epochs,
        learning_rate=numbers.learning_rate,
        weight_decay=numbers.weight_decay,
        dropout=numbers.dropout,
        seed=numbers.seed,
        ensemble=seeds,
        placebo_every=0,
    )


def _rows(blocks: MonthSlices, group: Group) -> slice:
    """Return the panel rows of a group's months, which follow one another."""
    first, last = blocks.names.index(group[0]), blocks.names.index(group[-1])
    return slice(blocks.rows(first).start, blocks.rows(last).stop)


def _table(panel: Panel, rows: slice, scores: np.ndarray) -> pd.DataFrame:
    """Return scores beside what was earned."""
    return panel.index.iloc[rows][["month", "stock", "ret"]].assign(score=scores)


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of groups that were scored in any order as one in calendar order."""
    whole = pd.concat(tables).sort_values(["month", "stock"], ignore_index=True)
    return whole[["month", "stock", "score", "ret"]]
