"""J-Quants, the data service of the Tokyo exchange: download of the days not yet on disk.

Answers are stored as they came, a file a month, under `raw` in the connector's folder. A day is
requested once: its first version stays, whatever the vendor restates later. A day is noted in
`days.json` after its rows are written, so that an interrupted run continues where it stopped.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from konkyo.data.vendors.http import Refused, Unavailable
from konkyo.data.vendors.jquants_client import REQUIREMENT, VENDOR, columns
from konkyo.errors import SourceError
from konkyo.io import read_json, write_json, write_parquet

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

_FINAL_AFTER = timedelta(hours=27)
"""A day's records are final at 3 a.m. of the next day in Tokyo."""
_PLAN = re.compile(r"(\d{4}-\d{2}-\d{2})\s*~\s*(\d{4}-\d{2}-\d{2})")
"""The days that a plan covers, in the message by which the vendor refuses other days."""
_MAX_FAILURES = 3
"""Failed requests of a part in a row after which a run ends: the service is down, not a day."""


class Download:
    """One run: the files on disk, the days noted, and what came of each request.

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

    def __init__(self, client: Any, raw: Path, parts: Iterable[Part]) -> None:
        self.client, self.raw, self.noted = client, raw, _noted(raw)
        self.days: dict[str, int] = dict.fromkeys(parts, 0)
        self.failures = dict.fromkeys(self.days, 0)
        self.absent: list[str] = []
        self.failed: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.plan: tuple[pd.Timestamp, pd.Timestamp] | None = None

    def covers(self, day: pd.Timestamp) -> bool:
        """Return whether a day is within the plan, as far as is known."""
        return self.plan is None or self.plan[0] <= day <= self.plan[1]

    def limit_plan(self, error: SourceError) -> bool:
        """Set the plan to the days that a refusal names; False if it names none or is set."""
        match = _PLAN.search(str(error))
        if not match or self.plan is not None:
            return False
        self.plan = pd.Timestamp(match[1]), pd.Timestamp(match[2])
        return True

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

    def note(self, part: str, days: Iterable[str]) -> None:
        """Add days to those of a part in `days.json`."""
        self.noted[part] = sorted({*self.noted.get(part, []), *days})
        write_json(self.noted, self.raw / "days.json")

    def attempt(self, part: str, day: pd.Timestamp, request: Callable[[], int]) -> None:
        """Count what a request fetched, or record why it fetched nothing."""
        if part not in self.days or part in self.refused or not self.covers(day):
            return
        try:
            self.days[part] += request()
            self.failures[part] = 0
        except (Refused, Unavailable) as error:
            if self.limit_plan(error):
                return
            if error.status == 403 and not self.days[part]:
                self.refused[part] = str(error)
                return
            self.failures[part] += 1
            waiting = isinstance(error, Unavailable) and error.after is not None
            down = self.failures[part] == _MAX_FAILURES
            if error.status in (None, 401, 403) or waiting or down:
                raise
            self.failed[f"{part} {day:%Y-%m-%d}"] = str(error)

    def attempt_range(
        self,
        part: str,
        days: pd.DatetimeIndex,
        request: Callable[[pd.Timestamp, pd.Timestamp], int],
    ) -> None:
        """Attempt a request for the days within the plan, again if its answer narrows the plan."""
        for _ in range(2):
            plan = self.plan
            covered = days[[self.covers(day) for day in days]]
            if len(covered):
                self.attempt(part, covered[-1], partial(request, covered[0], covered[-1]))
            if self.plan == plan:
                return

    def day(self, part: str, day: pd.Timestamp) -> int:
        """Store all stocks' rows of a day and note it; return the number of days stored."""
        name, what = f"{day:%Y-%m-%d}", f"{part} of {day:%Y-%m-%d}"
        date = "DiscDate" if part == "statements" else "Date"
        rows = columns(_rows(self.client, part, day), COLUMNS[part], what)
        if part == "prices" and rows.empty:
            self.absent.append(name)
            return 0
        if (rows[date] != day).any():
            raise Refused(f"{VENDOR} answered {what} with rows of other days", 200)
        if part == "prices":
            rows = _one_a_stock(rows, what)
        path = self.raw / part / f"{day:%Y-%m}.parquet"
        if path.is_file():
            # In the place of the rows of an interrupted run.
            old = pd.read_parquet(path)
            old = old[old[date] != day]
            rows = pd.concat([old, rows]) if len(old) else rows
        if len(rows):
            write_parquet(rows.sort_values([date, "Code"], kind="stable"), path)
        self.note(part, [name])
        return 1

    def listing(self, month: str, _first: pd.Timestamp, day: pd.Timestamp) -> int:
        """Store the listing at the last trading day of a month, unless that is on disk."""
        path = self.raw / "listed" / f"{month}.parquet"
        if path.is_file() and pd.read_parquet(path, columns=["asked"])["asked"].max() >= day:
            return 0
        what = f"the listing of {day:%Y-%m-%d}"
        answer = self.client.get_eq_master(date=f"{day:%Y%m%d}")
        rows = _one_a_stock(columns(answer, COLUMNS["listed"], what), what)
        if rows.empty:
            # Stored, it would end the membership of every stock.
            raise Refused(f"{VENDOR}'s answer on {what} has no stock", 200)
        write_parquet(rows.assign(asked=day), path)
        return 1

    def topix(self, first: pd.Timestamp, last: pd.Timestamp) -> int:
        """Add the index's days after those on disk, or all where these begin too late."""
        path = self.raw / "topix.parquet"
        old = pd.read_parquet(path) if path.is_file() else pd.DataFrame(columns=COLUMNS["topix"])
        start = first
        if len(old) and old["Date"].min() <= first:
            start = old["Date"].max() + pd.Timedelta(days=1)
        if start > last:
            return 0
        answer = self.client.get_idx_bars_daily_topix(
            from_yyyymmdd=f"{start:%Y%m%d}", to_yyyymmdd=f"{last:%Y%m%d}"
        )
        rows = columns(answer, COLUMNS["topix"], "the index")
        new = rows[~rows["Date"].isin(old["Date"])].drop_duplicates("Date")
        if new.empty:
            raise Refused(f"{VENDOR} has no day of the index from {start:%Y-%m-%d} on", 200)
        table = pd.concat([old, new]) if len(old) else new
        write_parquet(table.sort_values("Date"), path)
        return len(new)


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
) -> Download:
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
    download = Download(client, folder / "raw", parts)
    trading = _trading_days(download, first, last)
    download.note("trading", trading.strftime("%Y-%m-%d"))
    for month, days in trading.groupby(trading.to_period("M")).items():
        # Firms publish on weekends and holidays too, so that all days are asked for statements.
        calendar = pd.date_range(
            max(first, month.start_time), min(last, month.end_time.normalize())
        )
        for part, asked in (("prices", days), ("statements", calendar)):
            for day in asked:
                if f"{day:%Y-%m-%d}" not in download.noted.get(part, []):
                    download.attempt(part, day, partial(download.day, part, day))
        download.attempt_range("listed", days, partial(download.listing, str(month)))
        say(f"{VENDOR}: {month}, {len(days)} trading days")
    download.attempt_range("topix", trading, download.topix)
    if download.refused and set(download.refused) == set(download.days):
        raise SourceError("\n".join(download.gaps()))
    return download


