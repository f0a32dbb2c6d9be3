"""Standard errors in the pipeline: against one network at a time, and without look-ahead."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import chain
from konkyo.artifacts import HERE
from konkyo.attribution import errors_store, methods, reliability, row_errors
from konkyo.attribution.attributions import explain
from konkyo.attribution.rules import Epsilon
from konkyo.config import load
from konkyo.features import store as panels
from konkyo.io import read_parquet
from konkyo.models import store
from konkyo.windows import MonthSlices, rolling
from small import make_records, small_params

STAGES = ["prepare", "train", "attribute"]


def with_halves(**changes):
    """Return the small params with four networks of halves a month."""
    params = small_params()
    return replace(params, train=replace(params.train, resamples=4, resample_epochs=2, **changes))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("errors")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        chain.lay(folder, with_halves())
        chain.run(STAGES)
    return folder


def test_errors_are_those_of_one_network_at_a_time(project, monkeypatch):
    monkeypatch.chdir(project)
    config, panel = load(), panels.read(HERE.panel)
    decisions = rolling(MonthSlices.of(panel.index["month"]), 6)
    groups = panel.catalogue["group"].tolist()

    def error_of(halves, window):
        """Average each input's variance a squared unit with the median of its group's inputs."""
        rows = panel.features[window.test_start : window.test_stop]
        network, *_ = store.read(HERE.weights_halves / f"{window.month}.safetensors")
        squares = ((rows - network.mean) / network.std).astype(np.float64) ** 2
        variance = halves.var(0)
        unit = {
            j: variance[:, j].mean() / squares[:, j].mean()
            for j in range(len(groups))
            if variance[:, j].any()
        }
        error = halves.std(0)
        for j, value in unit.items():
            group = [unit[other] for other in unit if groups[other] == groups[j]]
            error[:, j] *= np.sqrt((value + np.median(group)) / (2 * value))
        return error

    def explain(folder, window):
        rows = panel.features[window.test_start : window.test_stop]
        return np.stack(
            [
                methods.relevance_propagation(network, rows, Epsilon(config.attribute.epsilon))
                for network in store.read(folder / f"{window.month}.safetensors")
            ]
        )

    def signal(folder, halves, window):
        rows = panel.features[window.test_start : window.test_stop]
        mean, error = halves.mean(0), error_of(halves, window)
        shown = explain(folder, window).mean(0)
        same = (np.sign(mean) == np.sign(shown)) & (error > 0)
        size = np.minimum(abs(mean), abs(shown)) / np.where(error > 0, error, 1)
        return np.where(same, size, 0), reliability.taking_part(rows, groups)

    placebo = [
        np.compress(taking_part.ravel(), values.ravel())
        for values, taking_part in (
            signal(HERE.placebo, explain(HERE.placebo_halves, window), window)
            for window in decisions[:6:3]
        )
    ]
    window = decisions[5]
    halves = explain(HERE.weights_halves, window)
    values, taking_part = signal(HERE.weights, halves, window)
    limit = reliability.threshold(values[taking_part], np.concatenate(placebo), 0.1)
    stocks, errors = errors_store.read(HERE.errors_of(window.month))
    shown = read_parquet(HERE.attributions_of(window.month))
    assert stocks.tolist() == shown["stock"].tolist()
    np.testing.assert_allclose(errors.relevance, error_of(halves, window), rtol=2e-2, atol=1e-4)
    # A signal on the threshold itself may fall to either side in float32.
    clear = np.abs(values - limit) > 1e-2 * max(values.max(), 1)
    assert (errors.reliable == (taking_part & (values >= limit)))[clear].all()


def test_rows_of_a_month_have_its_errors(project, monkeypatch):
    monkeypatch.chdir(project)
    config, panel = load(), panels.read(HERE.panel)
    rows = np.random.default_rng(3).permutation(np.flatnonzero(panel.index["month"] > "2001-06"))
    frame = panel.index.iloc[rows[:40]].reset_index(drop=True)
    frame[panel.names] = panel.features[rows[:40]]
    about = row_errors.of_months(HERE.errors, panel.catalogue["group"].tolist())
    method, epsilon = config.attribute.method, config.attribute.epsilon
    answer = row_errors.with_errors(
        explain(HERE.weights, frame, epsilon, method),
        frame,
        HERE.weights_halves,
        about,
        epsilon=epsilon,
        method=method,
    )
    for _, row in answer.iterrows():
        stocks, errors = errors_store.read(HERE.errors_of(f"{row['month']:%Y-%m}"))
        (at,) = np.flatnonzero(stocks == row["stock"])
        error = row[[f"error_{name}" for name in panel.names]].to_numpy(dtype=float)
        np.testing.assert_allclose(error, errors.relevance[at], rtol=2e-2, atol=1e-4)
        flags = row[[f"reliable_{name}" for name in panel.names]].to_numpy(dtype=bool)
        assert flags.tolist() == errors.reliable[at].tolist()


def test_a_changed_future_changes_no_error(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stocks, market = make_records()
    last = stocks["month"].max()
    late = stocks["month"] == last
    stocks.loc[late, "return"] = -stocks.loc[late, "return"]
    market.loc[market["month"] == last, "VIX"] *= 3
    chain.lay(tmp_path, with_halves(), (stocks, market))
    chain.run(STAGES)
    before = sorted((project / "data/errors").glob("*.parquet"))
    # The label of the last month but one is the changed return: no network of it or before saw it.
    for path in before[:-1]:
        assert path.read_bytes() == (tmp_path / "data/errors" / path.name).read_bytes()
    assert before[-1].read_bytes() != (tmp_path / "data/errors" / before[-1].name).read_bytes()


def test_a_second_run_computes_nothing_and_k_0_removes(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    chain.run(["attribute"])
    assert "standard errors of 0 months" in capsys.readouterr().out
    table = pd.read_csv(HERE.reliability)
    assert len(table) == 18
    assert table["reliable_share"].between(0, 1).all()
    # Placebos every third month: the fifth placebo month is the thirteenth of all.
    assert table["placebo_share"].notna().tolist() == [False] * 12 + [True] * 6
    chain.write_params(project, small_params())
    chain.run(["train", "attribute"])
    assert list(HERE.errors.iterdir()) == [HERE.reliability]
    assert not list(HERE.weights_halves.glob("*.safetensors"))
