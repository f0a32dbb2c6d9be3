"""What statements leave open is stated with numbers; what cannot be is a violation."""

import numpy as np
import pandas as pd
import pytest

from konkyo.config import Reports
from konkyo.data import fundamentals, notes
from konkyo.data.parsing import ParsedTable
from konkyo.data.stocks import is_size_proxy
from konkyo.dates import month_end

MONTHS = month_end(np.arange(576, 606))
"""2018-01 to 2020-06."""


def reports(ends: list[str], **columns) -> pd.DataFrame:
    frame = pd.DataFrame({"stock": "A", "period_end": pd.to_datetime(ends), **columns})
    return frame.assign(published=frame["period_end"] + pd.Timedelta(days=40))


QUARTERS = [
    "2018-06-30", "2018-09-30", "2018-12-31", "2019-03-31",
    "2019-06-30", "2019-09-30", "2019-12-31", "2020-03-31",
]  # fmt: skip
CUMULATIVE = [240.0, 480.0, 720.0, 960.0, 250.0, 500.0, 750.0, 1000.0]


def test_with_months_they_become_a_year():
    frame = reports(QUARTERS, months=[3, 6, 9, 12] * 2, sales=CUMULATIVE)
    stocks = pd.DataFrame({"month": MONTHS, "stock": "A"})
    spec = Reports(("x",), {}, 90, 12, 1000)
    sales = fundamentals.join(stocks, [frame], [spec]).set_index("month")["sales"]
    assert sales["2019-08-31"] == 960 + 250 - 240 == 970
    assert sales["2019-05-31"] == 960 and np.isnan(sales["2019-02-28"])


def firms(n: int = 6) -> pd.DataFrame:
    """Return four years of firms whose amounts are as real ones' are."""
    rng = np.random.default_rng(3)
    stocks = pd.DataFrame({"stock": list("ABCDEF"[:n]) * 4, "year": np.repeat(range(4), n)})
    assets = np.tile(rng.lognormal(10, 1, n), 4) * 1.05 ** stocks["year"]
    shares = {"sales": 0.8, "equity": 0.4, "cash": 0.1, "net_profit": 0.03, "dividends": 0.01}
    amounts = {name: assets * share for name, share in shares.items()}
    end = pd.to_datetime(stocks["year"].add(2015).astype(str) + "-12-31")
    return pd.DataFrame({"stock": stocks["stock"], "period_end": end, "assets": assets, **amounts})


def values(unit: int, valued: bool = True, size: float = 2e5) -> list[str]:
    stocks = pd.DataFrame([(m, s) for m in MONTHS for s in "ABC"], columns=["month", "stock"])
    frame = firms(3).assign(period_end=lambda f: f["period_end"] + pd.DateOffset(years=3))
    spec = Reports(("x",), {}, 90, 12, unit)
    joined = fundamentals.join(stocks.assign(size=size), [frame], [spec], valued)
    return [note.text for note in notes.of_ratios(joined)]


def test_usual_ratios_and_traded_value_have_no_note():
    assert values(1000) == values(1000, valued=False) == []


@pytest.mark.parametrize(("unit", "size"), [(1, 2e5), (1_000_000, 2e5), (1000, 2e8), (1000, 2e2)])
def test_a_mistaken_thousand_is_seen(unit, size):
    texts = values(unit, size=size)
    assert any("a median earnings_yield of " in text for text in texts)
    assert all("is of no market" in text for text in texts)


@pytest.mark.parametrize(
    "name",
    ["amount", "Amount", "Va", "売買代金", "Turnover Value", "dollar_volume", "traded_value",
     "成交额", "거래대금", "ADV 20", "volume"],
)  # fmt: skip
def test_names_of_traded_value(name):
    assert is_size_proxy(ParsedTable("x", pd.DataFrame(), {"size": name}))


@pytest.mark.parametrize(
    "name", ["size", "market_cap", "時価総額", "mktval", "MarketValue", "総市値"]
)
def test_names_of_market_value(name):
    assert not is_size_proxy(ParsedTable("x", pd.DataFrame(), {"size": name}))
