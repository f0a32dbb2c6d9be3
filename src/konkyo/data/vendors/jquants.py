"""J-Quants, the data service of the Tokyo exchange: download of the days not yet on disk.

Answers are stored as they came, a file a month, under `raw` in the connector's folder. A day is
requested once: its first version stays, whatever the vendor restates later. A day is noted in
`days.json` after its rows are written, so that an interrupted run continues where it stopped.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd
import requests

from konkyo.data.vendors.http import (
    POLICY,
    RateLimiter,
    Refused,
    Unavailable,
    credential,
    get,
    import_client,
    retry_request,
)
from konkyo.errors import SourceError
from konkyo.io import read_json, write_json, write_parquet
from konkyo.retry import RetryPolicy

VENDOR = "J-Quants"
BASE = "https://api.jquants.com/v2"
VARIABLE = "JQUANTS_API_KEY"
REQUIREMENT = "jquants-api-client>=2.8,<3"

Plan = Literal["free", "light", "standard", "premium"]
LIMITS: dict[str, float] = {"free": 5, "light": 60, "standard": 120, "premium": 500}
"""Requests a minute of each plan, by the vendor's page on rate limits."""

Part = Literal["prices", "statements", "listed", "topix"]
PARTS: tuple[Part, ...] = get_args(Part)

COLUMNS: dict[str, list[str]] = {
    "prices": ["Date", "Code", "C", "Vo", "Va", "AdjFactor"],
    "statements": [
        "DiscDate", "DiscTime", "DiscNo", "Code", "DocType", "CurPerType", "CurPerEn", "CurFYEn",
        "Sales", "OP", "OdP", "NP", "TA", "Eq", "CFO", "CashEq", "DivAnn", "DivTotalAnn",
        "ShOutFY", "TrShFY", "FSales", "FOP", "FOdP", "FNP", "FDivAnn", "FDivTotalAnn",
        "NxFSales", "NxFOP", "NxFOdP", "NxFNp", "NxFDivAnn",
    ],
    "listed": ["Date", "Code", "S33", "Mkt"],
    "topix": ["Date", "C"],
}  # fmt: skip
"""The columns stored of each part, by the vendor's names."""

_DATES = {"Date", "DiscDate", "CurPerEn", "CurFYEn"}
_TEXTS = {"Code", "DiscTime", "DiscNo", "DocType", "CurPerType", "S33", "Mkt"}
_FINAL_AFTER = timedelta(hours=27)
"""A day's records are final at 3 a.m. of the next day in Tokyo."""


_PLAN = re.compile(r"(\d{4}-\d{2}-\d{2})\s*~\s*(\d{4}-\d{2}-\d{2})")
"""The days that a plan covers, in the message by which the vendor refuses other days."""
_MAX_FAILURES = 3
"""Failed requests of a part in a row after which a run ends: the service is down, not a day."""


@dataclass
class Fetched:
    """The result of a run.

    Attributes
    ----------
    days : dict of part to int
        Days (of `listed`: months, of `topix`: days of the index) that were fetched.
    absent : list of str
        Trading days for which the vendor has no prices yet, YYYY-MM-DD.
    failed : dict of str to str
        By part and day, such as `prices 2024-01-31`: the error. The next run asks again.
    refused : dict of part to str
        Parts that the plan does not include: the vendor's message.
    plan : tuple of Timestamp or None
        First and last day that the plan covers, where days outside it were asked for.
    """

    days: dict[str, int]
    absent: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    plan: tuple[pd.Timestamp, pd.Timestamp] | None = None

    def covers(self, day: pd.Timestamp) -> bool:
        """Return whether a day is within the plan, as far as is known."""
        return self.plan is None or self.plan[0] <= day <= self.plan[1]

    def gaps(self) -> list[str]:
        """Return a line for everything that could not be fetched."""
        lines = [f"{part} left out: {message}" for part, message in self.refused.items()]
        if self.plan:
            first, last = (f"{day:%Y-%m-%d}" for day in self.plan)
            lines.append(f"your plan covers {first} to {last}: other days were left out")
        if self.absent:
            count = len(self.absent)
            lines.append(f"no prices yet for {count} trading days, first {self.absent[0]}")
        lines += [f"{name} is missing: {message}" for name, message in self.failed.items()]
        return lines


