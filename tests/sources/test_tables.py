"""The user's own two files."""

from pathlib import Path

import pandas as pd
import pytest

from konkyo import sources
from konkyo.errors import RecordsError, SourceError
from konkyo.params import Ingest, Simulated, StockRows, Table, Tables


def ingest(
    stocks: str = "own/stocks.parquet",
    market: str = "own/market.parquet",
    market_columns: dict[str, str] | None = None,
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
        reports=(),
        sectors=(),
        members=(),
        point_in_time=True,
        survivorship_free=False,
    )
    simulated = Simulated(1, 100, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return Ingest(source="tables", last_month="newest", tables=tables, simulated=simulated)


@pytest.fixture
def folder(tmp_path, monkeypatch, stocks, market) -> Path:
    """Work in a folder with the same records as Parquet and as CSV."""
    monkeypatch.chdir(tmp_path)
    Path("own").mkdir()
    for name, frame in (("stocks", stocks), ("market", market)):
        frame.to_parquet(f"own/{name}.parquet")
        frame.to_csv(f"own/{name}.csv", index=False)
    return tmp_path


def bring(settings: Ingest) -> sources.Records:
    return sources.bring(settings, Path("raw"), portfolios=4)


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


def test_the_examples_of_the_own_folder(folder):
    text = (Path(__file__).parents[2] / "data/own/README.md").read_text()
    for name, header in (("stocks", "    date,id,"), ("market", "    date,MKT,")):
        lines = text[text.index(header) :].split("\n\n")[0].splitlines()
        Path(f"own/{name}.csv").write_text("\n".join(line.strip() for line in lines) + "\n")
    settings = ingest(
        stocks="own/stocks.csv",
        market="own/market.csv",
        market_columns={"date": "month"},
        columns={"date": "month", "id": "stock", "ret_pct": "return"},
        return_unit="percent",
    )
    records = sources.bring(settings, Path("raw"), portfolios=1)
    assert records.stocks["stock"].to_list() == ["000001", "000002"] * 2 + ["000001"]
    assert records.stocks["return"].iloc[0] == pytest.approx(0.0125)
    assert list(records.market.columns) == ["month", "MKT", "oil", "usdjpy"]
