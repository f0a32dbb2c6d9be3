"""The user's own two files."""

from pathlib import Path

import pandas as pd
import pytest

from konkyo import data
from konkyo.config import Ingest, Reports, Simulated, StockRows, Table, Tables
from konkyo.errors import ParamsError, RecordsError, SourceError
from small_prices import random_rows


def ingest(
    stocks: str = "own/stocks.parquet",
    market: str = "own/market.parquet",
    market_columns: dict[str, str] | None = None,
    last_month: str = "newest",
    reports: tuple[Reports, ...] = (),
    sectors: tuple[Table, ...] = (),
    members: tuple[Table, ...] = (),
    **changes,
) -> Ingest:
    """Return the section `ingest` with changes of the stocks' rows."""
    rows = {
        "files": (stocks,),
        "columns": {},
        "layout": "long",
        "rows": "monthly",
        "return_unit": "fraction",
        "largest_return": 10.0,
        "eligible": "",
    }
    tables = Tables(
        stocks=StockRows(**(rows | changes)),
        market=(Table((market,), market_columns or {}),),
        reports=reports,
        sectors=sectors,
        members=members,
        point_in_time=True,
        survivorship_free=False,
    )
    simulated = Simulated(1, 100, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return Ingest(source="tables", last_month=last_month, tables=tables, simulated=simulated)


@pytest.fixture
def folder(tmp_path, monkeypatch, stocks, market) -> Path:
    """Work in a folder with the same records as Parquet and as CSV."""
    monkeypatch.chdir(tmp_path)
    Path("own").mkdir()
    for name, frame in (("stocks", stocks), ("market", market)):
        frame.to_parquet(f"own/{name}.parquet")
        frame.to_csv(f"own/{name}.csv", index=False)
    return tmp_path


def bring(settings: Ingest) -> data.Records:
    return data.load(settings, Path("raw"), portfolios=4)


def test_parquet_and_csv_give_the_same(folder):
    one = bring(ingest())
    other = bring(ingest(stocks="own/stocks.csv", market="own/market.csv"))
    pd.testing.assert_frame_equal(one.stocks, other.stocks)
    pd.testing.assert_frame_equal(one.market, other.market)
    assert one.stocks.iloc[0]["stock"] == "A" and len(one.stocks) == 12


def test_facts_and_copies(folder):
    records = bring(ingest(market="own/market.csv"))
    files = records.facts.pop("files")
    assert records.facts == {
        "source": "tables",
        "licence": "the user's own records, on terms known to the user",
        "point_in_time": True,
        "survivorship_free": False,
        "rows": 12,
        "stocks": 4,
        "first_month": "2001-01",
        "last_month": "2001-03",
        "returns_set_missing": 0,
    }
    assert sorted(files) == ["market.csv", "stocks.parquet"]
    for name in files:
        assert Path("raw", name).read_bytes() == Path("own", name).read_bytes()


def test_columns_and_unit(folder, stocks, market):
    own = stocks.rename(columns={"month": "date", "stock": "id", "return": "RET"})
    own.assign(RET=own["RET"] * 100).to_csv("own/mine.csv", index=False)
    names = {"date": "month", "id": "stock", "RET": "return"}
    found = bring(ingest(stocks="own/mine.csv", columns=names, return_unit="percent"))
    expected = bring(ingest())
    pd.testing.assert_frame_equal(found.stocks, expected.stocks)
    with pytest.raises(RecordsError, match=r"own/mine.csv names 'PRC', which .* has \['date"):
        bring(ingest(stocks="own/mine.csv", columns=names | {"PRC": "price"}))
    with pytest.raises(RecordsError, match="'month', 'stock', 'return' missing; the file has"):
        bring(ingest(stocks="own/mine.csv"))


def test_bad_records_leave_the_copies_alone(folder, stocks):
    bring(ingest())
    before = {path.name: path.read_bytes() for path in Path("raw").iterdir()}
    stocks.assign(size="abc").to_parquet("own/stocks.parquet")
    with pytest.raises(RecordsError, match=r"own/stocks\.parquet cannot be used"):
        bring(ingest())
    assert {path.name: path.read_bytes() for path in Path("raw").iterdir()} == before


def test_own_files_in_the_folder_of_copies(folder):
    Path("raw").mkdir()
    Path("own/stocks.parquet").rename("raw/stocks.parquet")
    with pytest.raises(SourceError, match="keep it in data/own"):
        bring(ingest(stocks="raw/stocks.parquet"))


def test_the_examples_of_the_page_on_data(folder):
    text = (Path(__file__).parents[2] / "docs/data.md").read_text()
    for name, header in (("stocks", "date,id,"), ("market", "date,MKT,")):
        example = text.split(f"```\n{header}")[1].split("```")[0]
        Path(f"own/{name}.csv").write_text(header + example)
    settings = ingest(
        stocks="own/stocks.csv",
        market="own/market.csv",
        market_columns={"date": "month"},
        columns={"date": "month", "id": "stock", "ret_pct": "return"},
        return_unit="percent",
    )
    records = data.load(settings, Path("raw"), portfolios=1)
    assert records.stocks["stock"].to_list() == ["000001", "000002"] * 2 + ["000001"]
    assert records.stocks["return"].iloc[0] == pytest.approx(0.0125)
    assert list(records.market.columns) == ["month", "MKT", "oil", "usdjpy"]


def test_returns_and_sizes_are_made_from_closes(folder, stocks):
    price = pd.Series([40.0, 30, 20, 10, 44, 36, 10, 10.5, 1, 37.8, 11, 12])
    own = stocks.drop(columns=["return", "size", "sector"]).assign(close=price, shares=2000.0)
    own.to_csv("own/stocks.csv", index=False)
    found = bring(ingest(stocks="own/stocks.csv", return_unit="percent")).stocks
    assert found["size"].to_list()[:4] == [20.0, 40.0, 60.0, 80.0]
    assert found["sector"].isna().all() and found["return"].head(4).isna().all()
    expected = [0.05, -0.5, 0.2, 0.1, 12 / 10.5 - 1, 0.1, 0.05, 1 / 44 - 1]
    assert found["return"].to_list()[4:] == pytest.approx(expected)
    bounded = bring(ingest(stocks="own/stocks.csv", largest_return=0.15))
    # C rose by 0.2, so that the price behind its next return is in doubt as well.
    assert bounded.facts["returns_set_missing"] == 2
    assert bounded.stocks["return"].isna().to_list()[4:] == [False, False, True, False] * 2
    with pytest.raises(RecordsError, match=r"'size' missing, .*\{dollar_volume: size\}"):
        bring(ingest(stocks="own/stocks.csv", columns={"shares": ""}))


def test_traded_value_used_as_size_may_be_missing(folder, stocks):
    own = stocks.rename(columns={"size": "dollar_volume"})
    own.loc[3, "dollar_volume"] = 0.0
    own.to_csv("own/stocks.csv", index=False)
    found = bring(ingest(stocks="own/stocks.csv", columns={"dollar_volume": "size"})).stocks
    assert found["size"].isna().to_list()[0] and found["size"].to_list()[1] == 20.0
    stocks.assign(size=stocks["size"].mask(stocks["size"] == 10.0, 0.0)).to_csv(
        "own/stocks.csv", index=False
    )
    with pytest.raises(RecordsError, match="'size': not above 0"):
        bring(ingest(stocks="own/stocks.csv"))


def test_the_last_month_cuts_every_table(folder, stocks, market):
    market.head(3).to_csv("own/market.csv", index=False)
    cut = bring(ingest(market="own/market.csv", last_month="2001-02"))
    whole = bring(ingest())
    for name, table in (("stocks", cut.stocks), ("market", cut.market)):
        every = getattr(whole, name)
        early = every[every["month"] <= "2001-02-28"]
        pd.testing.assert_frame_equal(table, early.reset_index(drop=True))
    assert (cut.facts["last_month"], cut.facts["rows"]) == ("2001-02", 8)
    with pytest.raises(RecordsError, match="1 month"):
        bring(ingest(market="own/market.csv"))
    with pytest.raises(ParamsError, match=r"'2001-04' is outside the records, .* to 2001-03"):
        bring(ingest(last_month="2001-04"))
    # A row is known by its number in the file, wherever the cut is.
    stocks[::-1].assign(size=["x", *stocks["size"][:-1]]).to_csv("own/stocks.csv", index=False)
    with pytest.raises(RecordsError, match="row 1: 'x'"):
        bring(ingest(stocks="own/stocks.csv", last_month="2001-02"))


def test_sectors_members_and_the_condition(folder):
    Path("own/sectors.csv").write_text("code,gics,name\nA,Gas,x\nD,Gas,x\nZ,Oil,x\n")
    Path("own/members.csv").write_text("stock,start,end\nA,2001-01-31,\nC,1990-01-01,2001-02-28\n")
    found = bring(
        ingest(
            sectors=(Table(("own/sectors.csv",), {"code": "stock", "gics": "sector"}),),
            members=(Table(("own/members.csv",), {}),),
            eligible="illiquidity < 4 and size > 10",
        )
    ).stocks
    assert len(found) == 12
    assert found["sector"].to_list() == ["Gas", "Util", "Tech", "Tech"] * 3
    named = found["stock"] + found["month"].dt.strftime("%m")
    assert named[found["eligible"] == 1].to_list() == ["C01", "A02", "A03"]


def test_all_files_in_one_report(folder, stocks):
    stocks.assign(size="abc").to_parquet("own/stocks.parquet")
    Path("own/sectors.csv").write_text("stock,sector\nA,Gas\nA,Oil\n")
    Path("own/members.csv").write_text("stock,start\nA,yesterday\n")
    Path("own/reports.csv").write_text("stock,published,sales\nA,2001-01-15,much\n")
    with pytest.raises(RecordsError) as caught:
        bring(
            ingest(
                sectors=(Table(("own/sectors.csv",), {}),),
                members=(Table(("own/members.csv",), {}),),
                reports=(Reports(("own/reports.csv",), {}, 90, 12, 1),),
            )
        )
    files = [violation.file for violation in caught.value.violations]
    assert {Path(file).stem for file in files} == {"stocks", "sectors", "members", "reports"}
    assert not Path("raw").exists()


def test_reports_bring_sizes_and_ratios(folder, stocks):
    stocks.drop(columns="size").to_csv("own/stocks.csv", index=False)
    lines = ["stock,published,size,net_profit"]
    lines += [
        f"{stock},2001-01-15,{value}000,2000"
        for stock, value in zip("abcd", (10, 20, 30, 40), strict=True)
    ]
    Path("own/reports.csv").write_text("\n".join(lines) + "\n")
    settings = ingest(
        stocks="own/stocks.csv", reports=(Reports(("own/reports.csv",), {}, 90, 12, 1),)
    )
    records = bring(settings)
    assert records.stocks["size"].to_list() == [10.0, 20.0, 30.0, 40.0] * 3
    assert records.stocks["earnings_yield"].to_list()[:2] == [0.2, 0.1]
    assert records.facts["reports"] == [
        {"matched": 4, "unmatched": 0, "codes": "in capital letters"}
    ]
    assert "reports.csv" in records.facts["files"]


def test_folders_of_daily_rows(folder, market):
    rows = random_rows(1, days=200)
    rows = rows[rows["date"] <= "2001-03-30"].assign(shares=1000.0)
    Path("own/daily").mkdir()
    rows.iloc[:100].to_parquet("own/daily/a.parquet")
    rows.iloc[100:].to_csv("own/daily/b.csv", index=False)
    records = bring(ingest(stocks="own/daily", rows="dated", eligible="days > 5"))
    found = records.stocks
    last = rows.dropna(subset="close").sort_values("date").groupby("stock").last()["close"]
    march = found[found["month"] == "2001-03-31"].set_index("stock")
    assert march["close"].to_dict() == last.to_dict()
    assert (found["size"].dropna() == found["close"].dropna()).all()
    february = found[found["month"] == "2001-02-28"].set_index("stock")["close"]
    made = (march["close"] / february - 1).reindex(march.index)
    pd.testing.assert_series_equal(march["return"], made, check_names=False)
    assert sorted(records.facts["files"]) == [
        "market.parquet", "stocks_1_a.parquet", "stocks_2_b.csv",
    ]  # fmt: skip


def test_large_files_are_identified_by_digest(folder, monkeypatch):
    copied = bring(ingest())
    monkeypatch.setattr(data.tables, "COPIED", 100)
    for path in Path("raw").iterdir():
        path.unlink()
    assert bring(ingest()).facts == copied.facts
    assert not list(Path("raw").iterdir())
