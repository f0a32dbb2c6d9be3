"""The methods of captum behind one signature: completeness, known answers, and agreement."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.attribution import methods
from konkyo.models import store
from konkyo.random import numpy_generator

COEFFICIENTS = np.array([0.5, -1.0, 2.0, 0.0, 0.25, -0.75])


def all_methods() -> dict[str, methods.Method]:
    sampled = {"shapley": lambda net, x: methods.shapley_sampling(net, x, n_permutations=3, seed=1)}
    return methods.methods_by_name(epsilon=1e-9) | sampled


def score_and_centre(net, x) -> tuple[np.ndarray, float]:
    module = methods.as_module(net)
    at_centre = module(torch.zeros(1, x.shape[1], dtype=torch.float64))
    return module(methods.scaled(net, x)).numpy()[:, 0], at_centre.item()


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_view_scores_as_the_stack_does(activation, network, rows):
    nets, x = [network(seed, activation=activation) for seed in range(3)], rows(1)
    stack = store.restack(nets)
    raw = torch.from_numpy(x).expand(3, -1, -1).clone()
    expected = stack(stack.scale_(raw)).numpy()
    for window, net in enumerate(nets):
        assert net.mean.any()
        np.testing.assert_allclose(score_and_centre(net, x)[0], expected[window], atol=2e-6)


@pytest.mark.parametrize("name", [n for n in all_methods() if not n.startswith("lrp_a")])
def test_a_linear_network_has_one_answer(name, linear, rows):
    x = rows(2)
    if name in ("lrp_gamma", "lrp_z_plus"):
        # These favour what raises a unit; where everything raises it they agree too.
        x = np.abs(x) * np.sign(COEFFICIENTS)
    found = all_methods()[name](linear(COEFFICIENTS), x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, x * COEFFICIENTS, rtol=1e-5, atol=1e-6)


def test_a_linear_model_is_coefficients_times_inputs(linear, network, rows):
    x, net = rows(2), network()
    found = methods.coefficients_input(x, COEFFICIENTS, mean=net.mean, std=net.std)
    np.testing.assert_allclose(found[:, :4], x[:, :4] * COEFFICIENTS[:4], rtol=1e-7)
    np.testing.assert_allclose(found[:, 4], (x[:, 4] - 0.25) / 2 * 0.25, rtol=1e-7)
    np.testing.assert_allclose(
        methods.coefficients_input(x, COEFFICIENTS, mean=np.zeros(6), std=np.ones(6)),
        methods.gradient_input(linear(COEFFICIENTS), x),
        rtol=1e-7,
    )


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_methods_against_the_centre_add_up(seed, network, rows):
    net, x = network(seed), rows(seed)
    score, centre = score_and_centre(net, x)
    for name, tolerance in (
        # A quadrature of 16 points: up to 2e-5 off in a hundred random networks.
        ("integrated_gradients", 1e-4),
        ("deep_lift", 1e-9),
        ("shapley", 1e-5),
    ):
        found = all_methods()[name](net, x)
        np.testing.assert_allclose(found.sum(1), score - centre, atol=tolerance, err_msg=name)


def test_gradient_input_by_finite_differences(network, rows):
    net, x = network(4), rows(4)
    found, step = methods.gradient_input(net, x), 1e-5
    for feature in range(6):
        ahead, behind = x.astype(float), x.astype(float)
        ahead[:, feature] += step
        behind[:, feature] -= step
        slope = (score_and_centre(net, ahead)[0] - score_and_centre(net, behind)[0]) / (2 * step)
        own = (x[:, feature] - net.mean[feature]) * slope
        np.testing.assert_allclose(found[:, feature], own, rtol=1e-5, atol=1e-8)


def test_integrated_gradients_by_small_steps(network, rows):
    net, x = network(5, scaled=False), rows(5)
    steps = 500
    shares = (np.arange(steps) + 0.5) / steps
    slow = np.mean([methods.gradient_input(net, x * share) / share for share in shares], axis=0)
    np.testing.assert_allclose(methods.integrated_gradients(net, x), slow, atol=1e-5)


def test_deep_lift_of_one_layer_by_its_definition(network, rows):
    net, x = network(6, sizes=(6, 5, 1), scaled=False), rows(6).astype(float)
    (first, last), (bias, _) = net.weights, net.biases
    z, z0 = x @ first + bias, bias.astype(float)
    multiplier = (np.tanh(z) - np.tanh(z0)) / (z - z0) * last[:, 0]
    np.testing.assert_allclose(methods.deep_lift(net, x), x * (multiplier @ first.T), rtol=1e-6)


def test_a_sigmoid_network_is_explained_in_log_odds(network, rows):
    net, x = replace(network(6, activation="sigmoid"), output="sigmoid"), rows(6)
    stack = store.restack([net], torch.float64)
    chance = stack(stack.scale_(torch.from_numpy(x)[None].double())).numpy()[0]
    score, centre = score_and_centre(net, x)
    np.testing.assert_allclose(score, np.log(chance / (1 - chance)), atol=1e-6)
    np.testing.assert_allclose(methods.deep_lift(net, x).sum(1), score - centre, atol=1e-9)


def test_shapley_sampling_nears_the_exact_values(network, rows):
    net, x = network(7, sizes=(4, 5, 1), scaled=False), rows(7, 5, 4)
    exact = np.zeros(x.shape)
    orders = list(permutations(range(4)))
    for order in orders:
        current = np.zeros(x.shape)
        before = score_and_centre(net, current)[0]
        for feature in order:
            current[:, feature] = x[:, feature]
            after = score_and_centre(net, current)[0]
            exact[:, feature] += (after - before) / len(orders)
            before = after
    few = methods.shapley_sampling(net, x, n_permutations=2, seed=1)
    many = methods.shapley_sampling(net, x, n_permutations=300, seed=1)
    assert np.abs(many - exact).max() < 0.03
    assert np.abs(many - exact).mean() < np.abs(few - exact).mean()


def test_shapley_sampling_uses_its_seed_alone(network, rows):
    net, x = network(8), rows(8)
    before = torch.random.get_rng_state()
    one = methods.shapley_sampling(net, x, n_permutations=2, seed=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(one, methods.shapley_sampling(net, x, n_permutations=2, seed=1))
    assert np.abs(one - methods.shapley_sampling(net, x, n_permutations=2, seed=2)).max() > 1e-6


def test_shapley_sampling_is_the_same_by_row_or_batch(network, rows, monkeypatch):
    net, x = network(8), rows(8)
    whole = methods.shapley_sampling(net, x, n_permutations=2, seed=1)
    monkeypatch.setattr(methods, "_ROWS_AT_ONCE", 2 * len(x))
    np.testing.assert_allclose(
        methods.shapley_sampling(net, x, n_permutations=2, seed=1), whole, atol=1e-6
    )


def test_sample_draws_rows_once_each():
    drawn = methods.sample(50, 20, numpy_generator(1, "2010-01", "shapley"))
    assert len(set(drawn)) == 20
    assert (np.diff(drawn) > 0).all()
    assert set(drawn) <= set(range(50))
    assert list(methods.sample(3, 20, numpy_generator(1))) == [0, 1, 2]


@pytest.mark.parametrize("name", list(all_methods()))
def test_rows_are_explained_one_by_one(name, network, rows):
    net, x = network(9), rows(9)
    method = all_methods()[name]
    whole = method(net, x)
    assert whole.shape == x.shape
    np.testing.assert_allclose(whole[::-1], method(net, x[::-1].copy()), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(whole[3:4], method(net, x[3:4]), rtol=1e-5, atol=1e-6)
