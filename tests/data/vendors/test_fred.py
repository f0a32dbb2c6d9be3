import traceback

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.data.vendors import fred
from konkyo.data.vendors.http import Unavailable
from konkyo.errors import SourceError
from vendor_server import KEY, Asked, Told, Vendor

# Gross product: told on the 30th of the month after the quarter, revised twice.
VERSIONS = [
    ("2013-10-01", "2014-01-30", 17102.5),
    ("2013-10-01", "2014-02-28", 17080.7),
    ("2013-10-01", "2014-03-27", 17089.6),
    ("2014-01-01", "2014-04-30", 17149.6),
    ("2014-01-01", "2014-05-29", 17101.3),
]
END = "9999-12-31"


def frame(versions: list[tuple[str, str, float | None]]) -> pd.DataFrame:
    table = pd.DataFrame(versions, columns=["date", "published", "value"])
    dates = dict.fromkeys(("date", "published"), "datetime64[ns]")
    return table.astype(dates | {"value": "float64"})


def answer(name: str, rows: list) -> Told:
    return Told(body={name: rows})


def refused(status: int, message: str, **headers: str) -> Told:
    return Told(status, {"error_code": status, "error_message": message}, headers)


def observation(date: str, start: str, value: float | None) -> dict[str, str]:
    text = "." if value is None else str(value)
    return {"realtime_start": start, "realtime_end": END, "date": date, "value": text}


@pytest.fixture
def service(vendor: Vendor, monkeypatch) -> Vendor:
    """Make a service that cuts each version's validity to the span asked for, as FRED does."""
    monkeypatch.setenv("FRED_API_KEY", KEY)
    monkeypatch.setattr(fred, "PER_MINUTE", 1e9)

    def observations(asked: Asked) -> Told:
        start, end = asked.query["realtime_start"], asked.query["realtime_end"]
        rows = []
        for place, (date, published, value) in enumerate(VERSIONS):
            later = [p for d, p, _ in VERSIONS[place + 1 :] if d == date]
            if published <= end and (not later or later[0] > start):
                rows.append(observation(date, max(published, start), value))
        return answer("observations", rows)

    def vintages(_: Asked) -> Told:
        dates = sorted({published for _, published, _ in VERSIONS})
        return answer("vintage_dates", dates)

    vendor.routes = {"/series/observations": observations, "/series/vintagedates": vintages}
    return vendor


@pytest.mark.parametrize("most", [1000, 2, 1])
def test_every_version_is_read_once(service, policy, monkeypatch, most):
    monkeypatch.setattr(fred, "MAX_VINTAGES", most)
    found = fred.releases(fred.Connection(service.url, policy), "GDP")
    pd.testing.assert_frame_equal(found, frame(VERSIONS))


def test_a_truncated_answer_is_requested_in_halves(service, policy, monkeypatch):
    monkeypatch.setattr(fred, "MAX_ROWS", 3)
    found = fred.releases(fred.Connection(service.url, policy), "GDP")
    pd.testing.assert_frame_equal(found, frame(VERSIONS))
    monkeypatch.setattr(fred, "MAX_ROWS", 1)
    with pytest.raises(SourceError, match="lower frequency"):
        fred.releases(fred.Connection(service.url, policy), "GDP")


@pytest.mark.parametrize("count", range(1, 5))
def test_later_vintages_are_added_to_what_is_there(service, policy, count):
    connection = fred.Connection(service.url, policy)
    found = fred.releases(connection, "GDP", frame(VERSIONS[:count]))
    pd.testing.assert_frame_equal(found, frame(VERSIONS))
    assert service.asked[-1].query["realtime_start"] == VERSIONS[count][1]
    service.asked.clear()
    fred.releases(connection, "GDP", found)
    assert [asked.path for asked in service.asked] == ["/series/vintagedates"]


MONTHS = pd.date_range("2013-12-31", "2014-07-31", freq="ME")


def test_a_month_has_what_was_known_at_its_end():
    values = fred.as_of(frame(VERSIONS), MONTHS, carry=12)
    expected = [-1, 17102.5, 17080.7, 17089.6, 17149.6, 17101.3, 17101.3, 17101.3]
    assert values.fillna(-1).tolist() == expected


def test_a_value_grows_too_old():
    values = fred.as_of(frame(VERSIONS[:1]), MONTHS, carry=2)
    assert values.fillna(-1).tolist() == [-1, 17102.5, 17102.5, -1, -1, -1, -1, -1]


def test_a_missing_version_changes_nothing():
    late = [("2014-04-01", "2014-06-10", None), ("2013-10-01", "2014-06-20", 1.0)]
    values = fred.as_of(frame(VERSIONS + late), MONTHS, carry=12)
    assert values.iloc[-1] == 17101.3


day = st.integers(0, 240).map(lambda days: pd.Timestamp("2013-12-01") + pd.Timedelta(days=days))
versions = st.lists(st.tuples(day, day, st.floats(-9, 9)), min_size=1, unique_by=lambda v: v[:2])


