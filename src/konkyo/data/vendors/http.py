"""HTTP for all vendors: credentials, rate limits, retries, errors without secrets."""

import importlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType

import requests
from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

from konkyo.errors import SourceError, redact
from konkyo.retry import RetryPolicy, retry

TIMEOUT = 60.0
"""Seconds without an answer after which a request counts as failed."""
POLICY = RetryPolicy(attempts=6, first=2.0, longest=120.0)
"""Retries of a request to a vendor, unless the caller gives others."""

# Its debug lines have the whole address, in which some vendors want the key.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


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


@dataclass
class Service:
    """A vendor's server: requests within its rate limit, repeated where that may help.

    Attributes
    ----------
    vendor : str
        Its name, for messages.
    limiter : RateLimiter
        The limit of requests a minute.
    policy : RetryPolicy
        How often a request is repeated, waiting as long as the server asks where it says so.
    secret : str
        The key: taken out of every message, and never sent on to another host.
    params : dict of str to str
        Sent with every request and shown in no message.
    """

    vendor: str
    limiter: RateLimiter
    policy: RetryPolicy = POLICY
    secret: str = field(default="", repr=False)
    params: dict[str, str] = field(default_factory=dict, repr=False)

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        json: bool = True,
    ) -> requests.Response:
        """Return the answer to a GET request, status 200; an object in JSON unless `json` is False.

        Raises
        ------
        Unavailable
            At the last attempt too there was no connection, the answer broke off, or its status
            is 429 or 500 and above; or the server asks to wait too long.
        Refused
            Any other status.
        """
        query = "&".join(f"{key}={value}" for key, value in (params or {}).items())
        request = f"{url}?{query}" if query else url

        def once() -> requests.Response:
            self.limiter.wait()
            try:
                # requests would send a custom header to the host of a redirection too.
                answer = requests.get(
                    url,
                    params=self.params | dict(params or {}),
                    headers=headers,
                    timeout=TIMEOUT,
                    allow_redirects=not self.secret,
                )
                if answer.status_code == 200 and json and not isinstance(answer.json(), dict):
                    raise requests.JSONDecodeError("no object", "", 0)
            except requests.JSONDecodeError:
                raise Unavailable(
                    f"{self.vendor} answered {request} with something that is no JSON", status=200
                ) from None
            except requests.RequestException as error:
                raise Unavailable(
                    f"{self.vendor} gave no answer to {request} ({type(error).__name__}): check "
                    "the network connection"
                ) from None
            if answer.status_code != 200:
                raise self._error(request, answer)
            return answer

        return retry(
            once,
            self.policy,
            retry_on=lambda error: isinstance(error, Unavailable),
            asked_wait=lambda error: error.after if isinstance(error, Unavailable) else None,
        )

    def _error(self, request: str, answer: requests.Response) -> Refused | Unavailable:
        """Return the error of an unsuccessful answer: `Unavailable` where a retry may help."""
        status = answer.status_code
        text = " ".join(redact(answer.text, self.secret).split())[:300] or "nothing"
        message = f"{self.vendor} answered {request} with status {status} and said: {text}"
        if status == 429 or status >= 500:
            try:
                after = Retry().parse_retry_after(answer.headers["Retry-After"])
                message += (
                    f"; it asks to wait {after:,.0f} seconds: give the same command again after "
                    "that, it goes on there"
                )
            except (KeyError, InvalidHeader):
                after = None
            return Unavailable(message, after, status)
        if status in (401, 403):
            message += "; check the key, and that your plan includes these records"
        return Refused(message, status)
