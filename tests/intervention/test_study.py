"""The whole study on the simulated authority."""

from dataclasses import replace

import numpy as np
import pytest

from konkyo.intervention import (
    accuracy,
    attribution,
    forecasts,
    linear,
    networks,
    samples,
    scoring,
    simulated,
    surface,
    tables,
)


@pytest.fixture(scope="module")
def study_of_amounts(records, study, tmp_path_factory):
    """Return every window, one seed, as long as params.yaml trains."""
    config = replace(study.network, seeds=1, workers=1)
    windows = samples.build_samples(records, study)
    tasks = [
        t for t in networks.plan_tasks(windows, config, weight_decays={}) if t.method == "amount"
    ]
    state = tmp_path_factory.mktemp("study") / "state"
    return windows, tasks, networks.train(windows, tasks, config=config, state=state)


@pytest.mark.slow
def test_every_surface_has_the_true_threshold(study_of_amounts, study):
    windows, tasks, trained = study_of_amounts
    curves = surface.response_curves(windows, tasks, networks=trained)
    read = surface.responses(curves, study.surface.level)
    thresholds = read[read["input"] == "change"]["threshold"]
    assert len(thresholds) == 4 and len(read) == 12
    np.testing.assert_allclose(thresholds, 1.0, atol=0.3)


def test_response_curves_ask_at_intervention(trained, records):
    """Along balance and deviation the move is that of the months with intervention."""
    windows, tasks, weights = trained
    curves = surface.mean_curves(surface.response_curves(windows, tasks, networks=weights))
    selected = windows[0]
    at = {name: rows for name, rows in curves.groupby("input")}
    assert at["change"]["balance"].unique() == pytest.approx(selected.x_train[:, 3].mean())
    for name in ("balance", "deviation"):
        move = selected.x_train[selected.y_train > 0, 0].mean()
        assert at[name]["change"].unique() == pytest.approx(move)
        assert (at[name][name] == at[name]["value"]).all()
    assert (np.diff(at["change"]["value"]) > 0).all()
    truth = simulated.true_response(at["change"], samples.training_points(windows, records))
    assert (truth[at["change"]["value"] <= 1] == 0).all() and truth[-1] > 1


def test_surfaces_span_both_pairs_of_inputs(trained, quick):
    windows, tasks, weights = trained
    grids = surface.surfaces(
        windows, tasks, networks=weights, config=replace(quick.surface, points=5)
    )
    selected = windows[0]
    assert grids.groupby("surface").size().to_dict() == {"balance": 25, "deviation": 25}
    row = grids[grids["surface"] == "balance"].iloc[7]
    asked = selected.x_train.mean(0)
    asked[0], asked[3] = row["change"], row["second"]
    seeds = [
        w for t, w in zip(tasks, weights, strict=True) if t.sample == 0 and t.method == "amount"
    ]
    shares = selected.y_max * np.ravel(networks.predict(seeds, [asked[None]] * 2))
    assert row["share"] == pytest.approx(shares.mean())
    assert row["std"] == pytest.approx(shares.std(ddof=1))


def test_the_network_beats_least_squares_out_of_sample(study_of_amounts, records, study):
    windows, tasks, trained = study_of_amounts
    seeds = forecasts.by_seed(windows, tasks, networks=trained, records=records)
    predictions = forecasts.predictions(windows, seeds, records=records, config=study)
    scored = scoring.score_predictions(predictions, study.scoring).query(
        "out_of_sample and data == 'I'"
    )
    tests = accuracy.tests(scored).set_index(["period", "method"])
    selected = tests.loc[("all", "amount")]
    assert selected["months"] == 38
    assert selected["loss_network"] < 0.25 * selected["loss_benchmark"]
    assert selected["dm_p"] < 0.05


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
        if trained[0][task.sample].ahead:
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
    predictions = forecasts.predictions(windows, seeds, records=records, config=quick)
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
    selected = table[
        (table["rule"] == "rescale") & (table["data"] == "I") & table["month"].isin(strong)
    ]
    assert len(selected) >= 5
    inputs = selected[["change", "change_before", "deviation", "balance"]]
    assert (inputs["change"] > 0).all()
    assert (inputs.abs().idxmax(axis=1) == "change").all()


def test_weight_decay_uses_no_forecast_month(records, quick, tmp_path):
    config = replace(quick.network, penalties=(0.0, 0.1), iterations=50)
    windows = samples.build_samples(records, quick)
    table = networks.cross_validate(windows, config, state=tmp_path / "state")
    assert len(table) == 2 * 2 and table.groupby("method")["best"].sum().eq(1).all()
    later = records.copy()
    changed = later["month"] >= "1985-05-31"
    later.loc[changed, ["rate", "intervention", "reserves", "price_home"]] *= 3
    again = networks.cross_validate(
        samples.build_samples(later, quick), config, state=tmp_path / "state"
    )
    np.testing.assert_allclose(table["loss"], again["loss"], rtol=1e-5)
    best = networks.best_weight_decays(table)
    tasks = networks.plan_tasks(windows, config, weight_decays=best)
    name = quick.periods[0].name
    assert {t.weight_decay for t in tasks if not windows[t.sample].ahead} == {config.weight_decay}
    assert {t.weight_decay for t in tasks if windows[t.sample].ahead and t.method == "amount"} == {
        best[name, "amount"]
    }
    assert networks.cross_validate(windows, replace(config, penalties=()), state=tmp_path).empty


