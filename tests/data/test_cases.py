"""Files as users have them, and the right records or notes of each."""

import os

import pandas as pd
import pytest

from case_files import CASES, lines, odd
from konkyo.config import Reports, StockRows, Table, Tables
from konkyo.data import tables
from konkyo.errors import ParamsError, RecordsError


@pytest.mark.parametrize(
    ("file", "note"),
    [
        (
            "codes_sectors.csv",
            "sectors: 8 of 12 stocks found; without: 0013, 1301, 7203, BRK.B; its codes of no "
            """stock: '="0013"', '="1301"', '="7203"', 'BRK-B' (as a spreadsheet damages codes: """
            "write them as text)",
        ),
        ("codes_sectors_long.csv", "sectors: 0 of 12 stocks found; without: 0013, 1301, 7203, "),
    ],
)
def test_codes_that_match_no_stock_are_counted(load, file, note):
    beside = {
        "sectors": (Table((str(CASES / file),), {}),),
        "reports": (Reports((str(CASES / "codes_reports.csv"),), {}, 90, 15, 1),),
    }
    records = load(CASES / "codes_stocks.csv", beside=beside)
    assert records.lines("matched")[0].startswith(note)
    # Some are found as they are written, the others in capital letters: no stock is without.
    assert records.lines("matched")[1:] == ("reports: 12 of 12 stocks found, in capital letters",)
    assert any("amounts in units of 1;" in line for line in records.lines("assumed"))
    june = records.stocks[records.stocks["month"] == "2019-06-30"]
    assert june["earnings_yield"].notna().all()


def test_usual_missing_values_are_named(load):
    market = Table((str(CASES / "sentinels_market.csv"),), {})
    stocks = {"stocks": CASES / "sentinels_stocks.csv", "return_unit": "percent"}
    notes = odd(load(**stocks, market=(market,)))
    assert [note.removeprefix(f"{CASES}/") for note in notes] == [
        "sentinels_market.csv: column 'HML' holds -999, -99.99 in 2 rows (2019-07, 2020-05); if "
        "that means missing, write it into `missing_values`",
        "sentinels_stocks.csv: column 'return' holds -99.99 in 1 row (S03 2020-05); if that means "
        "missing, write it into `missing_values`",
        "1 return below -90% (S03 2020-05 -99.99%): they count; a return below "
        "`smallest_return` would be set missing",
    ]
    missing = {"missing_values": (-99.99, -999.0)}
    records = load(**stocks, **missing)
    row = records.stocks.query("stock == 'S03' and month == '2020-05-31'")
    assert row["return"].isna().all() and not odd(records)
    # A market series may have no gap: that it has is the error now.
    with pytest.raises(RecordsError, match=r"'HML': missing in 2 rows \(row 8: 2019-07, row 18"):
        load(**stocks, market=(Table(market.files, {}, **missing),))


def test_smallest_return_sets_lower_returns_missing(load):
    records = load(CASES / "sentinels_stocks.csv", return_unit="percent", smallest_return=-0.95)
    assert records.facts["returns_set_missing"] == 1
    assert "1 return set missing (S03 2020-05 -99.99%)" in records.lines("set missing")
    assert records.stocks["return"].min() > -0.9


def test_an_ending_in_capitals(load):
    records = load(CASES / "PRICES.CSV.GZ")
    assert len(records.stocks) == 288 and records.stocks["stock"].nunique() == 12


def test_files_of_a_folder_that_are_not_read_are_named(load):
    assert load(CASES / "folder").lines("left out") == (
        f"{CASES}/folder/exchange_b.csv.zip is passed over: save it as one of .parquet, .csv, "
        ".csv.gz",
    )


def test_folders_that_are_links_are_read_and_named(load, tmp_path):
    frame = pd.read_csv(CASES / "codes_stocks.csv", dtype=str)
    there, own = tmp_path / "disk", tmp_path / "own"
    there.mkdir()
    (own / "a").mkdir(parents=True)
    first = frame["stock"] < "B"
    frame[first].to_csv(own / "a/rows.csv", index=False)
    frame[~first].to_csv(there / "rows.csv", index=False)
    os.symlink(there, own / "b")
    # Which leads back to itself.
    os.symlink(own, there / "above")
    records = load(own)
    assert records.stocks["stock"].nunique() == 12
    assert any(f"{own}/b is a link" in note for note in lines(records))


@pytest.mark.parametrize("name", ["NA", "null", "nan", "None"])
def test_stock_sector_and_series_may_have_any_name(load, tmp_path, name):
    stocks = pd.read_csv(CASES / "codes_stocks.csv", dtype=str)
    stocks["stock"] = stocks["stock"].replace("KO", name)
    stocks.assign(sector=name).to_csv(tmp_path / "stocks.csv", index=False)
    series = pd.read_csv(CASES / "market.csv", dtype=str)
    series.columns = ["month", name, *series.columns[2:]]
    series.to_csv(tmp_path / "market.csv", index=False)
    records = load(tmp_path / "stocks.csv", market=(Table((str(tmp_path / "market.csv"),), {}),))
    assert name in set(records.stocks["stock"]) and set(records.stocks["sector"]) == {name}
    assert name in records.market.columns


