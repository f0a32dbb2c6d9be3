import pandas as pd
import pytest

from konkyo.data.vendors import mof
from konkyo.errors import SourceError
from vendor_server import Told

ALL = """Interest Rate,,,,(Unit : %)
Date,1Y,2Y,10Y,20Y
1974/9/24,10.327,9.362,8.127,-
2024/3/28,0.1,0.19,0.729,1.5
2024/3/29,0.1,0.2,0.741,1.51
"""
NOW = """Interest Rate,,,,(Unit : %)
Date,1Y,2Y,10Y,20Y
2024/3/29,0.1,0.21,0.742,1.52
2024/4/1,0.11,0.22,0.752,1.53

A note of the ministry,,,,
"""


def test_a_yield_belongs_to_its_publication_day():
    table = mof.yields([ALL, NOW], (2, 20))
    assert list(table.columns) == ["date", "jgb_2", "jgb_20"]
    assert table["date"].dt.strftime("%Y-%m-%d").tolist() == [
        "2024-03-28",
        "2024-03-29",
        "2024-04-01",
    ]
    assert table["jgb_2"].tolist() == [9.362, 0.19, 0.21]
    assert table["jgb_20"].fillna(-1).tolist() == [-1, 1.5, 1.52]


def test_days_that_come_later_change_no_earlier_row():
    part, whole = mof.yields([ALL], (10,)), mof.yields([ALL, NOW], (10,))
    assert len(part) == 2
    pd.testing.assert_frame_equal(part, whole.iloc[:2])


def test_another_layout_is_refused():
    with pytest.raises(SourceError, match="no yield of \\[7\\] years"):
        mof.yields([ALL], (2, 7))
    with pytest.raises(SourceError, match="no header that begins with 'Date'"):
        mof.yields(["a,b\n1,2\n"], (2,))
    with pytest.raises(SourceError, match="no header"):
        mof.yields([""], (2,))
    with pytest.raises(SourceError, match="no day"):
        mof.yields(["Date,2Y\n"], (2,))


def test_truncated_rows_and_duplicate_columns():
    assert mof.quotes("Date,2Y,10Y\n2024/4/1,0.1\n", (2, 10)).isna().to_numpy().tolist() == [
        [False, True]
    ]
    with pytest.raises(SourceError, match="more than one column of \\[2\\] years"):
        mof.quotes("Date,2Y,10Y,2Y\n2024/4/1,0.1,0.2,0.3\n", (2, 10))


def test_a_stored_table_keeps_what_a_new_one_lacks():
    stored = mof.yields([ALL], (2, 10))
    merged = mof.merge(stored, mof.yields([NOW], (2,)))
    assert list(merged.columns) == ["date", "jgb_2", "jgb_10"]
    assert merged["jgb_2"].tolist() == [9.362, 0.19, 0.21]
    assert merged["jgb_10"].fillna(-1).tolist() == [8.127, 0.729, -1]


def test_a_download_follows_the_sites_redirects(vendor, policy, waits):
    vendor.routes = {
        "/old.csv": lambda _: Told(302, "", {"Location": vendor.url + "/new.csv"}),
        "/new.csv": lambda _: Told(200, ALL),
        "/page.csv": lambda _: Told(200, "\n<!DOCTYPE html><html>"),
    }
    vendor.first.append(Told(503))
    assert mof.download("/old.csv", vendor.url, policy) == ALL.encode()
    assert len(waits) == 1
    with pytest.raises(SourceError, match="is a page and no CSV file"):
        mof.download("/page.csv", vendor.url, policy)
    with pytest.raises(SourceError, match="status 404"):
        mof.download("/nowhere.csv", vendor.url, policy)