def connect(plan: Plan, base: str = BASE, policy: RetryPolicy | None = None) -> Any:
    """Return the vendor's client with a rate limit and retries.

    Raises
    ------
    SourceError
        There is no key, or the client is not installed.
    """
    module = import_client("jquantsapi", "jquants", REQUIREMENT)
    key = credential(VARIABLE, VENDOR, "https://jpx-jquants.com (dashboard, API key)")
    limiter = RateLimiter(LIMITS[plan])
    # A plan of few requests a minute refuses the next one for longer.
    waits = policy or replace(POLICY, first=60.0 / LIMITS[plan])
    session = requests.Session()

    class Client(module.ClientV2):  # type: ignore[name-defined]
        """The vendor's client, whose every request goes through `_get`."""

        JQUANTS_API_BASE = base

        def _get(self, url: str, params: dict[str, Any] | None = None) -> requests.Response:
            def ask() -> requests.Response:
                limiter.wait()
                response = get(session, VENDOR, url, params, self._base_headers(), key)
                try:
                    complete = isinstance(response.json(), dict)
                except requests.exceptions.JSONDecodeError:
                    complete = False
                if not complete:
                    message = f"{VENDOR} answered {url} with something that is no JSON"
                    raise Unavailable(message, status=response.status_code)
                return response

            return retry_request(ask, waits)

    return Client(api_key=key)


def newest_final(now: datetime | None = None) -> pd.Timestamp:
    """Return the newest day whose records are final, by the clock of Tokyo."""
    tokyo = (now or datetime.now(UTC)) + timedelta(hours=9)
    return pd.Timestamp((tokyo - _FINAL_AFTER).date())


def fetch(
    client: Any,
    folder: Path,
    first: pd.Timestamp,
    last: pd.Timestamp,
    parts: Iterable[Part] = PARTS,
    say: Callable[[str], None] = print,
) -> Fetched:
    """Download the days from `first` to `last` that are not on disk yet.

    Days outside the plan, parts that it does not include and single days that are answered with an
    error are left out and reported; all else is fetched. Rows on disk are never replaced by an
    answer that lacks them.

    Parameters
    ----------
    client : ClientV2
        As `connect` returns it.
    folder : Path
        Its `raw` receives one Parquet file a part and month, and `days.json`: by part the days
        fetched, and under `trading` the trading days among all days asked for so far.
    first, last : Timestamp
        Days of Tokyo; `last` is final (`newest_final`).
    parts : iterable of str
        Which records.
    say : callable
        Receives one line a month.

    Raises
    ------
    SourceError
        The vendor refuses the key or every part, cannot be reached, fails several times in a row,
        or its answer lacks a column. What was fetched before stays on disk.
    """
    raw = folder / "raw"
    noted: dict[str, list[str]] = {}
    if (raw / "days.json").is_file():
        noted = read_json(raw / "days.json")
    fetched = Fetched(dict.fromkeys(parts, 0))
    failures = dict.fromkeys(fetched.days, 0)

    def attempt(part: str, day: pd.Timestamp, request: Callable[[], int]) -> None:
        """Count what a request fetched, or record why it fetched nothing."""
        if part not in fetched.days or part in fetched.refused or not fetched.covers(day):
            return
        try:
            fetched.days[part] += request()
            failures[part] = 0
        except (Refused, Unavailable) as error:
            if _limit_plan(fetched, error):
                return
            if error.status == 403 and not fetched.days[part]:
                fetched.refused[part] = str(error)
                return
            failures[part] += 1
            asked_to_wait = isinstance(error, Unavailable) and error.after is not None
            if error.status in (None, 401, 403) or asked_to_wait or failures[part] == _MAX_FAILURES:
                raise
            fetched.failed[f"{part} {day:%Y-%m-%d}"] = str(error)

    def attempt_range(
        part: str, days: pd.DatetimeIndex, request: Callable[[pd.Timestamp, pd.Timestamp], int]
    ) -> None:
        """Attempt a request for the days within the plan, again if its answer narrows the plan."""
        for _ in range(2):
            plan = fetched.plan
            covered = days[[fetched.covers(day) for day in days]]
            if len(covered):
                attempt(part, covered[-1], partial(request, covered[0], covered[-1]))
            if fetched.plan == plan:
                return

    trading = _trading_days(client, first, last, fetched)
    noted["trading"] = sorted({*noted.get("trading", []), *trading.strftime("%Y-%m-%d")})
    write_json(noted, raw / "days.json")
    for month, days in trading.groupby(trading.to_period("M")).items():
        # Firms publish on weekends and holidays too, so that all days are asked for statements.
        calendar = pd.date_range(
            max(first, month.start_time), min(last, month.end_time.normalize())
        )
        for part, asked in (("prices", days), ("statements", calendar)):
            for day in asked:
                if f"{day:%Y-%m-%d}" not in noted.get(part, []):
                    attempt(part, day, partial(_day, client, raw, part, day, noted, fetched))
        path = raw / "listed" / f"{month}.parquet"
        attempt_range("listed", days, partial(_listed, client, path))
        say(f"{VENDOR}: {month}, {len(days)} trading days")
    attempt_range("topix", trading, partial(_topix, client, raw / "topix.parquet"))
    if fetched.refused and set(fetched.refused) == set(fetched.days):
        raise SourceError("\n".join(fetched.gaps()))
    return fetched


