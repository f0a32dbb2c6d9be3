"""FRED: series with the dates on which their values were published.

A statistic is revised for years, and what its newest version says of a month was not known then.
The archive's vintages tell what was: a month's value is that of the newest observation published
by the end of the month, in the version that was newest then.
"""

import http.client
import socket
import xml.etree.ElementTree as ElementTree  # nosec B405 # only its error class is used
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError

import pandas as pd

from konkyo.data.vendors.http import (
    POLICY,
    TIMEOUT,
    RateLimiter,
    Unavailable,
    credential,
    http_error,
    import_client,
    retry_request,
)
from konkyo.errors import SourceError, redact
from konkyo.retry import RetryPolicy

VENDOR = "FRED"
BASE = "https://api.stlouisfed.org/fred"
VARIABLE = "FRED_API_KEY"
REQUIREMENT = "fredapi>=0.5.2,<0.6"
PER_MINUTE = 120.0
"""Requests a minute that the service allows."""

MOST_VINTAGES = 1000
"""Vintages asked for at once; the service refuses more than 2,000."""
MOST_ROWS = 100_000
"""Rows after which the service cuts an answer off without a word."""

_NEVER = "9999-12-31"
_ENDS = {"M": 1, "Q": 3, "SA": 6, "A": 12}
"""Months of a period that the service names by its first day, by its letter for frequencies."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Connection:
    """The vendor's client with this project's rate limit and retries.

    Attributes
    ----------
    client : fredapi.Fred
        Sends the requests.
    key : str
        Its secret, taken out of every message.
    limiter, policy : RateLimiter, RetryPolicy
        Limit and retries.
    """

    client: Any
    key: str
    limiter: RateLimiter
    policy: RetryPolicy

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return f"Connection({self.client.root_url})"

    def ask(self, what: str, call: Callable[[], Answer]) -> Answer:
        """Call the client until it succeeds.

        Raises
        ------
        SourceError
            The service refuses; `Unavailable` where it did not answer at the last attempt either.
        """

        def once() -> Answer:
            self.limiter.wait()
            try:
                with _timeout():
                    return call()
            except (ValueError, ElementTree.ParseError) as error:
                # The client turns an answer that is no success into a ValueError of its message,
                # or fails to read it; the answer's status is in the error that this replaced.
                answer = error.__context__
                text = redact(str(error), self.key)
                if isinstance(answer, HTTPError):
                    after = answer.headers.get("Retry-After")
                    raise http_error(
                        VENDOR, what, status=answer.code, detail=text, retry_after=after
                    ) from None
                raise Unavailable(f"{VENDOR}'s answer on {what} is not whole: {text}") from None
            except (URLError, OSError, http.client.HTTPException) as error:
                kind = type(error).__name__
                raise Unavailable(
                    f"{VENDOR} gave no answer on {what} ({kind}): check the network connection"
                ) from None

        return retry_request(once, self.policy)


@contextmanager
def _timeout() -> Iterator[None]:
    """Give the client's requests a limit: it sets none of its own and would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def connect(base: str = BASE, policy: RetryPolicy | None = None) -> Connection:
    """Return a connection.

    Raises
    ------
    SourceError
        There is no key, or the client is not installed.
    """
    module = import_client("fredapi", "fred", REQUIREMENT)
    key = credential(VARIABLE, VENDOR, "https://fredaccount.stlouisfed.org/apikeys")
    client = module.Fred(api_key=key)
    client.root_url = base
    return Connection(client, key, RateLimiter(PER_MINUTE), policy or POLICY)