def test_numbers_days_and_text_of_other_countries(load, tmp_path):
    frame = pd.read_csv(CASES / "codes_stocks.csv", dtype=str)
    expected = load(CASES / "codes_stocks.csv").stocks
    month = pd.to_datetime(frame["month"] + "-01")
    german = frame.assign(month=month.dt.strftime("%d.%m.%Y"), sector="Versorger für Öl")
    german["return"] = german["return"].str.replace(".", ",")
    german["size"] = german["size"].astype(int).map(lambda size: f"{size:,}".replace(",", "."))
    path = tmp_path / "stocks.csv"
    german.to_csv(path, sep=";", index=False, encoding="latin-1")
    form = {"decimal": ",", "date_format": "%d.%m.%Y", "encoding": "latin-1"}
    found = load(path, **form).stocks
    assert set(found.pop("sector")) == {"Versorger für Öl"}
    pd.testing.assert_frame_equal(found, expected.drop(columns="sector"))

    japanese = frame.assign(month=month.dt.strftime("%Y/%m/%d"), 業種="電気機器")
    japanese["return"] = japanese["return"].str.replace("-", "△")
    japanese["size"] = japanese["size"].astype(int).map("{:,}".format)
    japanese.to_csv(path, index=False, encoding="shift_jis")
    form = {"encoding": "shift_jis", "decimal": ".", "columns": {"業種": "sector"}}
    found = load(path, **form).stocks
    assert set(found.pop("sector")) == {"電気機器"}
    pd.testing.assert_frame_equal(found, expected.drop(columns="sector"))


@pytest.mark.parametrize("rows", ["monthly", "dated"])
def test_a_column_of_folder_names_alone_is_named(load, tmp_path, rows):
    frame = pd.read_csv(CASES / "codes_stocks.csv", dtype=str)
    frame.columns = [("date" if rows == "dated" else "month"), "stock", "close", "size"]
    frame.to_parquet(tmp_path / "prices", partition_cols=["stock"])
    with pytest.raises(RecordsError, match="'stock' stands in the names of the folders alone"):
        load(tmp_path / "prices", rows=rows)


@pytest.mark.parametrize("traded", [True, False])
def test_traded_value_by_a_vendors_name(load, tmp_path, traded):
    stocks = pd.read_csv(CASES / "codes_stocks.csv", dtype=str)
    name = "amount" if traded else "cap"
    stocks = stocks.rename(columns={"size": name})
    if traded:
        # Nothing was traded.
        stocks.loc[30, name] = "0"
    stocks.to_csv(tmp_path / "stocks.csv", index=False)
    reports = Reports((str(CASES / "codes_reports.csv"),), {}, 90, 15, 1)
    records = load(tmp_path / "stocks.csv", beside={"reports": (reports,)}, columns={name: "size"})
    assert ("earnings_yield" in records.stocks) is not traded
    assert any("traded value" in line for line in lines(records)) is traded


def test_rows_that_a_condition_leaves_out_are_noted(load):
    records = load(CASES / "codes_stocks.csv", where="stock <> 'GM' and size > 0")
    assert records.stocks["stock"].nunique() == 11
    assert [note for note in lines(records) if "`where` leaves 264 of 288 rows" in note]


def test_a_condition_on_prices_of_days(load, tmp_path):
    days = pd.date_range("2019-01-01", "2019-06-28", freq="B")
    rows = [(day, s, 10.0, 5.0, kind) for day in days for s in "ABC" for kind in "NP"]
    frame = pd.DataFrame(rows, columns=["date", "stock", "close", "size", "kind"])
    frame.to_csv(tmp_path / "prices.csv", index=False)
    records = load(tmp_path / "prices.csv", rows="dated", where="kind = 'N'")
    assert len(records.stocks) == 18 and "kind" not in records.stocks
    assert any("`where` leaves" in note for note in records.lines())


def test_a_first_month_after_the_last_is_refused(tmp_path):
    rows = StockRows(
        files=(str(CASES / "codes_stocks.csv"),), columns={}, layout="long", rows="monthly",
        return_unit="fraction", largest_return=10.0, eligible="", size="none",
    )  # fmt: skip
    section = Tables(
        stocks=rows, market=(), reports=(), sectors=(), members=(), point_in_time=True,
        survivorship_free=True,
    )  # fmt: skip
    with pytest.raises(ParamsError, match=r"first_month = '2050-01' is after the last month"):
        tables.load(section, tmp_path / "raw", 2, None, pd.Timestamp("2050-01-31"))
    records = tables.load(section, tmp_path / "raw", 2)
    assert "size" not in records.stocks and list(records.market) == ["month"]
