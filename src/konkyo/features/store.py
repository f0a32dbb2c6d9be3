"""The feature panel and its files: a memory-mapped matrix, its index and its catalogue."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo.artifacts import command_for
from konkyo.errors import ArtifactError
from konkyo.io import read_array, read_csv, read_parquet, write_array, write_csv, write_parquet

GROUPS = ("characteristic", "sector", "calendar", "market")


@dataclass(frozen=True)
class Panel:
    """Features and label of every stock-month of the universe.

    Attributes
    ----------
    features : numpy.ndarray
        [rows, features] float32, rows sorted by month and stock, point in time at the end of the
        month; market series are unscaled (each network scales them by its training window).
    index : pandas.DataFrame
        month, stock, sector, size, ret (fraction, earned in t+1, NaN where not realised) and
        label (standardised ret, NaN where ret is), in the same row order.
    catalogue : pandas.DataFrame
        name, group, transform, source: one line a feature, in column order.
    """

    features: np.ndarray
    index: pd.DataFrame
    catalogue: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Feature names in column order."""
        return self.catalogue["name"].tolist()

    def columns(self, group: str) -> np.ndarray:
        """Return the positions of one group's features."""
        return np.flatnonzero(self.catalogue["group"] == group)


def write(panel: Panel, missing: pd.DataFrame, folder: Path) -> None:
    """Write a panel and its counts of missing values, each file atomically."""
    write_array(np.ascontiguousarray(panel.features, dtype=np.float32), folder / "features.npy")
    write_parquet(panel.index, folder / "index.parquet")
    write_csv(panel.catalogue, folder / "catalogue.csv")
    write_csv(missing, folder / "missing.csv")


def read(folder: Path) -> Panel:
    """Open a panel; the matrix is memory-mapped, never copied.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or matrix, index and catalogue differ in shape.
    """
    # Copy on write: torch warns about a read-only buffer, and no change reaches the file.
    features = read_array(folder / "features.npy", mmap_mode="c")
    index = read_parquet(folder / "index.parquet")
    catalogue = read_catalogue(folder)
    if features.shape != (len(index), len(catalogue)):
        raise ArtifactError(
            f"{folder}: the matrix is {features.shape}, its index has {len(index)} rows and its "
            f"catalogue {len(catalogue)} features: remove it and run `{command_for(folder)}`"
        )
    return Panel(features, index, catalogue)


def read_catalogue(folder: Path) -> pd.DataFrame:
    """Read a panel's catalogue: one line a feature, all of it text, in column order.

    Raises
    ------
    ArtifactError
        The file is missing or damaged.
    """
    # As text: a feature may be named 1 or NA.
    return read_csv(folder / "catalogue.csv", dtype=str, na_values=[])
