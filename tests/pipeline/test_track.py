"""The stage from a folder of results to run.json; the rest is in tests/tracking."""

import importlib.util
import json
import shutil
import signal
from pathlib import Path

import pytest
from mlflow import MlflowClient

from konkyo.pipeline import track

ROOT = Path(__file__).parents[2]

# The fixtures of tests/tracking belong to its folder: pytest offers them here only by name.
_spec = importlib.util.spec_from_file_location(
    "tracking_fixtures", ROOT / "tests/tracking/conftest.py"
)
fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fixtures)
project, empty_store = fixtures.project, fixtures.empty_store


@pytest.fixture
def here(project, monkeypatch):
    shutil.copy(ROOT / "params.yaml", project)
    monkeypatch.chdir(project)
    before = signal.getsignal(signal.SIGTERM)
    yield project
    signal.signal(signal.SIGTERM, before)


@pytest.mark.slow
def test_the_stage_logs_and_says_where(here, capsys):
    track.main()
    said = json.loads((here / "data/run.json").read_text())
    assert said["uri"] == f"sqlite:///{here}/mlflow.db"
    assert said["experiment"] == "konkyo"
    assert said["model_uri"] == "models:/konkyo-ranker@newest"
    assert (said["model_version"], said["months"]) == (1, 3)
    run = MlflowClient(said["uri"]).get_run(said["run_id"])
    assert (run.info.status, run.info.experiment_id) == ("FINISHED", said["experiment_id"])
    assert capsys.readouterr().out == (
        f"run {said['run_id']} in experiment konkyo: 3 months, konkyo-ranker version 1 "
        "(newest, champion)\n"
    )


def test_a_missing_result_is_an_error_before_logging(here, capsys):
    (here / "data/metrics.json").unlink()
    with pytest.raises(SystemExit) as ended:
        track.main()
    assert ended.value.code == 1
    assert "metrics.json is missing: run `dvc repro backtest`" in capsys.readouterr().err
    assert not (here / "data/run.json").exists()
    client = MlflowClient(f"sqlite:///{here}/mlflow.db")
    assert client.get_experiment_by_name("konkyo") is None


def test_a_polite_kill_ends_the_runs(here, monkeypatch):
    monkeypatch.setattr(
        "konkyo.tracking.log_model.log", lambda *_, **__: signal.raise_signal(signal.SIGTERM)
    )
    with pytest.raises(SystemExit) as ended:
        track.main()
    assert ended.value.code == 130
    client = MlflowClient(f"sqlite:///{here}/mlflow.db")
    experiment = client.get_experiment_by_name("konkyo").experiment_id
    (run,) = client.search_runs([experiment])
    assert run.info.status == "KILLED"
