"""HTTP for all vendors: credentials, rate limits, retries, errors without secrets."""

import importlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import TypeVar

import requests

from konkyo.errors import SourceError, redact
from konkyo.retry import RetryPolicy, retry

TIMEOUT = 60.0
"""Seconds without an answer after which a request counts as failed."""
POLICY = RetryPolicy(attempts=6, first=2.0, longest=120.0)
"""Retries of a request to a vendor, unless the caller gives others."""

Answer = TypeVar("Answer")


class Refused(SourceError):
    """The vendor answered that it does not give what was asked for; another attempt is no help.

    Attributes
    ----------
    status : int
        The HTTP status; 200 where the answer itself cannot be used.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Unavailable(SourceError):
    """A transient failure: no connection, a rate limit, an error of the server.

    Attributes
    ----------
    after : float or None
        Seconds that the server asked to wait.
    status : int or None
        The HTTP status; None where there was no answer.
    """

    def __init__(self, message: str, after: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.after = after
        self.status = status


@dataclass
class RateLimiter:
    """Spreads requests evenly so that they stay within a limit per minute.

    Attributes
    ----------
    per_minute : float
        The vendor's limit, of which 95 per cent are used.
    clock, sleep : callable
        A monotonic clock and a sleep, in seconds.
    """

    per_minute: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = field(default=float("-inf"), init=False)

    def wait(self) -> None:
        """Block until the next request may be sent."""
        now = self.clock()
        if now < self._next:
            self.sleep(self._next - now)
            now = self._next
        self._next = now + 60.0 / self.per_minute * 1.05


def credential(variable: str, vendor: str, where: str) -> str:
    """Return an API key from an environment variable; keys are read from nowhere else.

    Raises
    ------
    SourceError
        The variable is not set, is empty, or holds a character that no key has.
    """
    secret = os.environ.get(variable, "").strip()
    if not secret:
        raise SourceError(
            f"{vendor} needs a key in the environment variable {variable}, which is not set: get "
            f"one at {where}, then `export {variable}=...` in this shell (never in params.yaml)"
        )
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise SourceError(
            f"{variable} holds a blank or a character that is not ASCII: copy {vendor}'s key again"
        )
    return secret


def import_client(module: str, extra: str, requirement: str) -> ModuleType:
    """Import a vendor's own client, which is an optional extra of this package.

    Raises
    ------
    SourceError
        It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise SourceError(
            f"the client {module!r} is not installed: pip install '{requirement}' "
            f"(the extra {extra!r} of this package)"
        ) from None


def retry_request(request: Callable[[], Answer], policy: RetryPolicy) -> Answer:
    """Send a request until it succeeds, waiting as long as the server asks where it says so.

    Parameters
    ----------
    request : callable
        Raises `Unavailable` where another attempt may help; every other error ends it.
    policy : RetryPolicy
        How often and how long.

    Raises
    ------
    Unavailable
        The last attempt failed too, or the server asks to wait too long.
    """
    return retry(
        request,
        policy,
        retry_on=lambda error: isinstance(error, Unavailable),
        asked_wait=lambda error: error.after if isinstance(error, Unavailable) else None,
    )


def seconds_of(header: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds of a Retry-After header, a number or a date; None where it has none."""
    if header is None:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((when - (now or datetime.now(UTC))).total_seconds(), 0.0)


def http_error(
    vendor: str, request: str, *, status: int, detail: str, retry_after: str | None
) -> Refused | Unavailable:
    """Return the error of an unsuccessful answer: `Unavailable` where a retry may help.

    Parameters
    ----------
    vendor, request : str
        Who was asked for what, for the message; without a secret.
    status : int
        The HTTP status.
    detail : str
        The answer's text, without a secret.
    retry_after : str or None
        The answer's header of that name.
    """
    text = " ".join(detail.split())[:300] or "nothing"
    message = f"{vendor} answered {request} with status {status} and said: {text}"
    if status == 429 or status >= 500:
        after = seconds_of(retry_after)
        if after is not None:
            message += (
                f"; it asks to wait {after:,.0f} seconds: give the same command again after that, "
                "it goes on there"
            )
        return Unavailable(message, after, status)
    if status in (401, 403):
        message += "; check the key, and that your plan includes these records"
    return Refused(message, status)


def get(  # nosec B107 # no secret is sent
    session: requests.Session,
    vendor: str,
    url: str,
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    secret: str = "",
) -> requests.Response:
    """Send one GET request and return its answer, status 200.

    Redirections are followed only where no secret is sent: requests would send a custom header to
    the new host too.

    Raises
    ------
    Unavailable
        There was no connection or the answer broke off, or the status is 429 or 500 and above.
    Refused
        Any other status.
    """
    request = url + (
        "?" + "&".join(f"{key}={value}" for key, value in params.items()) if params else ""
    )
    try:
        response = session.get(
            url, params=params, headers=headers, timeout=TIMEOUT, allow_redirects=not secret
        )
    except requests.RequestException as error:
        kind = type(error).__name__
        raise Unavailable(
            f"{vendor} gave no answer to {request} ({kind}): check the network connection"
        ) from None
    if response.status_code != 200:
        text = redact(response.text, secret)
        after = response.headers.get("Retry-After")
        raise http_error(
            vendor, request, status=response.status_code, detail=text, retry_after=after
        )
    return response
