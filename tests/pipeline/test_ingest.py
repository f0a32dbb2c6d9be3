"""The stage, on the user's own tables in a folder of its own."""

import json
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from konkyo.pipeline import ingest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """Work in a folder with the real params.yaml, turned to two small tables."""
    monkeypatch.chdir(tmp_path)
    yaml = YAML()
    values = yaml.load(REPOSITORY / "params.yaml")
    values["ingest"]["source"] = "tables"
    tables = values["ingest"]["tables"]
    tables["stocks"]["files"] = ["data/own/stocks.csv"]
    tables["market"] = [{"files": ["data/own/market.csv"], "columns": {}}]
    values["backtest"]["n_quantiles"] = 2
    values["prepare"] |= {
        "first_month": "2001-01",
        "characteristics": ["size"],
        "market": {"MKT": ["level"]},
    }
    values["train"]["window_months"] = 1
    yaml.dump(values, tmp_path / "params.yaml")
    Path("data/own").mkdir(parents=True)
    Path("data/own/stocks.csv").write_text(
        "month,stock,sector,return,size\n"
        "2001-02,B,Tech,0.02,21\n2001-01,B,Tech,0.01,20\n2001-01,A,,0.03,10\n2001-02,A,,,11\n"
    )
    Path("data/own/market.csv").write_text("month,MKT\n2001-01,0.1\n2001-02,0.2\n")
    return tmp_path


def contents(*folders: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for name in folders for path in Path(name).iterdir()}


def test_writes_both_tables_and_the_facts(project, capsys):
    ingest.main()
    stocks = pd.read_parquet("data/records/stocks.parquet")
    assert stocks["stock"].to_list() == ["A", "B", "A", "B"]
    assert (
        stocks["month"].to_list()
        == [pd.Timestamp(2001, 1, 31)] * 2 + [pd.Timestamp(2001, 2, 28)] * 2
    )
    market = pd.read_parquet("data/records/market.parquet")
    assert market["MKT"].to_list() == [0.1, 0.2]
    facts = json.loads(Path("data/records/source.json").read_text())
    assert facts["rows"] == 4 and sorted(facts["files"]) == ["market.csv", "stocks.csv"]
    assert "4 rows of 2 stocks, 2001-01 to 2001-02" in capsys.readouterr().out


def test_bad_records_overwrite_nothing(project, capsys):
    ingest.main()
    before = contents("data/raw", "data/records")
    with Path("data/own/stocks.csv").open("a") as file:
        file.write("2001-02,A,,abc,11\n")
    with pytest.raises(SystemExit) as ended:
        ingest.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "data/own/stocks.csv cannot be used, 2 violations" in said
    assert "row 5: 'abc'" in said and "row 5: '2001-02 A'" in said
    assert contents("data/raw", "data/records") == before


def test_what_another_source_left_goes(project):
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/panel_data.csv").write_text("old")
    ingest.main()
    assert sorted(path.name for path in Path("data/raw").iterdir()) == ["market.csv", "stocks.csv"]


def test_the_same_records_give_the_same_bytes(project):
    ingest.main()
    before = contents("data/raw", "data/records")
    ingest.main()
    assert contents("data/raw", "data/records") == before
