"""Cells of the user's own tables as files hold them, and what each means, read the slow way."""

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import strategies as st

MISSING_TEXT = ("", "na", "n/a", "#n/a", "nan", "null", "none", "<na>")
YEARS = range(1800, 2200)
"""Years that records may be of."""


@dataclass(frozen=True)
class Meaning:
    """What a cell means.

    `value` is None where it is missing; `bad` says that it must be listed, `doubtful` that it may
    be: then, if it is not, it has this value, or any where `value` is an Ellipsis.
    """

    value: Any = None
    bad: bool = False
    doubtful: bool = False


BAD = Meaning(bad=True)
ANYTHING = Meaning(..., doubtful=True)


def number_of(raw: Any) -> Meaning:
    """Return what a cell of a column of numbers means."""
    if raw is None:
        return Meaning()
    if isinstance(raw, bool):
        return Meaning(float(raw), doubtful=True)
    if isinstance(raw, bytes):
        return ANYTHING
    if isinstance(raw, str):
        text = raw.strip()
        if text.lower() in MISSING_TEXT:
            return Meaning()
        below = re.fullmatch(r"\((\d+\.?\d*)\)|[△▲](\d+\.?\d*)", text, re.ASCII)
        if below:
            return Meaning(-float(below[1] or below[2]), doubtful=text != raw)
        strict = re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text, re.ASCII)
        try:
            value = float(text)
        except ValueError:
            return BAD
        if math.isnan(value):
            return ANYTHING
        return Meaning(value, doubtful=strict is None or text != raw)
    if isinstance(raw, int | float | Decimal):
        value = float(raw)
        return Meaning() if math.isnan(value) else Meaning(value)
    return BAD


def _date(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in YEARS else None


def day_of(raw: Any, month: bool) -> Meaning:
    """Return what a cell of a column of days or months means: a date, for months the first."""
    if raw is None:
        return Meaning()
    if isinstance(raw, float):
        if math.isnan(raw):
            return Meaning()
        if not math.isfinite(raw) or raw != int(raw):
            return BAD
        # A whole number is one whatever its type is, but need not be taken for a date.
        found = day_of(int(raw), month)
        return Meaning(found.value, found.bad, doubtful=not found.bad)
    if isinstance(raw, bool):
        return BAD
    if isinstance(raw, int):
        raw = str(raw)
    found: dt.date | None = None
    doubtful = False
    if isinstance(raw, dt.datetime):
        found = raw.date()
    elif isinstance(raw, dt.date):
        found = raw
    elif isinstance(raw, str):
        text = raw.strip()
        if not text:
            return Meaning()
        if text.lower() in MISSING_TEXT:
            return Meaning(doubtful=True)
        doubtful = text != raw or not text.isascii()
        timed = r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}.*)?"
        if re.fullmatch(timed, text, re.DOTALL):
            found = _date(text[:10])
            doubtful |= len(text) > 10
        elif re.fullmatch(r"\d{4}-\d{2}", text):
            found = _date(f"{text}-01")
            doubtful |= not month
        elif re.fullmatch(r"\d{6}", text):
            # Months among the days of a market's table are taken.
            found = _date(f"{text[:4]}-{text[4:]}-01")
            doubtful |= not month
        elif re.fullmatch(r"\d{8}", text):
            found = _date(f"{text[:4]}-{text[4:6]}-{text[6:]}")
        elif re.fullmatch(r"\d{4}/\d{2}/\d{2}", text):
            found = _date(text.replace("/", "-"))
        elif re.match(r"\d{4}-\d{2}-\d{2}", text):
            return Meaning(_date(text[:10]) or ..., doubtful=True)
    if found is None or found.year not in YEARS:
        return ANYTHING if doubtful else BAD
    return Meaning(found.replace(day=1) if month else found, doubtful=doubtful)


