import numpy as np
import pytest

from konkyo.intervention import simulated
from konkyo.intervention.surface import threshold

MOVE = np.linspace(-3, 5, 801)


@pytest.mark.parametrize(
    ("share", "level", "expected"),
    [
        (np.clip(MOVE - 1, 0, 2), 0.05, 1.1),
        (np.clip(MOVE - 1, 0, 2) + 7, 0.5, 2.0),
        (np.clip(MOVE - 1, 0, 2) + np.clip(-MOVE - 2, 0, 1) * 0.5, 0.05, 1.1),
    ],
)
def test_the_threshold_is_where_the_rise_has_begun(share, level, expected):
    assert threshold(MOVE, share, level) == pytest.approx(expected, abs=1e-6)


def test_a_flat_or_falling_curve_has_no_threshold():
    assert np.isnan(threshold(MOVE, np.ones(801), 0.05))
    assert np.isnan(threshold(MOVE, -MOVE, 0.05))


@pytest.mark.parametrize("regime", simulated.REGIMES)
def test_the_true_response_by_regime(regime):
    change = -regime.sign * MOVE
    share = simulated.reaction(regime, change, deviation=0.0, balance=2.5)
    assert (share[MOVE <= simulated.THRESHOLD] == 0).all()
    assert (np.diff(share[(MOVE > 1) & (regime.width > MOVE - 1)]) > 0).all()
    assert share[-1] == pytest.approx(regime.most)
