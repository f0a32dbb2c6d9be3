"""A stock's whole life by hand: what is known at t, and what is earned in t+1."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_files import CASES, lines
from konkyo.config import Reports, Table
from konkyo.data.stocks import spells
from konkyo.errors import RecordsError
from konkyo.features.build import build
from konkyo.features.characteristics import raw_values
from small import small_params

NEW_YEAR = (Table((str(CASES / "new_year_market.csv"),), {}),)


def panel_of(records, first="2020-02", **changes):
    """Return the panel's rows by month and stock: what was known at t, `ret` of t+1."""
    params = replace(
        small_params().prepare,
        **{
            "first_month": first, "universe_size": 50, "sectors": (),
            "characteristics": ("return_1", "size"), "market": {"MKT": ("level",)}, **changes,
        },
    )  # fmt: skip
    panel, _ = build(records.stocks, records.market, params)
    raw = raw_values(records.stocks, panel.index, params.characteristics)
    return panel.index.assign(**raw).set_index([panel.index["month"].dt.strftime("%Y-%m"), "stock"])


def returns_of(records, stock):
    rows = records.stocks[records.stocks["stock"] == stock]
    return dict(zip(rows["month"].dt.strftime("%Y-%m"), rows["return"], strict=True))


@pytest.fixture
def table(tmp_path, load):
    """Return what loads a life of stock X beside three stocks that always trade."""

    def table(text: str, rows="monthly", **changes):
        lines = [line.split() for line in text.strip().splitlines()]
        head = lines[0]
        frame = pd.DataFrame(lines[1:], columns=head).replace("-", "").assign(stock="X")
        days = "month" if rows == "monthly" else "date"
        span = pd.period_range("2020-01", "2020-12", freq="M")
        if rows == "dated":
            span = pd.bdate_range("2020-01-01", "2020-12-31").astype("str")
        others = [
            pd.DataFrame({days: span, "stock": code, "close": 10.0, "size": 100.0, "shares": 1e4})
            for code in ("A", "B", "C")
        ]
        columns = [days, "stock", *[name for name in head if name != days]]
        pd.concat([*others, frame])[columns].to_csv(tmp_path / "stocks.csv", index=False)
        return load(tmp_path / "stocks.csv", rows=rows, **changes)

    return table


def test_a_first_row_is_known_and_earns_next(table):
    records = table("month close size\n2020-03 20 200\n2020-04 25 250\n2020-05 30 300")
    known = panel_of(records).xs("X", level="stock")
    assert known.index.tolist() == ["2020-03", "2020-04", "2020-05"]
    assert np.isnan(known["return_1"].iloc[0]) and known["return_1"].iloc[1] == 0.25
    assert known["ret"].iloc[0] == 0.25 and known["ret"].iloc[1] == pytest.approx(0.2)
    # What was the last row: nothing is earned, and the stock stays in the month's universe.
    assert np.isnan(known["ret"].iloc[2])


def test_a_gap_earns_nothing_and_is_no_decision(table):
    records = table("month close size\n2020-03 20 200\n2020-06 30 300\n2020-07 33 330")
    known = panel_of(records).xs("X", level="stock")
    assert known.index.tolist() == ["2020-03", "2020-06", "2020-07"]
    # From 20 to 30 over three months is no return of June's.
    assert np.isnan(known["ret"].iloc[0]) and np.isnan(known["return_1"].iloc[1])
    assert known["ret"].iloc[1] == pytest.approx(0.1)


def test_a_suspension_is_no_decision_and_counts_later(table):
    # No trade from 10 March to 20 April; the first price after it is 30 days or more later.
    text = "date close size\n2020-02-28 20 200\n2020-03-09 22 220\n2020-04-21 11 110\n"
    text += "2020-04-30 12 120\n2020-05-29 15 150"
    records = table(text, rows="dated")
    row = records.stocks[records.stocks["stock"] == "X"].set_index("month")
    assert row["eligible"].tolist() == [1, 0, 1, 1]
    assert row["return"].tolist()[1:] == pytest.approx([0.1, 12 / 22 - 1, 0.25])
    known = panel_of(records).xs("X", level="stock")
    # March's price is of three weeks ago: not bought at it; who bought in February earned 0.1.
    assert known.index.tolist() == ["2020-02", "2020-04", "2020-05"]
    assert known["ret"].tolist()[:2] == pytest.approx([0.1, 0.25])


def test_taken_over_in_mid_month(table):
    text = "date close size\n2020-02-28 20 200\n2020-03-31 22 220\n2020-04-08 30 300"
    records = table(text, rows="dated")
    assert returns_of(records, "X")["2020-04"] == pytest.approx(30 / 22 - 1)
    known = panel_of(records).xs("X", level="stock")
    # The offer is earned by who held it; at the end of April there is nothing to buy.
    assert known.index.tolist() == ["2020-02", "2020-03"]
    assert known["ret"].iloc[1] == pytest.approx(30 / 22 - 1)
    assert any("1 row whose last price is more than 10 days older" in n for n in lines(records))