def test_noise_gets_the_stronger_penalty(study, quick, tmp_path):
    generator = np.random.default_rng(4)
    x = generator.uniform(size=(40, 4))
    base = next(s for s in samples.build_samples(simulated.simulate(1), quick) if s.ahead)
    scale = {"x_min": np.zeros(4), "x_max": np.ones(4), "y_max": 1.0, "train_rows": np.arange(40)}
    scale["occurred"] = np.arange(40) % 2 == 0
    clear = replace(base, x_train=x, y_train=(x[:, 0] > 0.5) * 0.8, **scale)
    noise = replace(base, x_train=x, y_train=generator.uniform(size=40), period="noise", **scale)
    config = replace(study.network, penalties=(0.00001, 0.01), iterations=3000, workers=1)
    result = networks.best_weight_decays(
        networks.cross_validate([clear, noise], config, state=tmp_path / "state")
    )
    assert result[base.period, "amount"] == 0.00001
    assert result["noise", "amount"] == 0.01


def test_both_data_sets_are_asked_of_one_network(trained, records, quick):
    """A forecast month has one window, whose networks answer for I and II."""
    windows, tasks, weights = trained
    assert len(tasks) == len(windows) * 2 * 2 == (1 + 4) * 2 * 2
    seeds = forecasts.by_seed(windows, tasks, networks=weights, records=records)
    task, network = next((t, w) for t, w in zip(tasks, weights, strict=True) if t.sample == 3)
    rows = seeds[
        (seeds["month"] == windows[3].month)
        & (seeds["method"] == task.method)
        & (seeds["seed"] == task.seed)
    ].set_index("data")["share"]
    (output,) = networks.predict([network], [windows[3].x_eval])
    assert rows[["I", "II"]].tolist() == pytest.approx((windows[3].y_max * output).tolist())
    # The linear models too: one fit on the months before, asked twice.
    predictions = forecasts.predictions(windows, seeds, records=records, config=quick)
    selected = predictions[predictions["month"] == windows[3].month].set_index(
        ["data", "model", "method"]
    )
    fit = linear.least_squares(windows[3].x_train, windows[3].y_train)
    asked = selected["share"][[("I", "linear", "amount"), ("II", "linear", "amount")]]
    assert asked.tolist() == pytest.approx(fit.predict(windows[3].x_eval).tolist())


def test_linear_columns_of_the_tables_are_in_sample(trained, records, quick):
    windows, tasks, weights = trained
    seeds = forecasts.by_seed(windows, tasks, networks=weights, records=records)
    predictions = forecasts.predictions(windows, seeds, records=records, config=quick)
    scored = scoring.score_predictions(predictions, quick.scoring)
    by_name = tables.all_tables(scored)
    assert set(by_name) == {"method_1_1", "method_2_1", "amounts_1"}
    amounts = by_name["amounts_1"].set_index("month")
    selected, row = windows[0], windows[0].train_rows[-1]
    fit = linear.least_squares(selected.x_train, selected.y_train)
    reserves = records["reserves"][row - 1]
    expected = -fit.predict(selected.x_train[-1:])[0] / 100 * reserves
    assert amounts["linear"]["1985-08"] == round(expected)
    ahead = linear.least_squares(windows[-1].x_train, windows[-1].y_train)
    expected = -ahead.predict(windows[-1].x_eval) / 100 * reserves
    assert amounts.loc["1985-08", ["linear_data_I", "linear_data_II"]].tolist() == [
        *expected.round()
    ]
    # The last row has the shares of right answers, of the amount among months of intervention.
    first = by_name["method_1_1"].set_index("month")
    months = first.drop(index="right")
    assert first["data_I"]["right"] == months["data_I"].mean().round(3)
    occurred = months["intervention"] == 1
    assert months["amount_data_I"].isna().equals(~occurred)
    past = records["intervention"][row - 12 : row - 0].abs().mean() / 10
    assert months["cut"]["1985-08"] == pytest.approx(past, abs=0.05)


def test_a_pooled_network_answers_for_every_period(records, study, tmp_path):
    network = replace(study.network, iterations=2000, seeds=1, workers=1)
    config = replace(study, variants=("lagged", "pooled"), network=network)
    windows = [s for s in samples.build_samples(records, config) if not s.ahead]
    tasks = networks.plan_tasks(windows, network, weight_decays={})
    weights = networks.train(windows, tasks, config=network, state=tmp_path / "state")
    seeds = forecasts.by_seed(windows, tasks, networks=weights, records=records)
    pooled = seeds[(seeds["data"] == "pooled") & (seeds["method"] == "amount")]
    assert pooled["period"].nunique() == 4 and len(pooled) == len(windows[-1].train_rows)
    predictions = forecasts.predictions(windows, seeds, records=records, config=config)
    fit = forecasts.fit_statistics(predictions, forecasts.linear_fits(windows))
    of_all = fit[(fit["period"] == "all") & (fit["model"] == "network")].set_index(
        ["data", "method"]
    )
    assert of_all["r2"]["pooled", "amount"] > 0.3
    assert of_all["r2"]["in-sample", "amount"] > of_all["r2"]["pooled", "amount"]
    assert of_all["r2"]["lagged", "amount"] > 0.5
    # Signed amounts are not censored at 0: no Tobit.
    assert "tobit" not in set(predictions[predictions["data"] == "pooled"]["model"])
