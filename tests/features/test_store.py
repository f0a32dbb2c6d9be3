"""The panel's files: one that is missing or damaged, and names that look like missing values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konkyo.errors import ArtifactError
from konkyo.features import store

NAMES = ["NA", "null", "size"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a panel with features called as pandas writes missing values."""
    index = pd.DataFrame({"month": pd.to_datetime(["2020-01-31"] * 2), "stock": ["A", "B"]})
    catalogue = pd.DataFrame(
        {"name": NAMES, "group": "characteristic", "transform": ["rank", "", "rank"]}
    )
    counts = pd.DataFrame({"month": index["month"], "feature": "NA", "missing": 0, "stocks": 2})
    folder = tmp_path / "data/panel"
    store.write(store.Panel(np.eye(2, 3, dtype="f4"), index, catalogue), counts, folder)
    return folder


@pytest.mark.parametrize("name", ["features.npy", "index.parquet", "catalogue.csv"])
def test_missing_file_names_the_command(folder, name):
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name} is missing: run `dvc repro prepare`$"):
        store.read(folder)


def test_missing_folder(tmp_path):
    with pytest.raises(ArtifactError, match=r"panel/.* is missing: run `dvc repro prepare`$"):
        store.read(tmp_path / "data/panel")


@pytest.mark.parametrize("name", ["features.npy", "index.parquet", "catalogue.csv"])
def test_damaged_file_is_said_to_be_damaged(folder, name):
    (folder / name).write_bytes(b"" if name.endswith("csv") else b"PAR1\xff")
    with pytest.raises(ArtifactError, match=rf"{name} is damaged .*run `dvc repro prepare`$"):
        store.read(folder)


def test_names_that_look_missing(folder):
    assert store.read(folder).names == NAMES
    assert store.read_catalogue(folder)["transform"].tolist() == ["rank", "", "rank"]
