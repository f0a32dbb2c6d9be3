"""The source as ingest sees it: checked tables, the truth beside them, and it goes with them."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from konkyo.config import parse
from konkyo.data import simulated
from konkyo.errors import ParamsError, RecordsError
from konkyo.pipeline import ingest
from small import SIMULATED

from .conftest import FIRST, LAST

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def shortened(monkeypatch):
    """Let the source simulate the small market's months."""
    short = partial(simulated.simulate, first=FIRST, last="2005-06")
    monkeypatch.setattr(simulated, "simulate", short)


@pytest.fixture
def values(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = YAML(typ="safe").load(REPOSITORY / "data/examples/simulated-tse/params.yaml")
    values["ingest"]["simulated"]["stocks"] = 60
    values["prepare"]["first_month"] = "2005-02"
    values["train"]["window_months"] = 3
    values["report"] |= {"month": "newest", "market_month": "largest"}
    return values


def run(values) -> None:
    YAML().dump(values, Path("params.yaml"))
    ingest.main()


def test_records_pass_the_checks_unchanged(monkeypatch, market):
    monkeypatch.setattr(simulated, "simulate", lambda settings: market)
    records = simulated.load(SIMULATED, 10)
    pd.testing.assert_frame_equal(
        records.stocks,
        market.stocks.sort_values(["month", "stock"], ignore_index=True),
        check_dtype=False,
        check_exact=True,
    )
    pd.testing.assert_frame_equal(records.market, market.series, check_exact=True)
    keys = ["month", "stock"]
    pd.testing.assert_frame_equal(records.truth[keys], records.stocks[keys], check_dtype=False)
    assert records.facts["point_in_time"] and records.facts["survivorship_free"]
    assert records.facts["first_month"] == FIRST and records.facts["last_month"] == LAST


def test_fewer_stocks_than_portfolios(shortened):
    with pytest.raises(RecordsError, match="fewer than 100 stocks"):
        simulated.load(SIMULATED, 100)


def test_ingest_writes_the_truth_and_the_catalogue(shortened, values, capsys):
    run(values)
    assert "simulated-tse: " in capsys.readouterr().out
    true = pd.read_parquet("data/records/truth.parquet")
    stocks = pd.read_parquet("data/records/stocks.parquet")
    pd.testing.assert_frame_equal(true[["month", "stock"]], stocks[["month", "stock"]])
    names = pd.read_csv("data/records/catalogue.csv")
    assert list(names.columns) == ["name", "english", "japanese"] and len(names) == 126
    facts = json.loads(Path("data/records/source.json").read_text())
    assert facts["source"] == "simulated-tse" and facts["files"] == {}


def test_another_source_removes_the_truth(shortened, values):
    run(values)
    Path("data/own").mkdir(parents=True)
    Path("data/own/stocks.csv").write_text(
        "month,stock,sector,return,size\n2001-01,A,,0.1,1\n2001-02,A,,0.1,1\n2001-02,B,,0.1,1\n"
    )
    Path("data/own/market.csv").write_text("month,MKT\n2001-01,0.1\n2001-02,0.1\n")
    values["ingest"]["source"] = "tables"
    tables = values["ingest"]["tables"]
    tables["stocks"]["files"] = ["data/own/stocks.csv"]
    tables["market"] = [{"files": ["data/own/market.csv"], "columns": {}}]
    values["backtest"]["n_quantiles"] = 2
    values["report"] |= {"factors": [], "market": []}
    prepare = {"characteristics": ["size"], "market": {"MKT": ["level"]}}
    values["prepare"] |= prepare | {"first_month": "2001-01"}
    values["train"] |= {"window_months": 1, "resamples": 0}
    with pytest.raises(SystemExit):
        run(values)
    assert Path("data/records/truth.parquet").exists()
    with Path("data/own/stocks.csv").open("a") as file:
        file.write("2001-01,B,,0.2,2\n")
    run(values)
    assert sorted(path.name for path in Path("data/records").iterdir()) == [
        "market.parquet",
        "source.json",
        "stocks.parquet",
    ]


def test_params_refuse_what_cannot_be_simulated(values):
    values["ingest"]["simulated"] |= {"stocks": 20, "noise": 0.0, "regime": -0.1}
    with pytest.raises(ParamsError) as caught:
        parse(values)
    for key in ("stocks", "noise", "regime"):
        assert f"ingest.simulated.{key}" in str(caught.value)
    assert replace(SIMULATED, regime=0.0).regime == 0
