"""Deletion curves against a loop, and on models where the best order is known."""

from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.attribution.faithfulness import Deletion, deletion
from konkyo.attribution.methods import as_module, gradient_input, integrated_gradients, scaled


def test_curve_equals_a_loop_over_rows_and_steps(network, rows):
    net = network(1)
    x = scaled(net, rows(1))
    relevance = gradient_input(net, rows(1))
    found = deletion(as_module(net), x, relevance, np.random.default_rng(1), steps=6)
    assert list(found.deleted) == [0, 1, 2, 3, 4, 5, 6]
    for place, number in enumerate(found.deleted):
        squares = []
        for row, own in zip(x.numpy(), relevance, strict=True):
            changed = row.copy()
            for feature in sorted(range(6), key=lambda i: -abs(own[i]))[:number]:
                changed[feature] = 0.0
            before, after = (
                as_module(net)(torch.from_numpy(r)[None]).item() for r in (row, changed)
            )
            squares.append((after - before) ** 2)
        assert found.ordered[place] == pytest.approx(np.sqrt(np.mean(squares)), abs=1e-12)
    assert found.random[0] == 0
    assert found.random[-1] == pytest.approx(found.ordered[-1])


@pytest.mark.parametrize("coefficients", [(3.0, 2.0, 1.0, 0.5), (0.1, -4.0, 2.0, 1.0)])
def test_true_order_of_a_linear_model_is_the_best(coefficients, linear):
    # Every combination of signs once: contributions are independent over these rows.
    x = torch.tensor(list(product((-1.0, 1.0), repeat=4)), dtype=torch.float64)
    score, rng = as_module(linear(coefficients)), np.random.default_rng(1)

    def curve(relevance: np.ndarray) -> np.ndarray:
        return deletion(score, x, relevance, rng, steps=4, n_orders=1).ordered

    best = curve(x.numpy() * np.array(coefficients))
    sizes = sorted((c**2 for c in coefficients), reverse=True)
    np.testing.assert_allclose(best, np.sqrt(np.cumsum([0.0, *sizes])), rtol=1e-6)
    for order in permutations((1.0, 2.0, 3.0, 4.0)):
        assert (curve(np.tile(order, (len(x), 1))) <= best + 1e-9).all()


def test_auc_is_zero_for_random_relevances(network, rows):
    net, rng = network(2, (20, 8, 1), scaled=False), np.random.default_rng(2)
    x = rows(2, 400, 20)
    noise = deletion(as_module(net), scaled(net, x), rng.normal(size=x.shape), rng, n_orders=5)
    assert abs(noise.auc) < 0.05
    true = deletion(as_module(net), scaled(net, x), integrated_gradients(net, x), rng, n_orders=5)
    assert true.auc > 0.2
    least = 1 / (1e-9 + np.abs(integrated_gradients(net, x)))
    assert deletion(as_module(net), scaled(net, x), least, rng, n_orders=5).auc < -0.2


def test_auc_by_hand():
    found = Deletion(np.array([0, 1, 2]), np.array([0.0, 3.0, 3.0]), np.array([0.0, 1.0, 3.0]))
    assert found.auc == pytest.approx(4.5 / 2.5 - 1)
    still = Deletion(np.array([0, 1]), np.zeros(2), np.zeros(2))
    assert np.isnan(still.auc)


def test_inputs_go_to_the_centre_given(linear):
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
    found = deletion(
        as_module(linear([1.0, 1.0])), x, np.array([[0.0, 1.0]]), np.random.default_rng(1),
        baseline=torch.tensor([1.0, 5.0], dtype=torch.float64),
    )  # fmt: skip
    np.testing.assert_allclose(found.ordered, [0.0, 3.0, 3.0])


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3))
def test_scale_and_order_do_not_matter(seed, scale, linear, rows):
    rng = np.random.default_rng(seed)
    coefficients, x = rng.normal(size=6), rows(seed)
    relevance = rng.normal(size=x.shape)
    columns, order = rng.permutation(6), rng.permutation(len(x))
    one = deletion(
        as_module(linear(coefficients)), torch.from_numpy(x).double(), relevance, rng, n_orders=1
    )
    other = deletion(
        as_module(linear(coefficients[columns])),
        torch.from_numpy(x[order][:, columns]).double(),
        -scale * relevance[order][:, columns],
        rng,
        n_orders=1,
    )
    np.testing.assert_allclose(one.ordered, other.ordered, atol=1e-9)
    assert list(one.deleted) == [0, 1, 2, 3, 4, 5, 6]


def test_many_features_go_in_groups(network, rows):
    net = network(3, (50, 4, 1))
    x = rows(3, features=50)
    found = deletion(
        as_module(net), scaled(net, x), gradient_input(net, x), np.random.default_rng(1), steps=5
    )
    assert list(found.deleted) == [0, 10, 20, 30, 40, 50]
