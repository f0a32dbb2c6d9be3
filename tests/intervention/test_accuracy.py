import numpy as np
import pytest

from konkyo.intervention import accuracy


def test_brier_and_area_by_hand():
    yes, chance = np.array([True, False, True, False]), np.array([0.9, 0.2, 0.3, 0.4])
    assert accuracy.brier(yes, chance) == pytest.approx((0.01 + 0.04 + 0.49 + 0.16) / 4)
    assert accuracy.brier(yes, np.array([1.7, -2, 1, 0])) == 0
    assert accuracy.roc_auc(yes, chance) == pytest.approx(3 / 4)
    assert np.isnan(accuracy.roc_auc(np.ones(4, bool), chance))


def test_diebold_mariano_by_hand():
    loss, other = np.array([1.0, 2, 3, 4]), np.array([2.0, 2, 5, 5])
    statistic, p = accuracy.diebold_mariano(loss, other)
    # Differences -1, 0, -2, -1: mean -1, sample deviation sqrt(2/3).
    assert statistic == pytest.approx(-1 / np.sqrt(2 / 3 / 4))
    assert p == pytest.approx(0.0917, abs=1e-4)
    assert np.isnan(accuracy.diebold_mariano(loss, loss)[1])


def test_mcnemar_counts_months_only_one_got_right():
    right = np.array([True] * 8 + [False] * 2)
    other = np.array([False] * 6 + [True] * 2 + [True, False])
    only, only_benchmark, p = accuracy.mcnemar_test(right, other)
    assert (only, only_benchmark) == (6, 1)
    assert p == pytest.approx(2 * (1 + 7) / 2**7)
    assert accuracy.mcnemar_test(right, right) == (0, 0, 1.0)
