"""Tables of grounds: they add up, keep their rows, and refuse what they cannot explain."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.attribution.attributions import as_frame, explain, explain_months
from konkyo.attribution.methods import as_module, relevance_propagation, scaled
from konkyo.attribution.rules import Epsilon
from konkyo.errors import ArtifactError
from konkyo.models import store

MONTHS = ["2010-01", "2010-02", "2010-03"]
EPSILON = 1e-3


@pytest.fixture(scope="module")
def networks(network):
    return [network(seed, month=month) for seed, month in enumerate(MONTHS)]


@pytest.fixture(scope="module")
def folder(networks, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights")
    for net in networks:
        store.write([net], path / f"{net.month}.safetensors")
    return path


@pytest.fixture
def frame(rows) -> pd.DataFrame:
    """Return four stocks in three months, in no order, with a column of no concern."""
    x = rows(1, stocks=12)
    table = pd.DataFrame(x, columns=[f"f{i}" for i in range(6)])
    ends = pd.to_datetime(["2010-01-31", "2010-02-28", "2010-03-31"])
    table.insert(0, "month", np.repeat(ends, 4))
    table.insert(1, "stock", ["A", "B", "C", "D"] * 3)
    table["sector"] = "Tech"
    return table.sample(frac=1, random_state=3)


def test_each_row_is_explained_by_its_months_network(networks, folder, frame):
    out = explain(folder, frame, EPSILON)
    names = list(networks[0].features)
    assert list(out.columns) == ["month", "stock", "score", *names, "absorbed"]
    pd.testing.assert_index_equal(out.index, frame.index)
    pd.testing.assert_frame_equal(out[["month", "stock"]], frame[["month", "stock"]])
    for place in range(len(frame)):
        row = frame.iloc[[place]]
        net = networks[row["month"].iloc[0].month - 1]
        x = row[names].to_numpy()
        score = as_module(net)(scaled(net, x)).item()
        assert out["score"].iloc[place] == pytest.approx(score, abs=1e-12)
        np.testing.assert_allclose(
            out[names].iloc[place], relevance_propagation(net, x, Epsilon(EPSILON))[0], rtol=1e-6
        )


def test_rows_add_up(folder, frame):
    out = explain(folder, frame, EPSILON)
    parts = out.drop(columns=["month", "stock", "score"]).astype(float).sum(axis=1)
    np.testing.assert_allclose(parts, out["score"], rtol=0, atol=1e-9)
    assert out["absorbed"].abs().max() > 1e-3


def test_an_index_with_repeats_keeps_its_order(folder, frame):
    expected = explain(folder, frame, EPSILON)
    frame.index = pd.Index([7] * len(frame))
    out = explain(folder, frame, EPSILON)
    pd.testing.assert_frame_equal(out.reset_index(drop=True), expected.reset_index(drop=True))


@settings(max_examples=15)
@given(sizes=st.lists(st.integers(1, 7), min_size=1, max_size=40), seed=st.integers(0, 100))
def test_many_months_at_once_equal_one_at_a_time(sizes, seed, network, rows):
    # More months than one pass takes, of different sizes: padding must leave no trace.
    nets = [[network(seed + place)] for place in range(len(sizes))]
    blocks = [rows(seed + place, stocks=size) for place, size in enumerate(sizes)]
    together = list(explain_months(nets, blocks, EPSILON))
    assert [len(grounds.score) for grounds in together] == sizes
    for net, block, grounds in zip(nets, blocks, together, strict=True):
        (alone,) = explain_months([net], [block], EPSILON)
        np.testing.assert_allclose(grounds.score, alone.score, atol=1e-12)
        np.testing.assert_allclose(grounds.relevance, alone.relevance, rtol=1e-5, atol=1e-9)
        whole = grounds.relevance.sum(1, dtype=np.float64) + grounds.absorbed
        np.testing.assert_allclose(whole, grounds.score, rtol=0, atol=1e-12)


@settings(max_examples=10)
@given(members=st.lists(st.integers(1, 5), min_size=1, max_size=20), seed=st.integers(0, 100))
def test_ensemble_relevances_are_means_over_members(members, seed, network, rows):
    nets = [[network(seed + 100 * i + k) for k in range(count)] for i, count in enumerate(members)]
    blocks = [rows(seed + i, stocks=3) for i in range(len(members))]
    for own, block, grounds in zip(
        nets, blocks, explain_months(nets, blocks, EPSILON), strict=True
    ):
        each = [next(iter(explain_months([[net]], [block], EPSILON))) for net in own]
        np.testing.assert_allclose(
            grounds.score, np.mean([e.score for e in each], axis=0), atol=1e-12
        )
        np.testing.assert_allclose(
            grounds.relevance, np.mean([e.relevance for e in each], axis=0), rtol=1e-4, atol=1e-6
        )


def test_as_frame_puts_names_to_numbers(network, rows):
    (grounds,) = explain_months([[network()]], [rows(stocks=2)], EPSILON)
    keys = pd.DataFrame({"month": [1, 1], "stock": ["A", "B"], "ret": [0.1, 0.2]}, index=[5, 9])
    out = as_frame(keys, [f"f{i}" for i in range(6)], grounds)
    assert list(out.index) == [5, 9]
    assert "ret" not in out
    np.testing.assert_array_equal(out["f3"], grounds.relevance[:, 3])


def test_a_month_without_a_network_is_named(folder, frame):
    frame["month"] += pd.DateOffset(months=2)
    with pytest.raises(ArtifactError, match=r"2 months .* first 2010-04: .* 2010-01 to 2010-03"):
        explain(folder, frame, EPSILON)


def test_an_empty_folder_names_the_stage_to_run(tmp_path, frame):
    with pytest.raises(ArtifactError, match=r"YYYY-MM\.safetensors is missing: run `dvc repro"):
        explain(tmp_path, frame, EPSILON)


@pytest.mark.parametrize("column", ["month", "stock"])
def test_a_missing_key_is_named(column, folder, frame):
    with pytest.raises(ArtifactError, match=f"no column '{column}'"):
        explain(folder, frame.drop(columns=column), EPSILON)


def test_a_frame_without_rows_is_refused(folder, frame):
    with pytest.raises(ArtifactError, match="no rows"):
        explain(folder, frame.iloc[:0], EPSILON)


def test_months_must_be_dates(folder, frame):
    with pytest.raises(ArtifactError, match=r"month is .* with 0 missing: .*to_datetime"):
        explain(folder, frame.assign(month="January"), EPSILON)
    frame.iloc[2, frame.columns.get_loc("month")] = pd.NaT
    with pytest.raises(ArtifactError, match="with 1 missing"):
        explain(folder, frame, EPSILON)


def test_missing_features_are_counted_and_named(folder, frame):
    with pytest.raises(ArtifactError, match=r"2 features have no column, first 'f1'"):
        explain(folder, frame.drop(columns=["f4", "f1"]), EPSILON)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_placed(value, folder, frame):
    frame.iloc[5, frame.columns.get_loc("f2")] = value
    with pytest.raises(ArtifactError, match=r"1 values .* first row 5, feature 'f2'"):
        explain(folder, frame, EPSILON)


def test_text_in_a_feature_is_named(folder, frame):
    with pytest.raises(ArtifactError, match=r"1 features are not numbers, first 'f3'"):
        explain(folder, frame.assign(f3="much"), EPSILON)


def test_networks_of_different_features_are_refused(networks, tmp_path, frame):
    names = ("f1", "f0", *networks[1].features[2:])
    for net in (networks[0], replace(networks[1], features=names), networks[2]):
        store.write([net], tmp_path / f"{net.month}.safetensors")
    with pytest.raises(ArtifactError, match="2010-01 and 2010-02 differ in features"):
        explain(tmp_path, frame, EPSILON)
