import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.data.vendors.jquants_tables import factors_at, members, prices, sectors_at

NONE = pd.Series(dtype="float64")


def raw(*rows: tuple[str, str, float | None, float, float]) -> pd.DataFrame:
    """Date, Code, C, Vo, AdjFactor."""
    frame = pd.DataFrame(rows, columns=["Date", "Code", "C", "Vo", "AdjFactor"])
    frame["Date"] = pd.to_datetime(frame["Date"]).astype("datetime64[ns]")
    frame = frame.astype({"Code": "str", "C": "float64"})
    return frame.assign(Va=frame["C"] * frame["Vo"])


def shares(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["stock", "published", "shares"])
    frame["published"] = pd.to_datetime(frame["published"]).astype("datetime64[ns]")
    return frame.astype({"stock": "str", "shares": "float64"})


SPLIT = raw(
    ("2024-03-27", "A", 1000.0, 10, 1.0),
    ("2024-03-28", "A", 510.0, 30, 0.5),
    ("2024-03-29", "A", 520.0, 20, 1.0),
    ("2024-03-28", "B", 70.0, 5, 1.0),
    ("2024-03-29", "B", None, np.nan, 1.0),
)


def test_a_split_changes_later_rows_only_and_no_return():
    told = shares(("A", "2024-03-28", 100.0), ("B", "2024-03-01", 40.0))
    table, after = prices(SPLIT, told, NONE)
    assert table[["stock", "close", "volume", "dollar_volume"]].to_numpy().tolist() == [
        ["A", 1000.0, 10.0, 10.0],
        ["A", 1020.0, 15.0, 15.3],
        ["B", 70.0, 5.0, 0.35],
        ["A", 1040.0, 10.0, 10.4],
    ]
    assert table["shares"].fillna(-1).tolist() == [-1, 100.0, 40.0, 100.0]
    assert after.to_dict() == {"A": 0.5, "B": 1.0}


def test_an_absent_stock_keeps_its_factor():
    _, after = prices(SPLIT, shares(), NONE)
    april = raw(("2024-04-01", "B", 71.0, 5, 1.0))
    table, later = prices(april, shares(), after)
    assert table["close"].tolist() == [71.0]
    may, _ = prices(raw(("2024-05-01", "A", 260.0, 1, 0.5)), shares(), later)
    assert may["close"].tolist() == [1040.0]


def test_market_value_of_a_day_is_close_times_shares():
    # 100 shares were told before the split, 200 after it: 100,000, then 102,000 and 104,000 yen.
    told = shares(("A", "2024-02-01", 100.0), ("A", "2024-03-29", 200.0))
    told = told.assign(shares=told["shares"] * factors_at(SPLIT, told))
    table, _ = prices(SPLIT[SPLIT["Code"] == "A"], told, NONE)
    assert (table["close"] * table["shares"]).tolist() == [100_000.0, 102_000.0, 104_000.0]


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(st.floats(1, 1000), st.sampled_from([1.0, 0.5, 2.0])), min_size=2, max_size=8
    ),
    st.integers(1, 8),
)
def test_later_days_change_no_earlier_row(days, cut):
    dates = pd.bdate_range("2024-01-01", periods=len(days))
    rows = raw(*[(f"{d:%Y-%m-%d}", "A", c, 1.0, f) for d, (c, f) in zip(dates, days, strict=True)])
    whole, _ = prices(rows, shares(), NONE)
    part, _ = prices(rows.iloc[:cut], shares(), NONE)
    pd.testing.assert_frame_equal(part, whole.iloc[:cut])
    # The vendor multiplies a close by the factors of all later days.
    for day in range(1, len(days)):
        adjusted = [
            days[place][0] * np.prod([f for _, f in days[place + 1 :]]) for place in (day - 1, day)
        ]
        ours = whole["close"].iloc[day] / whole["close"].iloc[day - 1]
        assert ours == pytest.approx(adjusted[1] / adjusted[0])


def listing(day: str, **markets: str) -> pd.DataFrame:
    codes = list(markets)
    return pd.DataFrame(
        {"Code": codes, "Mkt": list(markets.values()), "S33": "3050", "asked": pd.Timestamp(day)}
    )


LISTINGS = [
    listing("2024-02-29", A="0111", F="0109", P="0105"),
    listing("2024-01-31", A="0101", B="0113"),
    listing("2024-03-29", A="0111", B="0113").assign(S33=["9050", "0000"]),
]


def test_members_are_listed_ordinary_shares():
    table = members(LISTINGS)
    day = pd.Timestamp
    assert table.astype(object).where(table.notna(), None).to_numpy().tolist() == [
        ["A", day("2024-01-31"), None],
        ["B", day("2024-01-31"), day("2024-02-29")],
        ["B", day("2024-03-29"), None],
    ]


def test_a_sector_is_that_of_each_listing():
    names = pd.DataFrame({"S33": ["3050", "9050"], "S33NmEn": ["Foods", "Services"]})
    known = pd.Series(dtype="str")
    by_month = []
    for rows in (LISTINGS[1], LISTINGS[0], LISTINGS[2]):
        known = sectors_at(rows, names, known)
        by_month.append(known.to_dict())
    funds = {"F": "Foods", "P": "Foods"}
    assert by_month == [
        {"A": "Foods", "B": "Foods"},
        {"A": "Foods", "B": "Foods", **funds},
        # A sector without a name goes by its code.
        {"A": "Services", "B": "0000", **funds},
    ]
