"""A search in MLflow, from the files that it leaves."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from konkyo import io
from konkyo.tracking import tuning

TRIALS = {
    "trial": [0, 1, 2, 3],
    "state": ["complete", "fail", "pruned", "complete"],
    "current": [True, False, False, False],
    "retry_of": [None, None, 1, None],
    "feasible": [True, False, False, True],
    "width": [64, 32, 32, 16],
    "learning_rate": [0.001, 0.002, 0.002, 0.003],
    "objective": [0.5, None, None, 0.7],
    "turnover": [0.4, None, 0.5, 0.3],
    "months": [30, None, 24, 30],
    "seconds": [9.0, 3.0, 7.0, 8.0],
}


@pytest.fixture
def folder(project: Path) -> Path:
    """Return a study's folder in a project."""
    own = project / "data/tuning/main"
    (own / "searched").mkdir(parents=True)
    io.write_csv(pd.DataFrame(TRIALS), own / "trials.csv")
    rows = [
        {"model": m, "part": p, "sharpe_ratio": 0.7, "months": 30}
        for m in ("current", "best")
        for p in ("tuning", "holdout")
    ]
    io.write_csv(pd.DataFrame(rows), own / "result.csv")
    io.write_json({"dsr": 0.9, "trials": 3}, own / "selection_bias.json")
    io.write_parquet(pd.DataFrame({"month": ["2020-01"]}), own / "series.parquet")
    (own / "tuning.html").write_text("<p>")
    return own


def test_a_study_logged_twice_replaces_its_runs(project, folder, chosen):
    secret = replace(chosen, tune=replace(chosen.tune, storage="postgresql://me:secret@host/base"))
    for _ in range(2):
        tracked = tuning.track(project, secret, folder, {})
    client = MlflowClient(tracked.uri, tracked.uri)
    found = client.search_runs([tracked.experiment_id])
    assert len(found) == 5 and tracked.trials == 4
    runs = {run.info.run_name: run for run in found}
    parent = runs["tune-main"]
    assert parent.info.run_id == tracked.run_id
    assert parent.data.metrics["result/best/holdout/sharpe_ratio"] == 0.7
    assert parent.data.metrics["selection_bias/dsr"] == 0.9
    assert parent.data.params["tune.storage"] == "postgresql://host/base"
    assert "secret" not in str([run.data for run in found])
    history = client.get_metric_history(tracked.run_id, "search/best")
    assert {m.step: m.value for m in history} == {0: 0.5, 1: 0.5, 2: 0.5, 3: 0.7}
    assert {a.path for a in client.list_artifacts(tracked.run_id)} >= {"pages", "tables"}

    last = runs["trial-003"]
    assert last.data.params == {"width": "16", "learning_rate": "0.003"}
    assert last.data.metrics == {"objective": 0.7, "turnover": 0.3, "months": 30, "seconds": 8}
    states = {n: (r.info.status, r.data.tags["state"]) for n, r in runs.items() if "trial" in n}
    assert states["trial-001"] == ("FAILED", "fail")
    assert states["trial-002"] == ("KILLED", "pruned")
    assert runs["trial-002"].data.tags["retry_of"] == "1"
    assert all(run.info.status != "RUNNING" for run in found)


def test_a_run_of_mlflow_is_filled(project, folder, chosen):
    first = tuning.track(project, chosen, folder, {})
    client = MlflowClient(first.uri, first.uri)
    experiment = client.create_experiment("asked for", artifact_location=str(project / "there"))
    given = client.create_run(experiment).info.run_id
    client.log_param(given, "trials", 20)
    tracked = tuning.track(project, chosen, folder, {"MLFLOW_RUN_ID": given})
    assert (tracked.run_id, tracked.experiment) == (given, "asked for")
    assert client.get_run(given).data.params["trials"] == "20"
