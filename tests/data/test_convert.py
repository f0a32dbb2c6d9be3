"""Months, numbers and text."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from konkyo.data.parsing import text_of, to_dates, to_months, to_numbers

FEBRUARY = pd.Timestamp(2004, 2, 29)


@pytest.mark.parametrize(
    "values",
    [
        ["2004-02"],
        ["2004-02-01"],
        ["2004-02-29 00:00:00"],
        ["2004-02-29T16:00:00Z"],
        [" 200402 "],
        [200402],
        [200402.0],
        [datetime.date(2004, 2, 1)],
        [datetime.datetime(2004, 2, 29, 23, 59)],
        pd.DatetimeIndex(["2004-02-29"], tz="America/New_York"),
        pd.PeriodIndex(["2004-02"], freq="M"),
        pd.Categorical(["2004-02"]),
    ],
)
def test_months(values):
    months = to_months(pd.Series(values))
    assert months.column.to_list() == [FEBRUARY]
    assert not months.bad.any() and not months.missing.any()


def test_months_that_are_none():
    values = [
        "2004-02",
        "2004-2",
        "04-02",
        "2004-13",
        "2004-02-30",
        "20040229",
        "Feb 2004",
        "",
        None,
    ]
    months = to_months(pd.Series(values, dtype=object))
    assert months.column.isna().to_list() == [False] + [True] * 8
    assert list(months.bad) == [False] + [True] * 6 + [False] * 2
    assert list(months.missing) == [False] * 7 + [True] * 2


@pytest.mark.parametrize("dtype", [object, "float64", "str", "datetime64[us]"])
def test_months_all_missing(dtype):
    months = to_months(pd.Series([None, None], dtype=dtype))
    assert months.missing.all() and not months.bad.any()


def test_numbers_of_text():
    values = ["0.5", " -1e-3 ", "", "NA", "nan", "None", "inf", "abc", "1,5", "1_0", "0x1F", "True"]
    numbers = to_numbers(pd.Series(values))
    np.testing.assert_array_equal(
        numbers.column, [0.5, -0.001, *[np.nan] * 4, np.inf, *[np.nan] * 5]
    )
    assert list(numbers.bad) == [False] * 7 + [True] * 5
    assert list(numbers.missing) == [False] * 2 + [True] * 4 + [False] * 6


def test_quick_and_careful_readers_of_numbers_agree():
    values = pd.Series(["0.1", "-4.8218", "4.016382e-06", "20825.0", "1988.1", ""] * 3)
    quick = to_numbers(values).column
    careful = to_numbers(pd.concat([values, pd.Series(["abc"])])).column.iloc[:-1]
    assert quick.to_list()[:5] == [0.1, -4.8218, 4.016382e-06, 20825.0, 1988.1]
    np.testing.assert_array_equal(quick, careful)


@pytest.mark.parametrize(
    "values, expected",
    [
        (pd.Series([1, 2]), [1.0, 2.0]),
        (pd.Series([1, None], dtype="Int64"), [1.0, np.nan]),
        (pd.Series([decimal.Decimal("1.25"), None]), [1.25, np.nan]),
        (pd.Series(["1", None], dtype="category"), [1.0, np.nan]),
        (pd.Series([None, None], dtype=object), [np.nan, np.nan]),
    ],
)
def test_numbers_of_other_types(values, expected):
    numbers = to_numbers(values)
    np.testing.assert_array_equal(numbers.column, expected)
    assert numbers.column.dtype == "float64" and not numbers.bad.any()


def test_dates_are_no_numbers():
    assert list(to_numbers(pd.Series([pd.Timestamp(2000, 1, 1), pd.NaT])).bad) == [True, False]


def test_text():
    assert text_of(pd.Series([10001, 2])).to_list() == ["10001", "2"]
    codes = text_of(pd.Series([10001.0, np.nan, 1.5]))
    assert codes.fillna("-").to_list() == ["10001", "-", "1.5"]
    names = text_of(pd.Series([" A ", "", None, "NA"], dtype=object))
    assert names.fillna("-").to_list() == ["A", "-", "-", "NA"]
    assert text_of(pd.Series(["NA", "x"]), ("", "na")).isna().to_list() == [True, False]


@pytest.mark.parametrize(
    "values, expected, bad",
    [
        (["2001-02-28", "20010228", "2001-02-28T23:59"], ["2001-02-28"] * 3, [False] * 3),
        ([20010228, 20011301], ["2001-02-28", None], [False, True]),
        (["", "n/a", None], [None] * 3, [False] * 3),
        (["2001-02", "2001-02-29", "28/02/2001"], [None] * 3, [True] * 3),
        (pd.to_datetime(["2001-02-28 17:30", None]), ["2001-02-28", None], [False, False]),
        (pd.to_datetime(["2001-02-28 17:30+09:00"]), ["2001-02-28"], [False]),
    ],
)
def test_dates(values, expected, bad):
    found = to_dates(pd.Series(values))
    days = found.column.dt.strftime("%Y-%m-%d")
    assert [None if pd.isna(day) else day for day in days] == expected
    assert found.bad.tolist() == bad
