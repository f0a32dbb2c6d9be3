"""Return, and its faults, and sectors, from what monthly rows bring."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from konkyo.data.stocks import price_errors, returns_of, sectors_of


def frame(pairs: list[tuple[str, str]]) -> pd.DataFrame:
    months, stocks = zip(*pairs, strict=True)
    return pd.DataFrame({"month": pd.to_datetime(months), "stock": stocks})


ROWS = frame(
    [
        ("2001-03-31", "A"),
        ("2001-01-31", "A"),
        ("2001-02-28", "A"),
        ("2001-05-31", "A"),
        ("2001-02-28", "B"),
    ]
)


def test_returns_across_consecutive_months_only():
    found = returns_of(ROWS, np.array([6.0, 4.0, 5.0, 9.0, 7.0]))
    np.testing.assert_allclose(found, [0.2, np.nan, 0.25, np.nan, np.nan])
    pennies = returns_of(ROWS, np.array([0.06, 0.04, 0.05, 0.09, 0.07]))
    np.testing.assert_allclose(pennies, found)
    zero = returns_of(ROWS, np.array([6.0, 4.0, 0.0, 9.0, 7.0]))
    np.testing.assert_allclose(zero, [np.nan, np.nan, -1.0, np.nan, np.nan])


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("AB")), unique=True, min_size=1))
def test_returns_by_the_definition(keys):
    rows = frame([(f"2001-{month + 1:02d}-28", stock) for month, stock in keys])
    close = np.array([1.0 + 3 * month + ord(stock) for month, stock in keys])
    price = dict(zip(keys, close, strict=True))
    expected = [price[m, s] / price.get((m - 1, s), np.nan) - 1 for m, s in keys]
    np.testing.assert_allclose(returns_of(rows, close), expected)


def test_faults_of_prices_and_the_month_after():
    earned = np.array([-0.9, np.nan, 12.0, 0.1, 12.0])
    limits = {"smallest": -np.inf, "largest": 10.0}
    bad = price_errors(ROWS, earned, **limits, from_closes=True)
    assert bad.tolist() == [True, False, True, False, True]
    bad = price_errors(ROWS, earned, **limits, from_closes=False)
    assert bad.tolist() == [False, False, True, False, True]
    bad = price_errors(ROWS, earned, smallest=-0.8, largest=20.0, from_closes=False)
    assert bad.tolist() == [True, False, False, False, False]
    # An infinite return is a mistake of the file that the schema reports.
    assert not price_errors(ROWS, np.full(5, np.inf), **limits, from_closes=False).any()


def test_sector_of_prices_first_then_other_tables():
    rows = pd.DataFrame({"stock": list("ABCD"), "sector": [None, "own", None, None]})
    rows["month"] = pd.Timestamp("2001-01-31")
    one = pd.DataFrame({"stock": ["A", "B", "C"], "sector": ["one", "one", None]})
    two = pd.DataFrame({"stock": ["A", "C"], "sector": ["two", "two"]})
    ever = pd.Timestamp("1900-01-01")
    found = sectors_of(rows, [one.assign(start=ever), two.assign(start=ever)])
    assert found.fillna("-").to_list() == ["one", "own", "two", "-"]
    assert sectors_of(rows[["month", "stock"]], []).isna().all()
