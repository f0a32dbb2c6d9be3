"""What a later stage would refuse is refused before training, all of it at once."""

import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from konkyo.data import Records
from konkyo.data.records import facts_of
from konkyo.errors import ArtifactError, KonkyoError, RecordsError
from konkyo.features.build import build
from konkyo.pipeline import check, ingest, preflight
from konkyo.windows import MonthSlices, rolling
from small import make_records, small_params

CASES = Path(__file__).parents[1] / "data/cases"
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def small_records() -> Records:
    stocks, market = make_records()
    facts = facts_of(
        stocks, {}, source="tables", licence="", point_in_time=True, survivorship_free=True
    )
    return Records(stocks, market, facts)


def project(stocks: str, **sections) -> None:
    """Write params.yaml and tables of the cases into the working folder."""
    values = YAML().load(REPOSITORY / "params.yaml")
    values["ingest"]["source"] = "tables"
    tables = values["ingest"]["tables"]
    tables["stocks"]["files"] = ["data/own/stocks.csv"]
    tables["market"] = [{"files": ["data/own/market.csv"], "columns": {}}]
    tables["stocks"] |= sections.pop("stock_rows", {})
    values["prepare"] |= {"characteristics": ["return_1", "size"], "market": {"MKT": ["level"]}}
    values["train"]["window_months"] = 12
    for name, changes in sections.items():
        values[name] |= changes
    YAML().dump(values, Path("params.yaml"))
    Path("data/own").mkdir(parents=True)
    shutil.copy(CASES / stocks, "data/own/stocks.csv")
    shutil.copy(CASES / "market.csv", "data/own/market.csv")


def check_ends(code: int) -> pd.DataFrame:
    if code:
        with pytest.raises(SystemExit) as ended:
            check.main()
        assert ended.value.code == code
    else:
        check.main()
    return pd.read_csv("data/check.csv", keep_default_na=False).set_index("column")


def test_params_that_fit_have_no_fault():
    assert preflight.of_records(small_params(), small_records()) == []


CHANGES = {
    "prepare.first_month": {"first_month": "1990-01"},
    "prepare.characteristics": {"characteristics": ("size", "roe", "momentum")},
    "prepare.market": {"market": {"MKT": ("level",), "NO": ("level",)}},
    "prepare": {"characteristics": ("size", "size")},
    "train.window_months": {"window_months": 500},
    "report.month": {"month": "1999-01"},
    "report.market_month": {"market_month": "2050-01"},
    "report.factors": {"factors": ("no such",)},
    "report.market": {"market": ("size",)},
    "report.watchlist": {"watchlist": ("no such",)},
    "track.model": {"model": "a/b"},
    "track.experiment": {"experiment": "x" * 501},
    "track.uri": {"uri": "sqlite:////dev/null/mlflow.db"},
}


@pytest.mark.parametrize("key", CHANGES)
def test_a_param_that_does_not_fit_is_named(key):
    params, section = small_params(), key.split(".")[0]
    changed = replace(params, **{section: replace(getattr(params, section), **CHANGES[key])})
    faults = preflight.of_records(changed, small_records())
    assert [one.column for one in faults] == [key]
    assert faults[0].found and str(faults[0]).startswith(f"{key}: ")


def test_all_faults_come_at_once():
    params = small_params()
    for key, changes in CHANGES.items():
        # The months of a report are held against decision months, which these leave.
        if key not in ("prepare", "train.window_months", "prepare.first_month"):
            section = key.split(".")[0]
            params = replace(params, **{section: replace(getattr(params, section), **changes)})
    keys = [one.column for one in preflight.of_records(params, small_records())]
    assert set(keys) == set(CHANGES) - {"prepare", "train.window_months", "prepare.first_month"}


