"""Days, months, numbers and text: one reading of each cell, or none."""

import datetime
import decimal

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from konkyo.config import Table
from konkyo.config.tables import TextFormat
from konkyo.data import parsing
from konkyo.data.parsing import ParsedTable
from konkyo.data.reader import read
from konkyo.date_text import period_end


def cells(kind: str, texts: list[str], **form) -> list[object]:
    """Return what texts mean as cells of a kind."""
    with duckdb.connect() as connection:
        parsing.define(connection, TextFormat(**form))
        connection.execute("CREATE TABLE cells (row INTEGER, cell VARCHAR)")
        connection.executemany("INSERT INTO cells VALUES (?, ?)", list(enumerate(texts)))
        read = parsing.value(kind, "cell", "VARCHAR")
        bad = parsing.unread(kind, "cell", "VARCHAR")
        rows = connection.execute(f"SELECT {read}, {bad} FROM cells ORDER BY row").fetchall()
    return [BAD if unread is not None else found for found, unread in rows]


BAD = "not read"
FEBRUARY = datetime.date(2004, 2, 29)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2004-02-29", FEBRUARY),
        (" 20040229 ", FEBRUARY),
        ("2004/02/29", FEBRUARY),
        ("2004-02-29 00:00:00", FEBRUARY),
        ("2004-02-29T23:59:59.123456Z", FEBRUARY),
        ("2004-02-29T00:30:00+09:00", FEBRUARY),
        ("2004/02/29 16:00", FEBRUARY),
        ("", None),
        ("n/a", None),
        *[
            (text, BAD)
            for text in (
                "2004-02", "200402", "2004-2-29", "2004-02-30", "29.02.2004", "05/04/2010",
                "2004/2/9", "040229", "2004229", "2004-02-29garbage", "2004-02-29 25:00",
                "2004-02-29T", "20040229 16:00", "1076025600", "1500-02-28", "Feb 2004", "2004",
                "２００４-02-29",
            )
        ],
    ],
)  # fmt: skip
def test_days(text, day):
    assert cells("day", [text]) == [day]


@pytest.mark.parametrize(
    "text", ["2004-02", "200402", "2004-02-01", "20040229", "2004/02/11", "2004-02-29T16:00:00Z"]
)
def test_months(text):
    assert cells("month", [text]) == [FEBRUARY]
    assert period_end(text) == pd.Timestamp(FEBRUARY)


def test_a_month_among_days_is_its_last_day():
    texts = ["2004-02", "2004-02-01", "200402", "2004-13"]
    assert cells("period", texts) == [FEBRUARY, datetime.date(2004, 2, 1), FEBRUARY, BAD]


def test_a_moment_is_that_of_its_own_clock():
    texts = ["2004-02-29", "2004-02-29 09:30", "2004-02-29T23:59:58.5+09:00", "2004-02-29 9:30"]
    assert cells("moment", texts) == [
        datetime.datetime(2004, 2, 29),
        datetime.datetime(2004, 2, 29, 9, 30),
        datetime.datetime(2004, 2, 29, 23, 59, 58),
        BAD,
    ]


def test_the_format_of_params_is_the_one_reading():
    form = {"date_format": "%d.%m.%Y"}
    assert cells("day", ["29.02.2004", "2004-02-29", "02.29.2004"], **form) == [FEBRUARY, BAD, BAD]
    assert cells("month", ["05.02.2004"], **form) == [FEBRUARY]
    assert cells("month", ["2004年2月"], date_format="%Y年%m月") == [FEBRUARY]
    assert cells("period", ["Feb 2004"], date_format="%b %Y") == [FEBRUARY]
    assert cells("moment", ["29.02.2004 17:30"], date_format="%d.%m.%Y %H:%M") == [
        datetime.datetime(2004, 2, 29, 17, 30)
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.one_of(
            st.text("0123456789-/T: Z", max_size=12),
            st.dates(datetime.date(1700, 1, 1), datetime.date(2300, 1, 1)).flatmap(
                lambda day: st.sampled_from(
                    [f"{day:%Y-%m-%d}", f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", f"{day:%Y-%m}",
                     f"{day:%Y%m}", f"{day:%Y-%m-%dT%H:%M}", f"{day:%d.%m.%Y}", f"{day:%y%m%d}"]
                )
            ),
        ),
        min_size=50, max_size=50,
    )
)  # fmt: skip
def test_sql_and_python_read_the_same_months(texts):
    expected = []
    for text in texts:
        try:
            expected.append(period_end(text).date())
        except ValueError:
            expected.append(BAD if text.strip() else None)
    assert cells("month", texts) == expected


