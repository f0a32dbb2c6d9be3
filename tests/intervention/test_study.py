"""The whole study on the simulated authority."""

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
    config = replace(study.network, seeds=1, workers=1)
    windows = [s for s in samples.build_samples(records, study) if s.data_set != "II"]
    tasks = [
        t for t in networks.plan_tasks(windows, config, weight_decays={}) if t.method == "amount"
    ]
    state = tmp_path_factory.mktemp("study") / "state"
    return windows, tasks, networks.train(windows, tasks, config=config, state=state)


@pytest.mark.slow
def test_every_surface_has_the_true_threshold(study_of_amounts, study):
    windows, tasks, trained = study_of_amounts
    read, _ = surface.thresholds(windows, tasks, networks=trained, level=study.surface.level)
    assert len(read) == 4
    np.testing.assert_allclose(read["threshold"], 1.0, atol=0.3)


def test_the_network_beats_least_squares_out_of_sample(study_of_amounts, records, study):
    windows, tasks, trained = study_of_amounts
    seeds = forecasts.by_seed(windows, tasks, networks=trained, records=records)
    predictions = forecasts.predictions(windows, seeds, records=records, config=study.scoring)
    scored = scoring.score_predictions(predictions, study.scoring).query(
        "out_of_sample and data == 'I'"
    )
    tests = accuracy.tests(scored).set_index(["period", "method"])
    own = tests.loc[("all", "amount")]
    assert own["months"] == 38
    assert own["loss_network"] < 0.25 * own["loss_benchmark"]
    assert own["dm_p"] < 0.05