@settings(max_examples=20, deadline=None)
@given(
    first=st.integers(0, 80),
    window=st.integers(1, 60),
    size=st.integers(4, 40),
    drop=st.floats(0.0, 0.9),
    seed=st.integers(0, 10),
    missing=st.sampled_from(["centre", "drop"]),
)
def test_faults_are_those_of_the_stages(first, window, size, drop, seed, missing):
    params, records = small_params(), small_records()
    months = sorted(records.stocks["month"].unique())
    month = pd.Timestamp(months[min(first, len(months) - 1)]).strftime("%Y-%m")
    params = replace(
        params,
        prepare=replace(params.prepare, first_month=month, universe_size=size, missing=missing),
        train=replace(params.train, window_months=window),
    )
    eligible = np.random.default_rng(seed).random(len(records.stocks)) >= drop
    records = replace(records, stocks=records.stocks.assign(eligible=eligible.astype(float)))
    faults = {one.column for one in preflight.of_records(params, records)}

    refused = set()
    try:
        panel, _ = build(records.stocks, records.market, params.prepare)
        rolling(MonthSlices.of(panel.index["month"]), window)
        least = panel.index.groupby("month").size().min()
        refused = {"stocks"} if least < params.backtest.n_quantiles else set()
    except ArtifactError:
        refused = {"train.window_months"}
    except KonkyoError:
        refused = {"panel"}
    assert bool(faults) == bool(refused), (faults, refused)


def test_a_search_without_a_month_is_noted():
    params, records = small_params(), small_records()
    months = sorted(records.stocks["month"].unique())
    space = replace(params.tune.space, window_months=(6,))
    for skip_months, holdout in ((0, 6), (1, 1), (2, 5)):
        # Of decisions the last 1 + skip are not realised, nor those just before the holdout.
        lost = 2 * (1 + skip_months) + 6 + skip_months + holdout
        for left in (0, 1):
            first = pd.Timestamp(months[len(months) - lost - left])
            changed = replace(
                params,
                prepare=replace(
                    params.prepare, skip_months=skip_months, first_month=f"{first:%Y-%m}"
                ),
                tune=replace(params.tune, space=space, holdout=holdout),
            )
            said = any("konkyo tune" in line for line in preflight.remarks(changed, records))
            assert said is (left == 0)


def test_a_month_with_few_eligible_stocks(capsys):
    rows = {"eligible": "close >= 10"}
    fit = {"first_month": "2019-01", "universe_size": 12}
    project("crash_stocks.csv", prepare=fit, stock_rows=rows)
    report = check_ends(1)
    assert report.index.tolist() == ["eligible"]
    assert report.loc["eligible", ["rule", "count", "of"]].tolist() == ["thin month", 10, "month"]
    assert report.loc["eligible", "shown"].startswith("2020-03: 4, 2020-04: 4")
    assert "80 of 288 rows are not eligible" in capsys.readouterr().out


def test_a_new_sector_without_a_dummy_is_named(capsys):
    project("sector_stocks.csv", prepare={"first_month": "2017-01"})
    check_ends(0)
    said = capsys.readouterr().out
    assert (
        "left out     sector 'Communication Services' has no dummy: 4 of 12 stocks from 2018-10 on "
        "(S01, S02, S03, S04); list all sectors in prepare.sectors" in said
    )
    sectors = {"first_month": "2017-01", "sectors": ["Telecom", "Other", "Communication Services"]}
    stocks = pd.read_csv("data/own/stocks.csv")
    sectors["sectors"] = sorted(stocks["sector"].unique())
    shutil.rmtree("data")
    project("sector_stocks.csv", prepare=sectors)
    check_ends(0)
    assert "no dummy" not in capsys.readouterr().out


def test_check_and_ingest_end_in_one_summary(capsys):
    project("sector_stocks.csv", prepare={"first_month": "2017-01"})
    check_ends(0)
    checked = capsys.readouterr().out
    ingest.main()
    assert capsys.readouterr().out == checked


