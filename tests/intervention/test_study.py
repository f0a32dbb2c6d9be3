"""The whole study on the simulated authority: what the issue asks of it."""

from dataclasses import replace

import numpy as np
import pytest

from konkyo.intervention import (
    accuracy,
    attribution,
    forecasts,
    networks,
    penalty,
    samples,
    scoring,
    simulated,
    surface,
)


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
    again = networks.train(
        made, networks.tasks(made, quick.network, {}), quick.network, tmp_path / "s"
    )
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
    made, todo, weights = trained
    table = attribution.explain(made, todo, weights, quick.epsilon)
    assert len(table) == 2 * 4 * 2 * 2
    parts = table[["change", "change_before", "deviation", "balance", "absorbed"]].sum(axis=1)
    np.testing.assert_allclose(parts, table["score"], atol=1e-9)
    task, network = next((t, w) for t, w in zip(todo, weights, strict=True) if t.sample == 1)
    again = attribution.recentred(network, made[1].x.mean(0))
    np.testing.assert_allclose(
        networks.predict([again], [made[1].x])[0], networks.predict([network], [made[1].x])[0],
        atol=1e-6,
    )  # fmt: skip
    assert task.sample == 1


def test_the_grounds_name_the_planted_cause(study_of_amounts, records, study):
    """Where the authority acted strongly, the month's move is what sets the month apart."""
    table = attribution.explain(*study_of_amounts, study.epsilon)
    actual = (100 * records["intervention"] / records["reserves"].shift()).abs()
    strong = records["month"][actual > 1]
    own = table[(table["rule"] == "rescale") & table["month"].isin(strong)]
    assert len(own) >= 5
    inputs = own[["change", "change_before", "deviation", "balance"]]
    assert (inputs["change"] > 0).all()
    assert (inputs.abs().idxmax(axis=1) == "change").all()


def test_seeds_are_told_apart_from_their_mean(trained, records, quick):
    made, todo, weights = trained
    seeds = forecasts.by_seed(made, todo, weights, records)
    answers = forecasts.answers(made, seeds, records, quick.scoring)
    judged = scoring.judge(answers, quick.scoring).query("out_of_sample")
    table = accuracy.over_seeds(seeds, judged).set_index(["period", "method", "data"])
    own = table.loc["all", "amount", "I"]
    rows = seeds[(seeds["data"] == "I") & (seeds["method"] == "amount")]
    wide = rows.pivot_table(index="month", columns="seed", values="share")
    actual = judged.drop_duplicates("month").set_index("month")["actual_share"]
    each = [np.sqrt(((wide[seed] - actual) ** 2).mean()) for seed in wide]
    assert own["seeds"] == 2
    assert [own["loss_lowest"], own["loss_highest"]] == pytest.approx(sorted(each))
    assert own["deviation"] == pytest.approx((wide[1] - wide[2]).abs().mean() / np.sqrt(2))
    scores = accuracy.scores(judged).set_index(["period", "method", "data", "model"])
    assert own["loss_mean"] == pytest.approx(scores.loc["all", "amount", "I", "network"]["rmse"])


def test_the_penalty_is_chosen_on_the_months_before_the_first_forecast(records, quick, tmp_path):
    chosen = replace(quick.network, penalties=(0.0, 0.1), iterations=50)
    made = samples.samples(records, quick)
    table = penalty.compare(made, chosen, tmp_path / "state")
    assert len(table) == 2 * 2 * 2 and table.groupby(["data", "method"])["chosen"].sum().eq(1).all()
    later = records.copy()
    changed = later["month"] >= "1985-05-31"
    later.loc[changed, ["rate", "intervention", "reserves", "price_home"]] *= 3
    again = penalty.compare(samples.samples(later, quick), chosen, tmp_path / "state")
    np.testing.assert_allclose(table["loss"], again["loss"], rtol=1e-5)
    best = penalty.chosen(table)
    todo = networks.tasks(made, chosen, best)
    name = quick.periods[0].name
    assert {t.weight_decay for t in todo if made[t.sample].data == "in-sample"} == {
        chosen.weight_decay
    }
    assert {
        t.weight_decay for t in todo if made[t.sample].data == "II" and t.method == "amount"
    } == {best[name, "II", "amount"]}
    assert penalty.compare(made, replace(chosen, penalties=()), tmp_path / "s").empty


def test_noise_is_held_back_and_a_clear_signal_is_not(study, quick, tmp_path):
    draw = np.random.default_rng(4)
    x = draw.uniform(size=(40, 4))
    base = next(s for s in samples.samples(simulated.make(1), quick) if s.data == "I")
    scale = {"low": np.zeros(4), "high": np.ones(4), "top": 1.0, "train": np.arange(40)}
    clear = replace(base, x=x, y=(x[:, 0] > 0.5) * 0.8, **scale)
    noise = replace(base, x=x, y=draw.uniform(size=40), period="noise", **scale)
    chosen = replace(study.network, penalties=(0.00001, 0.01), iterations=3000, workers=1)
    found = penalty.chosen(penalty.compare([clear, noise], chosen, tmp_path / "state"))
    assert found[base.period, "I", "amount"] == 0.00001
    assert found["noise", "I", "amount"] == 0.01
