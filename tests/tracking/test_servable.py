"""The model, loaded from the registry as a user loads it."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from konkyo.attribution import methods
from konkyo.attribution.rules import Epsilon
from konkyo.models import store, user_module
from konkyo.tracking import log_model, results, runs
from user_package import write_package

FEATURES = [f"feature_{i}" for i in range(4)]


@pytest.fixture(scope="module")
def model(logged):
    client, tracked, _ = logged
    mlflow.set_tracking_uri(client.tracking_uri)
    mlflow.set_registry_uri(client.tracking_uri)
    places = list(sys.path)
    loaded = mlflow.pyfunc.load_model(tracked.model_uri)
    # MLflow puts the few rooms that the model carries before the project's own, where other tests'
    # processes would look for the rest.
    sys.path[:] = places
    return loaded


@pytest.fixture(scope="module")
def panel(logged):
    """Return the whole panel as a caller has it: month, stock, features."""
    _, _, root = logged
    index = pd.read_parquet(root / "data/panel/index.parquet", columns=["month", "stock"])
    index[FEATURES] = np.load(root / "data/panel/features.npy")
    return index


@pytest.fixture(scope="module")
def expected(logged):
    """Return what the attribute stage wrote, all months."""
    _, _, root = logged
    paths = sorted((root / "data/attributions").glob("*.parquet"))
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def test_the_alias_gives_the_scores_of_the_pipeline(model, panel, expected):
    found = model.predict(panel)
    assert list(found.columns) == ["month", "stock", "score", *FEATURES, "absorbed"]
    assert found["stock"].tolist() == expected["stock"].tolist()
    np.testing.assert_allclose(found["score"], expected["score"], rtol=0, atol=1e-5)
    total = found[FEATURES].sum(axis=1) + found["absorbed"]
    np.testing.assert_allclose(total, found["score"], rtol=0, atol=1e-5)


def test_errors_are_of_the_halves_whichever_rows(model, panel, logged, chosen):
    _, _, root = logged
    rows = panel[panel["month"] == "2020-02-29"]
    answer = model.predict(rows, params={"errors": True})
    halves = store.read(root / "data/models/weights_halves/2020-02.safetensors")
    x, rule = rows[FEATURES].to_numpy(), Epsilon(chosen.attribute.epsilon)
    by_half = [methods.relevance_propagation(network, x, rule) for network in halves]
    error = 0.8 * np.std(by_half, axis=0)
    np.testing.assert_allclose(answer[[f"error_{n}" for n in FEATURES]], error, rtol=0.02)
    mean, shown = np.mean(by_half, axis=0), answer[FEATURES].to_numpy()
    signal = np.minimum(abs(mean), abs(shown)) / error * (np.sign(mean) == np.sign(shown))
    flags = answer[[f"reliable_{n}" for n in FEATURES]].to_numpy()
    clear = abs(signal - 0.5) > 0.02
    assert (flags == (signal >= 0.5))[clear].all()
    assert 0 < flags.mean() < 1
    few = model.predict(rows.iloc[[7, 2]], params={"errors": True})
    pd.testing.assert_frame_equal(
        few.reset_index(drop=True), answer.iloc[[7, 2]].reset_index(drop=True), rtol=1e-4
    )


@pytest.mark.parametrize("form", ["%Y-%m", "%Y-%m-%d", "%Y-%m-15"])
def test_a_month_may_be_text(model, panel, form):
    by_text = panel.assign(month=panel["month"].dt.strftime(form))
    pd.testing.assert_frame_equal(model.predict(by_text), model.predict(panel))


@pytest.mark.parametrize("kind", ["int64", "Int64", "int8", "float32"])
def test_whole_numbers_are_numbers(model, panel, kind):
    whole = panel.head(12).assign(feature_1=[5, -3, 0, 7] * 3)
    expected = model.predict(whole.astype({"feature_1": "float64"}))
    pd.testing.assert_frame_equal(model.predict(whole.astype({"feature_1": kind})), expected)


def test_no_number_is_refused_in_words(model, panel):
    few = panel.head(2)
    with pytest.raises(mlflow.MlflowException, match="1 values are missing or infinite"):
        model.predict(few.assign(feature_1=pd.array([5, None], dtype="Int64")))
    with pytest.raises(mlflow.MlflowException, match="not numbers, first 'feature_1'"):
        model.predict(few.assign(feature_1="5"))


def test_rows_come_back_in_their_order(model, panel, expected):
    order = np.random.default_rng(2).permutation(len(panel))
    found = model.predict(panel.iloc[order])
    assert found["stock"].tolist() == expected["stock"].iloc[order].tolist()
    np.testing.assert_allclose(found["score"], expected["score"].iloc[order], rtol=0, atol=1e-5)


@pytest.mark.parametrize("month", ["202002", "20200229", "2020/02/01", "2020-02-29T23:30:00+09:00"])
def test_a_month_has_one_reading(model, panel, month):
    rows = panel[panel["month"] == "2020-02-29"]
    same = model.predict(rows)
    assert model.predict(rows.assign(month=month))["score"].tolist() == same["score"].tolist()


@pytest.mark.parametrize("month", ["05.02.2020", "200202", "2020-2", "2020-02-30", "Feb 2020"])
def test_a_month_of_two_readings_or_none_is_refused(model, panel, month):
    with pytest.raises(mlflow.MlflowException, match=r"a month is no date|there are networks from"):
        model.predict(panel.head(2).assign(month=month))


def test_a_month_without_a_network_is_an_error(model, panel):
    with pytest.raises(mlflow.MlflowException, match="2030-01"):
        model.predict(panel.head(2).assign(month="2030-01"))


def test_a_missing_feature_is_an_error_that_names_it(model, panel):
    with pytest.raises(mlflow.MlflowException, match="feature_2"):
        model.predict(panel.drop(columns="feature_2"))


def test_a_month_is_a_model_of_its_own(logged, panel, expected):
    client, tracked, _ = logged
    parent = f"tags.`mlflow.parentRunId` = '{tracked.run_id}'"
    (child,) = client.search_runs(
        [tracked.experiment_id], f"{parent} and attributes.run_name = '2020-02'"
    )
    mlflow.set_tracking_uri(client.tracking_uri)
    places = list(sys.path)
    month = mlflow.pyfunc.load_model(f"runs:/{child.info.run_id}/model")
    sys.path[:] = places
    rows, answer = (frame[frame["month"] == "2020-02-29"] for frame in (panel, expected))
    scores = month.predict(rows)
    assert list(scores.columns) == ["month", "stock", "score"]
    np.testing.assert_allclose(scores["score"], answer["score"], rtol=0, atol=1e-5)
    explained = month.predict(rows, params={"explain": True})
    total = explained[FEATURES].sum(axis=1) + explained["absorbed"]
    np.testing.assert_allclose(total, scores["score"], rtol=0, atol=1e-5)
    with pytest.raises(mlflow.MlflowException, match="of 2020-02, and there are rows of 2020-01"):
        month.predict(panel)


def test_the_model_is_code_and_weights_and_no_pickle(logged):
    client, tracked, root = logged
    version = client.get_model_version_by_alias(tracked.model, "newest")
    (folder,) = (root / "mlartifacts/models").glob("*/artifacts")
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".pt", ".pth")]
    assert {path.name for path in files if path.suffix == ".safetensors"} == {
        "2020-01.safetensors",
        "2020-02.safetensors",
        "2020-03.safetensors",
    }
    assert (folder / "code/konkyo/attribution/__init__.py").is_file()
    rooms = {path.name for path in (folder / "code/konkyo").iterdir()}
    modules = {
        *("__init__.py", "artifacts.py", "cache.py", "date_text.py", "dates.py"),
        *("errors.py", "io.py"),
        *("random.py", "resilience.py"),
    }
    assert rooms == modules | {"attribution", "models"}
    assert (folder / "requirements.txt").read_text().split() == log_model.requirements()
    assert version.run_id == tracked.run_id
    (logged_model,) = client.search_logged_models([tracked.experiment_id])
    assert (logged_model.source_run_id, logged_model.status) == (tracked.run_id, "READY")
    assert version.source == f"models:/{logged_model.model_id}"
    example = json.loads((folder / "input_example.json").read_text())
    assert example["columns"] == ["month", "stock", *FEATURES]
    assert "epsilon" not in client.get_run(tracked.run_id).data.params


def predicted_elsewhere(folder, frame, tmp_path) -> tuple[pd.DataFrame, str]:
    """Return what a process predicts that cannot import the project, and what it printed."""
    frame.to_parquet(tmp_path / "frame.parquet")
    script = f"""
