"""Dated rows in files: what is wrong is said by file and row; layouts and kinds of file agree."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from konkyo.config import StockRows
from konkyo.data import daily
from konkyo.data.market_series import by_month
from konkyo.data.stock_months import read_monthly
from konkyo.errors import RecordsError, SourceError
from small_prices import random_rows


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(*files: str, **changes) -> StockRows:
    plain = {
        "columns": {},
        "layout": "long",
        "rows": "dated",
        "return_unit": "fraction",
        "largest_return": 2.0,
        "eligible": "",
    }
    return StockRows(**({"files": files} | plain | changes))


def whole(seed: int = 0) -> pd.DataFrame:
    """Return rows that end with a month."""
    rows = random_rows(seed, days=200)
    return rows[rows["date"] <= "2001-09-28"]


def test_kinds_of_file_and_layouts_agree():
    rows = whole()
    rows.to_parquet("rows.parquet", index=False)
    rows.to_csv("rows.csv", index=False)
    expected = daily.monthly(rows_of("rows.parquet"), None)
    assert expected.file == "rows.parquet (its months)" and len(expected.frame) > 40
    pd.testing.assert_frame_equal(daily.monthly(rows_of("rows.csv"), None).frame, expected.frame)
    # A folder of both kinds, with columns in another order, one of them compressed.
    Path("many").mkdir()
    Path("many/README.txt").write_text("not of the records")
    rows.iloc[:300].to_parquet("many/a.parquet", index=False)
    rows.iloc[300:500][rows.columns[::-1]].to_csv("many/b.csv.gz", index=False)
    rows.iloc[500:].to_csv("many/c.csv", index=False)
    pd.testing.assert_frame_equal(daily.monthly(rows_of("many"), None).frame, expected.frame)
    # Prices side by side have no volume.
    rows.pivot_table("close", "date", "stock").reset_index().to_csv("wide.csv", index=False)
    wide = daily.monthly(rows_of("wide.csv", layout="wide"), None).frame
    long = daily.monthly(rows_of("rows.csv", columns={"volume": ""}), None).frame
    there = long["close"].notna()
    for name in ("month", "stock", "close", "daily_volatility", "beta_daily"):
        pd.testing.assert_series_equal(wide[name], long.loc[there, name].reset_index(drop=True))


def test_column_names_units_and_month_names():
    rows = whole().rename(columns={"date": "Day", "stock": "Code", "close": "Adj Close"})
    rows.to_csv("rows.csv", index=False)
    names = {"Day": "date", "Code": "stock", "Adj Close": "close", "dollar_volume": "size"}
    found = daily.monthly(rows_of("rows.csv", columns=names), None)
    assert found.names == {"size": "dollar_volume"} and "dollar_volume" not in found.frame
    with pytest.raises(RecordsError, match=r"names 'price', which it has not: it has \['Code"):
        daily.monthly(rows_of("rows.csv", columns=names | {"price": "close"}), None)
    with pytest.raises(RecordsError, match="'date', 'stock', 'close' missing; the file has"):
        daily.monthly(rows_of("rows.csv"), None)


def test_codes_are_text_and_all_date_forms_are_read():
    Path("rows.csv").write_text(
        "\ufeffdate,stock,close\r\n20200131, 0010 ,1\r\n\r\n2020-01-31T15:00:00,NA,2\r\n"
        '2020-01-30 15:00,"a,""b",1e1\r\n2020-01-30,NA,n/a\r\n',
        encoding="utf-8",
    )
    found = daily.monthly(rows_of("rows.csv"), None).frame
    assert found["stock"].to_list() == ["0010", "NA", 'a,"b']
    assert found["close"].to_list() == [1.0, 2.0, 10.0]
    numbers = pd.DataFrame({"date": [20200131], "stock": [10001.0], "close": [np.float32(2)]})
    numbers.to_parquet("numbers.parquet")
    assert daily.monthly(rows_of("numbers.parquet"), None).frame["stock"].to_list() == ["10001"]


def test_every_violation_at_once_with_its_row():
    Path("own").mkdir()
    Path("own/a.csv").write_text("date,stock,close,volume\n2020-01-31,A,1.5,10\n2020-01-30,A,1,\n")
    Path("own/b.csv").write_text(
        "date,stock,close,volume\n"
        "2020-01-31,B,1_000,10\n"  # row 1: no number
        "2020-1-31,C,1,10\n"  # row 2: no date
        "2020-01-31,,-1,-1\n"  # row 3: no stock, close and volume below 0
        "2020-01-31,D,1,abc\n"
        ",E,inf,10\n"
    )
    with pytest.raises(RecordsError) as caught:
        daily.monthly(rows_of("own"), None)
    found = {(one.column, one.rule): one for one in caught.value.violations}
    assert {one.file for one in found.values()} == {"own/b.csv"}
    assert found["close", "readable"].rows == (1,)
    assert found["close", "readable"].shown == ("'1_000'",)
    assert found["date", "readable"].rows == (2,)
    assert found["date", "present"].rows == (5,)
    assert found["stock", "present"].rows == (3,)
    assert found["volume", "readable"].rows == (4,)
    assert found["close", "finite"].rows == (5,)
    assert {rows for (name, _), one in found.items() if name == "close" for rows in one.rows} == {
        1, 3, 5,
    }  # fmt: skip
    assert len(found) == 8


@pytest.mark.parametrize("date", ["2020111", "2020-1", "020-01", "2020-1-3", "202001", "20201301"])
def test_an_ambiguous_or_unreadable_date_is_refused(date: str):
    Path("rows.csv").write_text(f"date,stock,close\n2020-01-30,A,1\n{date},A,1\n")
    with pytest.raises(RecordsError) as caught:
        daily.monthly(rows_of("rows.csv"), None)
    (found,) = caught.value.violations
    assert (found.column, found.rule, found.shown) == ("date", "readable", (repr(date),))


def test_a_column_of_text_is_named_with_the_remedy():
    whole().assign(name="text").to_parquet("rows.parquet", index=False)
    with pytest.raises(RecordsError, match=r"'name': not a number in [\d,]+ rows.*map them to"):
        daily.monthly(rows_of("rows.parquet"), None)
    left_out = rows_of("rows.parquet", columns={"name": ""})
    assert "name" not in daily.monthly(left_out, None).frame


def test_rows_twice_and_a_last_month_that_is_not_whole():
    rows = whole()
    pd.concat([rows, rows.head(2)]).to_parquet("rows.parquet", index=False)
    first = rows.iloc[:2].sort_values(["stock", "date"]).iloc[0]
    with pytest.raises(RecordsError) as caught:
        daily.monthly(rows_of("rows.parquet"), None)
    assert "2 rows with the date and stock of another" in str(caught.value)
    assert f"{first['stock']} on {first['date']:%Y-%m-%d}" in str(caught.value)
    rows[rows["date"] <= "2001-09-14"].to_parquet("rows.parquet", index=False)
    with pytest.raises(RecordsError, match=r"of 2001-09-14, .*set ingest.last_month to 2001-08"):
        daily.monthly(rows_of("rows.parquet"), None)
    cut = daily.monthly(rows_of("rows.parquet"), pd.Timestamp("2001-08-31")).frame
    assert cut["month"].max() == pd.Timestamp("2001-08-31")
    with pytest.raises(RecordsError, match="holds no row up to"):
        daily.monthly(rows_of("rows.parquet"), pd.Timestamp("1999-08-31"))


def test_monthly_prices_side_by_side():
    Path("wide.csv").write_text("month,A,B\n2020-01,1,2\n2020-02,,3\n2020-03-05,4,5\n")
    settings = rows_of("wide.csv", layout="wide", rows="monthly")
    table = by_month(read_monthly(settings), "")
    assert list(table.frame.columns) == ["month", "stock", "close"]
    assert table.frame["close"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert table.frame["month"].dt.day.to_list() == [31, 31, 29, 31, 31]


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "date,stock,close\n2020-01-31,A\n",
            r"rows\.csv cannot be read: .*Expected Number of Columns: 3 Found: 2",
        ),
        (
            "date,stock,close\n" + "2020-01-31,A,1\n" * 80_000 + "2020-01-31,A\n",
            "cannot be read: .*Line: 80002.*Expected Number of Columns: 3 Found: 2",
        ),
        ("date,stock,date\n2020-01-31,A,1\n", "more than one column named 'date'"),
        ("", r"is empty \(0 bytes\)"),
    ],
)
def test_files_that_cannot_be_read(text, said):
    Path("rows.csv").write_text(text)
    with pytest.raises(RecordsError, match=f"(?s){said}"):
        daily.monthly(rows_of("rows.csv"), None)


def test_files_that_are_not_one_table():
    Path("own").mkdir()
    with pytest.raises(SourceError, match="the folder own holds no file"):
        daily.monthly(rows_of("own"), None)
    whole().to_csv("own/a.csv", index=False)
    with pytest.raises(SourceError, match=r"names own/a\.csv more than once"):
        daily.monthly(rows_of("own", "own/a.csv"), None)
    with gzip.open("own/b.csv.gz", "wt") as file:
        file.write("date,stock,price\n2020-01-31,A,1\n")
    with pytest.raises(RecordsError, match=r"own/b.csv.gz has not the columns of own/a.csv.*price"):
        daily.monthly(rows_of("own"), None)


def test_a_wide_table_of_dates_alone_is_refused(folder):
    Path("wide.csv").write_text("date\n2020-01-31\n")
    with pytest.raises(RecordsError, match="no column of prices beside 'date'"):
        daily.monthly(rows_of("wide.csv", layout="wide"), None)


def test_a_short_number_in_a_text_column_is_unchanged(folder):
    pa.parquet.write_table(
        pa.table(
            {
                "date": ["2020-01-31", "2020-02-29"],
                "A": pa.array([13.85, 1.5], pa.float32()),
                "B": ["2", "3"],
            }
        ),
        "wide.parquet",
    )
    found = daily.monthly(rows_of("wide.parquet", layout="wide"), None).frame
    assert found["close"].tolist() == [13.850000381469727, 2.0, 1.5, 3.0]
