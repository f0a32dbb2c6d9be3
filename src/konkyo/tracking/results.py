"""Results of the earlier stages, read once from their files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo import date_text, dates, io
from konkyo.artifacts import Artifacts, command_for, require
from konkyo.errors import ArtifactError
from konkyo.features.store import read_catalogue

MODEL = "network"
"""The model whose monthly series are logged; the baselines have final metrics only."""


@dataclass(frozen=True)
class Results:
    """The results of one run of the pipeline.

    Attributes
    ----------
    artifacts : Artifacts
        Paths of the files; panel, attributions and weights are read when they are needed.
    source : dict
        data/records/source.json: source, licence and properties of the records.
    metrics : dict
        data/metrics.json, nested by model, data/verify.json under "verify", and the figures of the
        portfolios as they are held under "portfolio".
    returns : pandas.DataFrame
        One row a decision month of the network: `month` (t), `earned` (t+1, in which the portfolios
        of t earn), returns as fractions.
    cumulative : pandas.DataFrame
        earned (month end), portfolio, cumulative (fraction) of the network.
    windows : pandas.DataFrame
        One row a decision month, first to last: month, first_train, last_train, last_label (month
        ends), train_rows.
    history : pandas.DataFrame
        month (month end), epoch (from 1), loss: mean squared error in training.
    tables : dict of str to pandas.DataFrame
        performance and quantiles of the backtest, all models.
    seconds : dict of str to float
        Of the last run of each stage in this folder, as far as it is on record.
    stacks : dict of str to dict
        By key of a month's weights, `started` (seconds since 1970), `seconds` and `networks` of the
        stack that trained them, as far as it is on record.
    """

    artifacts: Artifacts
    source: dict[str, Any]
    metrics: dict[str, Any]
    returns: pd.DataFrame
    cumulative: pd.DataFrame
    windows: pd.DataFrame
    history: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    seconds: dict[str, float]
    stacks: dict[str, dict[str, float]]


def read(root: Path) -> Results:
    """Read the results of a project.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.

    Raises
    ------
    ArtifactError
        A file or a column is missing: the error names the file and the stage that writes it.
    """
    artifacts = Artifacts(root)
    windows = _csv(
        artifacts.windows,
        ["train_rows"],
        months=["month", "first_train", "last_train", "last_label"],
    ).sort_values("month", ignore_index=True)
    returns = _csv(artifacts.returns, ["model", "spread", "rank_ic"], months=["month", "earned"])
    cumulative = _csv(
        artifacts.backtest / "cumulative.csv",
        ["model", "portfolio", "cumulative"],
        months=["month"],
    ).rename(columns={"month": "earned"})
    history = io.read_parquet(artifacts.history)
    for month in windows["month"]:
        require(artifacts.attributions_of(dates.label(month)))
        require(artifacts.weights_of(dates.label(month)))
    timings = io.read_json_lines(artifacts.timings)
    folder = str(root.absolute())
    return Results(
        artifacts=artifacts,
        source=io.read_json(artifacts.source),
        metrics={
            **io.read_json(artifacts.metrics),
            "verify": io.read_json(artifacts.verify_metrics),
            "portfolio": io.read_json(artifacts.portfolio_metrics),
        },
        returns=returns[returns["model"] == MODEL].reset_index(drop=True),
        cumulative=cumulative[cumulative["model"] == MODEL].reset_index(drop=True),
        windows=windows,
        history=history.assign(month=date_text.period_ends(history["month"])),
        tables={
            name: _csv(artifacts.backtest / f"{name}.csv", ["model"], months=[])
            for name in ("performance", "quantiles")
        },
        seconds={
            line["stage"]: line["seconds"] for line in timings if line.get("folder") == folder
        },
        stacks={key: line for line in timings for key in line.get("keys", ())},
    )


def input_example(results: Results, rows: int = 3) -> pd.DataFrame:
    """Return a few stocks of the newest decision month, as input of the served model.

    Parameters
    ----------
    results : Results
        Its panel is memory-mapped; only these rows are read.
    rows : int
        Number of stocks, the first by code.

    Returns
    -------
    pandas.DataFrame
        month (YYYY-MM-DD), stock, one float column a feature in the catalogue's order.
    """
    artifacts = results.artifacts
    index = io.read_parquet(artifacts.panel_index, columns=["month", "stock"])
    names = read_catalogue(artifacts.panel)["name"]
    features = io.read_array(artifacts.panel / "features.npy", mmap_mode="r")
    sample = np.flatnonzero(index["month"] == results.windows["month"].iloc[-1])[:rows]
    frame = pd.DataFrame(np.array(features[sample], dtype="float64"), columns=list(names))
    frame.insert(0, "month", index["month"].iloc[sample].dt.strftime("%Y-%m-%d").to_list())
    frame.insert(1, "stock", index["stock"].iloc[sample].to_list())
    return frame


def _csv(path: Path, columns: list[str], months: list[str]) -> pd.DataFrame:
    """Read a table; months, written as YYYY-MM or as a day, become period ends."""
    frame = io.read_csv(path)
    absent = [name for name in [*columns, *months] if name not in frame]
    if absent:
        raise ArtifactError(f"{path} has no column {', '.join(absent)}: run `{command_for(path)}`")
    for name in months:
        frame[name] = date_text.period_ends(frame[name])
    return frame
