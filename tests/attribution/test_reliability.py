"""Standard errors, thresholds and clusters: answers by hand, slow oracles, what must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from konkyo.attribution import methods, reliability
from konkyo.attribution.rules import Epsilon

SIGNALS = arrays.arrays(
    np.float64,
    st.integers(0, 30),
    elements=st.one_of(st.just(0.0), st.sampled_from([0.5, 2.5, 4.0]), st.floats(0, 10)),
)


def test_signals_by_hand():
    halves = np.array([[1.0, 1.0, -3.0, 0.0, 4.0], [3.0, 3.0, -1.0, 0.0, 4.0]])
    shown = np.array([5.0, 0.5, 2.0, 0.0, 4.0])
    # Means 2 2 -2 0 4, deviations 1 1 1 0 0: the mean is the smaller, then what is shown, then the
    # signs differ, and without a deviation there is none.
    signal = reliability.signal(shown, halves, halves.std(0))
    np.testing.assert_array_equal(signal, [2.0, 0.5, 0.0, 0.0, 0.0])
    # Twice the error, half the signal.
    np.testing.assert_array_equal(reliability.signal(shown, halves, 2 * halves.std(0)), signal / 2)


def test_moderated_errors_by_hand():
    # Of the first three inputs the variances a squared unit are 1, 4 and 9 and their median is 4:
    # half of it and half of their own are 2.5, 4 and 6.5. The fourth is alone in its group, the
    # last has no error.
    deviation = np.array([[1.0, 4.0, 3.0, 7.0, 0.0], [1.0, 4.0, 3.0, 7.0, 0.0]])
    squares = np.array([1.0, 4.0, 1.0, 0.5, 1.0])
    groups = ["characteristic"] * 3 + ["market", "characteristic"]
    error = deviation * reliability.moderation(deviation, squares, groups)
    np.testing.assert_allclose(error[0] ** 2, [2.5, 16.0, 6.5, 49.0, 0.0])


@given(st.integers(0, 2**16))
def test_moderated_errors_are_at_least_0_71_of_own(seed):
    rng = np.random.default_rng(seed)
    deviation, squares = rng.exponential(size=(3, 6)), rng.exponential(size=6)
    groups = rng.choice(["characteristic", "sector"], 6)
    factor = reliability.moderation(deviation, squares, groups)
    assert (factor >= np.sqrt(0.5)).all()
    # An input in other units, and with it its relevance, changes no other input's error.
    scale = np.array([5.0, 1, 1, 1, 1, 1])
    other = reliability.moderation(deviation * scale, squares * scale**2, groups)
    np.testing.assert_allclose(other, factor)


def test_moderation_makes_six_networks_more_certain():
    """Of inputs with one true error, moderated estimates scatter less around it."""
    rng = np.random.default_rng(2)
    halves = rng.normal(size=(6, 1, 40))
    deviation = halves.std(0)
    factor = reliability.moderation(deviation, np.ones(40), ["characteristic"] * 40)
    moderated = deviation * factor
    assert np.log(moderated).std() < 0.6 * np.log(deviation).std()


def slow_threshold(signals, placebo, false_share):
    """Try every signal of the month, from the smallest on."""
    for limit in sorted(signals):
        share = np.mean([value >= limit for value in signals])
        if limit >= 2.5 and np.mean([value >= limit for value in placebo]) <= false_share * share:
            return limit
    return np.inf


@given(signals=SIGNALS, placebo=SIGNALS, false_share=st.sampled_from([0.01, 0.1, 0.5]))
def test_a_threshold_is_that_of_the_slow_search(signals, placebo, false_share):
    limit = reliability.threshold(signals, placebo, false_share)
    if len(placebo):
        assert limit == slow_threshold(signals, placebo, false_share)
    else:
        assert limit == np.inf


@given(st.integers(0, 2**16))
def test_signals_do_not_depend_on_units(seed):
    rng = np.random.default_rng(seed)
    shown, halves = rng.normal(size=(3, 4)), rng.normal(size=(6, 3, 4))
    error = halves.std(0)
    signal = reliability.signal(shown, halves, error)
    np.testing.assert_allclose(reliability.signal(8 * shown, 8 * halves, 8 * error), signal)
    np.testing.assert_allclose(reliability.signal(-shown, -halves, error), signal)
    assert (signal <= np.abs(halves.mean(0)) / halves.std(0) + 1e-12).all()


def test_other_sectors_and_calendar_take_no_part():
    groups = ["characteristic", "sector", "sector", "calendar", "market"]
    features = np.array([[0.3, 1, 0, 1, 7.0], [0.0, 0, 1, 1, 7.0]])
    expected = [[True, True, False, False, True], [True, False, True, False, True]]
    assert reliability.taking_part(features, groups).tolist() == expected


def test_halves_agree_with_one_network_at_a_time(network, rows):
    networks, x = [network(seed) for seed in range(4)], rows()
    halves = reliability.explain_halves(networks, x, 0.01)
    for member, relevance in zip(networks, halves.relevance, strict=True):
        slow = methods.relevance_propagation(member, x, Epsilon(0.01))
        np.testing.assert_allclose(relevance, slow, rtol=1e-3, atol=1e-4)


def test_moments_give_the_correlations_of_a_window():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 4)).astype(np.float32) @ rng.normal(size=(4, 4))
    features[:, 3] = 0.7
    spans = [slice(start, start + 20) for start in (0, 20, 40)]
    moments = reliability.Moments.of(features, spans)
    found = moments.correlation(slice(1, 3))
    np.testing.assert_allclose(found[:3, :3], np.corrcoef(features[20:, :3].T), atol=1e-10)
    assert not found[3].any()


def test_twins_share_a_cluster_and_dummies_do_not():
    groups = ["characteristic"] * 3 + ["sector", "market"]
    correlation = np.eye(5)
    correlation[0, 2] = correlation[2, 0] = -0.9
    correlation[3, 4] = correlation[4, 3] = 1.0
    cluster = reliability.clusters(correlation, groups)
    assert cluster.tolist() == [0, 1, 0, 3, 4]
    relevance = np.arange(5.0)[None]
    assert reliability.by_cluster(relevance, cluster).tolist() == [[2.0, 1.0, 0.0, 3.0, 4.0]]
    assert reliability.clusters(np.eye(1), ["market"]).tolist() == [0]


@given(st.integers(0, 2**16))
def test_clusters_keep_the_sum_of_relevances(seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 7))
    moments = reliability.Moments.of(features, [slice(0, 40)])
    cluster = reliability.clusters(moments.correlation(slice(0, 1)), ["characteristic"] * 7)
    assert (cluster <= np.arange(7)).all()
    assert (cluster[cluster] == cluster).all()
    relevance = rng.normal(size=(3, 7))
    sums = reliability.by_cluster(relevance, cluster)
    np.testing.assert_allclose(sums.sum(1), relevance.sum(1))


def test_errors_of_scores_and_ranks_by_hand():
    halves = reliability.Halves(
        score=np.array([[3.0, 2.0, 1.0], [3.0, 1.0, 2.0]]),
        relevance=np.zeros((2, 3, 1)),
        squares=np.ones(1),
    )
    errors = reliability.errors(
        np.array([0.3, 0.2, 0.1]),
        np.zeros((3, 1)),
        halves,
        error=np.zeros((3, 1)),
        reliable=np.zeros((3, 1), dtype=bool),
        cluster=np.array([0]),
        threshold=2.0,
    )
    assert errors.score.tolist() == [0.0, 0.5, 0.5]
    # Ranks 1 1, 2 3 and 3 2: no error, and half a rank each; none is better than the first.
    assert errors.rank_low.tolist() == [1.0, 1.0, 2.0]
    assert errors.rank_high.tolist() == [1.0, 3.0, 3.0]


def test_error_of_a_difference_of_portfolios_by_hand():
    score = np.array([0.1, 0.4, 0.2, 0.3])
    halves = np.zeros((2, 4, 1))
    halves[:, :, 0] = [[1, 5, 2, 3], [1, 9, 2, 7]]
    # Two portfolios of two: (5 + 3 - 1 - 2) / 2 and (9 + 7 - 1 - 2) / 2; four of one: 4 and 8.
    assert reliability.difference_error(score, halves, 2).tolist() == [2.0]
    assert reliability.difference_error(score, halves, 4).tolist() == [2.0]
    assert reliability.difference_error(score[:1], halves[:, :1], 4).tolist() == [0.0]


def test_half_samples_estimate_the_error_of_a_mean():
    """Of a mean of months, the delete-half jackknife is the usual standard error."""
    rng = np.random.default_rng(1)
    months = rng.normal(size=36)
    halves = []
    for _ in range(2000):
        order = rng.permutation(36)
        halves += [months[order[:18]].mean(), months[order[18:]].mean()]
    expected = months.std(ddof=1) / 6
    assert np.std(halves) == pytest.approx(expected, rel=0.03)


def test_errors_of_a_cluster_by_hand():
    # Two inputs whose halves give 1 3 and 2 4: their sum gives 3 7, an error of 2. The inputs' own
    # errors are 1 and 1; as 1 and 2 they have 5 instead of 2 of variance.
    relevance = np.array([[[1.0, 2.0]], [[3.0, 4.0]]])
    halves = reliability.Halves(score=np.zeros((2, 1)), relevance=relevance, squares=np.ones(2))
    errors = reliability.errors(
        np.zeros(1),
        np.array([[2.0, 3.0]]),
        halves,
        error=np.array([[1.0, 2.0]]),
        reliable=np.zeros((1, 2), dtype=bool),
        cluster=np.array([0, 0]),
        threshold=1.5,
    )
    np.testing.assert_allclose(errors.cluster_relevance, [[2 * np.sqrt(2.5), 0.0]])
    # 5 over 3.16 is 1.58.
    assert errors.cluster_reliable.tolist() == [[True, False]]
