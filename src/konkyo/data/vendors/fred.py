"""FRED and its archive ALFRED: economic series by vintage, and their values as of month ends.

Statistics are revised for years after their first publication, so that the newest version of a
series looks ahead. As of a month end its value is the newest observation published by then, in the
newest vintage of that day.
"""

from typing import Any

import pandas as pd

from konkyo import date_text
from konkyo.data.vendors.http import POLICY, RateLimiter, Service, credential
from konkyo.errors import SourceError
from konkyo.retry import RetryPolicy

VENDOR = "FRED"
BASE = "https://api.stlouisfed.org/fred"
VARIABLE = "FRED_API_KEY"
PER_MINUTE = 120.0
"""Requests a minute that the service allows."""

MAX_VINTAGES = 1000
"""Vintages requested at once; the service refuses more than 2,000."""
MAX_ROWS = 100_000
"""Rows at which the service truncates an answer without an error."""

_ENDS = {"M": 1, "Q": 3, "SA": 6, "A": 12}
"""Months of a period that the service names by its first day, by its letter for frequencies."""


class Connection:
    """The service under one key."""

    def __init__(self, base: str = BASE, policy: RetryPolicy | None = None) -> None:
        key = credential(VARIABLE, VENDOR, "https://fredaccount.stlouisfed.org/apikeys")
        always = {"api_key": key, "file_type": "json"}
        self._base = base
        self._service = Service(VENDOR, RateLimiter(PER_MINUTE), policy or POLICY, key, always)

    def ask(self, path: str, series: str, **params: str) -> dict[str, Any]:
        """Return the answer on a series.

        Raises
        ------
        SourceError
            The service refuses; `Unavailable` where it did not answer at the last attempt either.
        """
        url = f"{self._base}/{path}"
        answer: dict[str, Any] = self._service.get(url, {"series_id": series, **params}).json()
        return answer

    def observations(self, series: str, **params: str) -> pd.DataFrame:
        """Return date (the first day of the period), published and value of a series."""
        rows = self.ask("series/observations", series, **params)["observations"]
        table = pd.DataFrame(rows, columns=["date", "realtime_start", "value"], dtype="str")
        return pd.DataFrame(
            {
                "date": date_text.days(table["date"]),
                "published": date_text.days(table["realtime_start"]),
                # A missing value is a point.
                "value": pd.to_numeric(table["value"], errors="coerce").astype("float64"),
            }
        )


def releases(
    connection: Connection, series: str, stored: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return all vintages of a series: every version of every observation.

    Parameters
    ----------
    connection : Connection
        The service.
    series : str
        The service's id, such as CPIAUCSL.
    stored : DataFrame, optional
        The result of an earlier call: only later vintages are requested.

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
    days = connection.ask("series/vintagedates", series)["vintage_dates"]
    vintages = pd.DatetimeIndex(pd.to_datetime(days, format="%Y-%m-%d")).sort_values()
    parts = [] if stored is None else [stored]
    if stored is not None and len(stored):
        vintages = vintages[vintages > stored["published"].max()]
    for start in range(0, len(vintages), MAX_VINTAGES):
        parts += _window(connection, series, vintages[start : start + MAX_VINTAGES])
    if not parts:
        raise SourceError(
            f"{VENDOR} has no vintage of {series}: if it is never revised, fetch it with "
            "release='latest' and the days after which it is published"
        )
    return _distinct(pd.concat(parts))


def _window(connection: Connection, series: str, vintages: pd.DatetimeIndex) -> list[pd.DataFrame]:
    """Return the versions of some vintages, in halves where an answer would be truncated."""
    start, end = f"{vintages[0]:%Y-%m-%d}", f"{vintages[-1]:%Y-%m-%d}"
    rows = connection.observations(series, realtime_start=start, realtime_end=end)
    if len(rows) >= MAX_ROWS:
        if len(vintages) == 1:
            raise SourceError(
                f"{VENDOR}'s vintage {start} of {series} has {MAX_ROWS:,} observations or more, "
                "and the service cuts its answer off there: choose a series of lower frequency"
            )
        half = len(vintages) // 2
        return _window(connection, series, vintages[:half]) + _window(
            connection, series, vintages[half:]
        )
    return [rows]


def _distinct(rows: pd.DataFrame) -> pd.DataFrame:
    """Drop versions whose value is that of the version before.

    An answer begins with all observations valid on its first day, dated to that day: these repeat
    the vintage before.
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
        The service.
    series : str
        The service's id, such as DGS10.
    lag : int
        Days from the end of the period to the publication.

    Returns
    -------
    DataFrame
        As of `releases`.
    """
    about = connection.ask("series", series)["seriess"][0]
    rows = connection.observations(series)
    months = _ENDS.get(str(about.get("frequency_short", "D")), 0)
    end = rows["date"]
    if months:
        end = end + pd.DateOffset(months=months) - pd.Timedelta(days=1)
    return _distinct(rows.assign(published=end + pd.Timedelta(days=lag)))


def merge_latest(stored: pd.DataFrame | None, rows: pd.DataFrame, series: str) -> pd.DataFrame:
    """Return a newest version with the stored observations that it lacks.

    The service keeps only the last years of some series, as of indices under licence.

    Parameters
    ----------
    stored : DataFrame or None
        What an earlier run stored.
    rows : DataFrame
        As of `latest`.
    series : str
        Its id, for the message.

    Raises
    ------
    SourceError
        Values differ: the series is revised, and what was known at the time is no longer told.
    """
    if stored is None:
        return rows
    both = stored.merge(rows, on="date", suffixes=("", "_new")).dropna(
        subset=["value", "value_new"]
    )
    revised = both[both["value"] != both["value_new"]]
    if len(revised):
        first = revised.iloc[0]
        raise SourceError(
            f"{len(revised)} values of {series} are not those fetched before (first "
            f"{first['date']:%Y-%m-%d}: {first['value']}, now {first['value_new']}): it is "
            "revised; use release vintage, or move its file away to take the newest version"
        )
    rows = rows[rows["value"].notna() | ~rows["date"].isin(stored["date"])]
    only_stored = stored[~stored["date"].isin(rows["date"])]
    return pd.concat([only_stored, rows]).sort_values("date", ignore_index=True)


def as_of(rows: pd.DataFrame, months: pd.DatetimeIndex, carry: int) -> pd.Series:
    """Return the point-in-time value of a series at each month end.

    Parameters
    ----------
    rows : DataFrame
        date, published, value, as of `releases`.
    months : DatetimeIndex
        Month ends t.
    carry : int
        Months after its publication after which a value is stale and not used.

    Returns
    -------
    Series, by month
        Of the newest observation published up to t, the version that was newest at t; NaN where
        there is none.
    """
    rows = rows[rows["value"].notna()].sort_values(["published", "date"], kind="stable")
    # A revision of an older observation changes nothing: a newer one was known by then.
    rows = rows[rows["date"] == rows["date"].cummax()]
    newest = pd.merge_asof(
        pd.DataFrame({"month": months.astype("datetime64[ns]")}),
        rows[["published", "value"]],
        left_on="month",
        right_on="published",
    )
    oldest = newest["month"] - pd.DateOffset(months=carry)
    values = newest["value"].where(newest["published"] > oldest)
    return pd.Series(values.to_numpy(), index=months)