def text_of(raw: Any) -> Meaning:
    """Return what a cell of a column of text means."""
    if raw is None or (isinstance(raw, float) and math.isnan(raw)):
        return Meaning()
    if isinstance(raw, str):
        text = raw.strip()
        if not text:
            return Meaning()
        # What a blank is beyond ASCII, readers need not agree about.
        return Meaning(text, doubtful=not raw.isprintable() or raw != raw.strip(" "))
    if isinstance(raw, int) and not isinstance(raw, bool):
        return Meaning(str(raw))
    if isinstance(raw, float) and abs(raw) < 2.0**53 and raw == round(raw):
        return Meaning(str(int(raw)))
    return ANYTHING


TEXTS = (
    "",
    " ",
    "NA",
    "nan",
    "None",
    "n/a",
    "NULL",
    "-",
    "x",
    "0",
    "-0",
    "1",
    "+1",
    ".5",
    "5.",
    "1e400",
    "-1e400",
    "1e-400",
    "inf",
    "-Infinity",
    "1,5",
    "1.234,5",
    "1_000",
    "0x10",
    "1e3",
    "5%",
    "$5",
    "12abc",
    "１２",
    "(5)",
    "△5.5",
    "▲1",
    "(-5)",
    "１,234",
    "2020/01/31",
    "2020/1/31",
    "٣",
    " 7 ",
    "\t7",
    "7\n",
    "true",
    "False",
    "1d5",
    "--1",
    "1e",
    "é",
    "日本",
    "'",
    '"',
    '""',
    '"a',
    "a,b",
    "a;b",
    "a\nb",
    "a\r\nb",
    "\x00",
    "\ufeff",
    "=1+1",
    "<script>",
    "2020-01",
    "202001",
    "2020-13",
    "2020-02-30",
    "2020-1-3",
    "2020-1",
    "2020111",
    "31.01.2020",
    "01/31/2020",
    "20200131",
    "2020-01-31T00:00:00Z",
    "2020-01-31 15:30",
    "2020-01-31garbage",
    "0000-01",
    "0001-01",
    "9999-12",
    "99999-01",
    "1500-06",
    "-2020-01",
    "２０２０-０１",
    "1e300",
    "123456789012345678901234567890",
)
"""What people and programs write where something else belongs."""

_TZ = ("UTC", "Asia/Tokyo", "America/New_York", "+09:00", "-05:30")


@dataclass(frozen=True)
class Store:
    """How a Parquet column holds its values: its type, what becomes of a value, what is odd."""

    kind: pa.DataType
    make: Callable[[Any], Any]
    odd: Sequence[Any]


def _zoned(name: str) -> Store:
    zone: dt.tzinfo = (
        ZoneInfo(name)
        if name[0].isalpha()
        else dt.timezone(
            (1 if name[0] == "+" else -1)
            * dt.timedelta(hours=int(name[1:3]), minutes=int(name[4:]))
        )
    )
    odd = [
        None,
        dt.datetime(1850, 1, 1, tzinfo=zone),
        dt.datetime(2020, 6, 30, 23, 59, tzinfo=zone),
    ]
    return Store(
        pa.timestamp("us", tz=name),
        lambda day: dt.datetime(day.year, day.month, day.day, tzinfo=zone),
        odd,
    )


def _moment(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day)


