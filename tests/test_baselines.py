"""The baselines' scores, by themselves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from konkyo import baselines
from konkyo.network.schedule import Entry
from konkyo.network.store import Weights
from konkyo.panel.store import Panel
from konkyo.windows import Window

ROWS, STOCKS, INPUTS = 20_000, 1_000, 25


@pytest.fixture(scope="module")
def task() -> tuple[Panel, Window, Entry, np.ndarray]:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(ROWS + STOCKS, INPUTS)).astype(np.float32)
    labels = (features[:, 0] * 0.1 + rng.normal(size=len(features))).astype(np.float32)
    flat = np.zeros(INPUTS, dtype=np.float32)
    entry = Entry("2001-01", np.arange(ROWS), flat, flat + 1, seed=1)
    window = Window("2001-01", "2000-01", "2000-12", 0, ROWS, ROWS, ROWS + STOCKS)
    return Panel(features, pd.DataFrame(), pd.DataFrame()), window, entry, labels


def test_scores_are_those_of_the_normal_equations(task):
    panel, window, entry, labels = task
    x, y = panel.features[:ROWS].astype(np.float64), labels[:ROWS].astype(np.float64)
    centred = x - x.mean(0)
    slopes = np.linalg.solve(centred.T @ centred + 2.0 * np.eye(INPUTS), centred.T @ (y - y.mean()))
    expected = (panel.features[ROWS:] - x.mean(0)) @ slopes + y.mean()
    scores = baselines.ridge_scores(panel, window, entry, labels, 2.0)
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_scores_do_not_depend_on_the_number_of_threads(task):
    panel, window, entry, labels = task
    found = []
    for threads in (1, 2, 3):
        with threadpool_limits(threads):
            found.append(baselines.ridge_scores(panel, window, entry, labels, 2.0).tobytes())
    assert found[0] == found[1] == found[2]


def test_a_series_far_from_its_window_gives_finite_scores(task):
    panel, window, entry, labels = task
    # In the window it moves by 1e-25; where it is scored, it is 1.
    features, deviation = panel.features.copy(), entry.deviation.copy()
    features[:, -1] *= np.float32(1e-25)
    features[ROWS:, -2:] = np.float32(1)
    deviation[-1] = np.float32(1e-25)
    moved = Panel(features, panel.index, panel.catalogue)
    scaled = replace(entry, deviation=deviation)
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
        mean=entry.mean,
        deviation=deviation,
    )
    assert np.isfinite(baselines.network_scores([network], features[ROWS:])).all()
