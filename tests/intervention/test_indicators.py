from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.seasonal import STL

from konkyo.errors import RecordsError
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


@pytest.fixture
def plain(study):
    return replace(study.inputs, seasonal_adjustment=False)


def reference(records, config):
    """Return data set II of the last month, with parity at 105."""
    return indicators.published(records, len(records) - 1, real_rate=105.0, config=config)


def test_parity_is_the_mean_real_rate_of_its_base():
    expected = (100 + 110 + 99 + 99 + 100 + 204) / 6
    assert indicators.mean_real_rate(RECORDS, "all") == pytest.approx(expected)
    assert indicators.mean_real_rate(RECORDS, "1990-01..1990-02") == pytest.approx(105)
    with pytest.raises(RecordsError, match=r"is 1990-01\.\.1990-07, .* to 1990-06: choose"):
        indicators.mean_real_rate(RECORDS, "1990-01..1990-07")


def test_realised_inputs_by_hand():
    row = indicators.realised(RECORDS, 105.0, seasonal=False).iloc[2]
    assert row["change"] == pytest.approx(-10)
    assert row["change_before"] == pytest.approx(10)
    assert row["deviation"] == pytest.approx(99 - 105)
    # Quarters stand at their middle months, February and May: March is a third of the way.
    assert row["balance"] == pytest.approx(100 * 3 / (400 / 3))


def test_lagged_inputs_of_footnote_12_by_hand():
    inputs = indicators.realised(RECORDS, 105.0, seasonal=False)
    row = indicators.lagged(inputs, RECORDS["rate"]).iloc[5]
    # The rate of June, the prices of May, the balance of April.
    assert row["deviation"] == pytest.approx(102 - 105)
    assert row["balance"] == inputs["balance"][3]
    assert row["change"] == inputs["change"][5]


def test_data_set_ii_by_hand(plain):
    """Without month-ends the change of t-1 stands in both places (footnote 17)."""
    row = reference(RECORDS, plain)
    # April's balance: the first quarter is the last complete one.
    expected = [100 / 99, 100 / 99, 99 - 105, 100 * 4 / (300 / 3)]
    np.testing.assert_allclose(row, expected, rtol=0.02)
    assert row[0] == row[1] == pytest.approx(100 * (100 / 99 - 1))


def test_month_ends_give_the_change_of_data_set_ii(plain):
    records = RECORDS.assign(rate_end=[100.0, 100, 100, 100, 90, 80])
    row = reference(records, plain)
    assert row[0] == pytest.approx(-10)
    assert row[1] == pytest.approx(100 * (100 / 99 - 1))


def test_parity_alone_may_be_extended(plain):
    row = reference(RECORDS, replace(plain, extended="parity"))
    # The rate of May less the parity of April.
    assert row[2] == pytest.approx(100 - 105)
    assert row[3] == reference(RECORDS, plain)[3]


@pytest.mark.parametrize("extended", ["deviation", "parity"])
def test_data_set_ii_sees_nothing_later(records, study, extended):
    """Prices, trade and GDP from t-1 on and the rate of t may change, STL included."""
    row = 100
    later = records.copy()
    later.loc[row:, ["rate"]] *= 3
    later.loc[row - 1 :, ["price_home", "trade_balance", "gdp"]] *= 5
    config = replace(study.inputs, extended=extended)
    before, after = (
        indicators.published(one, row, real_rate=170.0, config=config) for one in (records, later)
    )
    assert before.tolist() == after.tolist()
    ahead = replace(config, looks_ahead=True)
    two_sided = [
        indicators.published(one, row, real_rate=170.0, config=ahead) for one in (records, later)
    ]
    # The paper's setting adjusts the whole record: it does look ahead.
    assert two_sided[0][3] != two_sided[1][3]


def test_seasons_are_removed_by_stl(records):
    month = np.arange(len(records))
    season = np.sin(2 * np.pi * month / 12)
    swing = records.assign(
        trade_balance=records["trade_balance"] * (1 + 0.5 * season),
        gdp=records["gdp"] * (1 + 0.1 * np.cos(2 * np.pi * month / 12)),
    )
    plain, raw, adjusted = (
        indicators.realised(one, 170.0, seasonal=seasonal)["balance"]
        for one, seasonal in ((records, False), (swing, False), (swing, True))
    )
    assert np.abs(adjusted - plain).mean() < 0.4 * np.abs(raw - plain).mean()
    trade = (
        swing["trade_balance"] - STL(swing["trade_balance"].to_numpy(), period=12).fit().seasonal
    )
    gdp = np.log(swing["gdp"].dropna())
    gdp = np.exp(gdp - STL(gdp.to_numpy(), period=4).fit().seasonal)
    # GDP of a quarter stands at its middle month, the one before the quarter's last.
    at = gdp.index.to_numpy()[1:]
    expected = 300 * trade.to_numpy()[at - 1] / gdp.to_numpy()[1:]
    np.testing.assert_allclose(adjusted[at - 1], expected)


def test_stl_needs_two_years(records):
    with pytest.raises(RecordsError, match=r"needs 24 months .* there are 23 up to 1982-04"):
        indicators.realised(records.iloc[:23], 170.0, seasonal=True)


def test_reserves_of_the_month_before_or_of_the_month(plain):
    assert indicators.reserves(RECORDS, plain)[[1, 4]].tolist() == [50, 40]
    same = replace(plain, reserves="same")
    assert indicators.reserves(RECORDS, same).tolist() == RECORDS["reserves"].tolist()
