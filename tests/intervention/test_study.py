"""The whole study on the simulated authority: what the issue asks of it."""

from dataclasses import replace

import numpy as np
import pytest

from konkyo.intervention import accuracy, forecasts, grounds, networks, samples, scoring, surface


@pytest.fixture(scope="module")
def study_of_amounts(records, study, tmp_path_factory):
    """Return every window of data set I and in-sample, one seed, as long as params.yaml trains."""
    chosen = replace(study.network, seeds=1, workers=1)
    made = [s for s in samples.samples(records, study) if s.data != "II"]
    todo = [t for t in networks.tasks(made, chosen, {}) if t.method == "amount"]
    state = tmp_path_factory.mktemp("study") / "state"
    return made, todo, networks.train(made, todo, chosen, state)


def test_every_surface_shows_the_planted_threshold(study_of_amounts, study):
    read, _ = surface.thresholds(*study_of_amounts, study.surface.level)
    assert len(read) == 4
    np.testing.assert_allclose(read["threshold"], 1.0, atol=0.3)


def test_the_network_beats_least_squares_out_of_sample(study_of_amounts, records, study):
    made, todo, trained = study_of_amounts
    seeds = forecasts.by_seed(made, todo, trained, records)
    answers = forecasts.answers(made, seeds, records, study.scoring)
    judged = scoring.judge(answers, study.scoring).query("out_of_sample and data == 'I'")
    tests = accuracy.tests(judged).set_index(["period", "method"])
    own = tests.loc[("all", "amount")]
    assert own["months"] == 38
    assert own["loss_network"] < 0.25 * own["loss_other"]
    assert own["dm_p"] < 0.05


def test_answers_know_nothing_of_later_months(trained, records, quick, tmp_path):
    """Train anew on records that differ from the last forecast month on: earlier forecasts stay."""
    later = records.copy()
    changed = later["month"] >= "1985-08-31"
    later.loc[changed, ["rate", "intervention", "reserves", "price_home"]] *= 3
    made = samples.samples(later, quick)
    again = networks.train(made, networks.tasks(made, quick.network, {}), quick.network, tmp_path / "s")
    for task, before, after in zip(trained[1], trained[2], again, strict=True):
        if trained[0][task.sample].data != "in-sample":
            for a, b in zip(before.weights, after.weights, strict=True):
                np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_network_is_the_same_alone_and_in_its_stack(trained, quick, tmp_path):
    made, todo, together = trained
    alone = networks.train(made, todo[5:6], quick.network, tmp_path / "state")[0]
    for a, b in zip(alone.weights, together[5].weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_baselines_say_what_their_names_say(trained, records, quick):
    made, todo, weights = trained
    seeds = forecasts.by_seed(made, todo, weights, records)
    answers = forecasts.answers(made, seeds, records, quick.scoring)
    past = answers[answers["data"] == "past"].set_index(["method", "model", "month"])["forecast"]
    actual = records.set_index("month")["intervention"]
    reserves = records.set_index("month")["reserves"]
    month = "1985-06-30"
    assert past["amount", "never", month] == 0
    before = actual["1985-05-31"] * reserves["1985-05-31"] / reserves["1985-04-30"]
    assert past["amount", "no_change", month] == pytest.approx(min(before, 0))
    assert past["occurrence", "always", month] == 1
    rows, network = (
        table[(table["data"] == "I") & (table["method"] == "amount") & (table["month"] == month)]
        for table in (seeds, answers[answers["model"] == "network"])
    )
    assert network["share"].item() == pytest.approx(rows["share"].mean())
    assert network["deviation"].item() == pytest.approx(rows["share"].std())


def test_grounds_add_up_to_the_log_odds(trained, quick):
    table = grounds.explain(*trained, quick.epsilon)
    assert len(table) == 4 * 2 * 2
    parts = table[["change", "change_before", "deviation", "balance", "absorbed"]].sum(axis=1)
    np.testing.assert_allclose(parts, table["score"], atol=1e-5)
