import pandas as pd
import pytest

from konkyo.data.vendors import jquants, jquants_client
from konkyo.errors import SourceError
from konkyo.retry import RetryPolicy
from vendor_server import KEY, Asked, Told, Vendor

pytest.importorskip("jquantsapi")

DAYS = ["2024-01-30", "2024-01-31", "2024-02-01", "2024-02-02"]
SUMMARY = "/fins/summary"
BARS = "/equities/bars/daily"


def bar(day: str, code: str, close: float | None, factor: float = 1.0) -> dict:
    return {
        "Date": day, "Code": code, "O": close, "H": close, "L": close, "C": close, "UL": "0",
        "LL": "0", "Vo": None if close is None else 100.0,
        "Va": None if close is None else 100.0 * close, "AdjFactor": factor, "AdjC": close,
    }  # fmt: skip


def summary(day: str, code: str, **values: str) -> dict:
    from jquantsapi import constants

    empty = dict.fromkeys(constants.FIN_SUMMARY_COLUMNS_V2, "")
    known = {"DiscDate": day, "DiscTime": "15:00:00", "DiscNo": day + code, "Code": code}
    return empty | known | values


def listing(day: str, code: str, market: str = "0111") -> dict:
    from jquantsapi import constants

    empty = dict.fromkeys(constants.EQ_MASTER_COLUMNS_V2, "")
    return empty | {"Date": day, "Code": code, "S33": "3050", "Mkt": market}


def iso(day: str) -> str:
    return f"{pd.Timestamp(day):%Y-%m-%d}"


@pytest.fixture
def exchange(vendor: Vendor, monkeypatch) -> Vendor:
    """Four trading days of two stocks; prices come in two pages a day."""
    monkeypatch.setenv("JQUANTS_API_KEY", KEY)

    def calendar(asked: Asked) -> Told:
        first, last = iso(asked.query["from"]), iso(asked.query["to"])
        days = [{"Date": day, "HolDiv": "1"} for day in DAYS if first <= day <= last]
        return Told(body={"data": [*days, {"Date": "2024-02-03", "HolDiv": "0"}]})

    def bars(asked: Asked) -> Told:
        day = iso(asked.query["date"])
        if "pagination_key" in asked.query:
            return Told(body={"data": [bar(day, "13020", None)]})
        return Told(body={"data": [bar(day, "13010", 200.0)], "pagination_key": "next"})

    def summaries(asked: Asked) -> Told:
        day = iso(asked.query["date"])
        rows = [summary(day, "13010", Sales="1000")] if day == "2024-01-31" else []
        return Told(body={"data": rows})

    def topix(asked: Asked) -> Told:
        first, last = iso(asked.query["from"]), iso(asked.query["to"])
        rows = [{"Date": day, "O": 1, "H": 1, "L": 1, "C": 2500.0} for day in DAYS]
        return Told(body={"data": [row for row in rows if first <= row["Date"] <= last]})

    vendor.routes = {
        "/markets/calendar": calendar,
        BARS: bars,
        SUMMARY: summaries,
        "/equities/master": lambda asked: Told(
            body={"data": [listing(iso(asked.query["date"]), "13010")]}
        ),
        "/indices/bars/daily/topix": topix,
    }
    return vendor


def run(vendor, folder, first="2024-01-01", last="2024-02-29", parts=jquants.PARTS, policy=None):
    waiting = policy or RetryPolicy(attempts=2, sleep=lambda _: None)
    client = jquants_client.connect("premium", vendor.url, waiting)
    first, last = pd.Timestamp(first), pd.Timestamp(last)
    return jquants.fetch(client, folder, first, last, parts, say=lambda _: None)


def paths(vendor: Vendor) -> list[str]:
    return [asked.path for asked in vendor.asked]


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setitem(jquants_client.LIMITS, "premium", 1e9)


