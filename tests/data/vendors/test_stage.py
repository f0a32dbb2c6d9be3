"""The stage `fetch`, from a vendor's answers to the files and params that ingest reads."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from konkyo import config
from konkyo.data import revisions, tables
from konkyo.data.vendors import fred, jquants_client, mof
from konkyo.pipeline.fetch import main
from vendor_server import KEY, Asked, Told, Vendor

ROOT = Path(__file__).parents[3]
YIELDS = "Interest Rate,,\nDate,2Y,10Y\n2024/1/31,0.1,0.7\n2024/2/1,0.1,0.6\n2024/2/2,0.2,0.5\n"
OPERATIONS = """年,月,日,Year,Month,Day,金額(amount),売買通貨,Currency pairs
令和6年,4月,29日,2024,Apr,29,"59,185",米ドル売り,the US dollar (sold) the Japanese yen (bought)
令和6年4〜6月期計,,,April - June 2024,,,"59,185",,
"""


VINTAGES = Told(body={"vintage_dates": ["2024-02-13"]})


def first_value(value: str) -> Told:
    """Return FRED's answer on one observation."""
    row = {"realtime_start": "2024-02-13", "date": "2024-01-01", "value": value}
    return Told(body={"observations": [row]})


@pytest.fixture
def market(vendor: Vendor, monkeypatch) -> Vendor:
    """Three trading days of three listed issues, of which one is a fund."""
    pytest.importorskip("jquantsapi")
    from jquantsapi import constants

    monkeypatch.setenv("JQUANTS_API_KEY", KEY)
    monkeypatch.setattr(jquants_client, "BASE", vendor.url)
    monkeypatch.setitem(jquants_client.LIMITS, "light", 1e9)
    days = ["2024-01-30", "2024-01-31", "2024-02-01"]

    def day(asked: Asked) -> str:
        return f"{pd.Timestamp(asked.query['date']):%Y-%m-%d}"

    def bars(asked: Asked) -> Told:
        bar = {"Date": day(asked), "C": 100.0, "Vo": 10.0, "Va": 1000.0, "AdjFactor": 1.0}
        return Told(body={"data": [bar | {"Code": code} for code in ("13010", "13060", "186A0")]})

    def summary(asked: Asked) -> Told:
        if day(asked) != "2024-01-31":
            return Told(body={"data": []})
        row = dict.fromkeys(constants.FIN_SUMMARY_COLUMNS_V2, "")
        row |= {"DiscDate": "2024-01-31", "DiscTime": "15:00:00", "DiscNo": "1", "Code": "13010"}
        row |= {"DocType": "FYFinancialStatements_Consolidated_JP", "CurPerType": "FY"}
        row |= {"CurPerEn": "2023-12-31", "CurFYEn": "2023-12-31", "Sales": "5000000"}
        return Told(body={"data": [row | {"ShOutFY": "70", "TrShFY": "20", "NxFSales": "6000000"}]})

    def master(asked: Asked) -> Told:
        row = dict.fromkeys(constants.EQ_MASTER_COLUMNS_V2, "") | {"Date": day(asked)}
        listed = [("13010", "0050", "0111"), ("13060", "9999", "0109"), ("186A0", "5250", "0113")]
        rows = [row | {"Code": code, "S33": s, "Mkt": m} for code, s, m in listed]
        return Told(body={"data": rows})

    calendar = {"data": [{"Date": day, "HolDiv": "1"} for day in days]}
    topix = {"data": [{"Date": day, "O": 1.0, "H": 1.0, "L": 1.0, "C": 2500.0} for day in days]}
    vendor.routes = {
        "/markets/calendar": lambda _: Told(body=calendar),
        "/equities/bars/daily": bars,
        "/fins/summary": summary,
        "/equities/master": master,
        "/indices/bars/daily/topix": lambda _: Told(body=topix),
    }
    return vendor


def fetch_jquants(tmp_path: Path, **options) -> None:
    main("jquants", "2024-01", "2024-02", tmp_path / "own", plan="light", **options)


