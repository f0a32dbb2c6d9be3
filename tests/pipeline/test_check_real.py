"""`konkyo check` on real records as a new user brings them: before the columns have our names."""

from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

import real_records
from konkyo.pipeline import check

REPOSITORY = Path(__file__).parents[2]
SHARED = REPOSITORY.parent / "shared" / "data"
FOREIGN = ("pandera", "duckdb", "pydantic", "keyerror", "json", "yaml error", "parser", "traceback")
"""Words of libraries, which no message has."""

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the real records are not beside us")


@pytest.fixture
def brought(tmp_path, monkeypatch, capsys):
    """Return what checks params with these changes and returns what was said and the report."""
    monkeypatch.chdir(tmp_path)

    def brought(change, code: int = 1) -> tuple[str, pd.DataFrame]:
        values = YAML().load(REPOSITORY / "params.yaml")
        values["ingest"]["source"] = "tables"
        change(values, values["ingest"]["tables"])
        YAML().dump(values, Path("params.yaml"))
        if code:
            with pytest.raises(SystemExit) as ended:
                check.main()
            assert ended.value.code == code
        else:
            check.main()
        said = "".join(capsys.readouterr())
        assert not [word for word in FOREIGN if word in said.lower()]
        assert max(map(len, said.splitlines())) < 1500
        return said, pd.read_csv("data/check.csv", keep_default_na=False)

    return brought


def of(name: str) -> dict:
    return {"files": [str(SHARED / name)], "columns": {}}


def test_key_statistics(brought):
    def change(values, tables):
        tables["stocks"] |= of("us_fundamentals_keystats_2003_2014/keystats.csv.gz")
        tables["market"] = [of("us_fundamentals_keystats_2003_2014/sp500_index_daily.csv.gz")]

    said, report = brought(change)
    assert "'month', 'stock', 'return', 'size' missing; the file has ['Date', " in said
    assert (
        "column 'Ticker': not a number in 8,682 rows" in said and "and 28 more]; add them" in said
    )
    assert "neither month nor date; the file has ['Date', 'Open'," in said
    assert report["rule"].value_counts().to_dict() == {"readable": 3, "columns": 2}


def test_statements_and_series_of_other_columns(brought):
    def change(values, tables):
        tables["stocks"] |= of("us_fundamentals_ttm_2012_2016/fundamentals_ttm.csv.gz")
        names = ("fred_md_2023_12.csv.gz", "exchange_rates_monthly.csv.gz")
        files = [str(SHARED / "macro_series" / name) for name in names]
        tables["market"] = [{"files": files, "columns": {}}]

    said, report = brought(change)
    assert "has not the columns of" in said and "or an entry each" in said
    assert report["rule"].tolist() == ["readable", "readable", "columns", "file"]


def test_sectors_and_members_without_our_names(brought):
    def change(values, tables):
        folder = "sp500_weekly_1962_2015"
        tables["stocks"] |= {"files": ["data/own/none.csv"]}
        tables["market"] = [of("market_indices_daily/topix_nikkei_daily_2001_2022.csv.gz")]
        tables["sectors"] = [of(f"{folder}/constituents_sector_2025.csv")]
        tables["members"] = [of(f"{folder}/membership_start_end.csv")]

    said, _ = brought(change)
    assert "has no column of this project's, it has ['Symbol', 'Security', " in said
    assert "has no column of this project's, it has ['ticker', 'start_date', 'end_date']" in said
    assert "data/own/none.csv is not here: put the file there" in said


def test_weekly_prices_of_the_example(brought, monkeypatch):
    def change(values, tables):
        text = (REPOSITORY / "data/examples/sp500-weekly/params.yaml").read_text()
        example = YAML().load(text.replace("../shared/data", str(SHARED)))
        values |= example

    said, report = brought(change, code=0)
    assert said.startswith("tables: no violation\n") and report.empty
    assert "matched      sectors: 319 of 494 stocks found; without: " in said
    assert "members: 479 of 494 stocks found" in said
    assert "reports: 407 of 494 stocks found, in capital letters" in said
    assert "return is made of `close" in said
    assert "2 returns set missing (GAS 1985-10 304.81%, GAS 1985-11 6.65%)" in said
    assert "rows are not eligible for the universe" in said
    assert said.count("not in data/own, where `dvc repro` would notice a change") == 1


def test_the_ministrys_operations(brought):
    real_records.write(Path("data/own"))

    def change(values, tables):
        text = (REPOSITORY / "data/examples/intervention-official/params.yaml").read_text()
        values["intervention"] = YAML().load(text)["intervention"]
        tables["stocks"] |= {"files": ["data/own/none.csv"]}

    said, _ = brought(change)
    assert "intervention, official: no violation\n  read         195 months of the second" in said
    assert "in the unit of reserves: at most " in said
