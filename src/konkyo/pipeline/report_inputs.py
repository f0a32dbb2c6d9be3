"""Inputs of report, monitor and predict: attributions, tables, labels, explained panel."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo import backtesting, date_text, dates
from konkyo.artifacts import HERE, require_months
from konkyo.attribution import errors_store
from konkyo.backtesting.scores import NETWORK
from konkyo.errors import ArtifactError, ParamsError
from konkyo.features.store import Panel
from konkyo.io import read_csv, read_parquet, read_parquets
from konkyo.pipeline import month_option
from konkyo.report.tables import labels as input_labels
from konkyo.report.tables.explained_panel import ExplainedPanel, build

OTHERS = ("characteristic", "sector", "calendar", "market", "absorbed", "unranked")
"""Names in tables other than those of features."""


def files() -> list[Path]:
    """Return the files of attributions, one a decision month, by month."""
    return require_months(HERE.attributions)


def file_of(month: str) -> Path:
    """Return the file of attributions of a decision month, "newest" or YYYY-MM.

    Raises
    ------
    ParamsError
        The month has no attributions: the error names the months that have.
    """
    by_month = {path.stem: path for path in files()}
    months = list(by_month)
    if month == "newest":
        return by_month[months[-1]]
    month = month_option(month, "month", "newest")
    if month not in by_month:
        raise ParamsError(
            f"--month {month}: no stock was ranked then; write newest or a month as YYYY-MM "
            f"from {months[0]} to {months[-1]}, or add that month with `konkyo update`"
        )
    return by_month[month]


def with_errors(explained: ExplainedPanel) -> ExplainedPanel:
    """Return a panel with its standard errors, as it is where there are none."""
    paths = [HERE.errors_of(dates.label(month)) for month in explained.months()]
    if not all(path.exists() for path in paths):
        return explained
    months = [errors_store.read(path)[1] for path in paths]
    about = errors_store.read_about(HERE.errors)
    difference = {m: about[dates.label(m)]["difference_error"] for m in explained.months()}
    return replace(
        explained,
        error=np.concatenate([month.relevance for month in months]),
        reliable=np.concatenate([month.reliable for month in months]),
        difference_error=pd.DataFrame.from_dict(
            difference, orient="index", columns=explained.names
        ),
    )


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of an earlier stage, Parquet or CSV, with months as dates."""
    if path.suffix == ".parquet":
        return read_parquet(path)
    frame = read_csv(path)
    for column in frame.columns.intersection(["month", "earned"]):
        frame[column] = date_text.period_ends(frame[column])
    return frame


def read_labels(catalogue: pd.DataFrame) -> pd.DataFrame:
    """Return the labels of the features, from data/own/labels.csv if the user wrote any."""
    features = catalogue
    if HERE.labels.exists():
        features = features.merge(input_labels.read_labels(HERE.labels), on="name", how="outer")
    return input_labels.labels([*catalogue["name"], *OTHERS], features)


def explained_panel(panel: Panel, paths: Iterable[Path], n_quantiles: int) -> ExplainedPanel:
    """Return decision months with their attributions, ranked as in the backtest.

    Parameters
    ----------
    panel : Panel
        The panel; only the rows of these months are read from its matrix.
    paths : iterable of Path
        Files of attributions, by month.
    n_quantiles : int
        backtest.n_quantiles of params.yaml.

    Raises
    ------
    ArtifactError
        Attributions and panel are not of the same records.
    """
    attributions = read_parquets(paths)
    scores = attributions[["month", "stock", "score"]]
    ranked = backtesting.assign_quantiles(
        scores.assign(model=NETWORK, ret=float("nan")), n_quantiles
    )
    first, last = scores["month"].iloc[0], scores["month"].iloc[-1]
    positions = panel.index["month"].between(first, last).to_numpy().nonzero()[0]
    if not len(positions):
        raise ArtifactError(
            f"the panel has no row in {dates.label(first)}, but attributions have: run "
            "`dvc repro attribute`"
        )
    rows = slice(int(positions[0]), int(positions[-1]) + 1)
    return with_errors(
        build(
            panel.index.iloc[rows].reset_index(drop=True),
            panel.features[rows],
            panel.catalogue,
            attributions,
            ranked,
        )
    )
