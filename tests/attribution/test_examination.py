import math

import numpy as np
import pandas as pd
import pytest

from konkyo.attribution import methods
from konkyo.attribution.examination import evaluate_methods, summarise
from konkyo.attribution.findings import findings

EPSILON = 1e-3


@pytest.fixture
def members(network):
    """Two networks of one month."""
    return [network(seed=0), network(seed=1)]


@pytest.fixture
def rows(members):
    return np.random.default_rng(1).normal(size=(6, len(members[0].features)))


def test_an_ensemble_is_explained_by_the_mean_over_its_members(members, rows):
    found = evaluate_methods(members, rows, EPSILON, draws=3, seed=1)
    for name, method in methods.methods_by_name(EPSILON).items():
        expected = (method(members[0], rows) + method(members[1], rows)) / 2
        np.testing.assert_allclose(found.relevance[name], expected)
    assert "shapley_sampling" in found.relevance
    assert set(found.seeds["method"]) == set(found.relevance)
    assert found.seeds["rank_correlation"].between(-1, 1).all()


def test_a_single_network_has_no_seeds_to_compare(members, rows):
    found = evaluate_methods(members[:1], rows, EPSILON, draws=3, seed=1)
    assert found.seeds.empty
    told = findings(summarise([found, found]))
    assert "seeds" not in told["lrp_epsilon"]
    assert set(told["lrp_epsilon"]) == {"deletion_area", "randomised"}


def test_summary_is_the_mean_over_months(members, rows):
    one = evaluate_methods(members, rows, EPSILON, draws=3, seed=1)
    other = evaluate_methods(members, rows[::-1] * 2, EPSILON, draws=3, seed=2)
    table = summarise([one, other])["deletion"]
    for name in ("lrp_epsilon", "deep_lift"):
        areas = [t.deletion.set_index("method").loc[name, "area"].iloc[0] for t in (one, other)]
        made = table[table["method"] == name]["area"]
        assert made.tolist() == pytest.approx([np.mean(areas)] * len(made))


def test_findings_by_hand():
    tables = {
        "deletion": pd.DataFrame({"method": ["a", "a", "b"], "area": [0.4, 0.4, math.nan]}),
        "randomised": pd.DataFrame(
            {"method": ["a", "a"], "layers": [0, 4], "rank_correlation": [1.0, 0.1]}
        ),
        "seeds": pd.DataFrame({"method": ["a"], "rank_correlation": [0.7]}),
        "agreement": pd.DataFrame(
            {"method": ["a", "c"], "measure": ["sign_agreement"] * 2, "mean": [0.8, 0.6]}
        ),
    }
    assert findings(tables) == {
        "a": {
            "deletion_area": 0.4,
            "randomised": 0.1,
            "seeds": 0.7,
            "truth": {"sign_agreement": 0.8},
        },
        "c": {"truth": {"sign_agreement": 0.6}},
    }
