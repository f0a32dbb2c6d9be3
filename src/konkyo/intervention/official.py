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
    """The operations in the ministry's file.

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


def read_operations(path: Path) -> Operations:
    """Parse the file.

    Raises
    ------
    SourceError
        There is no such file.
    RecordsError
        The layout is not the ministry's, the row of an operation cannot be parsed, or a quarter's
        operations do not sum to the total in the file.
    """
    if not path.is_file():
        raise SourceError(
            f"{path} not found: put the ministry's historical CSV of foreign exchange "
            "intervention operations there, or correct intervention.official.operations"
        )
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp932", errors="replace")
    return parse(text, str(path))


def parse(text: str, name: str = "the file") -> Operations:
    """Parse the text of the file; see `read_operations`."""
    days, totals, unreadable = [], [], []
    year = month = 0
    for line, row in enumerate(csv.reader(io.StringIO(text)), start=1):
        cells = [cell.strip() for cell in row] + [""] * (9 - len(row))
        quarter = _QUARTER.search(" ".join(cells[:6]))
        if quarter:
            totals.append((line, *_quarter_months(quarter), _amount(cells[6])))
            continue
        if not cells[5].isdigit():
            continue
        year = int(cells[3]) if cells[3].isdigit() else year
        month = _MONTHS.get(cells[4][:3].lower(), month if cells[4] == "" else 0)
        sides = _SIDE.findall(cells[8])
        amount = _amount(cells[6])
        date = pd.to_datetime(
            f"{year:04d}-{month:02d}-{int(cells[5]):02d}", format="%Y-%m-%d", errors="coerce"
        )
        if len(sides) != 2 or amount is None or date is pd.NaT:
            unreadable.append(f"line {line}: {','.join(row)}")
            continue
        pair, sign = _pair(sides)
        days.append((date, pair, sign * amount))
    if unreadable:
        raise RecordsError(
            f"{name}: {len(unreadable)} rows of operations cannot be read, first "
            f"{unreadable[0]}; a row "
            "has Year, Month, Day, amount in 100 million yen and a pair such as 'the US dollar "
            "(sold) the Japanese yen (bought)'"
        )
    if not days:
        raise RecordsError(
            f"{name} has no row of an operation in the ministry's layout of nine columns (Year, "
            "Month and Day in columns 4 to 6, the amount in column 7, the pair in column 9): use "
            "the historical CSV itself"
        )
    daily = pd.DataFrame(days, columns=["date", "pair", "amount"])
    _check_totals(daily, totals, name)
    daily["amount"] *= _YEN_IN_BILLION
    spans = [span for _, *span, _ in totals]
    months = dates.ordinal(daily["date"])
    return Operations(
        daily,
        int(min([months.min(), *(first for first, _ in spans)])),
        int(max([months.max(), *(last for _, last in spans)])),
    )


def monthly(operations: Operations, pair: str) -> pd.DataFrame:
    """Return the net operations of a currency pair by month.

    Returns
    -------
    pandas.DataFrame
        month (all months of the file) and amount in billion yen, 0 without an operation.

    Raises
    ------
    RecordsError
        The file has no operation in the pair.
    """
    operations_of_pair = operations.daily[operations.daily["pair"] == pair]
    if operations_of_pair.empty:
        raise RecordsError(
            f"no operation in {pair}: the file has {sorted(set(operations.daily['pair']))}; set "
            "intervention.official.pair to one of these"
        )
    span = np.arange(operations.first, operations.last + 1)
    net = operations_of_pair["amount"].groupby(dates.ordinal(operations_of_pair["date"])).sum()
    return pd.DataFrame(
        {
            "month": dates.month_end(span),
            "amount": net.reindex(span, fill_value=0.0).to_numpy(),
        }
    )


def _check_totals(
    daily: pd.DataFrame, totals: list[tuple[int, int, int, float | None]], name: str
) -> None:
    """Check every quarter's operations against the file's own total."""
    month = dates.ordinal(daily["date"])
    for line, first, last, total in totals:
        operations = daily["amount"][(month >= first) & (month <= last)]
        # Amounts are rounded one by one, so a total may be off by as many units as it has terms.
        if total is not None and abs(operations.abs().sum() - total) > len(operations):
            raise RecordsError(
                f"{name}, line {line}: the quarter's total is {total:,.0f} (100 million yen), but "
                f"its {len(operations)} operations add up to {operations.abs().sum():,.0f}: the "
                f"file is not "
                "complete, download it again"
            )


def _pair(sides: list[tuple[str, str]]) -> tuple[str, int]:
    """Return the pair and 1 where its base currency was bought, -1 where it was sold."""
    side = {_CODES.get(name.strip().lower(), name.strip()): word.lower() for name, word in sides}
    quote = "JPY" if "JPY" in side else min(side, key=lambda code: (code == "USD", code))
    base = next((code for code in side if code != quote), quote)
    return f"{base}/{quote}", 1 if side[base] == "bought" else -1


def _quarter_months(quarter: re.Match[str]) -> tuple[int, int]:
    """Return the first and last month of a quarter such as `April - June 1991`."""
    first, last = (_MONTHS.get(quarter[i][:3].lower(), 1) for i in (1, 2))
    start = (int(quarter[3]) - 1970) * 12 - 1
    return start + first, start + last


def _amount(cell: str) -> float | None:
    try:
        return float(cell.replace(",", ""))
    except ValueError:
        return None
