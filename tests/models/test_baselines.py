"""The baselines' scores, by themselves."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from konkyo.features.store import Panel
from konkyo.io import write_parquet
from konkyo.models import baselines
from konkyo.models.batches import Hyperparameters, NetworkSpec
from konkyo.models.store import Weights
from konkyo.windows import MonthSlices, Window, rolling

ROWS, STOCKS, INPUTS = 20_000, 1_000, 25


@pytest.fixture(scope="module")
def task() -> tuple[Panel, Window, NetworkSpec, np.ndarray]:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(ROWS + STOCKS, INPUTS)).astype(np.float32)
    labels = (features[:, 0] * 0.1 + rng.normal(size=len(features))).astype(np.float32)
    mean, std = np.zeros((2, INPUTS), dtype=np.float32)
    std += 1
    # Of two market series.
    mean[-2:], std[-2:] = (0.5, -2.0), (0.25, 4.0)
    spec = NetworkSpec(
        month="2001-01", rows=np.arange(ROWS), mean=mean, std=std, seed=1,
        hyperparameters=Hyperparameters(learning_rate=0.001),
    )  # fmt: skip
    window = Window("2001-01", "2000-01", "2000-12", 0, ROWS, ROWS, ROWS + STOCKS)
    return Panel(features, pd.DataFrame(), pd.DataFrame()), window, spec, labels


def test_scores_are_those_of_the_normal_equations(task):
    panel, window, spec, labels = task
    every = (panel.features.astype(np.float64) - spec.mean) / spec.std
    x, y = every[:ROWS], labels[:ROWS].astype(np.float64)
    centred = x - x.mean(0)
    slopes = np.linalg.solve(centred.T @ centred + 2.0 * np.eye(INPUTS), centred.T @ (y - y.mean()))
    expected = (every[ROWS:] - x.mean(0)) @ slopes + y.mean()
    scores = baselines.ridge_scores(panel, window, spec, labels, 2.0)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_scores_do_not_depend_on_the_number_of_threads(task):
    panel, window, spec, labels = task
    scores_of = []
    for threads in (1, 2, 3):
        with threadpool_limits(threads):
            scores_of.append(baselines.ridge_scores(panel, window, spec, labels, 2.0).tobytes())
    assert scores_of[0] == scores_of[1] == scores_of[2]


def test_a_series_far_from_its_window_scores_finite(task):
    panel, window, spec, labels = task
    # In the window it moves by 1e-25; where it is scored, it is 1.
    features, std = panel.features.copy(), np.ones_like(spec.std)
    features[:, -1] *= np.float32(1e-25)
    features[ROWS:, -2:] = np.float32(1)
    std[-1] = np.float32(1e-25)
    moved = Panel(features, panel.index, panel.catalogue)
    scaled = replace(spec, mean=np.zeros_like(spec.mean), std=std)
    assert np.isfinite(baselines.ridge_scores(moved, window, scaled, labels, 2.0)).all()
    rng = np.random.default_rng(4)
    shapes = [(INPUTS, 8), (8, 1)]
    network = Weights(
        month="2001-01",
        key="",
        activation="relu",
        features=tuple(map(str, range(INPUTS))),
        weights=tuple(rng.normal(size=shape).astype(np.float32) * 1e15 for shape in shapes),
        biases=tuple(np.zeros(shape[1], dtype=np.float32) for shape in shapes),
        mean=scaled.mean,
        std=std,
    )
    assert np.isfinite(baselines.network_scores([network], features[ROWS:])).all()


def test_scores_of_networks_are_their_mean(task):
    panel, _, spec, _ = task
    rng = np.random.default_rng(5)
    rows = panel.features[-7:]
    scaled = (rows.astype(np.float64) - spec.mean) / spec.std
    networks, expected = [], []
    for _ in range(3):
        first, last = rng.normal(size=(INPUTS, 4)), rng.normal(size=(4, 1))
        bias = rng.normal(size=4)
        weights = tuple(one.astype(np.float32) for one in (first, last))
        biases = (bias.astype(np.float32), np.float32([0.5]))
        names = tuple(map(str, range(INPUTS)))
        networks.append(Weights("2001-01", "", "relu", names, weights, biases, spec.mean, spec.std))
        hidden = np.maximum(scaled @ weights[0].astype(np.float64) + biases[0], 0)
        expected.append((hidden @ weights[1].astype(np.float64) + biases[1])[:, 0])
    scores = baselines.network_scores(networks, rows)
    np.testing.assert_allclose(scores, np.mean(expected, axis=0), rtol=1e-12)


@pytest.fixture
def months(tmp_path) -> tuple[Panel, list[Window]]:
    """Return a panel of six months of three stocks, with windows of two."""
    names = pd.period_range("2001-01", periods=6, freq="M").to_timestamp("M").normalize()
    rng = np.random.default_rng(6)
    index = pd.DataFrame(
        {"month": names.repeat(3), "stock": ["A", "B", "C"] * 6, "label": rng.normal(size=18)}
    )
    features = rng.normal(size=(18, 2)).astype(np.float32)
    catalogue = pd.DataFrame({"name": ["x", "y"], "group": ["value", "value"]})
    panel = Panel(features, index, catalogue)
    return panel, rolling(MonthSlices.of(index["month"]), 2)


def update(path: Path, panel: Panel, windows: list[Window]) -> tuple[list[str], pd.DataFrame]:
    """Bring the file up to date; return the months that were scored now, and what is in it."""
    keys = baselines.keys(panel, windows, 1.0, path.parent / "placebo")
    cached = baselines.cached_scores(path, keys)
    scored = []

    def score(window: Window) -> np.ndarray:
        scored.append(window.month)
        return panel.features[window.test_start : window.test_stop, 0].astype(np.float64)

    columns = {
        name: baselines.fill_missing_scores(keys[name], cached[name], windows, score)
        for name in keys
    }
    table = baselines.table(panel, windows, columns)
    write_parquet(table, path, key=keys)
    return scored, table


def test_scores_are_cached_by_their_keys(months, tmp_path):
    panel, windows = months
    path = tmp_path / "baselines.parquet"
    (tmp_path / "placebo").mkdir()
    (tmp_path / "placebo/2001-04.safetensors").write_bytes(b"one")
    scored, table = update(path, panel, windows)
    assert scored == ["2001-03", "2001-04", "2001-05", "2001-06", "2001-04"]
    assert table["stock"].tolist() == ["A", "B", "C"] * 4
    np.testing.assert_array_equal(table["ridge"], panel.features[6:, 0])
    assert table["placebo"].notna().tolist() == [False] * 3 + [True] * 3 + [False] * 6
    again, same = update(path, panel, windows)
    assert again == []
    pd.testing.assert_frame_equal(same, table)

    # A label of the second month is learned from by the two windows that it is in.
    labels = panel.index["label"].copy()
    labels[4] += 1
    learned = Panel(panel.features, panel.index.assign(label=labels), panel.catalogue)
    assert update(path, learned, windows)[0] == ["2001-03", "2001-04"]
    # A feature of the fourth is scored in its own month and learned from in the two after it.
    features = learned.features.copy()
    features[10] += 1
    moved = Panel(features, learned.index, panel.catalogue)
    scored, table = update(path, moved, windows)
    assert scored == ["2001-04", "2001-05", "2001-06", "2001-04"]
    np.testing.assert_array_equal(table["ridge"], features[6:, 0])
    (tmp_path / "placebo/2001-04.safetensors").write_bytes(b"another")
    (tmp_path / "placebo/2001-05.safetensors").write_bytes(b"more")
    assert update(path, moved, windows)[0] == ["2001-04", "2001-05"]
    renamed = Panel(features, moved.index, panel.catalogue.assign(name=["x", "z"]))
    assert update(path, renamed, windows)[0] == [w.month for w in windows]
