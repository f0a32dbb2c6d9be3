"""Who can be in the universe: members, and a condition on the row of t."""

import numpy as np
import pandas as pd
import pytest

from konkyo.data.conditions import belongs, eligible, holds
from konkyo.errors import ParamsError, RecordsError

STOCKS = pd.DataFrame(
    {
        "month": pd.to_datetime(["2001-01-31", "2001-02-28", "2001-03-31"] * 2),
        "stock": ["A"] * 3 + ["B"] * 3,
        "close": [0.5, 2.0, None, 3.0, 0.9, 1.0],
        "return": [None, 3.0, None, 0.1, -0.7, 0.1],
        "days": [20.0] * 6,
    }
)
MEMBERS = pd.DataFrame(
    {
        "stock": ["A", "A", "B", "Z"],
        "start": pd.to_datetime(["2001-01-31", "2001-03-01", "2001-02-01", "1990-01-01"]),
        "end": pd.to_datetime(["2001-02-28", None, "2001-03-31", None]),
    }
)


def test_members_from_start_to_the_day_before_the_end():
    # A leaves on the last day of February, and comes back in March; B leaves at the end of March.
    assert belongs(STOCKS, MEMBERS).tolist() == [True, False, True, False, True, False]
    without_end = MEMBERS.drop(columns="end").iloc[2:]
    assert belongs(STOCKS, without_end).tolist() == [False] * 4 + [True] * 2


def test_condition_of_one_row():
    assert holds(STOCKS, "close >= 1").tolist() == [False, True, False, True, False, True]
    assert holds(STOCKS, "\"return\" > 0 or stock = 'A' -- so").tolist() == [True] * 4 + [
        False,
        True,
    ]


def test_both_together_and_neither():
    found = eligible(STOCKS, [MEMBERS.head(1), MEMBERS.tail(3)], "close > 0 or close is null")
    np.testing.assert_array_equal(found, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0])
    assert eligible(STOCKS, [], "  ") is None
    with pytest.raises(RecordsError, match="no row of the stocks is eligible"):
        eligible(STOCKS, [MEMBERS.tail(1)], "")


def test_members_by_the_definition():
    rng = np.random.default_rng(0)
    month = pd.date_range("2000-01-31", periods=30, freq="ME")
    stocks = pd.DataFrame({"month": rng.choice(month, 200), "stock": rng.choice(list("ABC"), 200)})
    start = pd.Series(rng.choice(pd.date_range("1999-12-01", "2002-06-01"), 8))
    stays = pd.DataFrame({"stock": rng.choice(list("ABC"), 8), "start": start})
    stays["end"] = (stays["start"] + pd.to_timedelta(rng.integers(1, 400, 8), "D")).where(
        rng.random(8) < 0.7
    )
    expected = [
        any(
            stay.stock == row.stock
            and stay.start <= row.month
            and (pd.isna(stay.end) or row.month < stay.end)
            for stay in stays.itertuples()
        )
        for row in stocks.itertuples()
    ]
    assert belongs(stocks, stays).tolist() == expected


@pytest.mark.parametrize(
    "condition, said",
    [
        ("price > 1", "names 'price', which is no column: .*which are 'month', 'stock', 'close'"),
        ('stock = "A"', "names 'A', which is no column; text stands in single quotes, such as"),
        ("close >", "is not whole"),
        ("close = = 1", "cannot be read at '='"),
        ("close > (select avg(close) from stocks)", "looks at other rows than its own"),
        ("exists (from stocks)", "looks at other rows than its own"),
        ("close > avg(close) over ()", "looks at other rows than its own"),
        ("close > avg(close)", "looks at other rows than its own"),
        ("close > 'many'", "compares numbers with the text 'many'"),
        ("month + stock", "compares values of different kinds, or is neither true nor false"),
        ("nothing(close)", "calls a function that there is not"),
        ("true) or (select true", "cannot be read at|looks at other rows"),
        ("stock in (select * from read_csv('/etc/passwd'))", "looks at other rows"),
    ],
)
def test_conditions_that_cannot_be_used(condition, said):
    with pytest.raises(ParamsError, match=f"(?s){said}"):
        holds(STOCKS, condition)
