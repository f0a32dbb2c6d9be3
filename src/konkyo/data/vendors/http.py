"""What every connector shares: credentials, rate limits, retries, and messages without secrets."""

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


class Unavailable(SourceError):
    """A request failed in a way that may pass: no connection, a rate limit, a server's fault.

    Attributes
    ----------
    after : float or None
        Seconds that the server asked to wait.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


@dataclass
class RateLimiter:
    """Keeps requests at least so far apart that a limit per minute is never passed.

    Attributes
    ----------
    per_minute : float
        The vendor's limit; requests are spread evenly, a twentieth slower than it allows.
    clock, sleep : callable
        Seconds that only grow, and a wait of seconds.
    """

    per_minute: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = field(default=float("-inf"), init=False)

    def wait(self) -> None:
        """Return when the next request may be sent."""
        now = self.clock()
        if now < self._next:
            self.sleep(self._next - now)
            now = self._next
        self._next = now + 60.0 / self.per_minute * 1.05


def credential(variable: str, vendor: str, where: str) -> str:
    """Return a secret from the environment, the only place where one is looked for.

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
    vendor: str, place: str, status: int, detail: str, retry_after: str | None
) -> SourceError:
    """Return the error of an answer that is no success: `Unavailable` where a retry may help.

    Parameters
    ----------
    vendor, place : str
        Whom was asked for what, for the message; without a secret.
    status : int
        The HTTP status.
    detail : str
        What the answer said, without a secret.
    retry_after : str or None
        Its header of that name.
    """
    said = " ".join(detail.split())[:300] or "nothing"
    message = f"{vendor} answered {place} with status {status} and said: {said}"
    if status == 429 or status >= 500:
        after = seconds_of(retry_after)
        if after is not None:
            message += (
                f"; it asks to wait {after:,.0f} seconds: give the same command again after that, "
                "it goes on there"
            )
        return Unavailable(message, after)
    if status in (401, 403):
        message += "; check the key, and that your plan includes these records"
    return SourceError(message)


def get(  # nosec B107 # no secret is sent
    session: requests.Session,
    vendor: str,
    url: str,
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    secret: str = "",
) -> requests.Response:
    """Send one request and return its answer, status 200.

    Redirections are followed only where no secret is sent: a header of one's own would be sent to
    the new place too.

    Raises
    ------
    Unavailable
        There was no connection or no whole answer, or the status is 429 or 500 and above.
    SourceError
        Any other status.
    """
    place = url + (
        "?" + "&".join(f"{key}={value}" for key, value in params.items()) if params else ""
    )
    try:
        response = session.get(
            url, params=params, headers=headers, timeout=TIMEOUT, allow_redirects=not secret
        )
    except requests.RequestException as error:
        kind = type(error).__name__
        raise Unavailable(
            f"{vendor} gave no answer to {place} ({kind}): check the network connection"
        ) from None
    if response.status_code != 200:
        text = redact(response.text, secret)
        after = response.headers.get("Retry-After")
        raise http_error(vendor, place, response.status_code, text, after)
    return response