def test_every_day_of_every_part_is_kept_as_it_came(exchange, tmp_path):
    fetched = run(exchange, tmp_path)
    assert fetched.days == {"prices": 4, "statements": 60, "listed": 2, "topix": 4}
    assert fetched.gaps() == []
    prices = pd.read_parquet(tmp_path / "raw/prices/2024-01.parquet")
    assert list(prices.columns) == jquants.COLUMNS["prices"]
    assert prices["Code"].tolist() == ["13010", "13020"] * 2
    assert prices["C"].fillna(-1).tolist() == [200.0, -1, 200.0, -1]
    reports = pd.read_parquet(tmp_path / "raw/statements/2024-01.parquet")
    assert reports[["Code", "Sales"]].to_numpy().tolist() == [["13010", 1000.0]]
    assert not (tmp_path / "raw/statements/2024-02.parquet").exists()
    assert pd.read_parquet(tmp_path / "raw/topix.parquet")["C"].tolist() == [2500.0] * 4


def test_a_second_run_asks_only_for_what_is_not_there(exchange, tmp_path):
    run(exchange, tmp_path, last="2024-02-01")
    exchange.asked.clear()
    fetched = run(exchange, tmp_path)
    assert fetched.days == {"prices": 1, "statements": 28, "listed": 1, "topix": 1}
    dates = [asked.query["date"] for asked in exchange.asked if asked.path in (BARS, SUMMARY)]
    assert min(dates) == "20240202"
    exchange.asked.clear()
    assert set(run(exchange, tmp_path).days.values()) == {0}
    assert paths(exchange) == ["/markets/calendar"]


@pytest.mark.parametrize("at", [3, 7, 12])
def test_an_interrupted_run_resumes_to_the_same_files(exchange, tmp_path, at):
    run(exchange, tmp_path / "whole")
    whole = len(exchange.asked)
    exchange.asked.clear()
    answer = exchange.answer

    def stopping(asked: Asked) -> Told:
        return Told(400, "stopped") if len(exchange.asked) >= at else answer(asked)

    exchange.answer = stopping
    with pytest.raises(SourceError, match="stopped"):
        run(exchange, tmp_path / "stopped")
    exchange.answer = answer
    run(exchange, tmp_path / "stopped")
    assert len(exchange.asked) <= whole + 6
    written = sorted((tmp_path / "whole").rglob("*.*"))
    assert len(written) == 7
    for path in written:
        other = tmp_path / "stopped" / path.relative_to(tmp_path / "whole")
        assert other.read_bytes() == path.read_bytes()


def test_an_unrecorded_day_is_not_written_twice(exchange, tmp_path):
    run(exchange, tmp_path, parts=("prices",))
    before = pd.read_parquet(tmp_path / "raw/prices/2024-01.parquet")
    (tmp_path / "raw/days.json").unlink()
    run(exchange, tmp_path, parts=("prices",))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "raw/prices/2024-01.parquet"), before)


def test_a_day_without_prices_is_requested_again(exchange, tmp_path):
    bars = exchange.routes[BARS]
    exchange.routes[BARS] = lambda asked: (
        Told(body={"data": []}) if asked.query["date"] == "20240202" else bars(asked)
    )
    assert run(exchange, tmp_path, parts=("prices",)).absent == ["2024-02-02"]
    exchange.routes[BARS] = bars
    assert run(exchange, tmp_path, parts=("prices",)).days == {"prices": 1}


def test_rate_limits_and_server_errors_are_retried(exchange, tmp_path, waits):
    exchange.first += [
        Told(429, {"message": "Too Many Requests"}, {"Retry-After": "11"}),
        Told(500, {"message": "Internal Server Error"}),
        Told(200, '{"data": [{"Date": "2024-'),
        Told(200, "[]"),
    ]
    patient = RetryPolicy(attempts=5, first=0.5, sleep=waits.append)
    assert run(exchange, tmp_path, parts=("prices",), policy=patient).days == {"prices": 4}
    assert waits[0] == 11.0
    assert len(waits) == 4


