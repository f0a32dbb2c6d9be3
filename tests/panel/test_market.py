import numpy as np
import pandas as pd
import pytest

from konkyo import months
from konkyo.errors import ParamsError, RecordsError
from konkyo.panel import market

ENDS = months.month_end(np.arange(400, 404))
TABLE = pd.DataFrame({"month": ENDS, "VIX": [10.0, 20.0, 15.0, 30.0], "JGB": [1.0, 0.5, 0.75, 0.0]})


def test_transforms_by_hand():
    made = market.features(TABLE, {"VIX": ["level", "change"], "JGB": ["difference"]}, ENDS[1:])
    assert made.columns.tolist() == ["VIX", "VIX_change", "JGB_difference"]
    np.testing.assert_allclose(made["VIX"], [20, 15, 30])
    np.testing.assert_allclose(made["VIX_change"], [1.0, -0.25, 1.0])
    np.testing.assert_allclose(made["JGB_difference"], [-0.5, 0.25, -0.75])


def test_unknown_series():
    with pytest.raises(ParamsError, match="has TOPIX, but the records' market series are VIX, JGB"):
        market.features(TABLE, {"TOPIX": ["level"]}, ENDS)


def test_a_month_without_a_value():
    with pytest.raises(
        RecordsError, match=r"VIX: no change in 1 months of the panel, first 2003-05"
    ):
        market.features(TABLE, {"VIX": ["change"]}, ENDS)
