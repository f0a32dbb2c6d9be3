"""Return, and its faults, and sectors, from what monthly rows bring."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from konkyo.data.returns import drop_price_errors, returns_of, sectors_of


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
    returns = np.array([-0.9, np.nan, 12.0, 0.1, 12.0])
    found, count = drop_price_errors(ROWS, returns, 10.0, from_closes=True)
    np.testing.assert_array_equal(found, [np.nan, np.nan, np.nan, 0.1, np.nan])
    assert count == 3
    found, count = drop_price_errors(ROWS, returns, 10.0, from_closes=False)
    np.testing.assert_array_equal(found, [-0.9, np.nan, np.nan, 0.1, np.nan])
    assert count == 2
    # An infinite return is a mistake of the file that the schema reports.
    assert np.isinf(drop_price_errors(ROWS, np.full(5, np.inf), 10.0, False)[0]).all()


def test_own_sector_first_then_the_tables_in_their_order():
    rows = pd.DataFrame({"stock": list("ABCD"), "sector": [None, "own", None, None]})
    one = pd.DataFrame({"stock": ["A", "B", "C"], "sector": ["one", "one", None]})
    two = pd.DataFrame({"stock": ["A", "C"], "sector": ["two", "two"]})
    found = sectors_of(rows, [one, two])
    assert found.fillna("-").to_list() == ["one", "own", "two", "-"]
    assert sectors_of(rows[["stock"]], []).isna().all()
