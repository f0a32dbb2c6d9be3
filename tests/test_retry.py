"""The retries that vendors' connectors and the MLflow store share, with a clock of their own."""

import pytest

from konkyo.retry import RetryPolicy, retry


class Passing(Exception):
    """An error that may pass; `after` is the wait that a server asks for."""

    def __init__(self, number: int, after: float | None = None) -> None:
        super().__init__(number)
        self.number, self.after = number, after


class Clock:
    """Seconds that only waits move on, and the waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        self.waits: list[float] = []
        monkeypatch.setattr("tenacity.time.monotonic", lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def failing(count: int, after: float | None = None):
    """Return a call that fails so many times, and then returns how often it was called."""
    calls = []

    def call() -> int:
        calls.append(1)
        if len(calls) <= count:
            raise Passing(len(calls), after)
        return len(calls)

    return call


def passing(error: BaseException) -> bool:
    return isinstance(error, Passing)


def test_a_policy_has_an_end():
    with pytest.raises(ValueError, match="attempts or seconds"):
        RetryPolicy(first=1.0)


def test_a_call_that_succeeds_is_not_waited_for(clock):
    assert retry(failing(0), RetryPolicy(attempts=3, sleep=clock.sleep), retry_on=passing) == 1
    assert clock.waits == []


def test_attempts_end_with_the_last_error(clock):
    policy = RetryPolicy(attempts=3, sleep=clock.sleep)
    assert retry(failing(2), policy, retry_on=passing) == 3
    with pytest.raises(Passing) as raised:
        retry(failing(9), policy, retry_on=passing)
    assert raised.value.number == 3
    assert len(clock.waits) == 4


def test_seconds_are_used_to_the_end_and_not_overrun(clock):
    """The last wait is cut to end with the limit; the attempt after it is the last."""
    policy = RetryPolicy(seconds=10.0, first=2.0, longest=64.0, sleep=clock.sleep)
    for _ in range(20):
        started = clock.now
        with pytest.raises(Passing):
            retry(failing(1_000), policy, retry_on=passing)
        assert clock.now - started == pytest.approx(10.0)


def test_whichever_of_attempts_and_seconds_is_first(clock):
    policy = RetryPolicy(attempts=2, seconds=1e6, sleep=clock.sleep)
    with pytest.raises(Passing) as raised:
        retry(failing(9), policy, retry_on=passing)
    assert raised.value.number == 2
    policy = RetryPolicy(attempts=10**6, seconds=0.0, sleep=clock.sleep)
    with pytest.raises(Passing) as raised:
        retry(failing(9), policy, retry_on=passing)
    assert raised.value.number == 1


def test_the_limit_of_waits_doubles_up_to_the_longest(clock, monkeypatch):
    monkeypatch.setattr("tenacity.wait.random.uniform", lambda low, high: high)
    policy = RetryPolicy(attempts=6, first=1.0, longest=5.0, sleep=clock.sleep)
    assert retry(failing(5), policy, retry_on=passing) == 6
    assert clock.waits == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_waits_are_drawn_at_random_below_their_limit(clock):
    policy = RetryPolicy(attempts=400, first=3.0, longest=3.0, sleep=clock.sleep)
    retry(failing(399), policy, retry_on=passing)
    assert 0 <= min(clock.waits) < 0.1 and 2.9 < max(clock.waits) <= 3.0


def test_a_server_says_how_long_to_wait(clock):
    policy = RetryPolicy(attempts=3, longest=5.0, longest_asked=60.0, sleep=clock.sleep)
    after = lambda error: error.after  # noqa: E731
    assert retry(failing(2, 60.0), policy, retry_on=passing, asked_wait=after) == 3
    assert clock.waits == [60.0, 60.0]
    with pytest.raises(Passing) as raised:
        retry(failing(2, 61.0), policy, retry_on=passing, asked_wait=after)
    assert raised.value.number == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_other_errors_end_it_at_once(clock, error):
    calls = []

    def call() -> None:
        calls.append(1)
        raise error

    with pytest.raises(error):
        retry(call, RetryPolicy(attempts=9, sleep=clock.sleep), retry_on=passing)
    assert len(calls) == 1 and clock.waits == []


def test_an_interrupt_arrives_while_waiting():
    def sleep(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retry(failing(9), RetryPolicy(attempts=9, sleep=sleep), retry_on=passing)


def test_the_first_failure_alone_is_reported(clock):
    reported = []
    policy = RetryPolicy(attempts=4, sleep=clock.sleep)
    retry(
        failing(3),
        policy,
        retry_on=passing,
        on_first_failure=lambda error: reported.append(error.number),
    )
    assert reported == [1]
