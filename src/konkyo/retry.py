"""Retries with exponential backoff, for the services of vendors and the MLflow store."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

Result = TypeVar("Result")


@dataclass(frozen=True)
class RetryPolicy:
    """Number of attempts or time limit of a call, and the waits between attempts.

    Attributes
    ----------
    attempts : int or None
        Calls in all; then the last error is raised.
    seconds : float or None
        Seconds since the first call; then the next error is raised. With `attempts`, whichever is
        reached first.
    first : float
        Upper limit of the first wait in seconds, which doubles from one wait to the next. Each wait
        is drawn uniformly below its limit ("full jitter"), so that clients that failed together do
        not retry together.
    longest : float
        Upper limit of all waits.
    longest_asked : float
        If a server asks for a longer wait than this, the error is raised.
    sleep : callable
        Waits a number of seconds.

    Raises
    ------
    ValueError
        Neither `attempts` nor `seconds` is set: the call would be retried for ever.
    """

    attempts: int | None = None
    seconds: float | None = None
    first: float = 2.0
    longest: float = 120.0
    longest_asked: float = 900.0
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if self.attempts is None and self.seconds is None:
            raise ValueError("a retry policy needs attempts or seconds")


def retry(
    call: Callable[[], Result],
    policy: RetryPolicy,
    *,
    retry_on: Callable[[BaseException], bool],
    asked_wait: Callable[[BaseException], float | None] = lambda error: None,
    on_first_failure: Callable[[BaseException], None] = lambda error: None,
) -> Result:
    """Call until it succeeds or the policy is exhausted, and return its result.

    Parameters
    ----------
    call : callable
        Must be safe to repeat: it may have taken effect although it raised.
    policy : RetryPolicy
        Limits and waits.
    retry_on : callable
        Whether to retry after this error; any other error is raised at once.
    asked_wait : callable
        The wait in seconds that the server asked for with this error, None if it did not; it
        replaces the random one.
    on_first_failure : callable
        Receives the first error that is retried.

    Raises
    ------
    Exception
        That of the last attempt, unchanged.
    """
    jitter = wait_random_exponential(multiplier=policy.first, max=policy.longest)

    def error_of(state: RetryCallState) -> BaseException:
        error = state.outcome.exception() if state.outcome else None
        assert error is not None  # nosec B101 # tenacity stops, waits and sleeps after errors only
        return error

    def wait(state: RetryCallState) -> float:
        asked = asked_wait(error_of(state))
        if asked is not None:
            return asked
        if policy.seconds is None:
            return jitter(state)
        # The last wait ends at the time limit: a service that is back by then is still found, and
        # the limit is not exceeded by a whole wait.
        return min(jitter(state), max(policy.seconds - (state.seconds_since_start or 0.0), 0.0))

    def exhausted(state: RetryCallState) -> bool:
        asked = asked_wait(error_of(state))
        return (
            (asked is not None and asked > policy.longest_asked)
            or (policy.attempts is not None and state.attempt_number >= policy.attempts)
            or (policy.seconds is not None and (state.seconds_since_start or 0.0) >= policy.seconds)
        )

    def before_sleep(state: RetryCallState) -> None:
        if state.attempt_number == 1:
            on_first_failure(error_of(state))

    retrying = Retrying(
        retry=retry_if_exception(retry_on),
        stop=exhausted,
        wait=wait,
        sleep=policy.sleep,
        before_sleep=before_sleep,
        reraise=True,
    )
    return retrying(call)
