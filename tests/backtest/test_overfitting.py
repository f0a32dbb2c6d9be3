"""Choosing in one half and looking in the other: by a loop, on noise, with one skilled trial."""

import math
import time
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting import overfitting
from konkyo.backtesting.information_coefficient import t_statistic
from konkyo.backtesting.objectives import objective_values
from konkyo.backtesting.performance import sharpe_ratio
from konkyo.errors import KonkyoError

_SLOW = {"sharpe_ratio": sharpe_ratio, "t_statistic": t_statistic, "mean": pd.Series.mean}


def _noise(seed: int, months: int = 169, trials: int = 100) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        rng.normal(0, 0.04, (months, trials)),
        index=pd.date_range("2004-01-31", periods=months, freq="ME"),
    )


def _by_a_loop(series: pd.DataFrame, objective: str, blocks: int) -> pd.DataFrame:
    cuts = np.array_split(np.arange(len(series)), blocks)
    rows = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = pd.concat([series.iloc[cuts[i]] for i in chosen])
        outside = pd.concat([series.iloc[cuts[i]] for i in range(blocks) if i not in chosen])
        reached = inside.apply(_SLOW[objective])
        found = outside.apply(_SLOW[objective])
        best = reached.idxmax()
        share = found.rank()[best] / (series.shape[1] + 1)
        rows.append((best, reached[best], found[best], math.log(share / (1 - share))))
    return pd.DataFrame(rows, columns=["trial", "in_sample", "out_of_sample", "logit"])


@pytest.mark.parametrize("objective", ["sharpe_ratio", "t_statistic", "mean"])
@pytest.mark.parametrize(("months", "blocks"), [(24, 6), (29, 6), (37, 4)])
def test_equals_the_loop(objective: str, months: int, blocks: int) -> None:
    series = _noise(months, months, 7)
    found = overfitting(series, objective, blocks)
    slow = _by_a_loop(series, objective, blocks)
    pd.testing.assert_frame_equal(found.splits, slow, check_dtype=False)
    assert found.pbo == (slow["logit"] <= 0).mean()
    assert found.probability_of_loss == (slow["out_of_sample"] < 0).mean()
    slope, intercept = np.polyfit(slow["in_sample"], slow["out_of_sample"], 1)
    assert (found.slope, found.intercept) == (pytest.approx(slope), pytest.approx(intercept))


def test_values_of_a_released_library() -> None:
    # ffn 1.4.1: calc_prob_backtest_overfitting(series, n_blocks=6, full_output=True).
    waves = 0.03 * np.sin(np.arange(1, 145).reshape(24, 6) ** 2)
    series = pd.DataFrame(np.round(0.005 * np.arange(6) / 5 + waves, 4))
    found = overfitting(series, blocks=6)
    a, b, c, d = 0.287682, 0.916291, 1.791759, -1.791759
    theirs = [a, -b, a, -c, a, -b, -a, -b, b, -a, a, -b, -b, -a, -c, -a, -c, -b, b, d]
    np.testing.assert_allclose(found.splits["logit"], theirs, atol=1e-6)
    assert found.pbo == 0.7
    relative = 1 / (1 + np.exp(-found.splits["logit"]))
    assert relative.mean() == pytest.approx(0.38571428571428573)


def test_by_hand() -> None:
    # Two blocks of two months: a is better in the first, b in the second.
    series = pd.DataFrame({"a": [0.04, 0.02, -0.02, -0.02], "b": [0.00, 0.02, 0.01, 0.03]})
    found = overfitting(series, "mean", 2)
    assert found.splits["trial"].tolist() == ["a", "b"]
    assert found.splits["in_sample"].tolist() == pytest.approx([0.03, 0.02])
    assert found.splits["out_of_sample"].tolist() == pytest.approx([-0.02, 0.01])
    # Last of two both times: relative rank 1/3, logit ln(1/2).
    assert found.splits["logit"].tolist() == pytest.approx([math.log(0.5)] * 2)
    assert (found.pbo, found.probability_of_loss) == (1.0, 0.5)
    assert found.slope == pytest.approx(-3.0)


