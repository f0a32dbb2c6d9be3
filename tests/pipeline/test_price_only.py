"""Records of prices alone, a month left out: the whole way from ingest to the month-end."""

import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

import chain
from konkyo.artifacts import HERE
from konkyo.config import as_dict, parse
from konkyo.pipeline import check, ingest, monitor, predict, update
from small import small_params

MONTHS = pd.date_range("2015-01-31", periods=30, freq="ME")


def prices() -> pd.DataFrame:
    """Return closes of 20 stocks, some listed later, one gone after a loss of all."""
    rng = np.random.default_rng(5)
    closes = 100 * np.exp(rng.normal(0.005, 0.07, (len(MONTHS), 20)).cumsum(0))
    rows = [
        (f"{month:%Y-%m-%d}", f"{stock:04d}", round(closes[t, stock], 4))
        for t, month in enumerate(MONTHS)
        for stock in range(20)
        if t >= stock % 4 and not (stock == 7 and t > 20)
    ]
    return pd.DataFrame(rows, columns=["date", "stock", "close"])


def write_params(folder: Path, last_month: str, skip_months: int) -> None:
    values = as_dict(small_params())
    values["ingest"] |= {"source": "tables", "first_month": "2015-03", "last_month": last_month}
    values["ingest"]["tables"] |= {"market": [], "reports": [], "sectors": [], "members": []}
    values["ingest"]["tables"]["stocks"] |= {
        "files": [str(folder / "prices.csv")], "columns": {"date": "month"}, "size": "none",
    }  # fmt: skip
    values["prepare"] |= {
        "first_month": "2015-08", "characteristics": "available", "market": {},
        "skip_months": skip_months,
    }  # fmt: skip
    values["train"] |= {"epochs": 1, "hidden_sizes": [4]}
    values["verify"] |= {"n_stocks": 5, "n_permutations": 2}
    values["report"] |= {"dpi": 50, "n_extremes": 2}
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        chain.YAML(typ="safe", pure=True).dump(as_dict(parse(values)), file)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """Return a project whose results reach to the month before the newest."""
    folder = tmp_path_factory.mktemp("prices")
    prices().to_csv(folder / "prices.csv", index=False)
    write_params(folder, "2017-05", skip_months=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        chain.run(["ingest", *chain.STAGES[:-1]])
    return folder


@pytest.fixture(autouse=True)
def there(project, monkeypatch):
    monkeypatch.chdir(project)


def test_what_the_records_have():
    stocks = pd.read_parquet(HERE.stocks)
    assert list(stocks) == ["month", "stock", "sector", "return", "close"]
    assert stocks["month"].min() == MONTHS[2] and stocks["return"].notna().mean() > 0.9
    # The first month's return is from the close of the month before, which is in the file.
    assert stocks.loc[stocks["month"] == MONTHS[2], "return"].notna().sum() == 10
    assert list(pd.read_parquet(HERE.market)) == ["month"]
    index = pd.read_parquet(HERE.panel_index)
    counts = index.groupby("month").size()
    # universe_size is 16: without a size every stock with a price is in.
    assert counts.max() == 20 and index["size"].isna().all()
    names = pd.read_csv(HERE.panel / "catalogue.csv")
    assert names.loc[names["group"] == "characteristic", "name"].tolist() == [
        "return_1", "return_3",
    ]  # fmt: skip
    assert set(names["group"]) == {"characteristic", "calendar"}


def test_a_month_lies_between_decision_and_return():
    index = pd.read_parquet(HERE.panel_index)
    earned = pd.read_parquet(HERE.stocks)[["month", "stock", "return"]]
    earned["month"] = earned["month"] - pd.offsets.MonthEnd(2)
    joined = index.merge(earned, on=["month", "stock"], how="left")
    pd.testing.assert_series_equal(joined["ret"], joined["return"], check_names=False)
    windows = pd.read_csv(HERE.windows)
    months = [pd.PeriodIndex(windows[name], freq="M") for name in ("month", "last_train")]
    assert {gap.n for gap in months[0] - months[1]} == {2}
    returns = pd.read_csv(HERE.returns, parse_dates=["month", "earned"])
    assert (returns["earned"] == returns["month"] + pd.offsets.MonthEnd(2)).all()
    # The decisions of 2017-04 and 2017-05 are not realised in 2017-05.
    assert returns["earned"].max() == pd.Timestamp("2017-05-31")
    lines = pd.read_csv(HERE.backtest / "cumulative.csv", parse_dates=["month"])
    assert set(lines["month"]) == set(returns["earned"])


def test_the_page_has_no_empty_panels():
    page = (HERE.report / "report.html").read_text(encoding="utf-8")
    assert "Months left out between a decision and the month that it earns: 1" in page
    assert "absorbs" in page
    figures = json.loads(HERE.verify_metrics.read_text())["lrp_epsilon"]
    assert 0 <= figures["epsilon_share"] < 1


def test_the_month_end_follows(project, capsys):
    with pytest.raises(SystemExit):
        update.main(month="2017-06", log=False, commit=False)
    assert "2017-06" in capsys.readouterr().err
    write_params(project, "newest", skip_months=1)
    update.main(month="2017-06", log=False, commit=False)
    assert "2017-06 is added; 15 earlier months are unchanged" in capsys.readouterr().out
    predict.main()
    book = openpyxl.load_workbook(HERE.predictions / "2017-06.xlsx")
    facts = {row[0].value: row[1].value for row in book.worksheets[-1].iter_rows(max_row=3)}
    assert facts["return month"] == "2017-08"
    try:
        monitor.main()
    except SystemExit:
        assert "missing" not in capsys.readouterr().err
    missing = pd.read_csv(HERE.monitor / "missing.csv")
    assert set(missing["feature"]) == {"return_1", "return_3"}
    assert json.loads(HERE.monitor_result.read_text())["checks"]["market_z"]["value"] is None


def test_a_list_that_cannot_be_met_is_one_error(project, tmp_path, monkeypatch, capsys):
    write_params(tmp_path, "newest", skip_months=0)
    (tmp_path / "prices.csv").write_bytes((project / "prices.csv").read_bytes())
    yaml = chain.YAML()
    values = yaml.load(tmp_path / "params.yaml")
    values["prepare"]["characteristics"] = ["roe", "size", "return_1"]
    values["prepare"]["market"] = {"MKT": ["level"]}
    yaml.dump(values, tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    for stage in (ingest, check):
        with pytest.raises(SystemExit):
            stage.main()
        said = capsys.readouterr().err
        assert "'roe', 'size': neither" in said and "prepare.market: MKT" in said