@pytest.mark.parametrize("rows", ["monthly", "dated"])
@pytest.mark.parametrize("smallest", [-1.0, -0.8])
def test_a_bankrupt_stock_loses_all(load, rows, smallest):
    file = {"monthly": "bankrupt_monthly.csv", "dated": "bankrupt_daily.csv"}[rows]
    columns = {"dollar_volume": "size"} if rows == "dated" else {}
    records = load(CASES / file, rows=rows, columns=columns, smallest_return=smallest)
    earned = returns_of(records, "S12")
    if rows == "dated":
        assert earned["2020-11"] == -1.0
    else:
        assert (earned["2020-11"], earned["2020-12"]) == (-0.5, -1.0)
    last = max(earned)
    known = panel_of(records, first="2020-09" if rows == "dated" else "2020-02")
    before = f"{pd.Period(last) - 1}"
    assert known.loc[(before, "S12"), "ret"] == -1.0
    assert (last, "S12") not in known.index


def test_a_price_of_0_that_comes_back_is_refused(table, load, tmp_path):
    text = "{} close size\n2020-02-28 20 200\n2020-03-31 0 220\n2020-04-30 21 210"
    for rows, day in (("monthly", "month"), ("dated", "date")):
        with pytest.raises(RecordsError, match=r"0 and above 0 again .* 1 row \(X 2020-03-31\)"):
            table(text.format(day), rows=rows)
        # Said to be missing, it is.
        records = table(text.format(day), rows=rows, missing_values=(0.0,))
        assert np.isnan(returns_of(records, "X")["2020-04"])


def test_a_code_that_passes_to_another_firm(load):
    beside = {"reports": (Reports((str(CASES / "reused_reports.csv"),), {}, 90, 15, 1),)}
    records = load(CASES / "reused_code.csv", beside=beside)
    names = ("beta_36", "volatility_12", "return_3", "net_profit_growth", "sales")
    known = panel_of(records, first="2016-01", characteristics=names)
    old, new = known.loc[("2016-12", "S12")], known.loc[("2017-08", "S12")]
    assert old[["volatility_12", "return_3", "sales", "net_profit_growth"]].notna().all()
    # The new firm's second month: none of its own windows is full, and no report its own.
    assert new[list(names)].isna().all()
    # Eight months of its own are two thirds of twelve; the old firm's would be twelve of twelve.
    assert np.isnan(known.loc[("2018-01", "S12"), "volatility_12"])
    assert known.loc[("2018-02", "S12"), "volatility_12"] > 0
    # Its first report, and no growth since the other firm's.
    assert known.loc[("2017-12", "S12"), "sales"] == 0.007
    assert np.isnan(known.loc[("2017-12", "S12"), "net_profit_growth"])
    assert any("1 code without a price for 6 months or more" in n for n in lines(records))
    # Another stock's windows are as they were.
    assert known.loc[("2017-08", "S11"), ["beta_36", "volatility_12"]].notna().all()


def test_a_firm_that_a_user_says_is_the_same(load, tmp_path):
    frame = pd.read_csv(CASES / "reused_code.csv", dtype={"stock": str}).assign(spell=0)
    frame.to_csv(tmp_path / "stocks.csv", index=False)
    records = load(tmp_path / "stocks.csv")
    known = panel_of(records, first="2016-01", characteristics=("beta_36",))
    # 26 of the 36 months have returns.
    assert known.loc[("2017-08", "S12"), "beta_36"] != 0
    assert pd.notna(known.loc[("2017-08", "S12"), "beta_36"])
    assert not any("another firm" in note for note in lines(records))


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 40), min_size=1), st.integers(0, 40))
def test_spells_know_no_later_row(months, cut):
    frame = pd.DataFrame({"stock": "X", "month": sorted(months), "close": 1.0})
    frame["month"] = pd.PeriodIndex.from_ordinals(frame["month"], freq="M").to_timestamp("M")
    spell = spells(frame)
    # By hand: one more after every pause of six months or more.
    expected = np.cumsum(np.diff(sorted(months), prepend=min(months)) > 6)
    assert spell.tolist() == expected.tolist()
    early = frame[np.array(sorted(months)) <= cut]
    assert spells(early).tolist() == expected[: len(early)].tolist()


