"""The check alone: a report of all that is wrong, and nothing else written."""

from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from konkyo.pipeline import check

REPOSITORY = Path(__file__).parents[2]
STOCKS = (
    "month,stock,return,size\n2001-01,A,0.03,10\n2001-01,B,0.01,20\n2001-02,A,0.03,11\n"
    "2001-02,B,0.01,21\n"
)
REPORT = Path("data/check.csv")


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
    Path("data/own/stocks.csv").write_text(STOCKS)
    Path("data/own/market.csv").write_text("month,MKT\n2001-01,0.1\n2001-02,0.2\n")
    return tmp_path


def files() -> set[str]:
    return {str(path) for path in Path().rglob("*") if path.is_file()}


def test_clean_records_write_an_empty_report(project, capsys):
    before = files()
    check.main()
    said = capsys.readouterr().out
    assert said.startswith("tables: no violation\n  read ")
    assert "4 rows of 2 stocks, 2001-01 to 2001-02\n" in said
    assert "2 months of market series: MKT\n" in said
    assert "sector: 100.0% missing" in said
    assert files() - before == {str(REPORT)}
    assert len(pd.read_csv(REPORT)) == 0


def test_every_violation_is_a_row_and_a_line(project, capsys):
    Path("data/own/stocks.csv").write_text(STOCKS.replace("10\n", "-10\n") + "2001-02,B,x,21\n")
    Path("data/own/market.csv").write_text("month,MKT\n2001-01,\n2001-02,0.1\n")
    before = files()
    with pytest.raises(SystemExit) as ended:
        check.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    report = pd.read_csv(REPORT)
    assert report[["file", "column", "rule", "rows", "count"]].to_numpy().tolist() == [
        ["data/own/stocks.csv", "return", "readable", 5, 1],
        ["data/own/stocks.csv", "size", "above", 1, 1],
        ["data/own/stocks.csv", "month, stock", "unique", 5, 1],
        ["data/own/market.csv", "MKT", "present", 1, 1],
    ]
    for line in report["remedy"]:
        assert line in said
    assert files() - before == {str(REPORT)}


def test_a_file_that_is_not_there_is_in_the_report(project, capsys):
    check.main()
    Path("data/own/market.csv").unlink()
    with pytest.raises(SystemExit):
        check.main()
    assert "data/own/market.csv is not here" in pd.read_csv(REPORT)["found"][0]
    assert "data/own/market.csv is not here" in capsys.readouterr().err