def test_forecasts_use_no_later_month(trained, records, quick, tmp_path):
    """Train anew on records that differ from the last forecast month on: earlier forecasts stay."""
    later = records.copy()
    changed = later["month"] >= "1985-08-31"
    later.loc[changed, ["rate", "intervention", "reserves", "price_home"]] *= 3
    windows = samples.build_samples(later, quick)
    again = networks.train(
        windows,
        networks.plan_tasks(windows, quick.network, weight_decays={}),
        config=quick.network,
        state=tmp_path / "s",
    )
    for task, before, after in zip(trained[1], trained[2], again, strict=True):
        if trained[0][task.sample].data_set != "in-sample":
            for a, b in zip(before.weights, after.weights, strict=True):
                np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_network_is_the_same_alone_and_in_its_stack(trained, quick, tmp_path):
    windows, tasks, together = trained
    alone = networks.train(windows, tasks[5:6], config=quick.network, state=tmp_path / "state")[0]
    for a, b in zip(alone.weights, together[5].weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_naive_forecasts_by_hand(trained, records, quick):
    windows, tasks, weights = trained
    seeds = forecasts.by_seed(windows, tasks, networks=weights, records=records)
    predictions = forecasts.predictions(windows, seeds, records=records, config=quick.scoring)
    past = predictions[predictions["data"] == "past"].set_index(["method", "model", "month"])[
        "forecast"
    ]
    actual = records.set_index("month")["intervention"]
    reserves = records.set_index("month")["reserves"]
    month = "1985-06-30"
    assert past["amount", "never", month] == 0
    before = actual["1985-05-31"] * reserves["1985-05-31"] / reserves["1985-04-30"]
    assert past["amount", "no_change", month] == pytest.approx(min(before, 0))
    assert past["occurrence", "always", month] == 1
    rows, network = (
        table[(table["data"] == "I") & (table["method"] == "amount") & (table["month"] == month)]
        for table in (seeds, predictions[predictions["model"] == "network"])
    )
    assert network["share"].item() == pytest.approx(rows["share"].mean())
    assert network["share_std"].item() == pytest.approx(rows["share"].std())


def test_relevances_sum_to_the_log_odds(trained, quick):
    windows, tasks, weights = trained
    table = attribution.explain(windows, tasks, networks=weights, epsilon=quick.epsilon)
    assert len(table) == 2 * 4 * 2 * 2
    parts = table[["change", "change_before", "deviation", "balance", "absorbed"]].sum(axis=1)
    np.testing.assert_allclose(parts, table["score"], atol=1e-9)
    task, network = next((t, w) for t, w in zip(tasks, weights, strict=True) if t.sample == 1)
    again = attribution.recentre(network, windows[1].x_train.mean(0))
    np.testing.assert_allclose(
        networks.predict([again], [windows[1].x_train])[0],
        networks.predict([network], [windows[1].x_train])[0],
        atol=1e-6,
    )  # fmt: skip
    assert task.sample == 1


def test_attributions_name_the_true_cause(study_of_amounts, records, study):
    """Where the authority acted strongly, the month's move is what sets the month apart."""
    windows, tasks, trained = study_of_amounts
    table = attribution.explain(windows, tasks, networks=trained, epsilon=study.epsilon)
    actual = (100 * records["intervention"] / records["reserves"].shift()).abs()
    strong = records["month"][actual > 1]
    own = table[(table["rule"] == "rescale") & table["month"].isin(strong)]
    assert len(own) >= 5
    inputs = own[["change", "change_before", "deviation", "balance"]]
    assert (inputs["change"] > 0).all()
    assert (inputs.abs().idxmax(axis=1) == "change").all()


def test_seed_variation_by_hand(trained, records, quick):
    windows, tasks, weights = trained
    seeds = forecasts.by_seed(windows, tasks, networks=weights, records=records)
    predictions = forecasts.predictions(windows, seeds, records=records, config=quick.scoring)
    scored = scoring.score_predictions(predictions, quick.scoring).query("out_of_sample")
    table = accuracy.seed_variation(seeds, scored).set_index(["period", "method", "data"])
    own = table.loc["all", "amount", "I"]
    rows = seeds[(seeds["data"] == "I") & (seeds["method"] == "amount")]
    wide = rows.pivot_table(index="month", columns="seed", values="share")
    actual = scored.drop_duplicates("month").set_index("month")["actual_share"]
    each = [np.sqrt(((wide[seed] - actual) ** 2).mean()) for seed in wide]
    assert own["seeds"] == 2
    assert [own["loss_lowest"], own["loss_highest"]] == pytest.approx(sorted(each))
    assert own["std"] == pytest.approx((wide[1] - wide[2]).abs().mean() / np.sqrt(2))
    scores = accuracy.scores(scored).set_index(["period", "method", "data", "model"])
    assert own["loss_mean"] == pytest.approx(scores.loc["all", "amount", "I", "network"]["rmse"])


def test_weight_decay_uses_no_forecast_month(records, quick, tmp_path):
    config = replace(quick.network, penalties=(0.0, 0.1), iterations=50)
    windows = samples.build_samples(records, quick)
    table = penalty.cross_validate(windows, config, state=tmp_path / "state")
    assert len(table) == 2 * 2 * 2 and table.groupby(["data", "method"])["best"].sum().eq(1).all()
    later = records.copy()
    changed = later["month"] >= "1985-05-31"
    later.loc[changed, ["rate", "intervention", "reserves", "price_home"]] *= 3
    again = penalty.cross_validate(
        samples.build_samples(later, quick), config, state=tmp_path / "state"
    )
    np.testing.assert_allclose(table["loss"], again["loss"], rtol=1e-5)
    best = penalty.best_weight_decays(table)
    tasks = networks.plan_tasks(windows, config, weight_decays=best)
    name = quick.periods[0].name
    assert {t.weight_decay for t in tasks if windows[t.sample].data_set == "in-sample"} == {
        config.weight_decay
    }
    assert {
        t.weight_decay for t in tasks if windows[t.sample].data_set == "II" and t.method == "amount"
    } == {best[name, "II", "amount"]}
    assert penalty.cross_validate(windows, replace(config, penalties=()), state=tmp_path).empty


def test_noise_gets_the_stronger_penalty(study, quick, tmp_path):
    generator = np.random.default_rng(4)
    x = generator.uniform(size=(40, 4))
    base = next(s for s in samples.build_samples(simulated.simulate(1), quick) if s.data_set == "I")
    scale = {"x_min": np.zeros(4), "x_max": np.ones(4), "y_max": 1.0, "train_rows": np.arange(40)}
    clear = replace(base, x_train=x, y_train=(x[:, 0] > 0.5) * 0.8, **scale)
    noise = replace(base, x_train=x, y_train=generator.uniform(size=40), period="noise", **scale)
    config = replace(study.network, penalties=(0.00001, 0.01), iterations=3000, workers=1)
    result = penalty.best_weight_decays(
        penalty.cross_validate([clear, noise], config, state=tmp_path / "state")
    )
    assert result[base.period, "I", "amount"] == 0.00001
    assert result["noise", "I", "amount"] == 0.01