def test_ingest_writes_right_records_and_then_refuses(capsys):
    project("sector_stocks.csv", prepare={"first_month": "2017-01"}, report={"month": "2040-01"})
    with pytest.raises(SystemExit):
        ingest.main()
    assert "report.month: no stock is ranked in 2040-01; choose a month" in capsys.readouterr().err
    assert len(pd.read_parquet("data/records/stocks.parquet")) == 576


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("return_1;先月".encode("shift_jis"), "is no UTF-8 text: save it as UTF-8"),
        (b"feature,en\nsize,Size\n", "has no column 'name', or several: it has ['feature', 'en']"),
        (b"name,en\nsize,a,b,c\nsize,d\n", "write a header `name,en,ja`"),
        (b"", "row 0 has not as many fields"),
    ],
)
def test_labels_that_cannot_be_read(content, said, capsys):
    project("sector_stocks.csv", prepare={"first_month": "2017-01"})
    Path("data/own/labels.csv").write_bytes(content)
    report = check_ends(1)
    assert report["file"].tolist() == ["data/own/labels.csv"]
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["labels_group.csv", "labels_semicolon.csv"])
def test_labels_of_a_spreadsheet_pass(name, capsys):
    project("sector_stocks.csv", prepare={"first_month": "2017-01"})
    shutil.copy(CASES / name, "data/own/labels.csv")
    check_ends(0)
    matched = {
        "labels_group.csv": "0 of 1 name are features; no feature: EU",
        "labels_semicolon.csv": "1 of 1 name are features\n",
    }
    assert f"matched      data/own/labels.csv: {matched[name]}" in capsys.readouterr().out


def test_an_experiment_that_was_deleted():
    connection = sqlite3.connect("mlflow.db")
    connection.execute("CREATE TABLE experiments (name TEXT, lifecycle_stage TEXT)")
    connection.execute("INSERT INTO experiments VALUES ('konkyo', 'deleted')")
    connection.commit()
    params = small_params()
    track = replace(params.track, uri="sqlite:///mlflow.db", experiment="konkyo")
    faults = preflight.without_records(replace(params, track=track))
    assert [str(one).split(" in the")[0] for one in faults] == [
        "track.experiment: 'konkyo' was deleted"
    ]
    Path("mlflow.db").write_text("no database" * 100)
    faults = preflight.without_records(replace(params, track=track))
    assert [one.found for one in faults] == ["mlflow.db is no database"]


def test_a_store_that_does_not_answer(monkeypatch):
    from konkyo.retry import RetryPolicy
    from konkyo.tracking import client, store

    short = RetryPolicy(seconds=0.1, first=0.05, longest=0.05)
    retries = client.StoreRetries(short, short)
    connect = store.connect
    monkeypatch.setattr(store, "connect", lambda uri: connect(uri, retries))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    before = os.environ.copy()
    try:
        faults = preflight.without_records(small_params())
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert [one.column for one in faults] == ["track.uri"]


def test_training_refuses_what_the_report_would():
    params, records = small_params(), small_records()
    panel, _ = build(records.stocks, records.market, params.prepare)
    preflight.require_panel(params, panel.index, panel.catalogue)
    wrong = replace(params, report=replace(params.report, watchlist=("no such",)))
    with pytest.raises(RecordsError, match="watchlist: 'no such': no stock ranked in"):
        preflight.require_panel(wrong, panel.index, panel.catalogue)
    few = panel.index.groupby("month").head(params.backtest.n_quantiles - 1)
    with pytest.raises(RecordsError, match="fewer than 4 stocks"):
        preflight.require_panel(params, few, panel.catalogue)


def test_the_tables_of_the_second_study_are_checked(capsys):
    project("sector_stocks.csv", prepare={"first_month": "2017-01"})
    values = YAML().load(Path("params.yaml"))
    values["intervention"]["source"] = "tables"
    YAML().dump(values, Path("params.yaml"))
    check_ends(1)
    assert "data/own/intervention.csv" in capsys.readouterr().err
