"""Every rule of the record tables, by planting what breaks it."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from konkyo.data.parsing import CellKind
from konkyo.data.schema import check
from konkyo.errors import RecordsError
from small_files import parsed

Change = Callable[[pd.DataFrame], pd.DataFrame]


def _series(name: str) -> CellKind:
    return "month" if name == "month" else "number"


def checked(stocks: pd.DataFrame, market: pd.DataFrame, portfolios=3):
    return check(
        parsed("stocks", "stocks.csv", stocks),
        parsed(_series, "market.csv", market),
        portfolios,
    )


def refused(stocks: pd.DataFrame, market: pd.DataFrame, portfolios=3) -> str:
    with pytest.raises(RecordsError) as caught:
        checked(stocks, market, portfolios)
    return str(caught.value)


def put(column: str, row: int, value: object) -> Change:
    """Return a change that sets one value; `row` counts from 1, as messages do."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].astype(object).to_list()
        values[row - 1] = value
        return frame.assign(**{column: pd.Series(values, dtype=object)})

    return change


def test_normalises(stocks, market):
    table, series = checked(stocks, market)

    assert list(table.columns) == ["month", "stock", "sector", "return", "size", "illiquidity"]
    assert table["month"].astype(str).to_list()[::4] == ["2001-01-31", "2001-02-28", "2001-03-31"]
    assert table["stock"].to_list() == ["A", "B", "C", "D"] * 3
    assert table["sector"].isna().to_list() == [True, False, False, False] * 3
    first, last = table.iloc[0], table.iloc[-1]
    assert np.isnan(first["return"]) and first["size"] == 10.0
    assert last["return"] == -1.0 and last["size"] == 42.0
    assert np.isnan(table["size"].iloc[9]) and np.isnan(table["illiquidity"].iloc[9])
    assert {str(table[name].dtype) for name in ("return", "size", "illiquidity")} == {"float64"}

    assert series["month"].astype(str).to_list() == ["2001-01-31", "2001-02-28", "2001-03-31"]
    assert series["MKT"].to_list() == [0.02, -0.01, 0.03]
    assert series["RMW"].to_list() == [0.001, 0.002, 0.003]


STOCKS_FAULTS = {
    "duplicate": (
        lambda frame: pd.concat([frame, frame.iloc[[5]]]),
        "column 'month, stock': repeated in 1 row (row 13: '2001-02 C'); "
        "keep one row a month and stock",
    ),
    "contradiction": (
        lambda frame: pd.concat([frame, frame.iloc[[5, 6]].assign(size=[31.0, 77.0])]),
        "column 'month, stock': repeated in 2 rows (row 13: '2001-02 C', row 14: '2001-02 B'); "
        "keep one row a month and stock (1 of them contradict the row that they repeat)",
    ),
    "month": (
        put("month", 3, "2001-13"),
        "column 'month': not a date or month in 1 row (row 3: '2001-13')",
    ),
    "day": (
        put("month", 3, "2001-02-30"),
        "not a date or month in 1 row (row 3: '2001-02-30'); write YYYY",
    ),
    "no month": (put("month", 3, ""), "column 'month': missing in 1 row (row 3)"),
    "no stock": (put("stock", 6, None), "column 'stock': missing in 1 row (row 6)"),
    "infinite return": (
        put("return", 2, "-inf"),
        "column 'return': infinite in 1 row (row 2: -inf); correct",
    ),
    "infinite characteristic": (
        put("illiquidity", 2, np.inf),
        "column 'illiquidity': infinite in 1 row (row 2: inf); correct",
    ),
    "text in size": (
        put("size", 12, "abc"),
        "column 'size': not a number in 1 row (row 12: 'abc'); write numbers",
    ),
    "decimal comma": (put("return", 2, "0,02"), "not a number in 1 row (row 2: '0,02')"),
    "text in characteristic": (
        lambda frame: frame.assign(name="Acme"),
        "column 'name': not a number in 12 rows (row 1: 'Acme', row 2: 'Acme', row 3: 'Acme', "
        "row 4: 'Acme', row 5: 'Acme' and 7 more)",
    ),
    "missing columns": (
        lambda frame: frame.drop(columns=["return", "size"]),
        "columns: 'return', 'size' missing; the file has "
        "['month', 'stock', 'sector', 'illiquidity']",
    ),
    "thin month": (
        lambda frame: frame.drop(index=[5, 6]),
        "column 'stock': fewer than 3 stocks, one a portfolio, in 1 month (2001-02: 2); add",
    ),
    "gap": (
        lambda frame: frame[frame["month"] != "2001-02"],
        "column 'month': no row between 2001-01 and 2001-03 in 1 month (2001-02); add",
    ),
    "more than all lost": (
        put("return", 2, -1.01),
        "column 'return': below -1 in 1 row (row 2: -1.01)",
    ),
    "no size": (put("size", 2, 0), "column 'size': not above 0 in 1 row (row 2: 0.0)"),
    "per cent called fraction": (
        lambda frame: frame.assign(**{"return": frame["return"] * 100}),
        "looks like per cent while the unit says fraction; set ingest.tables.stocks.return_unit to",
    ),
    "all returns missing": (
        lambda frame: frame.assign(**{"return": None}),
        "column 'return': no value in any row",
    ),
    "all sizes missing": (
        lambda frame: frame.assign(size=None),
        "column 'size': no value in any row",
    ),
    "future return": (
        lambda frame: frame.assign(ret=0.0),
        "column 'ret': 'ret' is the name of a future return",
    ),
}

