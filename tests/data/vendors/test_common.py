import logging
import traceback

import pytest
import requests

from konkyo.data.vendors.http import (
    RateLimiter,
    Service,
    Unavailable,
    credential,
    import_client,
)
from konkyo.errors import SourceError
from konkyo.retry import RetryPolicy
from vendor_server import KEY, Told, Vendor


def test_requests_stay_below_the_rate_limit():
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    limiter = RateLimiter(60, clock=lambda: now[0], sleep=sleep)
    limiter.wait()
    limiter.wait()
    now[0] += 0.5
    limiter.wait()
    now[0] += 10
    limiter.wait()
    assert slept == pytest.approx([1.05, 0.55])


def test_a_key_comes_from_the_environment_alone(monkeypatch):
    monkeypatch.setenv("SOME_KEY", f" {KEY}\n")
    assert credential("SOME_KEY", "the vendor", "its page") == KEY
    for value in ("", "  ", "two words", "schlüssel"):
        monkeypatch.setenv("SOME_KEY", value)
        with pytest.raises(SourceError, match="SOME_KEY") as caught:
            credential("SOME_KEY", "the vendor", "its page")
        assert not value.strip() or value not in str(caught.value)


def test_an_absent_client_is_named_with_its_command():
    with pytest.raises(SourceError, match=r"pip install 'nowhere>=1'"):
        import_client("nowhere_at_all", "nowhere", "nowhere>=1")


def asking(vendor: Vendor, policy: RetryPolicy) -> requests.Response:
    service = Service("the vendor", RateLimiter(1e9), policy, KEY, {"hidden": KEY})
    params, headers = {"date": "20240501"}, {"x-api-key": KEY}
    return service.get(vendor.url + "/there", params, headers, json=False)


def test_passing_errors_retry_after_the_servers_wait(vendor, policy, waits):
    vendor.routes["/there"] = lambda _: Told(200, "here")
    vendor.first += [Told(429, "slow down", {"Retry-After": "7"}), Told(500, "oh")]
    assert asking(vendor, policy).text == "here"
    assert waits[0] == 7.0
    assert 0 <= waits[1] <= 2 * policy.first
    assert len(vendor.asked) == 3
    # A time that has passed, and words that say none.
    for header, expected in (("Wed, 01 May 2024 11:00:00 GMT", 0.0), ("soon", None)):
        vendor.first.append(Told(503, "away", {"Retry-After": header}))
        asking(vendor, policy)
        assert waits[-1] == expected or (expected is None and 0 < waits[-1] <= 2 * policy.first)


def test_waits_grow_but_not_for_ever(vendor, waits):
    vendor.first += [Told(503) for _ in range(9)]
    with pytest.raises(Unavailable, match="503"):
        asking(vendor, RetryPolicy(attempts=9, first=1.0, longest=4.0, sleep=waits.append))
    assert len(waits) == 8
    assert max(waits) <= 4.0


def test_a_wait_that_is_too_long_ends_the_run(vendor, policy, waits):
    vendor.first.append(Told(429, "slow down", {"Retry-After": "3600"}))
    with pytest.raises(SourceError, match="wait 3,600 seconds"):
        asking(vendor, policy)
    assert waits == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 301])
def test_what_cannot_pass_is_asked_once(vendor, policy, status):
    vendor.first += [Told(status, f"no: {KEY}", {"Location": "http://127.0.0.1:9/elsewhere"})]
    with pytest.raises(SourceError, match=f"status {status} and said: no: ") as caught:
        asking(vendor, policy)
    assert len(vendor.asked) == 1
    assert "date=20240501" in str(caught.value)
    assert ("plan" in str(caught.value)) == (status in (401, 403))


def test_the_secret_is_in_no_message_and_no_log(vendor, policy, caplog):
    caplog.set_level(logging.DEBUG)
    vendor.first += [Told(500, KEY), Told(200, "cut", {"Content-Length": "99"}), Told(403, KEY)]
    with pytest.raises(SourceError) as refused:
        asking(vendor, policy)
    vendor.url = "http://127.0.0.1:9"
    with pytest.raises(Unavailable, match="network connection") as unreached:
        asking(vendor, policy)
    for error in (refused.value, unreached.value):
        assert KEY not in "".join(traceback.format_exception(error))
    assert caplog.text
    assert KEY not in caplog.text
    assert all(asked.headers["x-api-key"] == KEY for asked in vendor.asked)