def merged(values: dict, other: dict) -> dict:
    for key, value in other.items():
        values[key] = merged(values[key], value) if isinstance(value, dict) else value
    return values


def test_params_name_the_exchanges_tables(market, tmp_path, capsys):
    fetch_jquants(tmp_path)
    folder = tmp_path / "own/jquants"
    prices = pd.read_parquet(folder / "prices")
    names = ["date", "stock", "close", "volume", "dollar_volume", "shares", "sector"]
    assert list(prices.columns) == names
    assert len(prices) == 9
    told = prices[prices["stock"] == "13010"].set_index("date")["shares"]
    assert told.fillna(-1).tolist() == [-1, 50.0, 50.0]
    reports = pd.read_parquet(folder / "reports.parquet")
    assert reports[["sales", "sales_forecast"]].to_numpy().tolist() == [[5e6, 6e6]]
    members = pd.read_parquet(folder / "members.parquet")
    assert members["stock"].tolist() == ["13010", "186A0"]
    sectors = prices.groupby("stock")["sector"].unique().map(list)
    assert sectors["13010"] == ["Fishery, Agriculture & Forestry"]
    yaml = YAML(typ="safe", pure=True)
    text = (folder / "params.yaml").read_text()
    settings = merged(yaml.load((ROOT / "params.yaml").read_text()), yaml.load(text))
    section = config.parse(settings).ingest.tables
    named = [*section.stocks.files, *section.market[0].files, *section.reports[0].files]
    named += section.members[0].files
    assert all(Path(name).exists() for name in named)
    assert settings["prepare"]["market"]["topix"] == ["change"]
    printed = "".join(capsys.readouterr())
    assert "prices 3, statements 60, listed 2, topix 3" in printed
    assert KEY not in printed + text


def test_a_firm_that_changes_sector_keeps_its_history(market, tmp_path):
    """The second listing moves a firm: its first month stays, and an update is accepted."""
    master = market.routes["/equities/master"]
    days = market.routes["/markets/calendar"](None).body["data"]
    days[:] = [{"Date": f"2024-{day}", "HolDiv": "1"} for day in ("01-31", "02-29", "03-29")]

    def moved(asked: Asked) -> Told:
        told = master(asked)
        if asked.query["date"] > "202403":
            told.body["data"][0]["S33"] = "3050"
        return told

    market.routes["/equities/master"] = moved
    folder = tmp_path / "own/jquants"
    fetch_jquants(tmp_path)
    before = monthly_records(folder)
    main("jquants", "2024-01", "2024-03", tmp_path / "own", plan="light")
    now = monthly_records(folder)
    fish, foods = "Fishery, Agriculture & Forestry", "Foods"
    assert list(now.loc[now["stock"] == "13010", "sector"]) == [fish, fish, foods]
    assert not list(revisions.differences("stocks", before, now, ("month", "stock")))


def monthly_records(folder: Path) -> pd.DataFrame:
    """Return the stocks' months as ingest reads them by the params of the folder."""
    market = folder / "other.csv"
    market.write_text("month,MKT\n2024-01,1\n2024-02,2\n2024-03,3\n")
    load = YAML(typ="safe", pure=True).load
    settings = merged(load(ROOT / "params.yaml"), load(folder / "params.yaml"))
    settings["ingest"]["tables"]["market"] = [{"files": [str(market)], "columns": {}}]
    section = config.parse(settings).ingest.tables
    stocks = tables.load(section, folder / "read", 2).stocks
    shutil.rmtree(folder / "read", ignore_errors=True)
    return stocks


