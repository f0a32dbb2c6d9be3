"""The Japanese Ministry of Finance's file of foreign exchange intervention operations.

The file is Shift_JIS with nine columns: year, month and day of the Japanese calendar, Year, Month,
Day, amount in 100 million yen, pair in Japanese, pair in English. Year and month stand only where
they change. A row without a pair is a quarter's total. Days without an operation have no row.
"""

import calendar
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.errors import RecordsError, SourceError

_CODES = {
    "us dollar": "USD", "u.s. dollar": "USD", "japanese yen": "JPY", "euro": "EUR",
    "deutsche mark": "DEM", "german mark": "DEM", "indonesian rupiah": "IDR",
}  # fmt: skip
_SIDE = re.compile(r"\s*(?:the\s+)?([A-Za-z.][A-Za-z.\s]*?)\s*\((sold|bought)\)", re.IGNORECASE)
_QUARTER = re.compile(r"([A-Z][a-z]+)\.?\s*[-\u2013~]\s*([A-Z][a-z]+)\.?\s*(\d{4})")
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_YEN_IN_BILLION = 0.1
"""A unit of the file, 100 million yen, in billions of yen."""


@dataclass(frozen=True, eq=False)
class Operations:
    """What the ministry did.

    Attributes
    ----------
    daily : pandas.DataFrame
        date, pair (such as USD/JPY), amount in billion yen: positive where the pair's first
        currency was bought, which for USD/JPY is yen sold.
    first, last : int
        The months that the file covers, counted from 1970-01: from the first to the last month of
        any quarter's total or operation.
    """

    daily: pd.DataFrame
    first: int
    last: int


def read(path: Path) -> Operations:
    """Parse the file.

    Raises
    ------
    SourceError
        There is no such file.
    RecordsError
        It is not the ministry's layout, a day's row cannot be read, or a quarter's operations do
        not add up to the total that the file gives.
    """
    if not path.is_file():
        raise SourceError(
            f"{path} is not here: put the ministry's historical CSV of foreign exchange "
            "intervention operations there, or correct intervention.official.operations"
        )
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp932", errors="replace")
    return parse(text, str(path))


def parse(text: str, name: str = "the file") -> Operations:
    """Parse the text of the file; see `read`."""
    days, totals, unread = [], [], []
    year = month = 0
    for line, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        cells = [cell.strip() for cell in row] + [""] * (9 - len(row))
        quarter = _QUARTER.search(" ".join(cells[:6]))
        if quarter:
            totals.append((line, *_span(quarter), _amount(cells[6])))
            continue
        if not cells[5].isdigit():
            continue
        year = int(cells[3]) if cells[3].isdigit() else year
        month = _MONTHS.get(cells[4][:3].lower(), month if cells[4] == "" else 0)
        sides = _SIDE.findall(cells[8])
        amount = _amount(cells[6])
        date = pd.to_datetime(f"{year:04d}-{month:02d}-{int(cells[5]):02d}", errors="coerce")
        if len(sides) != 2 or amount is None or date is pd.NaT:
            unread.append(f"line {line}: {','.join(row)}")
            continue
        pair, sign = _pair(sides)
        days.append((date, pair, sign * amount))
    if unread:
        raise RecordsError(
            f"{name}: {len(unread)} rows of operations cannot be read, first {unread[0]}; a row "
            "has Year, Month, Day, amount in 100 million yen and a pair such as 'the US dollar "
            "(sold) the Japanese yen (bought)'"
        )
    if not days:
        raise RecordsError(
            f"{name} has no row of an operation in the ministry's layout of nine columns (Year, "
            "Month and Day in columns 4 to 6, the amount in column 7, the pair in column 9): bring "
            "the historical CSV itself"
        )
    daily = pd.DataFrame(days, columns=["date", "pair", "amount"])
    _add_up(daily, totals, name)
    daily["amount"] *= _YEN_IN_BILLION
    spans = [span for _, *span, _ in totals]
    operated = dates.ordinal(daily["date"])
    return Operations(
        daily,
        int(min([operated.min(), *(first for first, _ in spans)])),
        int(max([operated.max(), *(last for _, last in spans)])),
    )


def monthly(operations: Operations, pair: str) -> pd.DataFrame:
    """Net the operations of one pair by month.

    Returns
    -------
    pandas.DataFrame
        month (every month that the file covers) and amount in billion yen, 0 where there was none.

    Raises
    ------
    RecordsError
        The file has no operation in that pair.
    """
    chosen = operations.daily[operations.daily["pair"] == pair]
    if chosen.empty:
        raise RecordsError(
            f"no operation in {pair}: the file has {sorted(set(operations.daily['pair']))}; set "
            "intervention.official.pair to one of these"
        )
    span = np.arange(operations.first, operations.last + 1)
    net = chosen["amount"].groupby(dates.ordinal(chosen["date"])).sum()
    return pd.DataFrame(
        {
            "month": dates.month_end(span),
            "amount": net.reindex(span, fill_value=0.0).to_numpy(),
        }
    )


def _add_up(
    daily: pd.DataFrame, totals: list[tuple[int, int, int, float | None]], name: str
) -> None:
    """Hold every quarter's operations against the total that the file gives for it."""
    month = dates.ordinal(daily["date"])
    for line, first, last, total in totals:
        own = daily["amount"][(month >= first) & (month <= last)]
        # Amounts are rounded one by one, so a total may be off by as many units as it has terms.
        if total is not None and abs(own.abs().sum() - total) > len(own):
            raise RecordsError(
                f"{name}, line {line}: the quarter's total is {total:,.0f} (100 million yen), but "
                f"its {len(own)} operations add up to {own.abs().sum():,.0f}: the file is not "
                "whole, bring it again"
            )


def _pair(sides: list[tuple[str, str]]) -> tuple[str, int]:
    """Return the pair's name and 1 where its first currency was bought, else -1."""
    side = {_CODES.get(name.strip().lower(), name.strip()): word.lower() for name, word in sides}
    last = "JPY" if "JPY" in side else min(side, key=lambda code: (code == "USD", code))
    first = next((code for code in side if code != last), last)
    return f"{first}/{last}", 1 if side[first] == "bought" else -1


def _span(quarter: re.Match[str]) -> tuple[int, int]:
    """Return the first and last month of a quarter such as `April - June 1991`."""
    first, last = (_MONTHS.get(quarter[i][:3].lower(), 1) for i in (1, 2))
    start = (int(quarter[3]) - 1970) * 12 - 1
    return start + first, start + last


def _amount(cell: str) -> float | None:
    try:
        return float(cell.replace(",", ""))
    except ValueError:
        return None
