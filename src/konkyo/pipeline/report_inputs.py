"""What several stages read of panel, grounds and labels."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from konkyo import backtest, dates
from konkyo.artifacts import HERE, require_months
from konkyo.backtest.scores import NETWORK
from konkyo.errors import ArtifactError, ParamsError
from konkyo.features.store import Panel
from konkyo.io import read_csv, read_parquet
from konkyo.report import tables

OTHERS = ("characteristic", "sector", "calendar", "market", "absorbed", "unranked")
"""What tables name beside the features."""


def files() -> list[Path]:
    """Return the files of grounds, one a decision month, in order."""
    return require_months(HERE.attributions)


def file_of(month: str) -> Path:
    """Return the file of a decision month, "newest" or YYYY-MM.

    Raises
    ------
    ParamsError
        The month is not written so, or has no grounds: says which have.
    """
    found = files()
    if month == "newest":
        return found[-1]
    first, last = found[0].stem, found[-1].stem
    named = [path for path in found if path.stem == month]
    if not named:
        raise ParamsError(
            f"--month {month}: no stock was ranked then; write newest or a month as YYYY-MM "
            f"from {first} to {last}, or bring that month with `konkyo update`"
        )
    return named[0]


def read_attributions(paths: Iterable[Path]) -> list[pd.DataFrame]:
    """Read the grounds of decision months: month, stock, score, relevances, absorbed."""
    return [read_parquet(path) for path in tqdm(list(paths), "grounds", unit="month")]


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of an earlier stage, Parquet or CSV, its months as dates."""
    if path.suffix == ".parquet":
        return read_parquet(path)
    frame = read_csv(path)
    for column in frame.columns.intersection(["month", "earned"]):
        frame[column] = pd.to_datetime(frame[column])
    return frame


def read_labels(catalogue: pd.DataFrame) -> pd.DataFrame:
    """Return what the features are called, by the user's own labels where there are."""
    about = catalogue
    if HERE.labels.exists():
        about = about.merge(read_csv(HERE.labels, dtype=str), on="name", how="left")
    return tables.labels([*catalogue["name"], *OTHERS], about)


def explained_panel(panel: Panel, paths: Iterable[Path], portfolios: int) -> tables.ExplainedPanel:
    """Return some decision months with their grounds, ranked as the backtest ranks them.

    Parameters
    ----------
    panel : Panel
        The panel; of its matrix only the rows of these months are read.
    paths : iterable of Path
        Their files, in order.
    portfolios : int
        backtest.n_quantiles of params.yaml.

    Raises
    ------
    ArtifactError
        The grounds and the panel do not belong together.
    """
    grounds = read_attributions(paths)
    scores = pd.concat([table[["month", "stock", "score"]] for table in grounds])
    ranked = backtest.assign_quantiles(scores.assign(model=NETWORK, ret=float("nan")), portfolios)
    first, last = scores["month"].iloc[0], scores["month"].iloc[-1]
    own = panel.index["month"].between(first, last).to_numpy().nonzero()[0]
    if not len(own):
        raise ArtifactError(
            f"the panel has no row in {dates.label(first)}, but there are grounds of that month: "
            "run `dvc repro attribute`"
        )
    rows = slice(int(own[0]), int(own[-1]) + 1)
    return tables.build(
        panel.index.iloc[rows].reset_index(drop=True),
        panel.features[rows],
        panel.catalogue,
        grounds,
        ranked,
    )
