"""The stages of the second study one after another, on a shrunk params.yaml."""

import json
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from konkyo.intervention import tables
from konkyo.pipeline import (
    intervention_estimate,
    intervention_forecast,
    intervention_ingest,
    intervention_report,
    intervention_track,
)
from real_records import FOLDER, write
from small import PARAMS

FORECAST = Path("data/intervention/forecast")
REPORT = Path("data/intervention/report")


def shrink(folder: Path, **changes) -> None:
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load(PARAMS.read_text(encoding="utf-8"))
    own = values["intervention"]
    own["periods"] = [dict(own["periods"][0], forecast_from="1985-07")]
    own["network"].update(iterations=20, penalties=[0.0, 0.01], seeds=2, workers=1)
    own["surface"]["points"] = 5
    own.update(changes)
    values["report"]["dpi"] = 50
    values["track"]["uri"] = "sqlite:///mlflow.db"
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)


def run() -> None:
    for stage in (intervention_ingest, intervention_estimate, intervention_forecast):
        stage.main()
    intervention_report.main()


@pytest.mark.slow
def test_runs_from_params_to_page_and_mlflow_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    shrink(tmp_path)
    run()
    for name in (
        "rate",
        "fitted_1",
        "surface_balance_1",
        "surface_deviation_1",
        "curves_change",
        "curves_deviation",
        "forecasts",
        "attribution_amount",
    ):
        assert (REPORT / f"{name}.png").stat().st_size > 3000
    page = (REPORT / "intervention.html").read_text(encoding="utf-8")
    for name in (
        "rate", "fitted_1", "surface_balance_1", "map_deviation_1",
        "curves_balance", "attribution_amount",
    ):  # fmt: skip
        assert f'data-figure="{name}"' in page
        assert all(f'data-chunk="chart/{spoken}/{name}"' in page for spoken in ("en", "ja"))
    assert "1981-06 to 1985-08 (buying yen)" in page and "（円買い）" in page
    curves = pd.read_csv(FORECAST / "curves.csv")
    assert curves["true_share"].min() == 0 and curves["true_share"].max() > 1
    responses = pd.read_csv(FORECAST / "responses.csv")
    assert responses["input"].tolist() == ["change", "balance", "deviation"]
    amounts = pd.read_csv(REPORT / "amounts_1.csv")
    assert amounts["month"].tolist() == ["1985-07", "1985-08"]
    assert len(pd.read_csv(REPORT / "method_2_1.csv")) == 3
    metrics = json.loads(Path("data/intervention/metrics.json").read_text(encoding="utf-8"))
    assert set(metrics) == {"threshold", "amount", "occurrence"}
    intervention_track.main()
    told = json.loads(Path("data/intervention/run.json").read_text(encoding="utf-8"))
    assert told["experiment"] == "konkyo-intervention"


def test_the_papers_preset_runs_whole(tmp_path, monkeypatch):
    """39 forecast months of one network, and both variants; few steps alone are not the paper's."""
    monkeypatch.chdir(tmp_path)
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load((PARAMS.parent / "data/examples/intervention-paper/params.yaml").read_text())
    values["intervention"]["network"].update(iterations=20, workers=1)
    values["intervention"]["surface"]["points"] = 5
    values["report"]["dpi"] = 50
    with (tmp_path / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)
    run()
    published_marks = tables.published("marks")
    for i, figures in enumerate(zip(range(7, 11), range(11, 15), strict=True), start=1):
        for family, figure in zip(("method_1", "method_2"), figures, strict=True):
            months = published_marks[published_marks["figure"] == figure]["month"]
            table = pd.read_csv(REPORT / f"{family}_{i}.csv")
            assert table["month"].tolist() == [*months, "right"]
    seeds = pd.read_parquet(FORECAST / "seeds.parquet")
    assert set(seeds["data"]) == {"in-sample", "lagged", "pooled", "I", "II"}
    assert set(seeds["seed"]) == {1}
    page = (REPORT / "intervention.html").read_text(encoding="utf-8")
    assert all(f"Figure {number}. " in page for number in range(7, 19))
    windows = pd.read_csv("data/intervention/models/windows.csv")
    ahead = windows[windows["name"].str.startswith("ahead")]
    # Scaling over each period, forecast months included.
    assert ahead.groupby("period")["change_min"].nunique().eq(1).all()
    assert ahead["train_rows"].min() == 29


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real records are not at {FOLDER}")
def test_the_study_runs_on_the_real_records(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "data" / "own")
    period = {
        "first": "1999-01", "last": "2004-03", "direction": "sell", "forecast_from": "2003-10"
    }  # fmt: skip
    shrink(tmp_path, source="official", periods=[period])
    run()
    predictions = pd.read_parquet(FORECAST / "predictions.parquet")
    month = predictions[predictions["month"] == "2004-01-31"]
    # 6,821.5 billion yen at 106.27 yen a dollar.
    assert month["actual"].iloc[0] == pytest.approx(64_000, rel=0.01)


def test_networks_of_other_params_name_the_stage(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shrink(tmp_path)
    intervention_ingest.main()
    intervention_estimate.main()
    yaml = YAML(typ="safe", pure=True)
    values = yaml.load((tmp_path / "params.yaml").read_text(encoding="utf-8"))
    values["intervention"]["network"]["seeds"] = 3
    with (tmp_path / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(values, file)
    with pytest.raises(SystemExit):
        intervention_forecast.main()
    assert "run `konkyo intervention --until intervention-estimate`" in capsys.readouterr().err
