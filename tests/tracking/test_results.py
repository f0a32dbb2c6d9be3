"""Result files read, and what is said of one that is missing."""

import json

import pandas as pd
import pytest

from konkyo.errors import ArtifactError
from konkyo.tracking import lineage, results


def test_only_the_network_has_series(results_folder):
    result = results.read(results_folder)
    assert result.returns["spread"].tolist() == [0.01, 0.02]
    assert result.returns["month"].tolist() == list(pd.to_datetime(["2020-01-31", "2020-02-29"]))
    assert result.cumulative["earned"].max() == pd.Timestamp("2020-03-31")
    assert len(result.cumulative) == 2 * 5
    assert result.history["month"].iloc[-1] == pd.Timestamp("2020-03-31")


def test_windows_are_sorted_period_ends(project):
    path = project / "data/models/windows.csv"
    table = pd.read_csv(path).iloc[::-1]
    table["month"] += "-15"
    table.to_csv(path, index=False)
    windows = results.read(project).windows
    assert windows["month"].tolist() == list(
        pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"])
    )
    assert windows["first_train"].iloc[0] == pd.Timestamp("2017-01-31")


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("records/source.json", "ingest"),
        ("metrics.json", "backtest"),
        ("portfolio.json", "backtest"),
        ("verify.json", "verify"),
        ("models/history.parquet", "train"),
        ("models/weights/2020-02.safetensors", "train"),
        ("attributions/2020-03.parquet", "attribute"),
    ],
)
def test_a_missing_file_names_the_stage_that_writes_it(project, name, stage):
    (project / "data" / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name} is missing: run `dvc repro {stage}`"):
        results.read(project)


def test_a_missing_column_is_named(project):
    path = project / "data/models/windows.csv"
    pd.read_csv(path).drop(columns="last_label").to_csv(path, index=False)
    with pytest.raises(ArtifactError, match=r"windows.csv has no column last_label"):
        results.read(project)


def test_the_example_is_of_the_newest_month(results_folder):
    frame = results.input_example(results.read(results_folder))
    features = [f"feature_{i}" for i in range(4)]
    assert list(frame.columns) == ["month", "stock", *features]
    assert frame["month"].tolist() == ["2020-03-31"] * 3
    assert frame["stock"].tolist() == ["S0000", "S0001", "S0002"]
    assert (frame.dtypes[features] == "float64").all()


@pytest.mark.parametrize("name", ["NA", "null", "nan", "None", "inf", "true", "007", "1e3"])
def test_a_feature_may_have_any_name(project, name):
    """Pandas by itself takes such names for missing values or numbers."""
    path = project / "data/panel/catalogue.csv"
    path.write_text(path.read_text().replace("feature_1,", f"{name},"))
    result = results.read(project)
    names = list(results.input_example(result).columns)
    assert names == ["month", "stock", "feature_0", name, "feature_2", "feature_3"]
    assert json.loads(lineage.datasets(result)[1].dataset.profile)["features"] == 4