def test_a_price_of_0_that_stays(table):
    text = "date close shares\n2020-02-28 20 10000\n2020-03-31 0 10000\n2020-04-30 0 10000"
    records = table(text, rows="dated")
    row = records.stocks[records.stocks["stock"] == "X"].set_index("month")
    assert row["return"].tolist()[1:] == [-1.0, pytest.approx(np.nan, nan_ok=True)]
    assert row["size"].notna().tolist() == [True, False, False]
    # The one remedy that would delete the loss is not offered.
    assert not any("missing_values" in note for note in lines(records))


def test_a_suspension_of_rows_without_prices(table):
    text = "date close size\n2020-02-28 20 200\n2020-03-05 22 220\n2020-03-31 - 220\n"
    text += "2020-04-30 - 220\n2020-05-29 11 110"
    records = table(text, rows="dated")
    row = records.stocks[records.stocks["stock"] == "X"].set_index("month")
    assert row["eligible"].tolist() == [1, 0, 0, 1]
    assert panel_of(records).xs("X", level="stock").index.tolist() == ["2020-02", "2020-05"]


def test_a_code_reused_in_daily_rows(load, tmp_path):
    days = pd.bdate_range("2019-01-01", "2020-12-31")
    rng = np.random.default_rng(0)
    close = 20 * np.exp(rng.normal(0, 0.01, (len(days), 3)).cumsum(0))
    frame = pd.DataFrame(close, days, ["A", "B", "X"]).rename_axis("date").reset_index()
    frame = frame.melt("date", var_name="stock", value_name="close").assign(size=1.0)
    away = (frame["stock"] == "X") & frame["date"].between("2019-10-08", "2020-04-30")
    frame[~away].to_csv(tmp_path / "stocks.csv", index=False)
    stocks = load(tmp_path / "stocks.csv", rows="dated").stocks
    own = stocks[stocks["stock"] == "X"]
    assert own["spell"].tolist() == [0.0] * 10 + [1.0] * 8
    # A beta needs eight months; over the gap May 2020 would have five of the old firm's.
    assert own["beta_daily"].notna().tolist() == [False] * 7 + [True] * 3 + [False] * 7 + [True]


def test_a_month_in_which_the_market_was_shut(load, tmp_path):
    rows = [
        (day, code, 10.0 + step * (code == "A"), 100.0)
        for step, day in enumerate(["2015-05-29", "2015-06-26", "2015-08-03", "2015-08-31"])
        for code in ("A", "B")
    ]
    frame = pd.DataFrame(rows, columns=["date", "stock", "close", "size"])
    frame.to_csv(tmp_path / "stocks.csv", index=False)
    (tmp_path / "market.csv").write_text("month,MKT\n2015-05,1\n2015-06,2\n2015-08,4\n")
    market = (Table((str(tmp_path / "market.csv"),), {}),)
    with pytest.raises(RecordsError, match=r"2015-07.*closed_months"):
        load(tmp_path / "stocks.csv", market, rows="dated")
    shut = {"closed_months": ("2015-07",)}
    records = load(tmp_path / "stocks.csv", market, rows="dated", **shut)
    assert records.market["MKT"].tolist() == [1.0, 2.0, 2.0, 4.0]
    assert returns_of(records, "A")["2015-07"] == 0.0
    # August's return is that since the last price before.
    assert returns_of(records, "A")["2015-08"] == pytest.approx(13 / 11 - 1)
    with pytest.raises(RecordsError, match="2015-06, in which stocks have rows"):
        load(tmp_path / "stocks.csv", market, rows="dated", closed_months=("2015-06",))


@pytest.mark.parametrize(
    ("file", "month"), [("new_year_china.csv", "2020-01"), ("new_year_vietnam.csv", "2025-01")]
)
def test_months_that_end_before_the_new_year(load, file, month):
    given_rows = {"rows": "dated", "columns": {"dollar_volume": "size"}}
    with pytest.raises(RecordsError, match=f"if no session followed, set it to {month}"):
        load(CASES / file, NEW_YEAR, **given_rows)
    last = pd.Period(month).to_timestamp("M").normalize()
    records = load(CASES / file, NEW_YEAR, last, **given_rows)
    assert records.facts["last_month"] == month
    assert records.stocks.groupby("month").size().iloc[-1] == 12
    assert "eligible" not in records.stocks


def test_reclassified_sectors_stay_as_they_were(load, tmp_path):
    path = tmp_path / "sectors.csv"
    path.write_text("stock,sector,start\nS01,Food,\nS01,Retail,2020-06-15\nS02,Food,\n")
    beside = {"sectors": (Table((str(path),), {}),)}
    stocks = load(CASES / "bankrupt_monthly.csv", beside=beside).stocks
    of = stocks.set_index([stocks["month"].dt.strftime("%Y-%m"), "stock"])["sector"]
    assert (of[("2020-05", "S01")], of[("2020-06", "S01")]) == ("Food", "Retail")
    assert of[("2020-01", "S02")] == "Food" and pd.isna(of[("2020-01", "S03")])