COVERED = {"message": "Your subscription covers the following dates: 2024-01-31 ~ 2024-02-01."}


def outside(day: str) -> bool:
    return not "2024-01-31" <= iso(day) <= "2024-02-01"


@pytest.mark.parametrize("calendar_too", [True, False])
def test_a_plan_that_ends_early_is_used_up(exchange, tmp_path, calendar_too):
    def covered(route):
        def answer(asked: Asked) -> Told:
            days = [asked.query[key] for key in ("date", "from", "to") if key in asked.query]
            return Told(400, COVERED) if any(map(outside, days)) else route(asked)

        return answer

    for path, route in exchange.routes.items():
        if calendar_too or "calendar" not in path:
            exchange.routes[path] = covered(route)
    fetched = run(exchange, tmp_path)
    assert fetched.days == {"prices": 2, "statements": 2, "listed": 2, "topix": 2}
    assert fetched.gaps() == ["your plan covers 2024-01-31 to 2024-02-01: other days were left out"]
    asked = [asked.query.get("date", "20240131") for asked in exchange.asked]
    assert sum(map(outside, asked)) == (0 if calendar_too else 1)
    assert fetched.failed == {} and jquants.missing_days(tmp_path / "raw") == []


def test_a_plan_without_any_day_asked_for(exchange, tmp_path):
    exchange.routes["/markets/calendar"] = lambda _: Told(400, COVERED)
    with pytest.raises(SourceError, match="covers the following dates"):
        run(exchange, tmp_path, "2024-03-01", "2024-03-31")


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_failed_day_is_left_out_and_requested_again(exchange, tmp_path, status):
    bars = exchange.routes[BARS]
    exchange.routes[BARS] = lambda asked: (
        Told(status, "broken") if asked.query["date"] == "20240131" else bars(asked)
    )
    fetched = run(exchange, tmp_path)
    assert fetched.days == {"prices": 3, "statements": 60, "listed": 2, "topix": 4}
    assert list(fetched.failed) == ["prices 2024-01-31"]
    assert "prices 2024-01-31 is missing: J-Quants answered" in fetched.gaps()[0]
    assert jquants.missing_days(tmp_path / "raw") == ["2024-01-31"]
    exchange.routes[BARS] = bars
    assert run(exchange, tmp_path).days["prices"] == 1
    assert jquants.missing_days(tmp_path / "raw") == []


def test_failures_in_a_row_end_the_run(exchange, tmp_path):
    exchange.routes[BARS] = lambda _: Told(500, "down")
    with pytest.raises(SourceError, match="status 500 and said: down"):
        run(exchange, tmp_path)
    days = {asked.query["date"] for asked in exchange.asked if asked.path == BARS}
    assert days == {"20240130", "20240131", "20240201"}


@pytest.mark.parametrize("part", ["statements", "listed", "topix"])
def test_a_part_that_the_plan_lacks_is_left_out(exchange, tmp_path, part):
    paths = {"statements": SUMMARY, "listed": "/equities/master"}
    path = paths.get(part, "/indices/bars/daily/topix")
    said = {"message": "This API is not available on your subscription."}
    exchange.routes[path] = lambda _: Told(403, said)
    fetched = run(exchange, tmp_path)
    assert fetched.days["prices"] == 4 and fetched.days[part] == 0
    assert fetched.gaps()[0].startswith(f"{part} left out: ") and len(fetched.gaps()) == 1
    assert [asked.path for asked in exchange.asked].count(path) == 1
    with pytest.raises(SourceError, match="not available on your subscription"):
        run(exchange, tmp_path, parts=(part,))


def test_a_key_that_is_refused_ends_the_run(exchange, tmp_path):
    exchange.first.append(Told(403, {"message": "The incoming API key is invalid."}))
    with pytest.raises(SourceError, match="key is invalid"):
        run(exchange, tmp_path)


