import numpy as np
import pandas as pd
import pytest

from konkyo import dates
from konkyo.errors import RecordsError
from konkyo.features import market

ENDS = dates.month_end(np.arange(400, 404))
TABLE = pd.DataFrame({"month": ENDS, "VIX": [10.0, 20.0, 15.0, 30.0], "JGB": [1.0, 0.5, 0.75, 0.0]})


def test_transforms_by_hand():
    made = market.features(TABLE, {"VIX": ["level", "change"], "JGB": ["difference"]}, ENDS[1:])
    assert made.columns.tolist() == ["VIX", "VIX_change", "JGB_difference"]
    np.testing.assert_allclose(made["VIX"], [20, 15, 30])
    np.testing.assert_allclose(made["VIX_change"], [1.0, -0.25, 1.0])
    np.testing.assert_allclose(made["JGB_difference"], [-0.5, 0.25, -0.75])


def test_changes_within_one_vintage():
    # Rebased in the third month: 100 to 101 became 200 to 202, which rose to 204.
    table = pd.DataFrame({"month": ENDS, "GDP": [100.0, 101.0, 204.0, 206.0]})
    mixed = market.features(table, {"GDP": ["change", "level"]}, ENDS[1:])
    assert mixed["GDP_change"].iloc[1] > 1
    table["GDP_before"] = [np.nan, 100.0, 202.0, 204.0]
    made = market.features(table, {"GDP": ["change", "difference", "level"]}, ENDS[1:])
    np.testing.assert_allclose(made["GDP_change"], [0.01, 2 / 202, 2 / 204])
    np.testing.assert_allclose(made["GDP_difference"], [1, 2, 2])
    assert made["GDP"].tolist() == [101.0, 204.0, 206.0]


def test_a_month_without_a_value():
    with pytest.raises(RecordsError, match=r"VIX: the change is missing in 2003-05 \(1 months"):
        market.features(TABLE, {"VIX": ["change"]}, ENDS)


@pytest.mark.parametrize(
    ("values", "transform", "said"),
    [
        ([1.0, 2.0, 1e38, 3.0], "level", r"the level is 1e\+38 in 2003-07 \(1 months"),
        ([1.0, -1e39, 1e39, 3.0], "difference", r"difference is -1e\+39 in 2003-06 \(3 months"),
        ([1e-39, 17.0, 1.0, 3.0], "change", r"the change is 1\.7e\+40 in 2003-06 \(1 months"),
    ],
)
def test_a_value_that_float32_has_no_room_for(values, transform, said):
    table = TABLE.assign(VIX=values)
    with pytest.raises(RecordsError, match=said):
        market.features(table, {"VIX": [transform]}, ENDS[1:])
