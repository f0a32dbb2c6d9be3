"""Market tables of any frequency to months."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konkyo.config import Table
from konkyo.data import market_series
from konkyo.data.violations import Findings
from konkyo.errors import RecordsError


def monthly(tables, last):
    findings = Findings()
    return market_series.monthly(tables, last, findings), findings.violations


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vix.csv").write_text(
        "DATE,OPEN,CLOSE\n2020-02-28,9,40.5\n2020-01-02,9,12\n2020-01-31,9,\n2020-01-30,9,15\n"
    )
    Path("gold.csv").write_text("Date,Price\n2020-01,1500\n2020-02,1600\n2020-03,1550\n")


VIX = Table(("vix.csv",), {"DATE": "date", "OPEN": "", "CLOSE": "VIX"})
GOLD = Table(("gold.csv",), {"Date": "month", "Price": "gold"})


def test_the_last_value_known_in_each_month():
    found, broken = monthly([VIX, GOLD], None)
    assert not broken and found.file == "vix.csv, gold.csv"
    assert found.frame["month"].dt.strftime("%Y-%m-%d").to_list() == [
        "2020-01-31", "2020-02-29", "2020-03-31",
    ]  # fmt: skip
    np.testing.assert_array_equal(found.frame["VIX"], [15.0, 40.5, np.nan])
    np.testing.assert_array_equal(found.frame["gold"], [1500.0, 1600.0, 1550.0])
    assert found.names == {"VIX": "CLOSE", "gold": "Price"}
    cut, _ = monthly([VIX, GOLD], pd.Timestamp("2020-02-29"))
    pd.testing.assert_frame_equal(cut.frame, found.frame.iloc[:2])


def test_days_without_dashes_are_days():
    dashed, _ = monthly([VIX], None)
    text = Path("vix.csv").read_text()
    Path("vix.csv").write_text(text.replace("2020-01-", "202001").replace("2020-02-", "202002"))
    found, broken = monthly([VIX], None)
    assert not broken
    pd.testing.assert_frame_equal(found.frame, dashed.frame)


def test_later_days_change_no_earlier_month():
    before, _ = monthly([VIX, GOLD], None)
    with open("vix.csv", "a") as file:
        file.write("2020-02-29,9,77\n2020-03-31,9,50\n")
    after, _ = monthly([VIX, GOLD], None)
    assert after.frame["VIX"].to_list() == [15.0, 77.0, 50.0]
    pd.testing.assert_frame_equal(after.frame.iloc[:1], before.frame.iloc[:1])


def test_what_is_wrong_is_said_by_file_and_row():
    Path("vix.csv").write_text("DATE,OPEN,CLOSE\n2020-01-02,9,x\n2020-01-02,9,inf\n2020,1,2\n")
    _, broken = monthly([VIX, GOLD], None)
    assert {(one.file, one.column, one.rule, one.rows) for one in broken} == {
        ("vix.csv", "CLOSE", "readable", (1,)),
        ("vix.csv", "CLOSE", "finite", (2,)),
        ("vix.csv", "DATE", "readable", (3,)),
        ("vix.csv", "DATE", "unique", (2,)),
    }
    with pytest.raises(RecordsError, match=r"market series gold, as gold\.csv has"):
        monthly([GOLD, Table(("gold.csv",), GOLD.columns)], None)
    with pytest.raises(RecordsError, match="names 'LAST', which it has not"):
        monthly([Table(("vix.csv",), {"LAST": "VIX"})], None)