def test_documents_of_days_without_trading_are_fetched(exchange, tmp_path):
    exchange.routes[SUMMARY] = lambda asked: Told(
        body={"data": [summary(iso(asked.query["date"]), "13010", Sales="7")]}
        if asked.query["date"] in ("20240203", "20240131")
        else {"data": []}
    )
    run(exchange, tmp_path)
    february = pd.read_parquet(tmp_path / "raw/statements/2024-02.parquet")
    assert february["DiscDate"].dt.strftime("%Y-%m-%d").tolist() == ["2024-02-03"]


def test_an_empty_answer_replaces_nothing(exchange, tmp_path):
    run(exchange, tmp_path, last="2024-02-01")
    listing = (tmp_path / "raw/listed/2024-02.parquet").read_bytes()
    index = (tmp_path / "raw/topix.parquet").read_bytes()
    for path in ("/equities/master", "/indices/bars/daily/topix"):
        exchange.routes[path] = lambda _: Told(body={"data": []})
    fetched = run(exchange, tmp_path)
    assert list(fetched.failed) == ["listed 2024-02-02", "topix 2024-02-02"]
    assert (tmp_path / "raw/listed/2024-02.parquet").read_bytes() == listing
    assert (tmp_path / "raw/topix.parquet").read_bytes() == index


def test_a_stock_with_two_prices_of_a_day_is_refused(exchange, tmp_path):
    bars = exchange.routes[BARS]

    def twice(asked: Asked) -> Told:
        day = iso(asked.query["date"])
        second = 200.0 if day == "2024-01-30" else 300.0
        rows = [bar(day, "13010", 200.0), bar(day, "13010", second)]
        return Told(body={"data": rows}) if day in ("2024-01-30", "2024-01-31") else bars(asked)

    exchange.routes[BARS] = twice
    fetched = run(exchange, tmp_path, parts=("prices",))
    assert list(fetched.failed) == ["prices 2024-01-31"]
    january = pd.read_parquet(tmp_path / "raw/prices/2024-01.parquet")
    assert january["Code"].tolist() == ["13010"]


def test_a_layout_that_changed_is_no_silent_gap(exchange, tmp_path):
    exchange.routes[BARS] = lambda _: Told(body={"data": [{"Date": "2024-01-30", "Code": "1"}]})
    with pytest.raises(SourceError, match=r"lacks \['C', 'Vo', 'Va', 'AdjFactor'\]"):
        run(exchange, tmp_path, parts=("prices",))
    exchange.routes[SUMMARY] = lambda _: Told(body={"data": [{"DiscDate": "2024-01-30"}]})
    with pytest.raises(SourceError, match="pip install --upgrade"):
        run(exchange, tmp_path, parts=("statements",))


def test_no_trading_day_in_the_months_asked_for(exchange, tmp_path):
    with pytest.raises(SourceError, match="no trading day from 2023-01-01"):
        run(exchange, tmp_path, "2023-01-01", "2023-01-31")


def test_the_key_is_required_and_sent_in_the_header(exchange, tmp_path, monkeypatch):
    run(exchange, tmp_path)
    assert all(asked.headers["x-api-key"] == KEY for asked in exchange.asked)
    assert all(KEY not in str(asked.query) for asked in exchange.asked)
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*.*"))
    monkeypatch.delenv("JQUANTS_API_KEY")
    with pytest.raises(SourceError, match="JQUANTS_API_KEY"):
        jquants_client.connect("free", exchange.url)


def test_a_day_is_final_at_three_the_next_day_in_tokyo():
    utc = pd.Timestamp("2024-05-01 17:59", tz="UTC").to_pydatetime()
    assert jquants.newest_final(utc) == pd.Timestamp("2024-04-30")
    utc = pd.Timestamp("2024-05-01 18:00", tz="UTC").to_pydatetime()
    assert jquants.newest_final(utc) == pd.Timestamp("2024-05-01")