def missing_days(raw: Path) -> list[str]:
    """Return the trading days between the first and the last with prices that have none."""
    noted = _noted(raw)
    prices = noted.get("prices", [])
    return [
        day
        for day in noted.get("trading", [])
        if prices and prices[0] < day < prices[-1] and day not in set(prices)
    ]


def _noted(raw: Path) -> dict[str, list[str]]:
    path = raw / "days.json"
    return read_json(path) if path.is_file() else {}


def _trading_days(download: Download, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the exchange's trading days within the plan, half days too."""

    def ask(start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
        answer = download.client.get_mkt_calendar(
            from_yyyymmdd=f"{start:%Y%m%d}", to_yyyymmdd=f"{end:%Y%m%d}"
        )
        return columns(answer, ["Date", "HolDiv"], "the calendar")

    start, end = first, last
    try:
        calendar = ask(start, end)
    except Refused as error:
        if not download.limit_plan(error) or download.plan is None:
            raise
        start, end = max(first, download.plan[0]), min(last, download.plan[1])
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
            return client.get_eq_bars_daily(date_yyyymmdd=name)
        return client.get_fin_summary_cursor(date_yyyymmdd=name)[0]
    except KeyError as error:
        raise SourceError(
            f"{VENDOR}'s answer on {part} of {name} has not the columns that its client expects "
            f"({error}): pip install --upgrade '{REQUIREMENT}'"
        ) from None