def test_the_free_plan_gives_tables_of_what_it_has(market, tmp_path, capsys, monkeypatch):
    """Days to 2024-01-31, and no index: what `konkyo fetch jquants --first 2024-01` leaves."""
    monkeypatch.setitem(jquants_client.LIMITS, "free", 1e9)
    covered = "Your subscription covers the following dates: 2023-11-01 ~ 2024-01-31."
    for path in ("/equities/bars/daily", "/fins/summary", "/equities/master"):
        route = market.routes[path]
        market.routes[path] = lambda asked, route=route: (
            Told(400, {"message": covered}) if asked.query["date"] > "20240131" else route(asked)
        )
    no_index = "This API is not available on your subscription."
    market.routes["/indices/bars/daily/topix"] = lambda _: Told(403, {"message": no_index})
    main("jquants", "2024-01", None, tmp_path / "own")
    printed = capsys.readouterr().out.splitlines()
    gaps = [line for line in printed if "left out" in line]
    assert gaps[0].startswith("topix left out: ") and no_index in gaps[0]
    assert gaps[1:] == ["your plan covers 2023-11-01 to 2024-01-31: other days were left out"]
    folder = tmp_path / "own/jquants"
    assert len(pd.read_parquet(folder / "prices")) == 6
    assert {path.name for path in folder.iterdir()} == {
        "raw", "prices", "members.parquet", "reports.parquet", "params.yaml"
    }  # fmt: skip
    assert "market" not in (folder / "params.yaml").read_text()


@pytest.mark.parametrize("name", ["a b", "日本#1", "[x], {y: z}", "50% 'q' \"d\""])
def test_a_folder_of_any_name_is_in_the_params(market, tmp_path, name, capsys):
    out = tmp_path / name
    main("jquants", "2024-01", "2024-01", out, plan="light", parts=("prices", "topix"))
    text = (out / "jquants/params.yaml").read_text(encoding="utf-8")
    settings = YAML(typ="safe", pure=True).load(text)["ingest"]["tables"]
    assert settings["stocks"]["files"] == [str(out / "jquants/prices")]
    assert settings["market"][0]["files"] == [str(out / "jquants/topix.parquet")]


def test_unchanged_tables_are_not_written_again(market, tmp_path):
    fetch_jquants(tmp_path)
    written = [path for path in (tmp_path / "own/jquants").rglob("*.parquet")]
    before = {path: path.stat().st_mtime_ns for path in written}
    fetch_jquants(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in written} == before


def test_a_month_with_a_missing_day_waits_for_it(market, tmp_path, capsys):
    bars = market.routes["/equities/bars/daily"]
    days = market.routes["/markets/calendar"](None).body["data"]
    days[:] = [{"Date": f"2024-0{m}-{d}", "HolDiv": "1"} for m in (1, 2, 3) for d in (28, 29)]
    market.routes["/indices/bars/daily/topix"] = lambda _: Told(
        body={"data": [day | dict.fromkeys("OHLC", 2500.0) for day in days]}
    )
    market.routes["/equities/bars/daily"] = lambda asked: (
        Told(404, "gone") if asked.query["date"] == "20240228" else bars(asked)
    )
    main("jquants", "2024-01", "2024-03", tmp_path / "own", plan="light")
    months = tmp_path / "own/jquants/prices"
    assert sorted(path.stem for path in months.iterdir()) == ["2024-01", "2024-03"]
    printed = capsys.readouterr().out
    assert "prices 2024-02-28 is missing: J-Quants answered" in printed
    assert "prices: 2024-02 left out, without 2024-02-28" in printed
    market.routes["/equities/bars/daily"] = bars
    main("jquants", "2024-01", "2024-03", tmp_path / "own", plan="light")
    assert len(list(months.iterdir())) == 3
    printed = capsys.readouterr().out
    assert "is missing" not in printed and "left out" not in printed


def test_what_came_before_an_error_can_be_used(market, tmp_path, capsys):
    market.routes["/fins/summary"] = lambda _: Told(400, "out of order")
    message = failed(capsys, "jquants", "2024-01", "2024-02", tmp_path / "own", plan="light")
    assert "out of order" in message
    assert len(pd.read_parquet(tmp_path / "own/jquants/prices")) == 6
    assert (tmp_path / "own/jquants/params.yaml").is_file()