def missing_days(raw: Path) -> list[str]:
    """Return the trading days between the first and the last with prices that have none."""
    if not (raw / "days.json").is_file():
        return []
    noted = read_json(raw / "days.json")
    prices = noted.get("prices", [])
    return [
        day
        for day in noted.get("trading", [])
        if prices and prices[0] < day < prices[-1] and day not in set(prices)
    ]


def _limit_plan(fetched: Fetched, error: SourceError) -> bool:
    """Set the plan to the days that a refusal names; False if it names none or the plan is set."""
    match = _PLAN.search(str(error))
    if not match or fetched.plan is not None:
        return False
    fetched.plan = pd.Timestamp(match[1]), pd.Timestamp(match[2])
    return True


def _trading_days(
    client: Any, first: pd.Timestamp, last: pd.Timestamp, fetched: Fetched
) -> pd.DatetimeIndex:
    """Return the exchange's trading days within the plan, half days too."""

    def ask(start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        answer = client.get_mkt_calendar(
            from_yyyymmdd=f"{start:%Y%m%d}", to_yyyymmdd=f"{end:%Y%m%d}"
        )
        return _columns(answer, ["Date", "HolDiv"], "the calendar")

    start, end = first, last
    try:
        calendar = ask(start, end)
    except Refused as error:
        if not _limit_plan(fetched, error) or fetched.plan is None:
            raise
        start, end = max(first, fetched.plan[0]), min(last, fetched.plan[1])
        if start > end:
            raise
        calendar = ask(start, end)
    days = pd.DatetimeIndex(calendar.loc[calendar["HolDiv"].isin(["1", "2"]), "Date"])
    days = days[(days >= start) & (days <= end)].unique().sort_values()
    if days.empty:
        raise SourceError(
            f"{VENDOR} has no trading day from {first:%Y-%m-%d} to {last:%Y-%m-%d}: choose other "
            "months, within those of your plan"
        )
    return days


def _day(
    client: Any,
    raw: Path,
    part: str,
    day: pd.Timestamp,
    noted: dict[str, list[str]],
    fetched: Fetched,
) -> int:
    """Store all stocks' rows of a day and note it; return the number of days stored."""
    name = f"{day:%Y-%m-%d}"
    date = "DiscDate" if part == "statements" else "Date"
    rows = _rows(client, part, day)
    if part == "prices" and rows.empty:
        fetched.absent.append(name)
        return 0
    if (rows[date] != day).any():
        raise Refused(f"{VENDOR} answered {part} of {name} with rows of other days", 200)
    if part == "prices":
        rows = _one_a_stock(rows, f"{part} of {name}")
    _store(rows, raw / part / f"{day:%Y-%m}.parquet", date=date, day=day)
    noted[part] = sorted({*noted.get(part, []), name})
    write_json(noted, raw / "days.json")
    return 1


def _one_a_stock(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return rows without repeated ones, or refuse a stock with two that differ."""
    rows = rows.drop_duplicates()
    if (twice := rows["Code"].duplicated()).any():
        code = rows.loc[twice, "Code"].iloc[0]
        raise Refused(f"{VENDOR}'s answer on {what} has two different rows of {code}", 200)
    return rows


def _rows(client: Any, part: str, day: pd.Timestamp) -> pd.DataFrame:
    """Return all stocks' rows of a day."""
    name = f"{day:%Y%m%d}"
    try:
        if part == "prices":
            rows = client.get_eq_bars_daily(date_yyyymmdd=name)
        else:
            rows, _ = client.get_fin_summary_cursor(date_yyyymmdd=name)
    except KeyError as error:
        raise SourceError(
            f"{VENDOR}'s answer on {part} of {name} has not the columns that its client expects "
            f"({error}): pip install --upgrade '{REQUIREMENT}'"
        ) from None
    return _columns(rows, COLUMNS[part], f"{part} of {name}")


def _listed(client: Any, path: Path, _first: pd.Timestamp, day: pd.Timestamp) -> int:
    """Store the listing at the last trading day of a month, unless one of that day is on disk."""
    if path.is_file() and pd.read_parquet(path, columns=["asked"])["asked"].max() >= day:
        return 0
    listing = client.get_eq_master(date=f"{day:%Y%m%d}")
    what = f"the listing of {day:%Y-%m-%d}"
    rows = _one_a_stock(_columns(listing, COLUMNS["listed"], what), what)
    if rows.empty:
        # Stored, it would end the membership of every stock.
        raise Refused(f"{VENDOR}'s answer on {what} has no stock", 200)
    write_parquet(rows.assign(asked=day), path)
    return 1


def _topix(client: Any, path: Path, first: pd.Timestamp, last: pd.Timestamp) -> int:
    """Add the index's days after those on disk, or all where these begin too late."""
    old = pd.read_parquet(path) if path.is_file() else pd.DataFrame(columns=COLUMNS["topix"])
    start = first
    if len(old) and old["Date"].min() <= first:
        start = old["Date"].max() + pd.Timedelta(days=1)
    if start > last:
        return 0
    answer = client.get_idx_bars_daily_topix(
        from_yyyymmdd=f"{start:%Y%m%d}", to_yyyymmdd=f"{last:%Y%m%d}"
    )
    rows = _columns(answer, COLUMNS["topix"], "the index")
    new = rows[~rows["Date"].isin(old["Date"])].drop_duplicates("Date")
    if new.empty:
        raise Refused(f"{VENDOR} has no day of the index from {start:%Y-%m-%d} on", 200)
    table = pd.concat([old, new]) if len(old) else new
    write_parquet(table.sort_values("Date"), path)
    return len(new)


def _store(rows: pd.DataFrame, path: Path, *, date: str, day: pd.Timestamp) -> None:
    """Put a day's rows into its month's file, in the place of those of an interrupted run."""
    if path.is_file():
        old = pd.read_parquet(path)
        old = old[old[date] != day]
        rows = pd.concat([old, rows]) if len(old) else rows
    if len(rows):
        write_parquet(rows.sort_values([date, "Code"], kind="stable"), path)


def _columns(rows: pd.DataFrame, names: list[str], what: str) -> pd.DataFrame:
    """Return the named columns with their types; an empty answer has no columns."""
    if rows.empty:
        return pd.DataFrame({name: pd.Series(dtype=_type(name)) for name in names})
    missing = [name for name in names if name not in rows]
    if missing:
        raise SourceError(
            f"{VENDOR}'s answer on {what} lacks {missing}: it has {list(rows.columns)[:20]}; "
            "its layout has changed, look for a newer version of this package"
        )
    typed = {}
    for name in names:
        values = rows[name]
        if name in _DATES:
            typed[name] = pd.to_datetime(values, errors="coerce").astype("datetime64[ns]")
        elif name in _TEXTS or name == "HolDiv":
            typed[name] = values.astype("str")
        else:
            # Numbers of reports come as texts, and a field without a value as an empty one.
            typed[name] = pd.to_numeric(values, errors="coerce").astype("float64")
    return pd.DataFrame(typed)


def _type(name: str) -> str:
    if name in _DATES:
        return "datetime64[ns]"
    return "str" if name in _TEXTS or name == "HolDiv" else "float64"