DAYS = (
    Store(pa.date32(), lambda day: day, [None, dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
    Store(pa.timestamp("ns"), _moment, [None, dt.datetime(2020, 3, 31, 23, 59, 59)]),
    Store(pa.timestamp("s"), _moment, [None, dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)]),
    Store(pa.string(), lambda day: f"{day:%Y-%m-%d}", [None, *TEXTS]),
    Store(pa.string(), lambda day: f"{day:%Y%m%d}", [None, *TEXTS]),
    Store(pa.int64(), lambda day: int(f"{day:%Y%m%d}"), [None, 0, -1, 20201301, 2**62, 99999999]),
    Store(pa.int32(), lambda day: int(f"{day:%Y%m%d}"), [None, 0, -1, 20200230]),
    Store(pa.float64(), lambda day: float(f"{day:%Y%m%d}"), [None, math.nan, 1e300, 0.5, -1.0]),
    Store(pa.dictionary(pa.int32(), pa.string()), lambda day: f"{day:%Y-%m-%d}", [None, "", "x"]),
    *map(_zoned, _TZ),
)

_HUGE = (1e300, -1e300, 1.7976931348623157e308, 5e-324, 1e-300, -0.0, 0.0, 1e30, 1e-30)
NUMBERS = (
    Store(pa.float64(), float, [None, math.nan, math.inf, -math.inf, *_HUGE]),
    Store(pa.float32(), float, [None, math.nan, math.inf, 3.0e38, 1e-45]),
    Store(pa.float16(), float, [None, math.nan, math.inf, 60000.0]),
    Store(
        pa.decimal128(38, 9), lambda x: Decimal(f"{x:.9f}"), [None, Decimal(10) ** 20, Decimal(0)]
    ),
    Store(pa.string(), repr, [None, *TEXTS]),
    Store(pa.large_string(), repr, [None, *TEXTS]),
    Store(pa.dictionary(pa.int8(), pa.float64()), float, [None, math.inf]),
    Store(pa.dictionary(pa.int8(), pa.string()), repr, [None, "x", "", "NA"]),
)
COUNTS = (
    Store(pa.int64(), int, [None, 2**63 - 1, -(2**63), 0]),
    Store(pa.uint64(), int, [None, 2**64 - 1, 0]),
    Store(pa.int8(), lambda x: int(x) % 100, [None, -128, 0]),
    Store(pa.bool_(), lambda x: x > 1, [None]),
)
"""Numbers without a fraction, beside `NUMBERS`."""

_STRANGE = (
    Store(pa.list_(pa.int64()), lambda x: [1, 2], [None, []]),
    Store(pa.struct([("a", pa.int64())]), lambda x: {"a": 1}, [None]),
    Store(pa.map_(pa.string(), pa.int64()), lambda x: [("a", 1)], [None]),
    Store(pa.duration("s"), lambda x: dt.timedelta(seconds=5), [None]),
    Store(pa.time32("s"), lambda x: dt.time(1), [None]),
    Store(pa.binary(), lambda x: b"12", [None, b"\xff\xfe", b""]),
    Store(pa.null(), lambda x: None, [None]),
)
STRANGE_NUMBERS = (*_STRANGE, Store(pa.date32(), lambda x: dt.date(2020, 1, 1), [None]))
STRANGE_DAYS = (*_STRANGE, Store(pa.bool_(), lambda x: True, [None]))
STRANGE_TEXTS = (*_STRANGE, Store(pa.date32(), lambda x: dt.date(2020, 1, 1), [None]))

STOCKS = (
    Store(pa.string(), lambda i: f"00{i}A", [None, *TEXTS]),
    Store(pa.string(), lambda i: "日本é'\"<"[i % 6] + str(i), [None, *TEXTS]),
    Store(pa.int64(), lambda i: 1300 + i, [None, -1, 2**62]),
    Store(pa.float64(), lambda i: 1300.0 + i, [None, math.nan, math.inf, 0.5, 1e300]),
    Store(pa.dictionary(pa.int8(), pa.string()), lambda i: f"S{i}", [None, "", "NA"]),
)

SECTORS = (
    Store(pa.string(), str, [None, *TEXTS]),
    Store(pa.dictionary(pa.int8(), pa.string()), str, [None, "", "<b>"]),
)


def store_of(plain: Sequence[Store], strange: Sequence[Store]) -> st.SearchStrategy[Store]:
    """Return how a column may be stored, strangely once in a while."""
    return st.integers(0, 39).flatmap(lambda n: st.sampled_from(plain if n else list(strange)))


def odd_text() -> st.SearchStrategy[str]:
    """Return what a cell of a CSV file may hold beside what it should."""
    anything = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
    return st.one_of(st.sampled_from(TEXTS), st.sampled_from(TEXTS), anything)