def test_numbers_of_text():
    texts = ["0.5", " -1e-3 ", "", "NA", "nan", "None", "inf", "abc", "1,5", "1_0", "0x1F", "True"]
    assert cells("number", texts) == [0.5, -0.001, *[None] * 4, np.inf, *[BAD] * 5]


@pytest.mark.parametrize(
    ("decimal", "texts", "numbers"),
    [
        ("", ["(5)", "△5", "▲5.5", "−5", "１２．５", "（1.5）", "－3"],
         [-5, -5, -5.5, -5, 12.5, -1.5, -3]),
        ("", ["1,234", "(5", "5)", "((5))", "(-5)", "()", "△", "△△5", "5%", "$5", "１,５"],
         [BAD] * 11),
        (".", ["1,234", "1,234,567.5", "(1,234)", "△1,234", "-0.5", "1234.5", "1e3"],
         [1234, 1234567.5, -1234, -1234, -0.5, 1234.5, 1000]),
        (".", ["1'234", "1'234'567.5", "1 234"], [1234.0, 1234567.5, 1234.0]),
        (".", ["1,23", "12,34,567", "1.234,5", ",5", "1,2345"], [BAD] * 5),
        (",", ["1234,5", "1.234,5", "1.234.567", "-0,5", "1\u202f234,5", "(1,5)", "△1.234", "7"],
         [1234.5, 1234.5, 1234567, -0.5, 1234.5, -1.5, -1234, 7]),
        (",", ["1.5", "1,234.5", "1,5,5", "1.23"], [BAD] * 4),
    ],
)  # fmt: skip
def test_numbers_as_accounts_write_them(decimal, texts, numbers):
    assert cells("number", texts, decimal=decimal) == numbers


def test_values_that_stand_for_missing_ones():
    form = {"missing_values": (-99.99, -999, "k.A.", ".")}
    texts = ["-99.99", "-99.990", "-999", "-999.0", "K.A.", ".", "-99.9", "0"]
    assert cells("number", texts, **form) == [None] * 6 + [-99.9, 0.0]
    assert cells("day", ["k.A.", "2004-02-29"], **form) == [None, FEBRUARY]
    assert cells("text", ["k.A.", "-999", "NA"], **form) == [None, None, "NA"]
    assert cells("code", ["k.A.", "-999"], **form) == ["k.A.", "-999"]


def column(tmp_path, kind: str, values: object, **form) -> ParsedTable:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    pa.parquet.write_table(pa.table({"x": array}), tmp_path / "x.parquet")
    return read(Table((str(tmp_path / "x.parquet"),), {}, **form), lambda name: kind)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("number", [1, 2], [1.0, 2.0]),
        ("number", [True, False, None], [1.0, 0.0, np.nan]),
        ("number", [decimal.Decimal("1.25"), None], [1.25, np.nan]),
        ("number", pa.array(["1", None]).dictionary_encode(), [1.0, np.nan]),
        ("number", pa.nulls(2), [np.nan, np.nan]),
        ("code", [10001, 2], ["10001", "2"]),
        ("code", [10001.0, 1.5], ["10001", "1.5"]),
        ("month", [200402, 20040229], [pd.Timestamp(FEBRUARY)] * 2),
        ("month", [200402.0, 20040201.0], [pd.Timestamp(FEBRUARY)] * 2),
        ("month", [datetime.date(2004, 2, 1)], [pd.Timestamp(FEBRUARY)]),
        ("day", pa.array([datetime.datetime(2004, 2, 29, 23, 59)]), [pd.Timestamp(FEBRUARY)]),
        (
            "day",
            pa.array([pd.Timestamp("2004-02-29 00:30", tz="Asia/Tokyo")]),
            [pd.Timestamp(FEBRUARY)],
        ),
    ],
)
def test_values_of_types(tmp_path, kind, values, expected):
    table = column(tmp_path, kind, values)
    assert not table.unread
    np.testing.assert_array_equal(table.frame["x"].to_list(), expected)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("number", [datetime.date(2000, 1, 1)]),
        ("number", pa.array([5], pa.duration("s"))),
        ("day", [True]),
        ("day", [2004.5]),
        ("month", [[1, 2]]),
    ],
)
def test_values_of_other_types_are_listed(tmp_path, kind, values):
    assert column(tmp_path, kind, values).unread["x"].notna().all()


def test_a_missing_value_number_has_any_type(tmp_path):
    table = column(tmp_path, "number", [-99.99, 1.0], missing_values=(-99.99,))
    assert table.frame["x"].isna().to_list() == [True, False]
