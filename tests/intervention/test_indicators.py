import numpy as np
import pandas as pd
import pytest

from konkyo.intervention import indicators

RECORDS = pd.DataFrame(
    {
        "month": pd.date_range("1990-01-31", periods=6, freq="ME"),
        "rate": [100.0, 110, 99, 99, 100, 102],
        "price_home": [1.0, 1, 1, 1, 1, 1],
        "price_abroad": [1.0, 1, 1, 1, 1, 2],
        "trade_balance": [1.0, 2, 3, 4, 5, 6],
        "gdp": [np.nan, np.nan, 300, np.nan, np.nan, 600],
        "intervention": [0.0, 5, 0, 0, -2, 0],
        "reserves": [50.0, 100, 100, 40, 40, 40],
    }
)


def test_parity_is_the_mean_real_rate_up_to_a_month():
    assert indicators.parity(RECORDS) == pytest.approx((100 + 110 + 99 + 99 + 100 + 204) / 6)
    until = RECORDS["month"][1]
    assert indicators.parity(RECORDS, until) == pytest.approx(105)


def test_realised_inputs_by_hand():
    row = indicators.realised(RECORDS, 105.0).iloc[2]
    assert row["change"] == pytest.approx(-10)
    assert row["change_before"] == pytest.approx(10)
    assert row["deviation"] == pytest.approx(99 - 105)
    # Quarters stand at their middle months, February and May: March is a third of the way.
    assert row["balance"] == pytest.approx(100 * 3 / (400 / 3))


def test_published_inputs_lag_one_and_two_months():
    row = indicators.published(RECORDS, 105.0).iloc[5]
    assert row["change"] == pytest.approx(100 / 99, abs=0.2)
    assert row["change_before"] == 0
    assert row["deviation"] == pytest.approx(99 - 105)
    assert row["balance"] == pytest.approx(100 * 4 / (300 / 3))


def test_published_inputs_know_last_months_rate_alone():
    later = RECORDS.copy()
    later.loc[5, ["rate", "price_abroad", "trade_balance", "gdp"]] = [1, 9, 9, 9]
    later.loc[4, ["price_abroad", "trade_balance"]] = [9, 9]
    before, after = (indicators.published(r, 105.0).iloc[5] for r in (RECORDS, later))
    pd.testing.assert_series_equal(before, after)


def test_the_target_divides_by_last_months_reserves():
    assert indicators.target(RECORDS)[[1, 4]] == pytest.approx([10, -5])
