"""A search in MLflow, while it runs and when it is over."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

import fake_engine as fake
from konkyo import io
from konkyo.errors import TrackingError
from konkyo.tracking import tuning
from konkyo.tuning import results, save
from konkyo.tuning.coordinator import Coordinator


@pytest.fixture
def job(project: Path, chosen):
    """Return a project's folder, the params of a small search, and the search."""
    tune = fake.section(f"journal:{project}/data/tuning/journal.log", trials=6)
    search = fake.begin(tune)
    yield project, replace(chosen, tune=tune), search
    search.storage.close()


def results_of(search, folder: Path) -> Path:
    save.save_trials(search, folder)
    rows = [
        {"model": m, "part": p, "sharpe_ratio": 0.7, "months": 30}
        for m in ("current", "best")
        for p in ("tuning", "holdout")
    ]
    io.write_csv(pd.DataFrame(rows), folder / "result.csv")
    io.write_json({"dsr": 0.9, "trials": 3}, folder / "selection_bias.json")
    (folder / "tuning.html").write_text("<p>")
    return folder


def runs_of(client: MlflowClient) -> dict:
    experiment = client.get_experiment_by_name("konkyo-tuning").experiment_id
    return {run.info.run_name: run for run in client.search_runs([experiment])}


def test_trials_appear_while_the_search_runs(job, monkeypatch):
    root, params, search = job
    secret = replace(params.tune, storage="postgresql://me:secret@host/base")
    client = MlflowClient(f"sqlite:///{root}/mlflow.db", f"sqlite:///{root}/mlflow.db")
    monkeypatch.setattr(tuning, "_EVERY", 0.0)
    seen = []
    with tuning.open_search(root, replace(params, tune=secret), {}) as logged:

        def show() -> None:
            logged.show(search.study.get_trials(deepcopy=False))
            seen.append(runs_of(client))

        Coordinator(search, fake.Backtest(), start=fake.Here).run(show)
        tracked = logged.finish(
            search.study.get_trials(), results_of(search, root / "data/tuning/m")
        )
    first = seen[0]
    assert {n: r.info.status for n, r in first.items()} == {
        "tune-main": "RUNNING", **{f"trial-{i:03d}": "RUNNING" for i in range(3)}
    }  # fmt: skip
    values = search.study.trials[1].params
    assert first["trial-001"].data.params == {k: str(v) for k, v in values.items()}
    steps = [m.step for m in client.get_metric_history(first["trial-001"].info.run_id, "reported")]
    assert len(steps) >= 6 and set(steps) <= set(range(30))

    last = runs_of(client)
    assert tracked.trials == 6 and len(last) == 7
    names = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED"}
    best = -1e9
    for trial in search.study.trials:
        run = last[f"trial-{trial.number:03d}"]
        assert run.info.status == names[trial.state]
        assert run.data.tags["state"] == trial.state.name.lower()
        spread = client.get_metric_history(run.info.run_id, "monthly/spread_net")
        series = results.unpack(trial.user_attrs[results.SERIES])
        assert [m.value for m in spread] == series["spread_net"].to_list()
        if trial.state == TrialState.COMPLETE:
            assert run.data.metrics["objective"] == trial.value
            best = max(best, trial.value)
    parent = last["tune-main"]
    assert parent.data.metrics["search/best"] == best
    assert parent.data.metrics["result/best/holdout/sharpe_ratio"] == 0.7
    assert parent.data.metrics["selection_bias/dsr"] == 0.9
    assert parent.data.params["tune.storage"] == "postgresql://host/base"
    assert "secret" not in str([run.data for run in last.values()])
    assert {a.path for a in client.list_artifacts(tracked.run_id)} >= {"pages", "tables"}


def test_a_search_that_goes_on_replaces_its_runs(job):
    root, params, search = job
    client = MlflowClient(f"sqlite:///{root}/mlflow.db", f"sqlite:///{root}/mlflow.db")
    with pytest.raises(KeyboardInterrupt), tuning.open_search(root, params, {}) as logged:

        def stop() -> None:
            logged.log(search.study.get_trials())
            raise KeyboardInterrupt

        Coordinator(search, fake.Backtest(), start=fake.Here).run(stop)
    assert {run.info.status for run in runs_of(client).values()} == {"KILLED"}
    with tuning.open_search(root, params, {}) as logged:
        fake.run(search)
        logged.finish(search.study.get_trials(), results_of(search, root / "data/tuning/m"))
    runs = runs_of(client)
    assert len(runs) == 1 + len(search.study.trials)
    states = {n: (r.info.status, r.data.tags["state"]) for n, r in runs.items() if "trial" in n}
    failed = [t.number for t in search.study.trials if t.state == TrialState.FAIL]
    assert failed and all(states[f"trial-{n:03d}"] == ("FAILED", "fail") for n in failed)
    again = [r for r in runs.values() if "retry_of" in r.data.tags]
    assert len(again) == len(failed)


def test_a_store_that_is_away_does_not_stop_a_search(job, monkeypatch):
    root, params, search = job
    with tuning.open_search(root, params, {}) as logged:
        patient = logged._client.retries
        with monkeypatch.context() as away:

            def fail(*_, **__) -> None:
                raise TrackingError("away")

            away.setattr(logged, "log", fail)
            logged.show(search.study.get_trials())
        assert logged._client.retries is patient


def test_a_run_of_mlflow_is_filled(job):
    root, params, search = job
    client = MlflowClient(f"sqlite:///{root}/mlflow.db", f"sqlite:///{root}/mlflow.db")
    experiment = client.create_experiment("asked for", artifact_location=str(root / "there"))
    given = client.create_run(experiment).info.run_id
    client.log_param(given, "trials", 20)
    fake.run(search)
    with tuning.open_search(root, params, {"MLFLOW_RUN_ID": given}) as logged:
        folder = results_of(search, root / "data/tuning/m")
        tracked = logged.finish(search.study.get_trials(), folder)
    assert (tracked.run_id, tracked.experiment) == (given, "asked for")
    assert client.get_run(given).data.params["trials"] == "20"
