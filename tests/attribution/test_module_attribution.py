"""Modules of a user's own, explained by captum: against the stack's rules and by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo.attribution import methods
from konkyo.attribution.attributions import explain, explain_months
from konkyo.attribution.evaluation import evaluate_methods, metrics, summarise
from konkyo.attribution.stability import randomise
from konkyo.errors import ParamsError
from konkyo.models import baselines, store
from user_package import write_package

EPSILON = 1e-3


@pytest.fixture(scope="module")
def nets(tmp_path_factory):
    return write_package(tmp_path_factory.mktemp("modules"), "explained_rankers")


def as_user_module(network: store.Weights, nets: str) -> store.ModuleWeights:
    """Return a perceptron of one hidden layer as the user's module `Small`."""
    state = {"steps": np.asarray(0)}
    for layer, name in enumerate(("net.0", "net.3")):
        state[f"{name}.weight"] = network.weights[layer].T.copy()
        state[f"{name}.bias"] = network.biases[layer]
    return store.ModuleWeights(
        month=network.month, key="key", features=network.features, module=f"{nets}.Small",
        arguments={"n_inputs": len(network.features), "width": len(network.biases[0])},
        state=state, mean=network.mean, std=network.std,
    )  # fmt: skip


@pytest.fixture
def pair(network, nets):
    layered = network(3, sizes=(6, 5, 1))
    return layered, as_user_module(layered, nets)


@pytest.fixture
def rows():
    return np.random.default_rng(1).normal(size=(7, 6)).astype(np.float32)


def test_relevance_propagation_is_that_of_the_stack(pair, rows):
    (expected,) = explain_months([[pair[0]]], [rows], EPSILON)
    (given,) = explain_months([[pair[1]]], [rows], EPSILON, "lrp_epsilon")
    np.testing.assert_allclose(given.score, expected.score, atol=1e-12)
    np.testing.assert_allclose(given.relevance, expected.relevance, atol=1e-6)
    np.testing.assert_allclose(given.absorbed, expected.absorbed, atol=1e-6)


@pytest.mark.parametrize("method", ["integrated_gradients", "deep_lift"])
def test_the_baselines_score_is_absorbed(pair, rows, method):
    """Inputs at the baseline, 0 after scaling, have no relevance and score what is absorbed."""
    layered, module = pair
    (given,) = explain_months([[module]], [rows], EPSILON, method)
    np.testing.assert_allclose(given.relevance, methods.METHODS[method](layered, rows), atol=1e-6)
    baseline = baselines.network_scores([layered], layered.mean[None])
    np.testing.assert_allclose(given.absorbed, np.repeat(baseline, len(rows)), atol=1e-4)
    total = given.relevance.sum(1, dtype=np.float64) + given.absorbed
    np.testing.assert_allclose(total, given.score, atol=1e-12)


def test_an_ensemble_is_the_mean_of_its_members(pair, nets, network, rows):
    other = as_user_module(network(4, sizes=(6, 5, 1)), nets)
    together, one, two = (
        next(explain_months([members], [rows], EPSILON))
        for members in ([pair[1], other], [pair[1]], [other])
    )
    np.testing.assert_allclose(together.score, (one.score + two.score) / 2, atol=1e-12)
    np.testing.assert_allclose(together.relevance, (one.relevance + two.relevance) / 2, atol=1e-6)


def test_files_of_modules_are_explained(pair, rows, tmp_path):
    module = replace(pair[1], month="2010-01")
    store.write([module], tmp_path / "2010-01.safetensors")
    (again,) = store.read(tmp_path / "2010-01.safetensors")
    assert again.arguments == module.arguments and again.state.keys() == module.state.keys()
    frame = pd.DataFrame(rows, columns=list(module.features)).assign(
        month=pd.Timestamp("2010-01-31"), stock=[f"S{i}" for i in range(len(rows))]
    )
    table = explain(tmp_path, frame, EPSILON, "deep_lift")
    (expected,) = explain_months([[module]], [rows], EPSILON, "deep_lift")
    np.testing.assert_array_equal(table["score"], expected.score)
    np.testing.assert_array_equal(table[list(module.features)], expected.relevance)


def test_layers_without_a_rule_are_refused_in_words(pair, nets, rows):
    features = {"n_inputs": 6}
    recurrent = replace(pair[1], module=f"{nets}.Recurrent", arguments=features)
    from konkyo.models import user_module

    state = user_module.construct(recurrent.module, features).state_dict()
    recurrent = replace(recurrent, state={k: v.numpy() for k, v in state.items()})
    with pytest.raises(ParamsError, match=r"lrp_epsilon has no rule for a layer of .*Recurrent"):
        next(explain_months([[recurrent]], [rows], EPSILON, "lrp_epsilon"))
    (given,) = explain_months([[recurrent]], [rows], EPSILON)
    assert np.abs(given.relevance).max() > 1e-4


def test_a_module_is_evaluated_by_what_explains_it(pair, rows):
    evaluation = evaluate_methods(
        [pair[1]], rows, epsilon=EPSILON, n_permutations=2, seed=1, method="lrp_epsilon"
    )
    names = ["lrp_epsilon", "integrated_gradients", "gradient_input", "shapley_sampling"]
    assert list(evaluation.attributions) == names
    figures = metrics(summarise([evaluation]))
    assert list(figures) == names
    assert "epsilon_share" not in figures["lrp_epsilon"]
    trained = evaluate_methods([pair[0]], rows, epsilon=EPSILON, n_permutations=2, seed=1)
    for name in names:
        np.testing.assert_allclose(
            evaluation.attributions[name], trained.attributions[name], atol=1e-6
        )


def test_randomised_layers_begin_at_the_output(pair):
    module = pair[1]
    one, all_of_it = (randomise(module, n, np.random.default_rng(1)) for n in (1, 2))
    changed = {
        name for name in module.state if not np.array_equal(module.state[name], one.state[name])
    }
    assert changed == {"net.3.weight", "net.3.bias"}
    np.testing.assert_array_equal(one.state["net.3.weight"], all_of_it.state["net.3.weight"])
    assert np.abs(all_of_it.state["net.0.weight"]).max() <= 6**-0.5
    assert all_of_it.state["steps"] == 0
