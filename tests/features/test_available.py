"""What the records can give: by hand, nothing of the future, and all that is asked in vain."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo import dates
from konkyo.errors import ParamsError
from konkyo.features.available import require, resolve
from small import make_records, small_params

PREPARE = replace(small_params().prepare, characteristics="available", market={})
STOCKS, MARKET = make_records()


@pytest.mark.parametrize(
    ("first_month", "expected"),
    [
        ("2000-02", ["return_1"]),
        ("2000-07", ["return_1", "return_3", "return_6"]),
        ("2001-01", ["return_1", "return_3", "return_6", "return_12", "volatility_12",
                     "maximum_12"]),
    ],
)  # fmt: skip
def test_what_the_months_before_allow(first_month, expected):
    rows = STOCKS[["month", "stock", "sector", "return"]].assign(close=1.0, volume=2.0, days=20.0)
    assert resolve(replace(PREPARE, first_month=first_month), rows) == tuple(expected)


def test_columns_by_their_names_and_size_first():
    rows = STOCKS.assign(quality=1.0, eligible=1.0, shares=5.0, empty=np.nan)
    rows = rows[["quality", *rows.columns.drop("quality")]]
    names = resolve(replace(PREPARE, first_month="2000-02"), rows)
    assert names == ("return_1", "size", "quality", "illiquidity")


def test_a_column_that_begins_later_is_not_there_yet():
    later = STOCKS["month"] > dates.parse(PREPARE.first_month)
    known = resolve(PREPARE, STOCKS)
    assert resolve(PREPARE, STOCKS.assign(late=later.where(later).astype(float))) == known
    assert resolve(PREPARE, STOCKS[~later]) == known


def test_a_list_stays_as_it_is():
    assert resolve(replace(PREPARE, characteristics=("beta_6",)), STOCKS) == ("beta_6",)


def test_all_names_that_are_missing_in_one_error():
    asked = replace(
        PREPARE,
        characteristics=("return_1", "roe", "eligible", "return_0", "size", "momentum_3"),
        market={"TOPIX": ("level",), "VIX": ("level",), "JGB": ("change",)},
    )
    with pytest.raises(ParamsError) as raised:
        require(asked, STOCKS.assign(eligible=1.0), MARKET)
    said = str(raised.value)
    assert "'roe', 'eligible', 'return_0', 'momentum_3': neither a column" in said
    assert "(size, illiquidity)" in said and "set prepare.characteristics to available" in said
    assert "prepare.market: TOPIX, JGB: the records' market series are MKT, VIX" in said


def test_price_only_records_have_no_size_and_no_series():
    rows = pd.DataFrame({"month": MARKET["month"], "stock": "A", "sector": None, "return": 0.1})
    asked = replace(PREPARE, characteristics=("size",), market={"MKT": ("level",)})
    with pytest.raises(ParamsError, match=r"'size': neither") as raised:
        require(asked, rows, MARKET[["month"]])
    assert "of the records (none)" in str(raised.value)
    assert "market series are none; set it to {}" in str(raised.value)
