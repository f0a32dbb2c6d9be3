"""What the earlier stages left, read once from their files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konkyo import dates, io
from konkyo.errors import ArtifactError

MODEL = "network"
"""The model whose series are shown; the others are baselines with final metrics only."""


@dataclass(frozen=True)
class Results:
    """The results of one run of the pipeline.

    Attributes
    ----------
    root : pathlib.Path
        The project's folder.
    source : dict
        data/records/source.json: where the records came from and what is known of them.
    metrics : dict
        data/metrics.json, nested by model, and data/verify.json under "verify".
    returns : pandas.DataFrame
        One row a decision month of the network: decided at the end of `month` (t), earned in
        `earned` (t+1), as fractions.
    cumulative : pandas.DataFrame
        earned (month end), portfolio, cumulative (fraction) of the network.
    windows : pandas.DataFrame
        One row a decision month, first to last: month, first_train, last_train, last_label (month
        ends), train_rows.
    history : pandas.DataFrame
        month (month end), epoch (from 1), loss: mean squared error in training.
    tables : dict of str to pandas.DataFrame
        Small tables by name.
    """

    root: Path
    source: dict[str, Any]
    metrics: dict[str, Any]
    returns: pd.DataFrame
    cumulative: pd.DataFrame
    windows: pd.DataFrame
    history: pd.DataFrame
    tables: dict[str, pd.DataFrame]

    @property
    def records(self) -> Path:
        """Folder of the records."""
        return self.root / "data/records"

    @property
    def panel(self) -> Path:
        """Folder of the feature panel."""
        return self.root / "data/panel"

    @property
    def weights(self) -> Path:
        """Folder of the networks, one file a decision month."""
        return self.root / "data/models/weights"

    @property
    def grounds(self) -> Path:
        """Folder of the scores and relevances, one file a decision month."""
        return self.root / "data/attributions"

    @property
    def report(self) -> Path:
        """Folder of the figures and their tables."""
        return self.root / "data/report"

    def grounds_of(self, month: pd.Timestamp) -> Path:
        """Return the file of a month's scores and relevances."""
        return self.grounds / f"{dates.label(month)}.parquet"

    def weights_of(self, month: pd.Timestamp) -> Path:
        """Return the file of a month's network."""
        return self.weights / f"{dates.label(month)}.safetensors"


def read(root: Path) -> Results:
    """Read the results of a project's folder.

    Parameters
    ----------
    root : pathlib.Path
        The folder with `data/`.

    Returns
    -------
    Results
        Frames are read whole; panel, grounds and weights stay on disk.

    Raises
    ------
    ArtifactError
        A file is missing or a column is: it names the file and the stage that writes it.
    """
    data = root / "data"
    source = _json(data / "records/source.json", "ingest")
    windows = _csv(
        data / "models/windows.csv",
        "train",
        ["train_rows"],
        dates=["month", "first_train", "last_train", "last_label"],
    ).sort_values("month", ignore_index=True)
    returns = _csv(
        data / "backtest/returns.csv",
        "backtest",
        ["model", "spread", "rank_ic"],
        dates=["month", "earned"],
    )
    cumulative = _csv(
        data / "backtest/cumulative.csv",
        "backtest",
        ["model", "portfolio", "cumulative"],
        dates=["month"],
    ).rename(columns={"month": "earned"})
    history = io.read_parquet(_present(data / "models/history.parquet", "train"))
    found = Results(
        root=root,
        source=source,
        metrics={
            **_json(data / "metrics.json", "backtest"),
            "verify": _json(data / "verify.json", "verify"),
        },
        returns=returns[returns["model"] == MODEL].reset_index(drop=True),
        cumulative=cumulative[cumulative["model"] == MODEL].reset_index(drop=True),
        windows=windows,
        history=history.assign(month=_period_ends(history["month"])),
        tables={
            name: _csv(data / f"backtest/{name}.csv", "backtest", ["model"], dates=[])
            for name in ("performance", "deciles")
        },
    )
    for month in windows["month"]:
        _present(found.grounds_of(month), "attribute")
        _present(found.weights_of(month), "train")
    return found


def example(results: Results, rows: int = 3) -> pd.DataFrame:
    """Return a few stocks of the newest scored month, as the served model takes them.

    Parameters
    ----------
    results : Results
        Its panel is memory-mapped; only these rows are read.
    rows : int
        Stocks, the first by code.

    Returns
    -------
    pandas.DataFrame
        month (YYYY-MM-DD), stock, one float column a feature in the catalogue's order.
    """
    index = io.read_parquet(
        _present(results.panel / "index.parquet", "prepare"), columns=["month", "stock"]
    )
    names = _csv(results.panel / "catalogue.csv", "prepare", ["name"], dates=[])["name"]
    features = io.read_array(_present(results.panel / "features.npy", "prepare"), mmap_mode="r")
    chosen = np.flatnonzero(index["month"] == results.windows["month"].iloc[-1])[:rows]
    frame = pd.DataFrame(np.array(features[chosen], dtype="float64"), columns=list(names))
    frame.insert(0, "month", index["month"].iloc[chosen].dt.strftime("%Y-%m-%d").to_list())
    frame.insert(1, "stock", index["stock"].iloc[chosen].to_list())
    return frame


def _present(path: Path, stage: str) -> Path:
    if not path.is_file():
        raise ArtifactError(f"{path} is missing: run `dvc repro {stage}`")
    return path


def _json(path: Path, stage: str) -> Any:
    return io.read_json(_present(path, stage))


def _csv(path: Path, stage: str, columns: list[str], dates: list[str]) -> pd.DataFrame:
    """Read a table, its dates as period ends whether they are written YYYY-MM or as a day."""
    frame = io.read_csv(_present(path, stage))
    missing = [name for name in [*columns, *dates] if name not in frame]
    if missing:
        raise ArtifactError(f"{path} has no column {', '.join(missing)}: run `dvc repro {stage}`")
    for name in dates:
        frame[name] = _period_ends(frame[name])
    return frame


def _period_ends(values: pd.Series) -> pd.DatetimeIndex:
    return dates.month_end(dates.ordinal(pd.to_datetime(values)))
