"""The stages of the second study one after another, on a shrunk params.yaml."""

import json
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

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


def test_runs_from_params_to_page_and_mlflow_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    shrink(tmp_path)
    run()
    for name in (
        "fitted_1",
        "surface_1",
        "curves",
        "forecasts",
        "calibration",
        "attribution_amount",
    ):
        assert (REPORT / f"{name}.png").stat().st_size > 3000
    page = (REPORT / "intervention.html").read_text(encoding="utf-8")
    for name in ("fitted_1", "surface_1", "map_1", "sections_1", "curves", "attribution_amount"):
        assert f'data-figure="{name}"' in page
        assert all(f'data-chunk="chart/{spoken}/{name}"' in page for spoken in ("en", "ja"))
    assert "1981-06 to 1985-08 (buying yen)" in page and "（円買い）" in page
    curves = pd.read_csv(FORECAST / "curves.csv")
    assert curves["true_share"].min() == 0 and curves["true_share"].max() > 1
    amounts = pd.read_csv(REPORT / "amounts_1.csv")
    assert amounts["month"].tolist() == ["1985-07", "1985-08", "right"]
    assert len(pd.read_csv(REPORT / "occurrence_1.csv")) == 3
    metrics = json.loads(Path("data/intervention/metrics.json").read_text(encoding="utf-8"))
    assert set(metrics) == {"threshold", "amount", "occurrence"}
    intervention_track.main()
    told = json.loads(Path("data/intervention/run.json").read_text(encoding="utf-8"))
    assert told["experiment"] == "konkyo-intervention"


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