def test_a_plan_without_the_index_has_no_market_series(market, tmp_path):
    fetch_jquants(tmp_path, parts=("prices", "listed"))
    text = (tmp_path / "own/jquants/params.yaml").read_text()
    assert "market" not in text
    assert "reports" not in text
    assert "members" in text


def failed(capsys: pytest.CaptureFixture, *arguments, **options) -> str:
    with pytest.raises(SystemExit) as ended:
        main(*arguments, **options)
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_what_cannot_be_fetched_is_one_line(market, tmp_path, capsys, monkeypatch):
    out = tmp_path / "own"
    assert "--first 2018-01" in failed(capsys, "jquants", "2024-1x", out=out)
    assert "choose from" in failed(capsys, "jquants", "2024-01", out=out, parts=("bars",))
    assert "CPIAUCSL" in failed(capsys, "fred", "2024-01", out=out)
    assert "no vendor 'nikkei'" in failed(capsys, "nikkei")
    monkeypatch.delenv("JQUANTS_API_KEY")
    said = failed(capsys, "jquants", "2024-01", out=out)
    assert "JQUANTS_API_KEY" in said
    assert "Traceback" not in said
    assert not out.exists()


def test_point_in_time_series_are_market_columns(vendor, policy, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FRED_API_KEY", KEY)
    monkeypatch.setattr(fred, "BASE", vendor.url)
    values = {"CPI": "308.4", "PCE": "121.9"}
    vendor.routes = {
        "/series/vintagedates": lambda _: VINTAGES,
        "/series/observations": lambda asked: first_value(values[asked.query["series_id"]]),
    }
    monkeypatch.setattr(fred, "PER_MINUTE", 1e9)
    series = ["CPI=consumer_prices", "PCE"]
    out = tmp_path / "own"
    main("fred", "2024-01", "2024-03", out, series=series, policy=policy)
    expected = "month,consumer_prices,PCE\n2024-01-31,,\n2024-02-29,308.4,121.9\n"
    assert (out / "fred/market.csv").read_text() == expected + "2024-03-31,308.4,121.9\n"
    printed = capsys.readouterr().out
    assert "missing in 1 months, 2024-01 to 2024-01" in printed
    assert f'files: ["{out / "fred/market.csv"}"]' in printed


@pytest.fixture
def fred_service(vendor, monkeypatch) -> dict[str, Told]:
    """Answers of FRED on CPI and PCE by series, which a test may replace."""
    monkeypatch.setenv("FRED_API_KEY", KEY)
    monkeypatch.setattr(fred, "BASE", vendor.url)
    monkeypatch.setattr(fred, "PER_MINUTE", 1e9)
    answers = {"CPI": first_value("308.4"), "PCE": first_value("121.9")}
    vendor.routes = {
        "/series/vintagedates": lambda _: VINTAGES,
        "/series/observations": lambda asked: answers[asked.query["series_id"]],
    }
    return answers


BROKEN = Told(404, {"error_code": 404, "error_message": "gone"})


def test_a_series_that_fails_leaves_the_others(fred_service, policy, tmp_path, capsys):
    out, market = tmp_path, tmp_path / "fred/market.csv"
    fred_service["CPI"] = BROKEN
    options = {"out": out, "series": ("CPI", "PCE"), "policy": policy}
    assert "gone" in failed(capsys, "fred", "2024-02", "2024-02", **options)
    assert market.read_text() == "month,PCE\n2024-02-29,121.9\n"


def test_a_series_that_fails_later_stays_as_it_was(fred_service, policy, tmp_path, capsys, vendor):
    market = tmp_path / "fred/market.csv"
    options = {"out": tmp_path, "series": ("CPI", "PCE"), "policy": policy}
    main("fred", "2024-02", "2024-02", **options)
    vendor.routes["/series/vintagedates"] = lambda asked: (
        BROKEN if asked.query["series_id"] == "CPI" else VINTAGES
    )
    assert "gone" in failed(capsys, "fred", "2024-03", "2024-03", **options)
    expected = "month,CPI,PCE\n2024-02-29,308.4,121.9\n2024-03-31,308.4,121.9\n"
    assert market.read_text() == expected


def test_series_are_not_overwritten_by_others(fred_service, policy, tmp_path, capsys):
    options = {"out": tmp_path, "policy": policy}
    message = failed(capsys, "fred", "2024-02", series=("CPI=prices", "PCE=prices"), **options)
    assert "two series have the name prices, CPI and PCE" in message
    assert "write ID or ID=name" in failed(capsys, "fred", "2024-02", series=("../CPI",), **options)
    assert "not month or date" in failed(capsys, "fred", "2024-02", series=("A=date",), **options)
    assert not list(tmp_path.iterdir())
    main("fred", "202402", "2024/02/29", series=("CPI",), **options)
    before = (tmp_path / "fred/market.csv").read_bytes()
    message = failed(capsys, "fred", "2024-02", series=("PCE",), **options)
    assert "has the series CPI, which this command would take out" in message
    assert (tmp_path / "fred/market.csv").read_bytes() == before
    # As a spreadsheet saves it: neither guessed nor replaced.
    edited = before.replace(b"2024-02-29", b"29/02/2024")
    (tmp_path / "fred/market.csv").write_bytes(edited)
    message = failed(capsys, "fred", "2024-02", series=("CPI",), **options)
    assert "market.csv is damaged or cannot be read ('29/02/2024' is no day" in message
    assert (tmp_path / "fred/market.csv").read_bytes() == edited


def test_one_file_of_the_ministry_is_missing(vendor, policy, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(mof, "BASE", vendor.url)
    vendor.routes = {path: lambda _: Told(200, YIELDS) for path in mof.YIELDS}
    vendor.routes[mof.OPERATIONS] = lambda _: Told(200, OPERATIONS.encode("cp932"))
    options = {"out": tmp_path, "maturities": (2, 10), "policy": policy}
    main("mof", **options)
    now = "Interest Rate,,\nDate,2Y,10Y\n2024/2/2,0.2,0.5\n2024/2/5,0.3,0.4\n"
    vendor.routes = {mof.YIELDS[1]: lambda _: Told(200, now)}
    message = failed(capsys, "mof", **options)
    assert "jgbcme_all.csv with status 404" in message
    assert "intervention_operations.csv with status 404" in message
    expected = "date,jgb_2,jgb_10\n2024-02-01,0.1,0.7\n2024-02-02,0.1,0.6\n2024-02-05,0.2,0.5\n"
    assert (tmp_path / "mof/jgb.csv").read_text() == expected
    assert (tmp_path / mof.OPERATIONS_FILE).is_file()


def test_an_incomplete_file_leaves_the_old_one(vendor, policy, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(mof, "BASE", vendor.url)
    vendor.routes = {path: lambda _: Told(200, YIELDS) for path in mof.YIELDS}
    vendor.routes[mof.OPERATIONS] = lambda _: Told(200, OPERATIONS.encode("cp932"))
    out = tmp_path / "own"
    main("mof", out=out, maturities=(2, 10), policy=policy)
    expected = "date,jgb_2,jgb_10\n2024-02-01,0.1,0.7\n2024-02-02,0.1,0.6\n"
    assert (out / "mof/jgb.csv").read_text() == expected
    assert "1 days with an operation" in capsys.readouterr().out
    kept = (out / mof.OPERATIONS_FILE).read_bytes()
    assert kept == OPERATIONS.encode("cp932")
    broken = OPERATIONS.replace('29,"59,185"', '29,"5,185"').encode("cp932")
    vendor.routes[mof.OPERATIONS] = lambda _: Told(200, broken)
    assert "total is 59,185" in failed(capsys, "mof", out=out, maturities=(2, 10), policy=policy)
    assert (out / mof.OPERATIONS_FILE).read_bytes() == kept