import sys
sys.modules.pop("konkyo", None)
sys.meta_path = [f for f in sys.meta_path if "editable" not in repr(f)]
sys.path = [p for p in sys.path if not p.rstrip("/").endswith("src")]
import mlflow, pandas
model = mlflow.pyfunc.load_model({str(folder)!r})
model.predict(pandas.read_parquet("frame.parquet")).to_parquet("scores.parquet")
import konkyo
others = {{"pytorch_lightning", "sklearn", "konkyo.config"}}
print(konkyo.__file__, *sorted(others & set(sys.modules)))
"""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return pd.read_parquet(tmp_path / "scores.parquet"), done.stdout.strip()


@pytest.mark.slow
def test_the_model_runs_without_the_project(logged, panel, expected, tmp_path):
    """All it needs is inside the model."""
    _, _, root = logged
    (folder,) = (root / "mlartifacts/models").glob("*/artifacts")
    found, printed = predicted_elsewhere(folder, panel.head(12), tmp_path)
    # Nothing else printed: nothing was imported that the model's requirements do not name.
    assert printed == str(folder / "code/konkyo/__init__.py")
    np.testing.assert_allclose(found["score"], expected["score"].head(12), rtol=0, atol=1e-5)


@pytest.mark.long
def test_a_users_module_travels_with_its_source(project, chosen, panel, tmp_path):
    nets = write_package(tmp_path / "modules", "served_rankers")
    state = user_module.construct(f"{nets}.Plain", {"features": FEATURES}).state_dict()
    module = store.ModuleWeights(
        month="", key="k", features=tuple(FEATURES), module=f"{nets}.Plain",
        arguments={"features": FEATURES}, state={k: v.numpy() for k, v in state.items()},
        mean=np.full(4, 0.5, "float32"), std=np.full(4, 2.0, "float32"),
    )  # fmt: skip
    for path in (project / "data/models/weights").iterdir():
        store.write([replace(module, month=path.stem)], path)
    runs.track(results.read(project), chosen, {})
    (folder,) = (project / "mlartifacts/models").glob("*/artifacts")
    assert (folder / "code/served_rankers/nets.py").is_file()
    assert "captum" in (folder / "requirements.txt").read_text()
    found, _ = predicted_elsewhere(folder, panel.head(12), tmp_path)
    coefficients, bias = (state[f"line.{name}"].numpy().ravel() for name in ("weight", "bias"))
    relevance = (panel[FEATURES].head(12).to_numpy() - 0.5) / 2 * coefficients
    np.testing.assert_allclose(found[FEATURES], relevance, atol=1e-6)
    np.testing.assert_allclose(found["absorbed"], np.repeat(bias, 12), atol=1e-6)


def test_the_alias_moves_to_the_newest_version(project, chosen):
    found = results.read(project)
    other = replace(chosen, train=replace(chosen.train, seed=2))
    first, second = (runs.track(found, one, {}) for one in (chosen, other))
    client = MlflowClient(second.uri, second.uri)
    assert (first.model_version, second.model_version) == (1, 2)
    newest = client.get_model_version_by_alias("konkyo-ranker", "newest")
    assert newest.run_id == second.run_id
    assert int(newest.version) == 2


def test_requirements_are_pinned_without_local_parts():
    assert "torch==2.13.0" in log_model.requirements()
