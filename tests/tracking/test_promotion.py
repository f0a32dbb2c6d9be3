"""Promotion: versions with their runs' series, without models."""

from dataclasses import replace

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from konkyo import config
from konkyo.errors import TrackingError
from konkyo.tracking import promotion, store
from konkyo.tracking.series import milliseconds

ENDS = pd.date_range("2020-01-31", periods=4, freq="ME")
NAME = "konkyo-ranker"
SERIES = {
    "worse": {"rank_ic": [0.01, 0.02, 0.03, 0.02], "spread_net": [0.01, 0.00, 0.02, 0.01]},
    "better": {"rank_ic": [0.02, 0.04, 0.06, 0.03], "spread_net": [0.02, 0.01, 0.06, 0.03]},
}


@pytest.fixture
def routine(chosen: config.Params) -> config.Params:
    return replace(chosen, promote=replace(chosen.promote, months=4))


@pytest.fixture
def client(project):
    """Return a store with a model without versions."""
    client = store.connect(f"sqlite:///{project}/mlflow.db")
    store.experiment_id(client, "konkyo")
    client.create_registered_model(NAME)
    return client


def version(client: MlflowClient, kind: str, *aliases: str, **tags: str) -> int:
    """Register a version whose run has these series; `kind` "none" has no series."""
    experiment = client.get_experiment_by_name("konkyo").experiment_id
    run_id = client.create_run(experiment).info.run_id
    metrics = [
        Metric(f"monthly/{name}", value, milliseconds(end), step)
        for name, values in SERIES.get(kind, {}).items()
        for step, (value, end) in enumerate(zip(values, ENDS, strict=True))
    ]
    client.log_batch(run_id, metrics=metrics)
    made = client.create_model_version(NAME, "runs:/" + run_id, run_id, tags=tags)
    for alias in aliases:
        client.set_registered_model_alias(NAME, alias, made.version)
    return int(made.version)


def promotions(client):
    experiment = client.get_experiment_by_name("konkyo").experiment_id
    return client.search_runs([experiment], "tags.kind = 'promotion'")


def test_a_better_challenger_becomes_champion(project, client, routine):
    version(client, "worse", "champion", source="us")
    version(client, "better", "newest", "challenger", source="us")
    done = promotion.promote(project, routine, reason=" a wider net ", environment={})
    assert (done.promoted, done.objections) == (True, ())
    assert (int(done.candidate.version), int(done.champion.version)) == (2, 1)
    aliases = client.get_registered_model(NAME).aliases
    assert aliases == {"champion": 2, "previous": 1, "newest": 2}
    promoted = client.get_model_version(NAME, "2")
    # Means 0.02 and 0.0375.
    assert promoted.tags["promotion_rank_ic"] == "0.02 -> 0.0375"
    assert promoted.tags["promotion_months"] == "4 months, 2020-01 to 2020-04"
    assert (promoted.tags["promotion_from"], promoted.tags["promotion_forced"]) == ("1", "false")
    assert "Version 2 took over from version 1: rank_ic +0.0175" in promoted.description
    assert "Reason given: a wider net" in promoted.description
    (run,) = promotions(client)
    assert run.info.run_id == promoted.tags["promotion_run"]
    assert run.data.metrics["difference/rank_ic"] == pytest.approx(0.0175)
    assert run.data.tags["promoted"] == "true"
    # No turnover was logged, and what is not known is no metric.
    assert "champion/turnover" not in run.data.metrics
    table = client.load_table(run.info.experiment_id, "comparison.json", [run.info.run_id])
    assert table["month"].tolist() == [f"{end:%Y-%m}" for end in ENDS]
    assert table["difference_rank_ic"].tolist() == pytest.approx([0.01, 0.02, 0.03, 0.01])


