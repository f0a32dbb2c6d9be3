"""Retries with exponential backoff: the one policy for vendors' services and the MLflow store."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

Result = TypeVar("Result")


@dataclass(frozen=True)
class RetryPolicy:
    """How often a call is tried, or for how long, and how long the waits in between are.

    Attributes
    ----------
    attempts : int or None
        Calls in all before the last failure is raised.
    seconds : float or None
        Seconds since the first call after which the next failure is raised; with `attempts` too,
        whichever is reached first.
    first : float
        Upper limit of the first wait in seconds, which doubles from one wait to the next. Each wait
        is drawn uniformly below its limit ("full jitter"), so that clients which failed together do
        not come back together.
    longest : float
        The limit of a wait grows no further than this.
    longest_asked : float
        A server that asks to wait longer than this is not waited for.
    sleep : callable
        Waits the seconds that it is given.

    Raises
    ------
    ValueError
        Neither `attempts` nor `seconds` is given: the call would be retried for ever.
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
        Must be safe to repeat: its effect may have happened although it raised.
    policy : RetryPolicy
        Attempts or seconds, and the waits.
    retry_on : callable
        Whether another attempt may help after this error; any other error is raised at once.
    asked_wait : callable
        The wait in seconds that the server asked for with this error, None where it asked for none;
        it replaces the random one.
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
        # The last wait ends with the time limit, so that the limit is neither overrun by a whole
        # wait nor cut short: a store that is back by then is found.
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
