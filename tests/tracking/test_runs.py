"""One logged run is read by most tests; those that log again leave the model out."""

import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from konkyo import config
from konkyo.errors import ArtifactError, TrackingError
from konkyo.tracking import lineage, log_model, registry, results, runs
from small import PARAMS

FEBRUARY, MARCH = 1582934400000, 1585612800000


def children(client, tracked):
    result = client.search_runs(
        [tracked.experiment_id], f"tags.`mlflow.parentRunId` = '{tracked.run_id}'"
    )
    return sorted(result, key=lambda run: run.info.run_name)


def everything(client):
    return client.search_runs([e.experiment_id for e in client.search_experiments()])


def names(client, run_id, folder):
    return sorted(file.path for file in client.list_artifacts(run_id, folder))


SIGNATURE = log_model.signature(
    pd.DataFrame({"month": ["a"], "stock": ["b"]}), pd.DataFrame({"score": [0.0]}), explain=True
)


@pytest.fixture
def without_model(monkeypatch):
    monkeypatch.setattr(
        log_model,
        "log",
        lambda *_, **__: SimpleNamespace(signature=SIGNATURE, model_uri="models:/m"),
    )
    monkeypatch.setattr(
        registry, "register", lambda *_, **__: registry.RegisteredVersion(1, ("newest",))
    )


def test_one_parent_and_one_child_a_month(logged):
    client, tracked, _ = logged
    parent = client.get_run(tracked.run_id)
    months = children(client, tracked)
    assert tracked.experiment == "konkyo"
    assert tracked.months == 3
    assert parent.info.status == "FINISHED"
    assert [run.info.run_name for run in months] == ["2020-01", "2020-02", "2020-03"]
    assert {run.info.status for run in months} == {"FINISHED"}
    assert {run.data.tags["kind"] for run in months} == {"month"}
    assert len(everything(client)) == 4
    for run in months:
        assert parent.info.start_time <= run.info.start_time <= run.info.end_time
        assert run.info.end_time <= parent.info.end_time


def test_params_of_the_parent(logged, chosen):
    client, tracked, _ = logged
    expected = config.flatten(config.as_dict(chosen))
    result = client.get_run(tracked.run_id).data.params
    others = ("track", "monitor", "promote", "tune", "intervention")
    assert result == {
        key: str(value) for key, value in expected.items() if key.split(".")[0] not in others
    }
    assert result["train.hidden_sizes"] == "[64, 64, 32]"


def test_the_parent_has_the_final_metrics(logged):
    client, tracked, _ = logged
    result = client.get_run(tracked.run_id).data.metrics
    assert {
        name: value
        for name, value in result.items()
        if name.split("/")[0] not in ("monthly", "cumulative", "training", "seconds")
    } == {
        "network/rank_ic": 0.015,
        "network/rank_ic_t": 1.3,
        "network/months": 2,
        "network/spread/annual_return": 0.075,
        "network/spread/sharpe_ratio": 0.37,
        "ridge/spread/annual_return": 0.04,
        "verify/lrp_epsilon/ground_truth/sign": 0.75,
        "portfolio/sector_neutral/net/sharpe_ratio": 0.12,
    }


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("monthly/spread", [(0.01, 0, 1580428800000), (0.02, 1, FEBRUARY)]),
        ("monthly/rank_ic", [(0.02, 0, 1580428800000), (-0.02, 1, FEBRUARY)]),
        ("cumulative/spread", [(0.01, 1, FEBRUARY), (0.03, 2, MARCH)]),
    ],
)
def test_the_parent_has_series_by_month(logged, name, points):
    client, tracked, _ = logged
    history = client.get_metric_history(tracked.run_id, name)
    assert [(m.value, m.step, m.timestamp) for m in history] == points


def test_the_parent_has_the_mean_loss_by_epoch(logged):
    client, tracked, _ = logged
    history = client.get_metric_history(tracked.run_id, "training/loss")
    assert [(m.value, m.step) for m in history] == [(2.0, 1), (1.5, 2)]


def test_the_parent_has_its_lineage(logged):
    client, tracked, _ = logged
    tags = client.get_run(tracked.run_id).data.tags
    assert tags["kind"] == "experiment"
    assert tags["source"] == "us-equities"
    assert tags["survivorship_free"] == "false"
    assert len(tags["params_digest"]) == len(tags["data_digest"]) == 32
    assert tags["mlflow.runName"] == f"main-{tags['params_digest'][:6]}"
    assert "3 decision months, 2020-01 to 2020-03" in tags["mlflow.note.content"]


def test_the_parent_has_its_data_sets(logged):
    client, tracked, root = logged
    inputs = client.get_run(tracked.run_id).inputs.dataset_inputs
    expected = lineage.datasets(results.read(root))
    assert {(i.dataset.name, i.dataset.digest) for i in inputs} == {
        (e.dataset.name, e.dataset.digest) for e in expected
    }


