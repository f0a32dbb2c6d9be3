"""How many trials the trials amount to, and what the best of them reaches without skill."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.backtesting import null_distribution
from konkyo.backtesting.expected_max_sharpe import correlations, effective_trials, expected_maximum
from konkyo.backtesting.objectives import objective_values
from konkyo.backtesting.sharpe import moments, probabilistic_sharpe

_MONTHS = 169
_RISK = 0.04


def _noise(seed: int, trials: int, related: float = 0.0, months: int = _MONTHS) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    own = rng.normal(0, _RISK, (months, trials))
    common = rng.normal(0, _RISK, (months, 1))
    return pd.DataFrame(
        math.sqrt(1 - related) * own + math.sqrt(related) * common,
        index=pd.date_range("2004-01-31", periods=months, freq="ME"),
    )


def _best(series: pd.DataFrame) -> float:
    return float(objective_values(series.to_numpy(), "sharpe_ratio").max())


def test_a_hundred_noise_trials_reach_two_thirds() -> None:
    # The claim: over 169 months, an annual return / risk of about 0.67 by luck.
    year = math.sqrt(12)
    assert expected_maximum(100, 1 / math.sqrt(_MONTHS)) * year == pytest.approx(0.67, abs=0.01)
    found = [_best(_noise(seed, 100)) for seed in range(200)]
    assert np.mean(found) == pytest.approx(0.67, abs=0.02)
    told = [null_distribution(_noise(seed, 100), seed).expected_maximum * year for seed in range(5)]
    # A little higher, since the deviation across trials is taken where it is above its due.
    assert np.mean(told) == pytest.approx(0.68, abs=0.02)


@pytest.mark.parametrize("related", [0.0, 0.5, 0.9])
def test_expected_maximum_is_that_of_simulated_trials(related: float) -> None:
    found = [_best(_noise(seed, 50, related)) for seed in range(200)]
    chances = [null_distribution(_noise(seed, 50, related), seed) for seed in range(6)]
    told = np.mean([chance.expected_maximum for chance in chances]) * math.sqrt(12)
    drawn = np.mean([chance.annual_maxima().mean() for chance in chances])
    assert told == pytest.approx(np.mean(found), abs=0.045)
    assert drawn == pytest.approx(np.mean(found), abs=0.045)


@pytest.mark.parametrize("related", [0.0, 0.9])
def test_few_searches_without_skill_are_significant(related: float) -> None:
    deflated, lucky = [], []
    for seed in range(60):
        series = _noise(seed, 10, related, months=121)
        chance = null_distribution(series, seed)
        record = moments(series[series.mean().div(series.std()).idxmax()])
        deflated.append(probabilistic_sharpe(record, chance.expected_maximum))
        lucky.append((chance.maxima >= record.sharpe_ratio).mean())
    assert np.mean(np.array(deflated) > 0.95) <= 0.1
    assert np.mean(np.array(lucky) < 0.05) <= 0.12
    # The draws know the distribution, so the probability is spread evenly.
    assert np.mean(lucky) == pytest.approx(0.5, abs=0.15)


def test_equal_trials_count_once() -> None:
    one = _noise(1, 1)
    same = pd.concat([one] * 30, axis=1, ignore_index=True)
    assert effective_trials(same) == pytest.approx(1.0, abs=1e-3)
    assert null_distribution(same).expected_maximum == 0.0
    ten = _noise(2, 10)
    groups = pd.concat([ten] * 5, axis=1, ignore_index=True)
    assert effective_trials(groups) == pytest.approx(10, abs=0.6)
    assert effective_trials(groups) == pytest.approx(effective_trials(ten), abs=0.4)
    # Scaled series are the same chance: leverage finds nothing.
    assert effective_trials(pd.concat([one, 3 * one], axis=1)) == pytest.approx(1.0, abs=1e-3)


def test_independent_trials_count_as_many_as_they_are() -> None:
    assert effective_trials(_noise(3, 100)) == pytest.approx(95, abs=6)
    assert effective_trials(_noise(3, 8)) == pytest.approx(8, abs=0.4)
    assert effective_trials(_noise(3, 1)) == 1.0
    # More trials than months are no trouble.
    assert effective_trials(_noise(3, 60, months=30)) > 40


def test_opposite_trials_are_two_chances_or_more() -> None:
    one = _noise(4, 1)
    both = pd.concat([one, -one], axis=1, ignore_index=True)
    # The better of x and -x is |x|: more than the better of two that know nothing of each other,
    # but the number never exceeds that of the trials.
    assert effective_trials(both) == 2.0


def test_pruned_trials_count_by_shared_months() -> None:
    ten = _noise(5, 10)
    copy = ten.copy()
    copy.iloc[40:] = np.nan
    copies = pd.concat([ten, copy], axis=1, ignore_index=True)
    assert effective_trials(copies) == pytest.approx(11, abs=2)
    # Eleven months in common are too few to call them alike, twelve are not.
    copy.iloc[11:] = np.nan
    few = pd.concat([ten, copy], axis=1, ignore_index=True)
    assert effective_trials(few) == pytest.approx(20, abs=1.5)
    copy = ten.copy()
    copy.iloc[12:] = np.nan
    assert correlations(pd.concat([ten[[0]], copy[[0]]], axis=1))[0, 1] == pytest.approx(1.0)
    # A trial that never got to a month is a trial.
    none = few.assign(never=np.nan)
    assert effective_trials(none) > effective_trials(few)


def test_indefinite_correlations_are_mended() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=24), rng.normal(size=24)
    gone = np.full(24, np.nan)
    # Alike in the first months, opposite in the next: no three variables correlate like this.
    series = pd.DataFrame(
        {
            "a": [*a, *b, *gone],
            "b": [*a, *gone, *b],
            "c": [*gone, *b, *-b],
        }
    )
    assert np.linalg.eigvalsh(series.corr(min_periods=12)).min() < -0.1
    mended = correlations(series)
    assert np.linalg.eigvalsh(mended).min() > -1e-9
    np.testing.assert_allclose(np.diag(mended), 1.0)
    assert 1 <= effective_trials(series) <= 3


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from([0.0, 0.5, 0.99]), st.booleans())
def test_effective_trials_lie_between_one_and_all(
    seed: int, trials: int, related: float, pruned: bool
) -> None:
    series = _noise(seed, trials, related, months=30)
    if pruned:
        series = series.where(np.random.default_rng(seed).random(series.shape) < 0.7)
    found = effective_trials(series)
    assert 1 <= found <= trials
    assert effective_trials(series[series.columns[::-1]]) == pytest.approx(found, rel=0.06)
    assert effective_trials(series) == found


@given(st.floats(1, 1e5), st.floats(0, 10))
def test_the_expected_maximum_grows_with_the_trials(trials: float, deviation: float) -> None:
    found = expected_maximum(trials, deviation)
    assert found >= 0
    assert expected_maximum(trials * 1.5, deviation) >= found


def test_trials_of_unequal_skill_raise_the_bar() -> None:
    series = _noise(7, 40)
    spread = series + np.linspace(-0.02, 0.02, 40)
    assert null_distribution(spread).std > 2 * null_distribution(series).std
    # As far as trials differ, it is the published deviation: that across their ratios.
    ratios = spread.mean() / spread.std()
    assert null_distribution(spread).std == pytest.approx(ratios.std())
    # Trials that were pruned do not widen it by the few months they had.
    pruned = series.copy()
    pruned.iloc[3:, 20:] = np.nan
    assert null_distribution(pruned).std < 1.3 / math.sqrt(_MONTHS - 1)
