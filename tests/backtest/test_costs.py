"""Costs by hand, and the returns of portfolios as they are held."""

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting.costs import CostRates, capacity, impact_per_root_aum, portfolio_returns
from konkyo.errors import ParamsError

JANUARY, FEBRUARY = pd.Timestamp("2020-01-31"), pd.Timestamp("2020-02-29")


@pytest.fixture
def book() -> pd.DataFrame:
    rows = [
        (JANUARY, "long", "A", 0.6, 0.10),
        (JANUARY, "long", "B", 0.4, np.nan),
        (JANUARY, "short", "C", 1.0, -0.02),
        (FEBRUARY, "long", "A", 0.5, 0.02),
        (FEBRUARY, "long", "D", 0.5, 0.04),
        (FEBRUARY, "short", "C", 1.0, 0.01),
    ]
    table = pd.DataFrame(rows, columns=["month", "leg", "stock", "weight", "ret"])
    return table.assign(model="network")


def test_returns_and_costs_by_hand(book: pd.DataFrame) -> None:
    table = portfolio_returns(book, CostRates(10.0, 20.0, 120.0)).set_index("month")
    # B has A's return and leaves cash of 0.4, which buys most of D.
    assert table["long"].to_dict() == pytest.approx({JANUARY: 0.10, FEBRUARY: 0.03})
    assert table["gross"].to_dict() == pytest.approx({JANUARY: 0.12, FEBRUARY: 0.02})
    # January buys each leg; in February A goes from 0.6 to 0.5 and D from 0 to 0.5. A twelfth of
    # 120 basis points is borrowing.
    assert table["net"].to_dict() == pytest.approx(
        {JANUARY: 0.12 - 0.001 - 0.002 - 0.001, FEBRUARY: 0.02 - 0.0006 - 0.001}
    )
    assert table["long_net"][FEBRUARY] == pytest.approx(0.03 - 0.0006)
    assert table["turnover"][FEBRUARY] == pytest.approx((0.3 + 0.0) / 2)
    assert table["missing"].tolist() == [1, 0]
    assert list(table["earned"]) == [FEBRUARY, pd.Timestamp("2020-03-31")]


def test_impact_by_hand(book: pd.DataFrame) -> None:
    # 2 per cent a day; A trades 10 a day, C 40; of D the records know nothing.
    records = pd.DataFrame(
        {
            "month": [JANUARY, JANUARY, JANUARY, FEBRUARY],
            "stock": ["A", "B", "C", "A"],
            "dollar_volume": [0.21, 0.21, 0.84, 0.21],
            "daily_volatility": 0.02,
        }
    )
    unit, without = impact_per_root_aum(book, records, coefficient=0.5)
    january = 0.5 * 0.02 * (0.6**1.5 + 0.4**1.5) / np.sqrt(10) + 0.5 * 0.02 / np.sqrt(40)
    february = 0.5 * 0.02 * (0.1**1.5 + 0.5**1.5) / np.sqrt(10)
    assert unit["network"].to_dict() == pytest.approx({JANUARY: january, FEBRUARY: february})
    assert without == 1

    free = CostRates(0.0, 0.0, 0.0)
    net = portfolio_returns(book, free, impact=unit * np.sqrt(4.0))["net"]
    assert net.tolist() == pytest.approx([0.12 - 2 * january, 0.02 - 2 * february])
    curve = capacity(portfolio_returns(book, free), unit, np.array([0.0, 4.0]))
    assert curve["net"].tolist() == pytest.approx([6 * 0.14, 6 * (0.14 - 2 * (january + february))])


def test_impact_needs_traded_value(book: pd.DataFrame) -> None:
    records = pd.DataFrame({"month": [JANUARY], "stock": ["A"], "daily_volatility": [0.02]})
    with pytest.raises(ParamsError, match=r"no dollar_volume.* set backtest.impact to null"):
        impact_per_root_aum(book, records, 1.0)


def test_a_month_without_returns_is_no_book(book: pd.DataFrame) -> None:
    ahead = book[book["month"] == FEBRUARY].assign(month=pd.Timestamp("2020-03-31"), ret=np.nan)
    rates = CostRates(10.0, 10.0, 0.0)
    longer = portfolio_returns(pd.concat([book, ahead]), rates)
    pd.testing.assert_frame_equal(longer, portfolio_returns(book, rates))