MARKET_FAULTS = {
    "duplicate": (
        lambda frame: pd.concat([frame, frame.iloc[[1]]]),
        "column 'month': repeated in 1 row (row 5: 2001-01-31); keep one row a month",
    ),
    "month": (
        put("month", 1, "Jan"),
        "column 'month': not a month in 1 row (row 1: 'Jan')",
    ),
    "no month": (put("month", 1, None), "column 'month': missing in 1 row (row 1)"),
    "infinite": (put("MKT", 1, np.inf), "column 'MKT': infinite in 1 row (row 1: inf)"),
    "text": (put("MKT", 2, "x"), "column 'MKT': not a number in 1 row (row 2: 'x')"),
    "missing": (put("MKT", 3, None), "column 'MKT': missing in 1 row (row 3: 2001-02)"),
    "gap": (
        lambda frame: frame.drop(index=2),
        "column 'month': no row between 2000-12 and 2001-03 in 1 month (2001-02)",
    ),
    "not covered": (
        lambda frame: frame.drop(index=[0, 1]),
        "column 'month': no row for the stocks in 1 month (2001-01)",
    ),
    "no month column": (lambda frame: frame.drop(columns="month"), "columns: 'month' missing"),
    "no series": (lambda frame: frame[["month"]], "columns: no market series; add one column"),
}


@pytest.mark.parametrize("change, said", STOCKS_FAULTS.values(), ids=STOCKS_FAULTS.keys())
def test_stocks_fault(stocks, market, change, said):
    message = refused(change(stocks), market)
    assert message.startswith("stocks.csv cannot be used, 1 violation:\n")
    assert said in message


@pytest.mark.parametrize("change, said", MARKET_FAULTS.values(), ids=MARKET_FAULTS.keys())
def test_market_fault(stocks, market, change, said):
    message = refused(stocks, change(market))
    assert message.startswith("market.csv cannot be used, 1 violation:\n")
    assert said in message


def test_portfolios_set_the_least_number_of_stocks(stocks, market):
    assert len(checked(stocks, market, portfolios=4)[0]) == 12
    assert "2001-01: 4, 2001-02: 4, 2001-03: 4" in refused(stocks, market, portfolios=5)


def test_every_fault_of_both_files_in_one_report(stocks, market):
    broken = put("size", 2, "abc")(put("month", 7, "soon")(put("return", 1, np.inf)(stocks)))
    message = refused(broken, market.drop(columns="month"))
    assert "stocks.csv cannot be used, 3 violations" in message
    for said in ("'abc'", "'soon'", "infinite in 1 row"):
        assert said in message
    assert "market.csv cannot be used, 1 violation" in message


def test_names_the_files_own_columns(stocks, market):
    found = parsed("stocks", "own.csv", put("return", 1, "x")(stocks), {"return": "RET"})
    with pytest.raises(RecordsError, match=r"column 'RET' \(here 'return'\): not a number"):
        check(found, parsed(_series, "market.csv", market), 4)


def test_series_begin_no_later_than_the_stocks(stocks, market):
    checked(stocks, market)
    earlier = stocks[stocks["month"] == "2001-01"].assign(month="2000-12")
    assert "column 'RMW': missing in 1 row (row 1: 2000-12)" in refused(
        pd.concat([stocks, earlier]), market
    )


TABLES = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.slow
@TABLES
@given(order=st.permutations(range(12)), market_order=st.permutations(range(4)))
def test_row_order_does_not_matter(stocks, market, order, market_order):
    expected = checked(stocks, market)
    found = checked(stocks.iloc[list(order)], market.iloc[list(market_order)])
    for one, other in zip(expected, found, strict=True):
        pd.testing.assert_frame_equal(one, other)


@TABLES
@given(
    order=st.permutations(range(12)),
    planted=st.dictionaries(
        st.tuples(st.sampled_from(["month", "return", "size", "illiquidity"]), st.integers(1, 12)),
        st.sampled_from(["abc", "-inf", "1.2.3", "2001-00", "--"]),
        min_size=1,
        max_size=5,
    ),
)
def test_planted_faults_are_always_found(stocks, market, order, planted):
    broken = stocks.iloc[list(order)].reset_index(drop=True)
    for (column, row), value in planted.items():
        broken = put(column, row, value)(broken)
    message = refused(broken, market)
    for (column, row), value in planted.items():
        lines = [line for line in message.splitlines() if f"column '{column}'" in line]
        shown = (repr(value), "-inf") if value == "-inf" else (repr(value),)
        assert any(f"row {row}: {one}" in line for line in lines for one in shown)


def test_without_sectors_the_column_is_empty(stocks, market):
    table, _ = checked(stocks.drop(columns="sector"), market)
    assert list(table.columns)[:5] == ["month", "stock", "sector", "return", "size"]
    assert table["sector"].isna().all()


def test_eligible_is_zero_or_one(stocks, market):
    table, _ = checked(stocks.assign(eligible=[1, 0, 1, 1] * 3), market)
    assert table["eligible"].to_list() == [1.0, 1.0, 0.0, 1.0] * 3
    assert "column 'eligible': not 0 or 1 in 12 rows" in refused(stocks.assign(eligible=2), market)


def test_the_error_carries_its_violations(stocks, market):
    with pytest.raises(RecordsError) as caught:
        checked(put("size", 2, 0)(stocks), market.drop(columns="month"))
    assert [(one.file, one.column, one.rule, one.rows) for one in caught.value.violations] == [
        ("stocks.csv", "size", "above", (2,)),
        ("market.csv", "", "columns", ()),
    ]