def test_the_parent_has_figures_and_tables(logged):
    client, tracked, root = logged
    assert names(client, tracked.run_id, "figures") == ["figures/cumulative.png"]
    assert names(client, tracked.run_id, "tables") == [
        "tables/performance.csv",
        "tables/performance.json",
        "tables/quantiles.json",
    ]
    assert names(client, tracked.run_id, "lineage") == [
        "lineage/dvc.lock.yaml",
        "lineage/params.yaml",
    ]
    table = json.loads(
        (root / "mlartifacts" / tracked.run_id / "artifacts/tables/performance.json").read_text()
    )
    assert table["columns"] == ["model", "portfolio", "annual_return", "sharpe_ratio"]


def test_a_child_has_window_losses_and_results(logged):
    client, tracked, _ = logged
    february = children(client, tracked)[1]
    hyperparameters = {k: v for k, v in february.data.params.items() if k.startswith("train.")}
    assert hyperparameters.items() >= {"train.dropout": "0.4", "train.epochs": "20"}.items()
    assert {k: v for k, v in february.data.params.items() if k not in hyperparameters} == {
        "month": "2020-02",
        "first_train": "2017-02",
        "last_train": "2020-01",
        "last_label": "2020-02",
        "train_rows": "432",
    }
    assert february.data.metrics == {
        "loss": 1.5,
        "stocks": 12,
        "ic": 0.01,
        "rank_ic": -0.02,
        "spread": 0.02,
        "stack/seconds": 30,
        "stack/networks": 3,
    }
    assert february.data.tags["stack_started"] == "2020-09-13 12:26:40+00:00"
    assert february.data.tags["stack_ended"] == "2020-09-13 12:27:10+00:00"
    history = client.get_metric_history(february.info.run_id, "loss")
    assert [(m.value, m.step) for m in history] == [(2.0, 1), (1.5, 2)]


def test_the_newest_month_has_no_result_yet(logged):
    client, tracked, _ = logged
    metrics = children(client, tracked)[2].data.metrics
    assert {k: v for k, v in metrics.items() if "/" not in k} == {"loss": 2.5, "stocks": 12}


def test_the_parent_has_seconds_and_machine(logged):
    client, tracked, _ = logged
    parent = client.get_run(tracked.run_id)
    assert parent.data.metrics["seconds/train"] == 90.5
    assert f"{os.cpu_count()} cores" in parent.data.tags["machine"]


def test_a_child_has_attributions_and_weights(logged):
    client, tracked, root = logged
    run_id = children(client, tracked)[1].info.run_id
    remaining = root / "mlartifacts" / run_id / "artifacts"
    for here, present in (
        ("data/attributions/2020-02.parquet", "attributions/2020-02.parquet"),
        ("data/models/weights/2020-02.safetensors", "weights/2020-02.safetensors"),
    ):
        assert (remaining / present).read_bytes() == (root / here).read_bytes()
    assert (
        len(pd.read_parquet(io.BytesIO((remaining / "attributions/2020-02.parquet").read_bytes())))
        == 12
    )


def test_the_same_results_are_logged_once(project, chosen):
    first, second = (runs.track(results.read(project), chosen, {}) for _ in range(2))
    assert first == second
    client = MlflowClient(first.uri)
    assert len(everything(client)) == 4
    client.delete_run(first.run_id)
    third = runs.track(results.read(project), chosen, {})
    assert (third.run_id != first.run_id, third.model_version) == (True, 2)


KILLED = """
import os, signal, sys
from pathlib import Path
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from konkyo import config
from konkyo.tracking import results, runs
copy = LocalArtifactRepository.log_artifact
def log_artifact(self, path, folder=None):
    copy(self, path, folder)
    if path.endswith("2020-02.safetensors"):
        os.kill(os.getpid(), signal.SIGKILL)
LocalArtifactRepository.log_artifact = log_artifact
runs.track(results.read(Path.cwd()), config.load(Path(sys.argv[1])), {})
"""


@pytest.mark.slow
def test_after_a_kill_every_month_is_finished_once(project, chosen):
    command = [sys.executable, "-c", KILLED, str(PARAMS)]
    assert subprocess.run(command, cwd=project, check=False).returncode == -9
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    left = {run.info.run_name[:7]: run.info.status for run in everything(client)}
    assert left["2020-01"] == "FINISHED" and left["2020-02"] == "RUNNING"
    tracked = runs.track(results.read(project), chosen, {})
    by_status = {"FINISHED": [], "KILLED": []}
    for run in everything(client):
        by_status[run.info.status].append(run.info.run_name[:7])
    name = client.get_run(tracked.run_id).info.run_name[:7]
    assert sorted(by_status["FINISHED"]) == ["2020-01", "2020-02", "2020-03", name]
    assert sorted(by_status["KILLED"]) == ["2020-01", "2020-02", name]
    assert tracked.model_version == 1 and tracked.aliases == ("newest", "champion")


