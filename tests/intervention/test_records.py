from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo.errors import RecordsError, SourceError
from konkyo.intervention.load import add_operations, load
from konkyo.intervention.records import cell_of, check
from small_files import parsed


def table(**changes) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "month": ["1990-01", "1990-02", "1990-03", "1990-04"],
            "rate": [145.0, 146, 153, 158],
            "price_home": [100.0, 100, 101, 101],
            "price_abroad": [100.0, 101, 101, 102],
            "trade_balance": [3.0, 4, 5, -1],
            "gdp": ["", "", "1100", ""],
            "intervention": ["0", "-120", "", "0"],
            "reserves": [80.0, 79, 78, 77],
        }
    )
    return frame.assign(**changes)


def test_records_are_sorted_and_unknown_months_missing():
    frame = check(parsed(cell_of, "own.csv", table().iloc[::-1]))
    assert frame["month"].dt.strftime("%m").tolist() == ["01", "02", "03", "04"]
    assert frame["intervention"].tolist()[:2] == [0.0, -120.0]
    assert np.isnan(frame["intervention"][2]) and np.isnan(frame["gdp"][0])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"month": ["1990-01", "1990-02", "1990-04", "1990-05"]}, r"in 1 month \(1990-03\)"),
        ({"month": ["1990-01", "1990-02", "1990-02", "1990-03"]}, "repeated in 1 row"),
        ({"month": ["1990-01", "xx", "1990-02", "1990-03"]}, "not a month in 1 row"),
        ({"rate": [145.0, 0, 153, 158]}, "not above 0 in 1 row"),
        ({"rate": ["145", "n.k.", "153", "158"]}, "not a number in 1 row"),
        ({"reserves": [80.0, np.nan, 78, 77]}, "missing in 1 row"),
        ({"reserves": [80.0, np.inf, 78, 77]}, "infinite in 1 row"),
        ({"gdp": ["1100", "", "", ""]}, "last month of a quarter in 1 row"),
    ],
)
def test_every_broken_rule_is_named(changes, said):
    with pytest.raises(RecordsError, match=said):
        check(parsed(cell_of, "own.csv", table(**changes)))


def test_a_missing_column_is_named_with_the_present():
    with pytest.raises(RecordsError, match="'reserves' missing"):
        check(parsed(cell_of, "own.csv", table().drop(columns="reserves")))


def test_yen_become_million_dollars_at_the_months_rate():
    series = check(parsed(cell_of, "own.csv", table()), external=("intervention",)).drop(
        columns="intervention", errors="ignore"
    )
    net = pd.DataFrame({"month": series["month"][1:3], "amount": [14.6, -30.6]})
    frame = add_operations(series, net)
    assert frame["intervention"].tolist()[1:3] == [100.0, -200.0]
    assert frame["intervention"].isna().tolist() == [True, False, False, True]


def test_an_absent_file_names_its_param(study):
    tables = replace(study.tables, file="nowhere/own.csv")
    with pytest.raises(SourceError, match=r"intervention\.tables\.file"):
        load(replace(study, source="tables", tables=tables))