@settings(max_examples=12)
@given(versions)
def test_point_in_time_values_equal_a_loops(rows):
    table = frame(rows).sort_values(["date", "published"])
    values = fred.as_of(table, MONTHS, carry=100)
    for month, value in values.items():
        told = [version for version in rows if version[1] <= month]
        # The newest observation, in its newest version.
        expected = max(told)[2] if told else None
        assert pd.isna(value) if expected is None else value == expected
        past = fred.as_of(table[table["published"] <= month], MONTHS, carry=100)
        pd.testing.assert_series_equal(past[:month], values[:month])


def test_an_unrevised_series_follows_its_period(service, policy):
    service.routes["/series"] = lambda _: answer("seriess", [{"frequency_short": "M"}])
    rows = [
        observation(day, "2024-05-01", value)
        for day, value in (("2024-01-01", 1.5), ("2024-02-01", None))
    ]
    service.routes["/series/observations"] = lambda _: answer("observations", rows)
    found = fred.latest(fred.Connection(service.url, policy), "FEDFUNDS", lag=1)
    assert found["published"].dt.strftime("%Y-%m-%d").tolist() == ["2024-02-01", "2024-03-01"]
    assert found["value"].fillna(-1).tolist() == [1.5, -1]
    service.routes["/series"] = lambda _: answer("seriess", [{"frequency_short": "D"}])
    found = fred.latest(fred.Connection(service.url, policy), "DGS10", lag=0)
    assert found["published"].tolist() == found["date"].tolist()


def test_limits_and_faults_are_waited_out(service, policy, waits):
    service.first += [
        refused(429, "Too Many Requests. Exceeded Rate Limit", **{"Retry-After": "20"}),
        Told(502, "<html>Bad Gateway"),
    ]
    assert len(fred.releases(fred.Connection(service.url, policy), "GDP")) == 5
    assert waits[0] == 20.0
    assert len(waits) == 2


@pytest.mark.parametrize(
    "told",
    [
        Told(200, '{"vintage_dates": ["20'),
        Told(200, "[]"),
        Told(200, "x", {"Content-Length": "9"}),
    ],
)
def test_an_incomplete_answer_is_requested_again(service, policy, waits, told):
    service.first += [told, told]
    assert len(fred.releases(fred.Connection(service.url, policy), "GDP")) == 5
    assert len(waits) == 2
    service.first += [told] * 3
    with pytest.raises(Unavailable, match="series_id=GDP"):
        fred.releases(fred.Connection(service.url, policy), "GDP")


def test_a_series_that_is_not_there_is_asked_for_once(service, policy):
    service.first.append(refused(400, "Bad Request.  The series does not exist."))
    with pytest.raises(SourceError, match="The series does not exist"):
        fred.releases(fred.Connection(service.url, policy), "NOWHERE")
    assert len(service.asked) == 1
    service.routes["/series/vintagedates"] = lambda _: answer("vintage_dates", [])
    with pytest.raises(SourceError, match="has no vintage of DGS10"):
        fred.releases(fred.Connection(service.url, policy), "DGS10")


def test_the_key_is_in_no_error_and_no_log(service, policy):
    connection = fred.Connection(service.url, policy)
    service.first += [refused(400, f"Bad Request. api_key {KEY} is not registered")]
    errors = []
    for url in (service.url, "http://127.0.0.1:9"):
        connection._base = url
        with pytest.raises(SourceError) as caught:
            fred.releases(connection, "GDP")
        errors.append("".join(traceback.format_exception(caught.value)))
    assert "api_key *** is not registered" in errors[0]
    assert "check the network connection" in errors[1]
    assert KEY not in "".join(errors) + repr(connection) + str(connection)
    assert service.asked[0].query["api_key"] == KEY


def test_observations_that_the_service_drops_are_kept():
    stored = frame([("2014-01-01", "2014-01-02", 1.0), ("2014-01-02", "2014-01-03", 2.0)])
    rows = frame([("2014-01-02", "2014-01-03", None), ("2014-01-03", "2014-01-04", 3.0)])
    merged = fred.merge_latest(stored, rows, "SP500")
    assert merged["value"].tolist() == [1.0, 2.0, 3.0]
    pd.testing.assert_frame_equal(fred.merge_latest(None, rows, "SP500"), rows)


def test_a_revised_series_is_no_latest_one():
    stored = frame([("2014-01-01", "2014-01-02", 1.0), ("2014-01-02", "2014-01-03", None)])
    rows = frame([("2014-01-01", "2014-01-02", 1.5), ("2014-01-02", "2014-01-03", 4.0)])
    with pytest.raises(SourceError, match=r"1 values of GDP .* 2014-01-01: 1.0, now 1.5"):
        fred.merge_latest(stored, rows, "GDP")
