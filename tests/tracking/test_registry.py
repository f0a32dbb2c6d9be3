"""Who is champion, who challenger, and what a version says of itself."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from mlflow import MlflowClient

from konkyo import config
from konkyo.errors import TrackingError
from konkyo.tracking import monthly_run, registry, results, runs

CHAMPION = {"configuration": "a", "last_month": "2020-03"}


@pytest.mark.parametrize(
    ("new", "champion", "expected"),
    [
        ({"configuration": "a", "last_month": "2020-03"}, None, ("newest", "champion")),
        ({"configuration": "a", "last_month": "2020-04"}, CHAMPION, ("newest", "champion")),
        ({"configuration": "a", "last_month": "2020-03"}, CHAMPION, ("newest", "champion")),
        ({"configuration": "a", "last_month": "2020-02"}, CHAMPION, ("newest",)),
        ({"configuration": "b", "last_month": "2020-04"}, CHAMPION, ("newest", "challenger")),
        # A champion that somebody chose by hand before versions had facts.
        ({"configuration": "a", "last_month": "2020-04"}, {}, ("newest", "challenger")),
    ],
)
def test_aliases_of_a_new_version(new, champion, expected):
    assert registry.aliases_of(new, champion) == expected


@pytest.mark.parametrize(
    ("section", "change", "same"),
    [
        ("train", {"epochs": 3}, False),
        ("train", {"ensemble": 4}, False),
        ("prepare", {"universe_size": 500}, False),
        ("attribute", {"epsilon": 0.01}, False),
        ("backtest", {"cost_bps": 0.0}, False),
        ("ingest", {"source": "tables"}, False),
        ("ingest", {"last_month": "2021-06"}, True),
        ("train", {"workers": 7}, True),
        ("train", {"max_networks_per_stack": 3}, True),
        (
            "train",
            {"accelerator": "cpu", "backend": "dask", "scheduler_address": "tcp://a:1"},
            True,
        ),
        ("train", {"panel_cache_url": "s3://bucket"}, True),
        ("report", {"language": "ja"}, True),
        ("monitor", {"max_psi": 0.1}, True),
        ("promote", {"months": 12}, True),
        ("track", {"experiment": "other"}, True),
    ],
)
def test_a_configuration_is_what_decides_the_model(chosen, section, change, same):
    other = replace(chosen, **{section: replace(getattr(chosen, section), **change)})
    assert (registry.configuration(other) == registry.configuration(chosen)) == same


def test_configuration_of_the_simulated_market(chosen):
    def with_noise(noise, source):
        ingest = replace(chosen.ingest, source=source)
        ingest = replace(ingest, simulated=replace(ingest.simulated, noise=noise))
        return registry.configuration(replace(chosen, ingest=ingest))

    assert with_noise(1.0, "simulated-tse") != with_noise(2.0, "simulated-tse")
    assert with_noise(1.0, "us-equities") == with_noise(2.0, "us-equities")


def test_tags_of_the_search_that_chose_these_params(tmp_path, chosen):
    best = {
        "n_hidden_layers": 3,
        "width": 64,
        "activation": "tanh",
        "dropout": 0.4,
        "learning_rate": 0.001,
        "weight_decay": 0.0,
        "batch_size": 300,
        "epochs": 20,
        "window_months": 36,
        "label": chosen.prepare.label,
        "standardise": chosen.prepare.standardise,
    }
    for study, values, until in (("one", best, 3), ("two", {**best, "epochs": 5}, 4)):
        folder = tmp_path / "data/tuning" / study
        folder.mkdir(parents=True)
        (folder / "best.json").write_text(json.dumps({"params": values}))
        ends = pd.date_range("2020-01-31", periods=until + 2, freq="ME")
        parts = ["tuning"] * until + ["holdout"] * 2
        pd.DataFrame({"month": ends, "part": parts}).to_parquet(folder / "comparison.parquet")
    assert registry.tuning_tags(tmp_path, chosen) == {
        "tuned_study": "one",
        "tuned_until": "2020-03",
    }
    other = replace(chosen, train=replace(chosen.train, dropout=0.3))
    assert registry.tuning_tags(tmp_path, other) == {}


@pytest.mark.slow
def test_an_added_month_continues_the_champion(project, chosen):
    result = results.read(project)
    (project / "data/predictions").mkdir()
    (project / "data/predictions/2020-03.csv").write_text("rank,stock\n1,S0001\n")
    (project / "data/predictions/2020-02.csv").write_text("rank,stock\n1,S0002\n")
    first = runs.track(result, chosen, {})
    # The same configuration, whatever the routine's own settings are.
    later = replace(chosen, monitor=replace(chosen.monitor, max_psi=0.5))
    added = monthly_run.track_month(result, later, "2020-03", {})
    assert added is not None and monthly_run.track_month(result, later, "2020-03", {}) is None
    assert (first.aliases, added.aliases) == (("newest", "champion"),) * 2
    client = MlflowClient(added.uri, added.uri)
    run = client.get_run(added.run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "update-2020-03")
    assert (run.data.tags["kind"], run.data.tags["month"]) == ("update", "2020-03")
    assert run.data.params["last_train"] == "2020-02"
    assert run.data.params["train.epochs"] == "20"
    assert run.data.metrics["stocks"] == 12
    assert run.data.metrics["loss"] == 2.5
    assert run.data.metrics["network/rank_ic"] == 0.015
    history = client.get_metric_history(added.run_id, "monthly/rank_ic")
    assert [(m.step, m.value) for m in history] == [(0, 0.02), (1, -0.02)]
    folders = ("attributions", "weights", "predictions")
    remaining = [f.path for folder in folders for f in client.list_artifacts(added.run_id, folder)]
    assert remaining == [
        "attributions/2020-03.parquet",
        "weights/2020-03.safetensors",
        "predictions/2020-03.csv",
    ]
    # No child run, and no earlier month again: 1 + 3 of the experiment, 1 of the update.
    assert len(client.search_runs([added.experiment_id])) == 5
    assert client.get_registered_model("konkyo-ranker").aliases == {"newest": 2, "champion": 2}
    tags = client.get_model_version("konkyo-ranker", "2").tags
    assert (tags["first_month"], tags["last_month"]) == ("2020-01", "2020-03")
    assert (tags["continues"], tags["run_id"]) == ("1", added.run_id)
    assert tags["configuration"] == registry.configuration(chosen)


def test_a_month_without_a_network_cannot_be_added(project, chosen):
    with pytest.raises(TrackingError, match="2020-04 has no network: the networks are of 2020-01"):
        monthly_run.track_month(results.read(project), chosen, "2020-04", {})


def test_another_configuration_is_a_challenger(project, chosen):
    result = results.read(project)
    other = replace(chosen, train=replace(chosen.train, epochs=3))
    tracked = [runs.track(result, one, {}) for one in (chosen, other)]
    assert tracked[1].aliases == ("newest", "challenger")
    client = MlflowClient(tracked[0].uri, tracked[0].uri)
    assert client.get_registered_model("konkyo-ranker").aliases == {
        "newest": 2,
        "champion": 1,
        "challenger": 2,
    }


def test_the_later_of_two_first_versions(project, chosen, monkeypatch):
    result = results.read(project)
    first = runs.track(result, chosen, {})
    client = MlflowClient(first.uri, first.uri)
    # As it is when both looked for a champion before either had registered its version.
    client.delete_registered_model_alias(first.model, registry.CHAMPION)
    plain, looked = registry._champion, []

    def too_early(*arguments):
        looked.append(1)
        return None if len(looked) == 1 else plain(*arguments)

    monkeypatch.setattr(registry, "_champion", too_early)
    other = replace(chosen, train=replace(chosen.train, seed=2))
    second = runs.track(result, other, {})
    assert second.aliases == (registry.NEWEST, registry.CHALLENGER)
    assert len(looked) == 2
    present = registry.current_aliases(client, first.model)
    assert {alias: int(version) for alias, version in present.items()} == {
        "newest": 2, "challenger": 2, "champion": 1,
    }  # fmt: skip


def test_a_missing_alias_names_those_that_there_are(logged):
    client, tracked, _ = logged
    assert registry.require_version(client, tracked.model, "champion").run_id == tracked.run_id
    with pytest.raises(TrackingError, match=r"alias 'previous', only champion, newest: `dvc repro"):
        registry.require_version(client, tracked.model, "previous")
    with pytest.raises(TrackingError, match="the model nobody has no version with the alias"):
        registry.require_version(client, "nobody", "champion")


def test_settings_of_later_stages_are_no_run_params(logged, chosen):
    client, tracked, _ = logged
    logged_params = client.get_run(tracked.run_id).data.params
    assert not [key for key in logged_params if key.startswith(("monitor", "promote", "track"))]
    assert config.as_dict(chosen)["promote"]["months"] == 36


def test_newest_is_the_latest_of_two_at_a_time(tmp_path, monkeypatch):
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    set_alias = client.set_registered_model_alias
    meanwhile = []

    def slow(name, alias, version):
        if alias == "newest" and not meanwhile:
            meanwhile.append(client.create_model_version(name, "other"))
            set_alias(name, "newest", meanwhile[0].version)
        set_alias(name, alias, version)

    monkeypatch.setattr(client, "set_registered_model_alias", slow)
    logged = SimpleNamespace(model_uri="mine", run_id=None, model_id=None)
    tags = {"configuration": "a", "last_month": "2020-03"}
    version = registry.register(client, logged, "ranker", tags)
    assert (version.version, version.aliases) == (1, ("champion",))
    assert int(client.get_model_version_by_alias("ranker", "newest").version) == 2
