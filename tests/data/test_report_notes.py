"""What statements leave open is stated with numbers; what cannot be is a violation."""

import numpy as np
import pandas as pd
import pytest

from konkyo.config import Reports
from konkyo.data import fundamentals, fundamentals_read, plausibility
from konkyo.data.parsing import ParsedTable
from konkyo.data.stocks import is_size_proxy
from konkyo.dates import month_end
from small_files import parsed

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


def rules(frame: pd.DataFrame) -> list[tuple[str, int]]:
    table = parsed("reports", "own/reports.csv", frame)
    return [(one.rule, one.count) for one in fundamentals_read.check(table)]


@pytest.mark.parametrize("flow", ["sales", "net_profit"])
def test_sums_since_the_years_beginning_need_months(flow):
    assert rules(reports(QUARTERS, **{flow: CUMULATIVE})) == [("length", 7)]
    assert rules(reports(QUARTERS[1::2], **{flow: CUMULATIVE[1::2]})) == [("length", 3)]
    # Said to be quarters, one of which would be four times the other.
    wrong = rules(reports(QUARTERS, months=3, **{flow: CUMULATIVE}))
    assert wrong == ([("length", 7)] if flow == "sales" else [])
    months = [3, 6, 9, 12] * 2
    assert rules(reports(QUARTERS, months=months, **{flow: CUMULATIVE})) == []


def test_with_months_they_become_a_year():
    frame = reports(QUARTERS, months=[3, 6, 9, 12] * 2, sales=CUMULATIVE)
    stocks = pd.DataFrame({"month": MONTHS, "stock": "A"})
    spec = Reports(("x",), {}, 90, 12, 1000)
    sales = fundamentals.join(stocks, [frame], [spec]).set_index("month")["sales"]
    assert sales["2019-08-31"] == 960 + 250 - 240 == 970
    assert sales["2019-05-31"] == 960 and np.isnan(sales["2019-02-28"])


def test_trailing_years_by_quarter_are_assumed():
    frame = reports(QUARTERS, sales=np.arange(900.0, 980.0, 10.0), assets=1880.0)
    assert rules(frame) == []
    (note,) = plausibility.of_lengths("own/reports.csv", frame)
    assert note.text == (
        "own/reports.csv: period ends 3 months apart and no `months` in 7 rows: each is taken for "
        "twelve months, with a median sales of 0.497 x assets; a quarter's would be a fourth of "
        "what it should be"
    )
    assert not list(plausibility.of_lengths("x", frame.assign(months=12)))
    assert not list(plausibility.of_lengths("x", frame.iloc[3::4]))


def firms(n: int = 6) -> pd.DataFrame:
    """Return four years of firms whose amounts are as real ones' are."""
    rng = np.random.default_rng(3)
    stocks = pd.DataFrame({"stock": list("ABCDEF"[:n]) * 4, "year": np.repeat(range(4), n)})
    assets = np.tile(rng.lognormal(10, 1, n), 4) * 1.05 ** stocks["year"]
    shares = {"sales": 0.8, "equity": 0.4, "cash": 0.1, "net_profit": 0.03, "dividends": 0.01}
    amounts = {name: assets * share for name, share in shares.items()}
    end = pd.to_datetime(stocks["year"].add(2015).astype(str) + "-12-31")
    return pd.DataFrame({"stock": stocks["stock"], "period_end": end, "assets": assets, **amounts})


def test_amounts_of_one_unit_need_no_word():
    assert not list(plausibility.of_amounts("x", firms()))


@pytest.mark.parametrize("factor", [1000, 0.001])
@pytest.mark.parametrize("name", ["sales", "cash", "equity"])
def test_a_column_in_another_unit_is_counted(name, factor):
    frame = firms()
    frame[name] *= factor
    (note,) = plausibility.of_amounts("x", frame)
    assert note.text.startswith(f"x: {name!r} has a median of ") and "(24 rows)" in note.text


def test_assets_alone_in_another_unit_are_named():
    (note,) = plausibility.of_amounts("x", firms().assign(assets=lambda f: f["assets"] / 1000))
    assert note.text.startswith(
        "x: 'assets' is in another unit than the other amounts, it seems (24 ro"
    )


def test_rows_in_another_unit_are_counted():
    frame = firms()
    frame.loc[[0, 7], "sales"] *= 1000
    (note,) = plausibility.of_amounts("x", frame)
    assert note.text == (
        "x: 'sales' of 2 rows a thousand times off the stock's other statements, it seems "
        "(A 2015-12, B 2016-12)"
    )
    frame = firms()
    frame.loc[20, frame.columns[2:]] /= 1000
    (note,) = plausibility.of_amounts("x", frame)
    assert note.text.startswith("x: all amounts of 1 row a thousand times off")
    assert "(C 2018-12)" in note.text


def values(unit: int, valued: bool = True, size: float = 2e5) -> list[str]:
    stocks = pd.DataFrame([(m, s) for m in MONTHS for s in "ABC"], columns=["month", "stock"])
    frame = firms(3).assign(period_end=lambda f: f["period_end"] + pd.DateOffset(years=3))
    spec = Reports(("x",), {}, 90, 12, unit)
    joined = fundamentals.join(stocks.assign(size=size), [frame], [spec], valued)
    return [note.text for note in plausibility.of_ratios(joined)]


def test_usual_ratios_and_traded_value_have_no_note():
    assert values(1000) == values(1000, valued=False) == []


@pytest.mark.parametrize(("unit", "size"), [(1, 2e5), (1_000_000, 2e5), (1000, 2e8), (1000, 2e2)])
def test_a_mistaken_thousand_is_seen(unit, size):
    notes = values(unit, size=size)
    assert any("a median earnings_yield of " in note for note in notes)
    assert all("is of no market" in note for note in notes)


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