def releases(
    connection: Connection, series: str, there: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return every version of every observation of a series.

    Parameters
    ----------
    connection : Connection
        As `connect` returns it.
    series : str
        The service's id, such as CPIAUCSL.
    there : DataFrame, optional
        What an earlier call returned: only later vintages are asked for.

    Returns
    -------
    DataFrame
        date (the first day of the period observed), published, value; sorted by both dates. What
        is older than the archive's first vintage counts as published with it.

    Raises
    ------
    SourceError
        The service does not know the series, refuses or does not answer.
    """
    dates = connection.ask(
        f"the vintages of {series}", lambda: connection.client.get_series_vintage_dates(series)
    )
    vintages = pd.DatetimeIndex(dates).sort_values()
    parts = [] if there is None else [there]
    if there is not None and len(there):
        vintages = vintages[vintages > there["published"].max()]
    for place in range(0, len(vintages), MOST_VINTAGES):
        parts += _window(connection, series, vintages[place : place + MOST_VINTAGES])
    if not parts:
        raise SourceError(
            f"{VENDOR} has no vintage of {series}: if it is never revised, fetch it with "
            "release='latest' and the days after which it is published"
        )
    return _distinct(pd.concat(parts))


def _window(connection: Connection, series: str, vintages: pd.DatetimeIndex) -> list[pd.DataFrame]:
    """Return the versions of some vintages, halving them where an answer would be cut off."""
    start, end = f"{vintages[0]:%Y-%m-%d}", f"{vintages[-1]:%Y-%m-%d}"
    rows = connection.ask(
        f"{series}, {start} to {end}",
        lambda: connection.client.get_series_all_releases(
            series, realtime_start=start, realtime_end=end
        ),
    )
    if len(rows) >= MOST_ROWS:
        if len(vintages) == 1:
            raise SourceError(
                f"{VENDOR}'s vintage {start} of {series} has {MOST_ROWS:,} observations or more, "
                "and the service cuts its answer off there: choose a series of lower frequency"
            )
        half = len(vintages) // 2
        return _window(connection, series, vintages[:half]) + _window(
            connection, series, vintages[half:]
        )
    if rows.empty:
        return []
    typed = {
        "date": pd.to_datetime(rows["date"]),
        "published": pd.to_datetime(rows["realtime_start"]),
        "value": rows["value"].astype("float64"),
    }
    return [pd.DataFrame(typed)]


def _distinct(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave out versions that say what the one before said.

    An answer begins with all that was valid on its first day, dated to that day: such rows repeat
    what the vintage before has told.
    """
    rows = rows.astype({"date": "datetime64[ns]", "published": "datetime64[ns]"})
    rows = rows.sort_values(["date", "published"], kind="stable", ignore_index=True)
    before = rows.groupby("date")["value"].shift()
    first = ~rows["date"].duplicated()
    same = (rows["value"] == before) | (rows["value"].isna() & before.isna())
    return rows[first | ~same].reset_index(drop=True)


def latest(connection: Connection, series: str, lag: int) -> pd.DataFrame:
    """Return the newest version of a series, each value as if published some days after its period.

    For series that are never revised, such as prices and yields of a market.

    Parameters
    ----------
    connection : Connection
        As `connect` returns it.
    series : str
        The service's id, such as DGS10.
    lag : int
        Days from the end of the period to the publication.

    Returns
    -------
    DataFrame
        As of `releases`.
    """
    about = connection.ask(
        f"the description of {series}", lambda: connection.client.get_series_info(series)
    )
    values = connection.ask(f"{series}", lambda: connection.client.get_series(series))
    dates = pd.DatetimeIndex(values.index)
    months = _ENDS.get(str(about.get("frequency_short", "D")), 0)
    ends = dates + pd.DateOffset(months=months) - pd.Timedelta(days=1) if months else dates
    table = pd.DataFrame(
        {
            "date": dates,
            "published": ends + pd.Timedelta(days=lag),
            "value": values.to_numpy(dtype="float64"),
        }
    )
    return _distinct(table)


def known(rows: pd.DataFrame, months: pd.DatetimeIndex, carry: int) -> pd.Series:
    """Return what was known of a series at the end of each month.

    Parameters
    ----------
    rows : DataFrame
        date, published, value, as of `releases`.
    months : DatetimeIndex
        Month ends t.
    carry : int
        Months after its publication from which on a value is too old to be used.

    Returns
    -------
    Series, by month
        Of the newest observation published up to t, the version that was newest at t; NaN where
        there is none.
    """
    rows = rows[rows["value"].notna()].sort_values(["published", "date"], kind="stable")
    # A revision of an older observation changes nothing: a newer one was known by then.
    rows = rows[rows["date"] == rows["date"].cummax()]
    found = pd.merge_asof(
        pd.DataFrame({"month": months.astype("datetime64[ns]")}),
        rows[["published", "value"]],
        left_on="month",
        right_on="published",
    )
    oldest = found["month"] - pd.DateOffset(months=carry)
    values = found["value"].where(found["published"] > oldest)
    return pd.Series(values.to_numpy(), index=months)
