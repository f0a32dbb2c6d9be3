"""The true function's shape, and its contributions against definitions written out."""

from dataclasses import replace
from itertools import combinations, permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.data.simulated.ground_truth import (
    EFFECTS,
    ground_truth,
    inputs_with_effect,
    shapley_values,
)
from konkyo.data.simulated.scenario import centred_ranks
from small import SIMULATED

from .conftest import OFF

BY_NAME = {effect.name: effect for effect in EFFECTS}
ALL = inputs_with_effect(SIMULATED)
ATTRIBUTES = [name for name in ALL if name != "topix_change"]


def shape(name: str, zero_roe: float = -0.8, **inputs: float) -> float:
    values = {key: np.array([value]) for key, value in inputs.items()}
    return float(BY_NAME[name].function(values, zero_roe)[0])


def attributes(seed: int, count: int = 12) -> dict[str, np.ndarray]:
    """Return attributes of a month, some of them missing."""
    random = np.random.default_rng(seed)
    made = {name: random.normal(size=count) for name in ATTRIBUTES}
    return {n: np.where(random.uniform(size=count) < 0.1, np.nan, v) for n, v in made.items()}


def test_reversal_falls_and_is_steeper_at_the_extremes():
    at = [shape("reversal", return_1=x) for x in (-1, -0.5, 0, 0.5, 1)]
    assert at == [1, 0.21875, 0, -0.21875, -1]


def test_quality_does_nothing_where_roe_is_negative():
    at = [shape("quality", roe_forecast=x) for x in (-1, -0.9, -0.8, 0.1, 1)]
    assert at == pytest.approx([0, 0, 0, 0.5, 1])


def test_quality_without_a_positive_roe_is_nothing():
    assert shape("quality", zero_roe=1.0, roe_forecast=1.0) == 0


def test_value_is_the_mean_of_both():
    assert shape("value", book_to_price=1, earnings_yield_forecast=0.5) == 0.75


def test_interaction_needs_both():
    assert shape("interaction", return_12=0.5, share_turnover=-1) == 0.5
    assert shape("interaction", return_12=0.5, share_turnover=0) == 0
    assert shape("interaction", return_12=0, share_turnover=1) == 0


@pytest.mark.parametrize(
    "change, full", [(0.05, 0), (0, 0), (-0.02, 0), (-0.05, 0.5), (-0.08, 1), (-0.3, 1)]
)
def test_regime_favours_cheap_small_losers_after_falls(change, full):
    cheap = {"book_to_price": 1, "size": -1, "return_3": -1}
    dear = {name: -value for name, value in cheap.items()}
    assert shape("regime", topix_change=change, **cheap) == pytest.approx(full)
    assert shape("regime", topix_change=change, **dear) == pytest.approx(-full)


RANKS = st.lists(st.floats(-1, 1), min_size=3, max_size=3).map(np.array)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
@settings(max_examples=25)
@given(data=st.data(), zero_roe=st.floats(-1, 1))
def test_shapley_is_the_mean_gain_over_all_orderings(effect, data, zero_roe):
    inputs = {name: data.draw(RANKS, label=name) for name in effect.inputs}
    none = np.zeros(3)
    gains = {name: np.zeros(3) for name in effect.inputs}
    for ordering in permutations(effect.inputs):
        current = dict.fromkeys(effect.inputs, none)
        worth = effect.function(current, zero_roe)
        for name in ordering:
            current = {**current, name: inputs[name]}
            gained = effect.function(current, zero_roe)
            gains[name] = gains[name] + gained - worth
            worth = gained
    for name, value in shapley_values(effect, inputs, zero_roe).items():
        expected = gains[name] / factorial(len(effect.inputs))
        np.testing.assert_allclose(value, expected, atol=1e-12)


@pytest.mark.parametrize("seed", [1, 2])
def test_contributions_are_shapley_values(seed):
    # From the definition over all 2**9 subsets of inputs: the groups share two of them.
    given = attributes(seed)
    roe = given["roe_forecast"]
    zero_roe = 2 * (roe <= 0).sum() / np.isfinite(roe).sum() - 1
    actual = {name: centred_ranks(given[name]) for name in ATTRIBUTES}
    actual["topix_change"] = np.full(12, -0.06)
    none = np.zeros(12)

    def worth(chosen: tuple[str, ...]) -> np.ndarray:
        at = {name: actual[name] if name in chosen else none for name in ALL}
        return sum(getattr(SIMULATED, e.name) * e.function(at, zero_roe) for e in EFFECTS)

    known = {frozenset(c): worth(c) for k in range(len(ALL) + 1) for c in combinations(ALL, k)}
    found = ground_truth(SIMULATED, given, -0.06)
    for name in ALL:
        expected = sum(
            factorial(len(s)) * factorial(len(ALL) - len(s) - 1) / factorial(len(ALL))
            * (known[s | {name}] - known[s])
            for s in known if name not in s
        )  # fmt: skip
        np.testing.assert_allclose(found.contributions[name], expected, atol=1e-15)


@given(seed=st.integers(0, 10_000), change=st.floats(-0.3, 0.3), count=st.integers(2, 20))
def test_contributions_sum_to_relative_expectations(seed, change, count):
    found = ground_truth(SIMULATED, attributes(seed, count), change)
    total = sum(found.contributions.values())
    np.testing.assert_allclose(found.baseline + total, found.expected, atol=1e-15)
    assert abs(found.expected.mean()) < 1e-15


def test_a_missing_input_contributes_nothing():
    given = attributes(3)
    given["return_1"][4] = np.nan
    assert ground_truth(SIMULATED, given, 0.0).contributions["return_1"][4] == 0


def test_without_a_fall_topix_contributes_nothing():
    assert not ground_truth(SIMULATED, attributes(3), 0.02).contributions["topix_change"].any()


def test_all_effects_off_is_exactly_zero():
    found = ground_truth(OFF, attributes(3), -0.1)
    assert not found.expected.any() and found.baseline == 0 and found.contributions == {}


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_one_effect_alone_names_its_inputs(effect):
    alone = replace(OFF, **{effect.name: 0.01})
    assert inputs_with_effect(alone) == list(effect.inputs)
    assert list(ground_truth(alone, attributes(3), -0.1).contributions) == list(effect.inputs)
