"""Evaluation of the methods: means over ensembles and months, figures by hand, files and keys."""

import math

import numpy as np
import pandas as pd
import pytest

from konkyo.attribution import evaluation, methods
from konkyo.attribution.evaluation import evaluate_methods, metrics, summarise
from konkyo.io import read_parquet

EPSILON = 1e-3


@pytest.fixture
def members(network):
    """Two networks of one month."""
    return [network(seed=0), network(seed=1)]


@pytest.fixture
def rows(members):
    return np.random.default_rng(1).normal(size=(6, len(members[0].features)))


def evaluate(members, rows, seed=1):
    return evaluate_methods(members, rows, epsilon=EPSILON, n_permutations=3, seed=seed)


def test_ensemble_attribution_is_the_mean_of_members(members, rows):
    result = evaluate(members, rows)
    for name, method in methods.methods_by_name(EPSILON).items():
        expected = (method(members[0], rows) + method(members[1], rows)) / 2
        np.testing.assert_allclose(result.attributions[name], expected)
    assert "shapley_sampling" in result.attributions
    assert set(result.seed_correlation["method"]) == set(result.attributions)
    assert result.seed_correlation["rank_correlation"].between(-1, 1).all()


def test_single_network_has_no_seed_correlation(members, rows):
    result = evaluate(members[:1], rows)
    assert result.seed_correlation.empty
    figures = metrics(summarise([result, result]))
    assert set(figures["lrp_epsilon"]) == {
        *("deletion_auc", "cascading_randomisation", "epsilon_share"),
    }
    assert set(figures["shapley_sampling"]) == {"deletion_auc"}


def test_summary_is_the_mean_over_months(members, rows):
    months = [evaluate(members, rows), evaluate(members, rows[::-1] * 2, seed=2)]
    table = summarise(months)["deletion"]
    for name in ("lrp_epsilon", "deep_lift"):
        aucs = [m.deletion.set_index("method").loc[name, "auc"].iloc[0] for m in months]
        means = table[table["method"] == name]["auc"]
        assert means.tolist() == pytest.approx([np.mean(aucs)] * len(means))


def test_metrics_by_hand():
    tables = {
        "deletion": pd.DataFrame({"method": ["a", "a", "b"], "auc": [0.4, 0.4, math.nan]}),
        "cascading_randomisation": pd.DataFrame(
            {"method": ["a", "a"], "layers": [0, 4], "rank_correlation": [1.0, 0.1]}
        ),
        "seed_correlation": pd.DataFrame({"method": ["a"], "rank_correlation": [0.7]}),
        "absorption": pd.DataFrame({"method": ["a"], "epsilon": [0.03], "score": [0.6]}),
        "ground_truth": pd.DataFrame(
            {"method": ["a", "c"], "measure": ["sign_agreement"] * 2, "mean": [0.8, 0.6]}
        ),
    }
    assert metrics(tables) == {
        "a": {
            "deletion_auc": 0.4,
            "cascading_randomisation": 0.1,
            "seed_correlation": 0.7,
            "epsilon_share": pytest.approx(0.05),
            "ground_truth": {"sign_agreement": 0.8},
        },
        "c": {"ground_truth": {"sign_agreement": 0.6}},
    }


def test_files_hold_the_evaluation_and_its_key(members, rows, tmp_path):
    result = evaluate(members, rows)
    names = list(members[0].features)
    stocks = pd.DataFrame({"month": pd.Timestamp("2010-01-31"), "stock": list("ABCDEF")})
    stale = tmp_path / "2010-01/of_an_earlier_version.parquet"
    stale.parent.mkdir()
    stale.write_bytes(b"")
    evaluation.save(tmp_path / "2010-01", result, stocks=stocks, features=names, key="key")
    assert not stale.exists()

    keys = {"2010-01": "key", "2010-02": "key"}
    assert evaluation.pending(tmp_path, keys) == ["2010-02"]
    assert evaluation.pending(tmp_path, {"2010-01": "other"}) == ["2010-01"]

    (month,), attributions = evaluation.load(tmp_path, ["2010-01"])
    for name in evaluation.TABLES:
        pd.testing.assert_frame_equal(getattr(month, name), getattr(result, name))
    assert list(attributions) == list(result.attributions)
    for name, table in attributions.items():
        np.testing.assert_array_equal(table[names], result.attributions[name])
        assert table["stock"].tolist() == list("ABCDEF")
    assert len(read_parquet(tmp_path / "2010-01/attributions.parquet")) == 6 * len(attributions)

    evaluation.drop_stale(tmp_path, ["2010-02"])
    assert list(tmp_path.iterdir()) == []