@pytest.mark.parametrize(
    "changed", ["attributions/2020-02.parquet", "report/cumulative.png", "metrics.json"]
)
def test_other_results_of_the_same_records_are_other(project, changed):
    before = lineage.results_digest(results.read(project))
    assert lineage.results_digest(results.read(project)) == before
    path = project / "data" / changed
    path.write_bytes(path.read_bytes().replace(b"0.075", b"0.076") + b" ")
    assert lineage.results_digest(results.read(project)) != before


def test_other_results_make_a_run_of_their_own(project, chosen, without_model):
    first = runs.track(results.read(project), chosen, {})
    (project / "data/report/cumulative.png").write_bytes(b"\x89PNG")
    second = runs.track(results.read(project), chosen, {})
    client = MlflowClient(first.uri)
    assert first.run_id != second.run_id
    assert len(everything(client)) == 8
    for tracked in (first, second):
        assert len(children(client, tracked)) == 3
        assert len(client.get_metric_history(tracked.run_id, "monthly/spread")) == 2
    assert (
        client.get_run(first.run_id).data.tags["mlflow.runName"]
        == (client.get_run(second.run_id).data.tags["mlflow.runName"])
    )


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("disk full"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)
def test_nothing_stays_running(project, chosen, without_model, monkeypatch, error, status):
    copy = LocalArtifactRepository.log_artifact

    def break_down(self, path, folder=None):
        if path.endswith("2020-02.safetensors"):
            raise error
        copy(self, path, folder)

    monkeypatch.setattr(LocalArtifactRepository, "log_artifact", break_down)
    with pytest.raises(type(error)):
        runs.track(results.read(project), chosen, {})
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    by_name = {run.info.run_name[:7]: run.info.status for run in everything(client)}
    assert by_name == {"main-" + digest(client): status, "2020-01": status, "2020-02": status}


def digest(client):
    (parent,) = (run for run in everything(client) if run.data.tags["kind"] == "experiment")
    return parent.data.tags["params_digest"][:2]


def test_a_failure_before_any_child_ends_the_parent(project, chosen, monkeypatch):
    (project / "data/panel/features.npy").write_bytes(b"")
    with pytest.raises(ArtifactError):
        runs.track(results.read(project), chosen, {})
    (run,) = everything(MlflowClient(f"sqlite:///{project}/mlflow.db"))
    assert run.info.status == "FAILED"


@pytest.fixture
def given(project):
    """Return a run as `mlflow run` makes it, in an experiment of its own choice."""
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    experiment = client.create_experiment("elsewhere", str(project / "other"))
    run = client.create_run(experiment, run_name="given")
    environment = {
        "MLFLOW_RUN_ID": run.info.run_id,
        "MLFLOW_EXPERIMENT_ID": experiment,
        "MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db",
    }
    return client, run.info.run_id, environment


def test_a_given_run_is_filled(project, chosen, without_model, given):
    client, run_id, environment = given
    tracked = runs.track(results.read(project), chosen, environment)
    assert (tracked.run_id, tracked.experiment) == (run_id, "elsewhere")
    assert client.get_run(run_id).info.status == "FINISHED"
    assert client.get_run(run_id).info.run_name == "given"
    assert client.get_run(run_id).data.metrics["monthly/spread"] == 0.02
    assert len(children(client, tracked)) == 3
    assert client.get_experiment_by_name("konkyo") is None


def test_a_given_run_is_not_filled_twice(project, chosen, without_model, given):
    client, run_id, environment = given
    result = results.read(project)
    runs.track(result, chosen, environment)
    with pytest.raises(TrackingError, match="already holds results"):
        runs.track(result, chosen, environment)
    assert client.get_run(run_id).info.status == "FINISHED"
    assert len(everything(client)) == 4


def test_a_run_of_the_default_experiment_gets_a_link(project, chosen, without_model):
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    asked = client.create_run("0").info.run_id
    environment = {"MLFLOW_RUN_ID": asked, "MLFLOW_TRACKING_URI": client.tracking_uri}
    tracked = runs.track(results.read(project), chosen, environment)
    assert (tracked.experiment, tracked.run_id != asked) == ("konkyo", True)
    assert tracked.run_id in client.get_run(asked).data.tags["mlflow.note.content"]


def test_a_missing_run_to_fill(project, chosen):
    with pytest.raises(TrackingError, match="MLFLOW_RUN_ID = abc is not in the store"):
        runs.track(results.read(project), chosen, {"MLFLOW_RUN_ID": "abc"})


def test_no_password_is_kept(project, chosen, without_model, monkeypatch):
    (project / "mlflow.db").rename(project / "other.db")
    monkeypatch.setattr(
        "konkyo.tracking.store.resolve", lambda uri, root: f"sqlite:///{root}/other.db"
    )
    secret = config.parse(
        {
            **config.as_dict(chosen),
            "track": {**config.as_dict(chosen)["track"], "uri": "x://u:secret@h/b"},
        }
    )
    tracked = runs.track(results.read(project), secret, {})
    client = MlflowClient(tracked.uri)
    assert "secret" not in str(client.get_run(tracked.run_id).to_dictionary())