def test_half_of_the_choices_on_noise_are_worthless() -> None:
    found = [overfitting(_noise(seed), blocks=6) for seed in range(80)]
    assert np.mean([one.pbo for one in found]) == pytest.approx(0.5, abs=0.05)
    assert np.mean([one.probability_of_loss for one in found]) == pytest.approx(0.5, abs=0.06)
    # The better in one half, the worse in the other: the whole is what it is.
    assert np.mean([one.slope for one in found]) < -0.1


def test_random_signs_take_the_skill_of_choice_away() -> None:
    rng = np.random.default_rng(1)
    # Unlike a shuffle of months, new signs take each trial's own mean away.
    skilled = _noise(8) + np.linspace(-0.02, 0.02, 100)
    drawn = [
        overfitting(skilled * rng.choice([-1.0, 1.0], skilled.shape), blocks=8).pbo
        for _ in range(30)
    ]
    assert overfitting(skilled, blocks=8).pbo < 0.05
    assert np.mean(drawn) == pytest.approx(0.5, abs=0.1)


def test_a_skilled_trial_is_chosen_in_most_halves() -> None:
    series = _noise(2)
    series[17] += 0.03
    found = overfitting(series)
    assert found.pbo < 0.001
    assert (found.splits["trial"] == 17).mean() > 0.999
    assert found.probability_of_loss == 0.0


def test_full_size_in_seconds() -> None:
    series = _noise(3)
    start = time.perf_counter()
    found = overfitting(series, blocks=16)
    assert time.perf_counter() - start < 5
    assert len(found.splits) == 12_870


def test_pruned_and_repeated_trials_are_left_out() -> None:
    series = _noise(4, 64, 6)
    more = series.copy()
    more["pruned"] = series[0].where(np.arange(64) < 50)
    more["again"] = series[2]
    found, whole = overfitting(more, blocks=4), overfitting(series, blocks=4)
    assert found.trials == 6
    pd.testing.assert_frame_equal(found.splits, whole.splits, check_dtype=False)


def test_a_trial_without_a_ratio_is_never_chosen() -> None:
    series = _noise(5, 32, 3).assign(idle=0.0, constant=0.01)
    found = overfitting(series, blocks=4)
    assert set(found.splits["trial"]) <= {0, 1, 2}
    # Out of sample it is at least third of five, before the two without a ratio.
    assert found.splits["logit"].min() >= math.log(0.5 / 0.5)
    assert np.isfinite(found.slope)
    assert np.isnan(objective_values(series.to_numpy(), "sharpe_ratio")[3:]).all()


def test_objectives_leave_missing_months_out() -> None:
    series = _noise(6, 40, 3).where(np.random.default_rng(0).random((40, 3)) < 0.8)
    for name, slow in _SLOW.items():
        expected = [slow(series[column].dropna()) for column in series]
        np.testing.assert_allclose(objective_values(series.to_numpy(), name), expected)


@pytest.mark.parametrize(
    ("change", "blocks", "message"),
    [
        (lambda s: s[[0]], 4, "1 complete and different trials"),
        (lambda s: s.assign(**{"1": np.nan})[[0, "1"]], 4, "prune fewer"),
        (lambda s: s, 5, "5 blocks cannot be halved"),
        (lambda s: s, 0, "0 blocks cannot be halved"),
        (lambda s: s, 18, "at most 16 blocks"),
        (lambda s: s.iloc[::-1], 4, "not in order"),
    ],
)
def test_refusals_say_what_to_do(change, blocks: int, message: str) -> None:
    with pytest.raises(KonkyoError, match=message):
        overfitting(change(_noise(7, 33, 3)), blocks=blocks)
