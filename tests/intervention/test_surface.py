import numpy as np
import pandas as pd
import pytest

from konkyo.intervention import simulated
from konkyo.intervention.surface import half_interval, responses, shape, threshold

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


HUMP = np.clip(3 - np.abs(MOVE - 1), 0, None)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (np.ones(801), "flat"),
        (MOVE, "rising"),
        (-np.tanh(MOVE), "falling"),
        (MOVE + 0.01 * np.sin(20 * MOVE), "rising"),
        (HUMP, "hump"),
        (np.abs(MOVE), "trough"),
    ],
)
def test_the_shape_of_a_curve(share, expected):
    assert shape(share) == expected


def test_the_interval_above_half_of_a_hump():
    assert half_interval(MOVE, HUMP) == pytest.approx((-0.5, 2.5))
    # The right end is outside of the months' range.
    low, high = half_interval(MOVE[:500], HUMP[:500])
    assert low == pytest.approx(-0.5) and np.isnan(high)


def test_humps_have_peaks_monotone_curves_thresholds():
    curves = pd.concat(
        [
            pd.DataFrame(
                {"period": "A", "input": name, "seed": seed, "value": MOVE, "share": share}
            )
            for name, share in {
                "change": np.clip(MOVE - 1, 0, 2) - 0.01 * np.clip(MOVE - 3, 0, None),
                "balance": np.clip(-MOVE - 1, 0, 1),
                "deviation": HUMP,
            }.items()
            for seed in (0, 1)
        ]
    )
    read = responses(curves, 0.05).set_index("input")
    assert read["shape"].to_dict() == {
        "change": "rising",
        "balance": "falling",
        "deviation": "hump",
    }
    # A sag of a hundredth of the range is noise of the fit.
    assert read["threshold"]["change"] == pytest.approx(1.1)
    assert read["threshold"]["balance"] == pytest.approx(-1.05)
    assert np.isnan(read["threshold"]["deviation"])
    assert read.loc["deviation", ["peak", "half_from", "half_to"]].tolist() == pytest.approx(
        [1, -0.5, 2.5]
    )
    assert read.loc["balance", ["peak", "half_from", "half_to"]].isna().all()
    assert read["seeds"].tolist() == [2, 2, 0]
    assert read["std"].tolist()[:2] == [0, 0]
