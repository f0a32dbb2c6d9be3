"""J-Quants: what the Tokyo exchange's data service has for days that are not here yet.

Every answer is kept as it came, a file a month, under `raw` in the connector's folder. A day is
asked for once: what was published then is what stays, whatever the vendor restates later. Days are
noted after their rows are written, so that a run that was stopped goes on where it was.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd
import requests

from konkyo.data.vendors.http import (
    POLICY,
    RateLimiter,
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
"""The vendor's columns that are kept, by its names."""

_DATES = {"Date", "DiscDate", "CurPerEn", "CurFYEn"}
_TEXTS = {"Code", "DiscTime", "DiscNo", "DocType", "CurPerType", "S33", "Mkt"}
_FINAL_AFTER = timedelta(hours=27)
"""A day's reports are whole some time after its end in Tokyo: it is asked for from 3 o'clock on."""


@dataclass(frozen=True)
class Fetched:
    """What a run brought.

    Attributes
    ----------
    days : mapping of part to int
        Days (of `listed`: months, of `topix`: days of the index) that were not here before.
    absent : tuple of str
        Trading days for which the vendor has no prices yet.
    """

    days: dict[str, int]
    absent: tuple[str, ...]


def connect(plan: Plan, base: str = BASE, policy: RetryPolicy | None = None) -> Any:
    """Return the vendor's client, with this project's rate limit and retries.

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
                    whole = isinstance(response.json(), dict)
                except requests.exceptions.JSONDecodeError:
                    whole = False
                if not whole:
                    raise Unavailable(f"{VENDOR} answered {url} with something that is no JSON")
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
    """Ask for the trading days from `first` to `last` that are not in the folder yet.

    Parameters
    ----------
    client : ClientV2
        As `connect` returns it.
    folder : Path
        Its `raw` receives one Parquet file a part and month, and `days.json`.
    first, last : Timestamp
        Days of Tokyo; `last` is final (`newest_final`).
    parts : iterable of str
        Which records; a plan may not include all.
    say : callable
        Receives one line a month.

    Raises
    ------
    SourceError
        The vendor refuses, does not answer, or its answer lacks a column. What was asked for
        before is kept.
    """
    raw = folder / "raw"
    noted: dict[str, list[str]] = read_json(raw / "days.json") if _noted(raw) else {}
    trading = _trading_days(client, first, last)
    counts: dict[str, int] = dict.fromkeys(parts, 0)
    absent: list[str] = []
    daily = [part for part in ("prices", "statements") if part in counts]
    for month, days in trading.groupby(trading.to_period("M")).items():
        for part in daily:
            for day in days:
                name = f"{day:%Y-%m-%d}"
                if name in noted.get(part, []):
                    continue
                rows = _rows(client, part, day)
                if part == "prices" and rows.empty:
                    absent.append(name)
                    continue
                _keep(rows, raw / part / f"{month}.parquet", _date(part), day)
                noted[part] = sorted({*noted.get(part, []), name})
                write_json(noted, raw / "days.json")
                counts[part] += 1
        if "listed" in counts:
            counts["listed"] += _listed(client, raw / "listed" / f"{month}.parquet", days[-1])
        say(f"{VENDOR}: {month}, {len(days)} trading days")
    if "topix" in counts and len(trading):
        counts["topix"] = _topix(client, raw / "topix.parquet", trading[0], trading[-1])
    return Fetched(counts, tuple(absent))


def _noted(raw: Path) -> bool:
    return (raw / "days.json").is_file()


def _date(part: str) -> str:
    return "DiscDate" if part == "statements" else "Date"


def _trading_days(client: Any, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the exchange's trading days, half days too."""
    calendar = _columns(
        client.get_mkt_calendar(from_yyyymmdd=f"{first:%Y%m%d}", to_yyyymmdd=f"{last:%Y%m%d}"),
        ["Date", "HolDiv"],
        "the calendar",
    )
    days = pd.DatetimeIndex(calendar.loc[calendar["HolDiv"].isin(["1", "2"]), "Date"])
    if days.empty:
        raise SourceError(
            f"{VENDOR} has no trading day from {first:%Y-%m-%d} to {last:%Y-%m-%d}: choose other "
            "months, within those of your plan"
        )
    return days[(days >= first) & (days <= last)].sort_values()


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


def _listed(client: Any, path: Path, day: pd.Timestamp) -> int:
    """Keep the listing at the last trading day of a month; ask again where a later one came."""
    if path.is_file() and pd.read_parquet(path, columns=["asked"])["asked"].max() >= day:
        return 0
    listing = client.get_eq_master(date=f"{day:%Y%m%d}")
    rows = _columns(listing, COLUMNS["listed"], f"the listing of {day:%Y-%m-%d}")
    write_parquet(rows.assign(asked=day), path)
    return 1


def _topix(client: Any, path: Path, first: pd.Timestamp, last: pd.Timestamp) -> int:
    """Keep the index: what is later than the file's days, or all where it begins too late."""
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
    new = rows[~rows["Date"].isin(old["Date"])]
    whole = pd.concat([old, new]) if len(old) else new
    write_parquet(whole.sort_values("Date"), path)
    return len(new)


def _keep(rows: pd.DataFrame, path: Path, date: str, day: pd.Timestamp) -> None:
    """Put a day's rows into its month's file, in the place of those of an interrupted run."""
    if path.is_file():
        old = pd.read_parquet(path)
        old = old[old[date] != day]
        rows = pd.concat([old, rows]) if len(old) else rows
    if len(rows):
        write_parquet(rows.sort_values([date, "Code"], kind="stable"), path)


def _columns(rows: pd.DataFrame, names: list[str], what: str) -> pd.DataFrame:
    """Return the named columns with their types; an empty answer has none of its own."""
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
