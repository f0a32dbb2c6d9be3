"""Rows of reports: what is read, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from konkyo.config import Reports
from konkyo.data import fundamentals_read
from konkyo.data.parsing import ParsedTable
from small_files import parsed

nan = np.nan


def found(**columns) -> ParsedTable:
    return parsed("reports", "own/reports.csv", pd.DataFrame(columns), {"stock": "ticker"})


def said(**columns) -> list[tuple[str, int]]:
    """Return the rules that the table breaks and in how many rows."""
    return [(one.rule, one.count) for one in fundamentals_read.check(found(**columns))]


def test_days_numbers_and_times_of_publication():
    table = found(
        stock=["007", "A"],
        period_end=["20200331", "2020-06-30"],
        published=["2020-05-01 15:30:00", ""],
        sales=["1.5", "NA"],
    )
    frame = table.frame
    assert fundamentals_read.check(table) == []
    assert list(frame["stock"]) == ["007", "A"]
    assert list(frame["period_end"]) == [pd.Timestamp("2020-03-31"), pd.Timestamp("2020-06-30")]
    assert frame["published"][0] == pd.Timestamp("2020-05-01 15:30") and pd.isna(
        frame["published"][1]
    )
    np.testing.assert_equal(frame["sales"].to_numpy(), [1.5, nan])


def test_moments_of_parquet_stay():
    times = pd.to_datetime(["2020-05-01 15:30", "2020-05-01 09:00"])
    for published in (times, times.tz_localize("Asia/Tokyo")):
        table = found(stock=["A", "A"], published=published, sales=[1.0, 2.0])
        assert fundamentals_read.check(table) == []
        assert list(table.frame["published"]) == list(times)


def test_a_row_needs_a_day_after_its_period():
    days = {
        "stock": ["A", "A", "A"],
        "period_end": ["2020-03-31", "", "2020-03-31"],
        "published": ["2020-03-30", "", ""],
    }
    assert said(**days, sales=["1", "2", "3"]) == [("either", 1), ("order", 1)]
    # A forecast is published before its year ends.
    assert said(**days, sales_forecast=["1", "2", "3"]) == [("either", 1)]


def test_names_of_the_stocks_own_columns_are_refused():
    table = found(stock=["A"], published=["2020-01-01"], close=["1"])
    (violation,) = fundamentals_read.check(table)
    assert str(violation) == (
        "column 'close': 'close' is the name of a future return, a result or another table's "
        'column; rename the column, or leave it out by mapping it to ""'
    )


@pytest.mark.parametrize(("months", "rows"), [(["3", "12", ""], 0), (["2.5", "61", "12"], 2)])
def test_periods_are_whole_months(months, rows):
    broken = said(stock=["A", "B", "C"], period_end=["2020-03-31"] * 3, months=months)
    assert broken == ([("whole", 1), ("at most", 1)] if rows else [])


def test_days_far_away_are_refused():
    assert said(stock=["A", "B"], published=["1850-01-01", "2020-01-01"]) == [("range", 1)]


def test_contradicting_rows_of_one_moment_are_refused():
    days = {"stock": ["A"] * 3, "period_end": ["2020-03-31"] * 3, "published": ["2020-05-01"] * 3}
    assert said(**days, sales=["1", "", "1"], equity=["", "2", ""]) == []
    assert said(**days, sales=["1", "2", "1"]) == [("one report", 3)]
    days["published"] = ["2020-05-01", "2020-05-01 09:00", "2020-05-01 10:00"]
    assert said(**days, sales=["1", "2", "3"]) == []


def test_every_violation_is_reported_at_once():
    broken = said(
        stock=["", "B"], period_end=["soon", "2020-03-31"], sales=["many", "1"], size=["1", "0"]
    )
    assert {rule for rule, _ in broken} == {"present", "readable", "above"}


def test_match_is_exact_before_capital_letters():
    stocks = pd.Index(["AAPL", "msft", "F", "f"])
    places, capitals = fundamentals_read.match(stocks, pd.Index(["msft", "aapl", "f"]))
    assert list(places) == [1, 0, 3] and capitals
    # F is written by nobody, but f may not stand for both.
    places, capitals = fundamentals_read.match(stocks, pd.Index(["msft", "MSFT", "f"]))
    assert list(places) == [1, -1, 3] and not capitals
    # Nothing is there as it is written; F and f cannot be told apart, nor the two ibm.
    places, capitals = fundamentals_read.match(stocks, pd.Index(["aapl", "Msft", "x"]))
    assert list(places) == [0, 1, -1] and capitals
    places, capitals = fundamentals_read.match(
        pd.Index(["F", "f", "IBM"]), pd.Index(["Ibm", "ibm"])
    )
    assert list(places) == [-1, -1] and not capitals


def test_periods_end_at_the_nearest_month_end():
    days = ["2016-09-24", "2017-02-03", "2016-12-31", "2016-02-28", "2016-10-05"]
    table = pd.DataFrame(
        {
            "stock": ["A"] * 5,
            "period_end": pd.to_datetime(days),
            "published": pd.date_range("2017-03-01", periods=5, freq="MS"),
            "sales": np.arange(5.0),
        }
    )
    figures, _ = fundamentals_read.to_statements(
        table, Reports(("x",), {}, 90, 12, 1), pd.Index(["A"])
    )
    # 2016-09, 2017-01, 2016-12, 2016-02 and 2016-09, counted from 1970-01.
    assert list(figures["period"]) == [560, 564, 563, 553, 560]


def test_amounts_in_thousands_payments_unsigned():
    table = pd.DataFrame(
        {
            "stock": ["A"],
            "published": pd.to_datetime(["2020-01-05"]),
            "sales": [2.0],
            "dividends": [-3.0],
            "shares": [5000.0],
            "dividends_per_share": [0.5],
            "beta": [1.1],
            "sales_forecast": [4.0],
        }
    )
    figures, forecasts = fundamentals_read.to_statements(
        table, Reports(("x",), {}, 90, 12, 1_000_000), pd.Index(["A"])
    )
    values = figures.drop(columns=["stock", "period", "months", "known"]).iloc[0]
    assert values.to_dict() == {
        "sales": 2000.0, "dividends": 3000.0, "shares": 5.0, "dividends_per_share": 0.5,
        "beta": 1.1,
    }  # fmt: skip
    assert forecasts["sales_forecast"].to_list() == [4000.0]
