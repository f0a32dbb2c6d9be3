"""Relevances over seeds and over weights drawn anew."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import spearmanr

from konkyo.attribution import stability
from konkyo.attribution.methods import methods_by_name, relevance_propagation
from konkyo.attribution.rules import Epsilon
from konkyo.attribution.stability import cascading_randomisation, randomise, seed_correlation


def test_seeds_are_compared_by_pair_and_stock():
    rng = np.random.default_rng(1)
    relevances = list(rng.normal(size=(3, 5, 8)))
    out = seed_correlation(relevances)
    assert list(zip(out["first"], out["second"], strict=True)) == [(0, 1), (0, 2), (1, 2)]
    for row in out.itertuples():
        pairs = zip(relevances[row.first], relevances[row.second], strict=True)
        expected = np.mean([spearmanr(a, b).statistic for a, b in pairs])
        assert row.rank_correlation == pytest.approx(expected)


def test_equal_seeds_agree_and_turned_ones_disagree():
    relevance = np.random.default_rng(2).normal(size=(5, 8))
    out = seed_correlation([relevance, 2 * relevance, -relevance])
    np.testing.assert_allclose(out["rank_correlation"], [1, -1, -1])


def test_randomise_redraws_the_last_layers_only(network):
    net = network(1)
    before = [weight.copy() for weight in net.weights]
    for layers in range(4):
        drawn = randomise(net, layers, np.random.default_rng(5))
        changed = [
            not np.array_equal(a, b) for a, b in zip(net.weights, drawn.weights, strict=True)
        ]
        moved = [not np.array_equal(a, b) for a, b in zip(net.biases, drawn.biases, strict=True)]
        assert changed == moved == [place >= 3 - layers for place in range(3)]
        for weight, bias in zip(drawn.weights, drawn.biases, strict=True):
            assert weight.dtype == bias.dtype == np.float32
            assert bias.shape == weight.shape[1:]
    assert all(np.array_equal(a, b) for a, b in zip(before, net.weights, strict=True))
    few, more = (randomise(net, n, np.random.default_rng(5)) for n in (1, 2))
    np.testing.assert_array_equal(few.weights[2], more.weights[2])
    assert 0.8 * 6**-0.5 < np.abs(drawn.weights[0]).max() <= 6**-0.5


def test_relevance_propagation_notices_other_weights(network, rows):
    method = partial(relevance_propagation, rule=Epsilon(1e-3))
    table = [
        cascading_randomisation(network(seed, (12, 8, 1)), rows(seed, 40, 12), method, seed=seed)
        for seed in range(12)
    ]
    assert list(table[0]["layers"]) == [0, 1, 2]
    mean = np.mean([t["rank_correlation"] for t in table], axis=0)
    assert mean[0] == pytest.approx(1)
    assert abs(mean[2]) < 0.25


def test_sizes_are_compared_without_their_signs():
    one = np.array([[1.0, -2.0, 3.0, -4.0]])
    net = SimpleNamespace(parameters_by_layer=lambda: [np.zeros(5)])
    answers = iter([one, one, -one])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stability, "randomise", lambda network, layers, generator: network)
        out = stability.cascading_randomisation(net, one, lambda net, x: next(answers), seed=1)
    assert list(out["rank_correlation"]) == pytest.approx([1, -1])
    assert list(out["size_correlation"]) == pytest.approx([1, 1])


def test_a_method_blind_to_the_weights_is_exposed(network, rows):
    out = cascading_randomisation(network(), rows(), lambda net, x: x.astype(float), seed=1)
    np.testing.assert_allclose(out["rank_correlation"], 1)
    np.testing.assert_allclose(out["size_correlation"], 1)


@pytest.mark.parametrize("name", list(methods_by_name(1e-3)))
def test_every_method_changes_with_the_weights(name, network, rows):
    out = cascading_randomisation(network(3), rows(3), methods_by_name(1e-3)[name], seed=1)
    assert out["rank_correlation"].iloc[0] == pytest.approx(1)
    assert (out["rank_correlation"].iloc[1:] < 0.9).all()