def test_a_worse_challenger_is_refused_and_logged(project, client, routine):
    version(client, "better", "champion")
    version(client, "worse", "challenger")
    for _ in range(2):
        done = promotion.promote(project, routine, environment={})
        assert not done.promoted
        assert done.objections[0].startswith("its rank_ic is -0.0175 against the champion's")
    notes = sorted(run.data.tags["mlflow.note.content"] for run in promotions(client))
    for earlier, note in enumerate(notes):
        assert f"Comparisons made before this one: {earlier}." in note
    assert client.get_registered_model(NAME).aliases == {"champion": 1, "challenger": 2}
    assert "promotion_from" not in client.get_model_version(NAME, "2").tags
    assert [run.data.tags["promoted"] for run in promotions(client)] == ["false"] * 2
    assert {run.info.status for run in promotions(client)} == {"FINISHED"}


def test_force_overrules_with_a_reason_and_says_so(project, client, routine):
    version(client, "better", "champion")
    version(client, "better", "challenger")
    version(client, "worse")
    done = promotion.promote(
        project, routine, version=3, reason="the mandate changed", force=True, environment={}
    )
    assert done.promoted and done.objections
    # The challenger that was passed over stays one.
    assert client.get_registered_model(NAME).aliases == {
        "champion": 3,
        "previous": 1,
        "challenger": 2,
    }
    promoted = client.get_model_version(NAME, "3")
    assert promoted.tags["promotion_forced"] == "true"
    assert "Overruled: its rank_ic is -0.0175" in promoted.description


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"force": True}, "add --reason"),
        ({"force": True, "reason": "  "}, "add --reason"),
        ({"reason": "x" * 1001}, "has 1001 characters, and may have 1000"),
        ({}, "no version with the alias 'challenger', only champion: `dvc repro track`"),
        ({"version": 1}, "version 1 of konkyo-ranker is the champion already"),
        ({"version": 7}, "has no version 7: it has 1, 2"),
        ({"version": 2}, "its run .* has no monthly/rank_ic and monthly/spread_net; log its"),
    ],
)
def test_versions_that_cannot_be_compared(project, client, routine, arguments, message):
    version(client, "worse", "champion")
    version(client, "none")
    with pytest.raises(TrackingError, match=message):
        promotion.promote(project, routine, environment={}, **arguments)
    assert client.get_registered_model(NAME).aliases == {"champion": 1}
    assert promotions(client) == []


def test_promotion_without_a_champion(project, client, routine):
    with pytest.raises(TrackingError, match="no version with the alias 'champion': `dvc repro"):
        promotion.promote(project, routine, environment={})


def test_objections_of_source_and_months(project, client, routine):
    version(client, "worse", "champion", source="simulated-tse")
    version(client, "better", "challenger", source="tables")
    longer = replace(routine, promote=replace(routine.promote, months=5))
    done = promotion.promote(project, longer, environment={})
    assert not done.promoted
    assert (
        done.objections[0]
        == "its records are of 'tables', those of the champion of 'simulated-tse'"
    )
    assert "4 realised months in common, promote.months = 5" in done.objections[1]


def test_months_of_the_search_are_a_caveat(project, client, routine):
    version(client, "worse", "champion")
    version(client, "better", "challenger", tuned_until="2020-03", tuned_study="main")
    text = promotion.promote(project, routine, environment={}).summary
    assert "3 of 4 months are among those on which the search 'main' chose the candidate" in text


def test_months_after_the_search_are_no_caveat(project, client, routine):
    version(client, "worse", "champion")
    version(client, "better", "challenger", tuned_until="2019-12", tuned_study="main")
    assert "search" not in promotion.promote(project, routine, environment={}).summary


def test_later_months_change_no_earlier_comparison(project, client, routine):
    """The series of a month that is not realised in both is not looked at."""
    version(client, "worse", "champion")
    later = version(client, "better", "challenger")
    before = promotion.promote(project, routine, environment={}, version=later)
    client.set_registered_model_alias(NAME, "champion", "1")
    run_id = client.get_model_version(NAME, str(later)).run_id
    end = milliseconds(pd.Timestamp("2020-05-31"))
    for name in ("rank_ic", "spread_net"):
        client.log_metric(run_id, f"monthly/{name}", -9.0, end, 4)
    after = promotion.promote(project, routine, environment={}, version=later)
    assert before.summary.splitlines()[:6] == after.summary.splitlines()[:6]
