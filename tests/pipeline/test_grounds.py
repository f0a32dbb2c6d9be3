"""Tables of earlier stages as several stages read them."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konkyo import io
from konkyo.errors import ArtifactError
from konkyo.pipeline import report_inputs

CASES = Path(__file__).parents[1] / "data/cases"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_feature_called_na():
    table = pd.DataFrame(
        {
            "month": pd.to_datetime(["2020-01-31", "2020-02-29"]),
            "feature": ["NA", "None"],
            "missing": [1.5, np.nan],
        }
    )
    path = Path("data/panel/missing.csv")
    io.write_csv(table, path)
    read = report_inputs.read_table(path)
    assert read["feature"].tolist() == ["NA", "None"]
    assert read["month"].tolist() == table["month"].tolist()
    np.testing.assert_array_equal(read["missing"], [1.5, np.nan])


def test_own_label_of_a_feature_called_na():
    Path("data/own").mkdir(parents=True)
    Path("data/own/labels.csv").write_text("name,en,ja\nNA,North America,\nsize,,規模\n")
    catalogue = pd.DataFrame({"name": ["NA", "size"]})
    labels = report_inputs.read_labels(catalogue).set_index("feature")
    assert labels.loc["NA", "en"] == "North America"
    assert labels.loc["size", "ja"] == "規模"
    assert labels.loc["size", "en"]


def test_own_columns_overrule_no_group():
    Path("data/own").mkdir(parents=True)
    shutil.copy(CASES / "labels_group.csv", "data/own/labels.csv")
    catalogue = pd.DataFrame({"name": ["EU", "EU_difference"], "group": "market", "source": ""})
    catalogue["transform"] = ["level", "difference"]
    labels = report_inputs.read_labels(catalogue).set_index("feature")
    assert labels["kind"].tolist()[:2] == ["level", "difference"]
    assert labels.loc["EU", "en"] == "Europe" and labels.loc["EU", "ja"] == "欧州"
    assert labels.loc["EU_difference", "phrase_en"] == "Europe"


def test_own_labels_with_semicolons():
    Path("data/own").mkdir(parents=True)
    shutil.copy(CASES / "labels_semicolon.csv", "data/own/labels.csv")
    labels = report_inputs.read_labels(pd.DataFrame({"name": ["return_1"]}))
    assert labels.loc[0, ["en", "ja"]].tolist() == ["Last month", "先月"]


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("data/backtest/returns.csv", "dvc repro backtest"),
        ("data/verify/deletion.csv", "dvc repro verify"),
        ("data/records/stocks.parquet", "dvc repro ingest"),
    ],
)
def test_missing_table_names_the_stage(path, command):
    with pytest.raises(ArtifactError, match=f"{path} is missing: run `{command}`"):
        report_inputs.read_table(Path(path))


def test_without_attributions():
    with pytest.raises(ArtifactError, match=r"data/attributions/.* run `dvc repro attribute`"):
        report_inputs.file_of("newest")
