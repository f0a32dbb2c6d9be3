"""Tables drawn from what they mean: odd names, all forms of dates, sentinels, lives of stocks.

The other tables of fuzzing are drawn as cells and read by a slow reader; these are drawn as months,
names and prices and then written down, so that the oracle is what was drawn.
"""

import csv
import datetime as dt
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from fuzz_checks import panel_is_right_or_refused
from fuzz_tables import month_end
from konkyo import config, date_text
from konkyo.data import Records, tables
from konkyo.errors import KonkyoError, RecordsError
from konkyo.features.build import build
from konkyo.features.store import read, write
from konkyo.report.tables import labels

NAMES = (
    "NA", "null", "nan", "None", "N/A", "inf", "-inf", "true", "False", "007", "1e3", "7203", "0",
    "$A", "a&b", "50%", "%2F", "x^2", "(f)", "<b>", "日本", "ﾃｽﾄ", "é x", "a,b", 'q"x', "a;b", "'",
    "=1+1", "@x", "{k}", "a/b", "..", "a.b", "#", "\\", "[1]", "*", "?", "x" * 250, "語" * 80, "A",
    "a", "'; drop table x", "select", "stock 1", "2020-01", "-99.99", "|", "\u200b-", "N\u0301",
    "ret", "score",
)  # fmt: skip
"""Codes, sectors, series and characteristics that are syntax, numbers or missing elsewhere."""

FORMS = (
    "%Y-%m", "%Y-%m-%d", "%Y%m", "%Y%m%d", "%Y/%m/%d", "%Y-%m-%dT00:00:00Z", "%Y-%m-%d 23:59",
    "%Y-%m-%dT00:00:00+09:00", "%Y-%m-%dT23:59:59.123-05:00", "%Y/%m/%d 09:30:00 +0900",
)  # fmt: skip
"""Ways to write a month that have one reading."""
USERS = ("%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%m/%Y", "%B %d, %Y", "%Y.%m.%d", "%Y%j")
REFUSED = (
    "2020-1-31", "31.01.2020", "01/31/2020", "Jan 2020", "2020", "20-01-31", "2020/1/31", "2020-13",
    "2020-02-30", "２０２０-01", "202013", "2020.01", "1579737600", "2020-01-31T25:00", "2020-W05",
    "2020-01-31 9:30", "2020年1月", "Q1 2020", "2020-01-31x", "20200132", "1799-12", "2200-01",
)  # fmt: skip
MARKS: tuple[tuple[float | str, tuple[str, ...]], ...] = (
    (-99.99, ("-99.99", "-99.990", "-9.999e1")),
    (-999.0, ("-999", "-999.0", "-999.00")),
    (9999.0, ("9999", "9999.0", "+9999")),
    ("-", ("-", " - ")),
    ("n.a.", ("n.a.", "N.A.")),
    (".", (".",)),
)
"""What stands for a missing value, and how it may be written in one file."""


LARGEST = 10.0
"""ingest.tables.stocks.largest_return."""


@dataclass(frozen=True)
class Intent:
    """Stocks by month: what is meant and how it is written.

    `closes` and `sizes` by (month, stock), None where missing; a stock without a row in a month
    has no entry.
    """

    months: tuple[dt.date, ...]
    codes: tuple[str, ...]
    sectors: tuple[str, ...]
    series: tuple[str, ...]
    characteristic: str
    closes: Mapping[tuple[int, int], float | None]
    sizes: Mapping[tuple[int, int], float | None]
    date_format: str
    dates: tuple[str, ...]
    marks: tuple[int, ...]
    broken: tuple[int, str] | None

    def rows(self) -> list[tuple[int, int]]:
        return list(self.closes)

    def written(self) -> list[list[str]]:
        """Return the rows of the stocks' file."""
        found = []
        for row, (m, s) in enumerate(self.rows()):
            form = self.date_format or self.dates[row % len(self.dates)]
            month = written_month(self.months[m], form, row)
            if self.broken and self.broken[0] == row:
                month = self.broken[1]
            cells = [self._number(values[m, s], row) for values in (self.closes, self.sizes)]
            size = self.sizes[m, s]
            further = self._number(None if size is None else size / 8, row + 1)
            found.append([month, self.codes[s], self.sectors[s], *cells, further])
        return found

    def _number(self, value: float | None, row: int) -> str:
        if value is not None:
            return repr(value)
        if not self.marks:
            return ""
        spelt = MARKS[self.marks[row % len(self.marks)]][1]
        return spelt[row % len(spelt)]


def written_month(end: dt.date, form: str, row: int) -> str:
    """Return a month in a form, on any of its days: the month is what counts."""
    return end.replace(day=1 + (7 * row) % end.day).strftime(form)


@st.composite
def intents(draw: st.DrawFn) -> Intent:
    """Return an example: a third of them with one month that has no reading."""
    count, length = draw(st.integers(2, 5)), draw(st.integers(2, 6))
    anything = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=6)
    name = st.one_of(st.sampled_from(NAMES), st.sampled_from(NAMES), anything)
    codes = draw(st.lists(name, min_size=count, max_size=count, unique=True))
    series = draw(st.lists(name, min_size=1, max_size=2, unique_by=str.lower))
    first = draw(st.integers(0, 11))
    months = [month_end(2019 + (first + m) // 12, (first + m) % 12 + 1) for m in range(length)]
    closes: dict[tuple[int, int], float | None] = {}
    for s in range(count):
        closes |= {(m, s): close for m, close in draw(life(length, s)).items()}
    # Every month has two stocks, as many as there are quantiles.
    for m in range(length):
        for s in (0, 1):
            closes.setdefault((m, s), 10.0 + m + s)
    keys = draw(st.permutations(sorted(closes)))
    hidden = draw(st.sets(st.sampled_from(keys), max_size=3))
    marks = tuple(draw(st.lists(st.integers(0, len(MARKS) - 1), max_size=3, unique=True)))
    users = draw(st.sampled_from(("",) * 9 + USERS))
    broken = None
    if draw(st.sampled_from((False,) * 4 + (True,))):
        odd = "2019-05-31" if users else draw(st.sampled_from(REFUSED))
        broken = (draw(st.integers(0, len(keys) - 1)), odd)
    return Intent(
        tuple(months),
        tuple(codes),
        tuple(draw(st.lists(name, min_size=count, max_size=count))),
        tuple(series),
        draw(name),
        {key: closes[key] for key in keys},
        {key: None if key in hidden else 50.0 + 8 * i for i, key in enumerate(keys)},
        users,
        tuple(draw(st.lists(st.sampled_from(FORMS), min_size=1, max_size=4))),
        marks,
        broken,
    )


@st.composite
def life(draw: st.DrawFn, length: int, stock: int) -> dict[int, float | None]:
    """Return a stock's closes by month: listed late, gone early, away, missing, failed, re-used."""
    begins = draw(st.integers(0, length - 1))
    ends = draw(st.integers(begins, length - 1))
    found: dict[int, float | None] = {}
    price = 10.0 + stock
    for m in range(begins, ends + 1):
        event = draw(st.sampled_from(("trade",) * 8 + ("away", "missing", "failed", "other firm")))
        price = round(price * (1 + 0.05 * ((3 * m + stock) % 5 - 2)), 3)
        if event == "away":
            continue
        if event == "failed":
            # Worth nothing; whatever comes under this code later is another firm's.
            found[m], price = 0.0, 30.0
            continue
        if event == "other firm":
            price = 200.0 + stock
            continue
        found[m] = None if event == "missing" else price
    return found


def intent_is_recovered(example: Intent) -> str:
    """Bring the tables of an example: the records are what was meant, or name the odd month."""
    used = _columns(example)
    with TemporaryDirectory() as name:
        folder = Path(name)
        section = _write(example, folder)
        try:
            found = tables.load(section, folder / "raw", 2)
        except RecordsError as error:
            return _refused(example, error, used)
    assert example.broken is None, "a month without a reading was read"
    assert not used, used
    assert not _revived(example), "a price of 0 was taken for a loss of all"
    _is_what_was_meant(example, found)
    _names_last(example, found)
    return panel_is_right_or_refused(found)


def _columns(example: Intent) -> set[str]:
    """Return the names of columns that mean something else: these must be refused."""
    reserved = {"ret", "label", "score", "absorbed"}
    taken = {"month", "stock", "sector", "close", "size", "return"}
    series = set(example.series) & (reserved | {"month", "date"})
    return series | ({example.characteristic} & (reserved | taken))


def _write(example: Intent, folder: Path) -> config.Tables:
    head = ["month", "stock", "sector", "close", "size", example.characteristic]
    with (folder / "stocks.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *example.written()])
    with (folder / "market.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["month", *example.series])
        for row, end in enumerate(example.months):
            form = example.date_format or example.dates[row % len(example.dates)]
            level = [1.5 + row + k for k in range(len(example.series))]
            out.writerow([written_month(end, form, row), *level])
    form = {"date_format": example.date_format}
    missing = tuple(MARKS[at][0] for at in example.marks)
    return config.Tables(
        stocks=config.StockRows(
            (str(folder / "stocks.csv"),),
            {},
            layout="long",
            rows="monthly",
            return_unit="fraction",
            largest_return=LARGEST,
            eligible="",
            missing_values=missing,
            **form,
        ),
        market=(config.Table((str(folder / "market.csv"),), {}, **form),),
        reports=(),
        sectors=(),
        members=(),
        point_in_time=True,
        survivorship_free=True,
    )


def _refused(example: Intent, error: RecordsError, used: set[str]) -> str:
    """See that a refusal names the odd month's row, or a rule that the example does break."""
    rules = {one.rule: one for one in error.violations}
    if example.broken is not None:
        assert rules["readable"].rows == (example.broken[0] + 1,), error
        assert _reading(example.broken[1]) is None or example.date_format
        return "odd month named"
    wanted = {"reserved", "columns"} if used else set()
    if not any(_return(example, m, s) is not None for m, s in example.rows()):
        wanted.add("filled")
    if _revived(example):
        wanted.add("price after 0")
    assert set(rules) & wanted or (not rules and used), error
    return "refused"


def _revived(example: Intent) -> bool:
    """Whether a price of 0 has one above 0 as its next, within a quarter."""
    for stock in range(len(example.codes)):
        priced = [(m, close) for (m, s), close in sorted(example.closes.items()) if s == stock]
        priced = [(m, close) for m, close in priced if close is not None]
        for (m, close), (after, later) in itertools.pairwise(priced):
            if close == 0 < later and after - m <= 3:
                return True
    return False


def _reading(text: str) -> pd.Timestamp | None:
    try:
        return date_text.period_end(text)
    except ValueError:
        return None


def _return(example: Intent, m: int, s: int) -> float | None:
    """Return what a stock earned in a month: close over the close of the month before.

    A price above eleven times the last one is a fault, and so is the return that begins with it.
    """

    def change(m: int) -> float | None:
        now, before = example.closes.get((m, s)), example.closes.get((m - 1, s))
        return None if now is None or not before else now / before - 1

    earned, fault = change(m), any((change(at) or 0) > LARGEST for at in (m - 1, m))
    return None if fault else earned


def _is_what_was_meant(example: Intent, found: Records) -> None:
    assert len(found.stocks) == len(example.closes)
    for (month, *_), (m, _) in zip(example.written(), example.rows(), strict=True):
        # The served model, params and options read what tables read, as the same month.
        read_alike = _reading(month) == pd.Timestamp(example.months[m])
        assert example.date_format or read_alike, month
    have = {(r["month"].date(), r["stock"]): r for r in found.stocks.to_dict("records")}
    for m, s in example.rows():
        row = have[example.months[m], example.codes[s]]
        assert row["sector"] == example.sectors[s], row
        _same(row["return"], _return(example, m, s))
        # What is worth nothing cannot be bought.
        worthless = example.closes.get((m, s)) == 0
        _same(row["size"], None if worthless else example.sizes[m, s])
        size = example.sizes[m, s]
        _same(row[example.characteristic], None if size is None else size / 8)
    assert list(found.market.columns) == ["month", *example.series]
    assert [day.date() for day in found.market["month"]] == list(example.months)


def _same(got: float, value: float | None) -> None:
    close = math.isnan(got) if value is None else math.isclose(got, value, rel_tol=1e-12)
    assert close, (got, value)


def _names_last(example: Intent, found: Records) -> None:
    """See that names survive the panel's files and have labels."""
    section = config.Prepare(
        first_month=f"{example.months[0]:%Y-%m}",
        universe_size=2,
        characteristics=("size", example.characteristic),
        standardise="rank",
        clip=3.0,
        label="rank",
        sectors="known",
        market={name: ("level",) for name in example.series},
    )
    try:
        panel, missing = build(found.stocks, found.market, section)
    except KonkyoError as error:
        assert str(error)
        return
    names = list(panel.names)
    assert example.characteristic in names
    with TemporaryDirectory() as folder:
        write(panel, missing, Path(folder))
        again = read(Path(folder))
        assert list(again.names) == names
        np.testing.assert_array_equal(again.features, panel.features)
        assert list(again.index["stock"]) == list(panel.index["stock"])
    assert list(labels(names)["feature"]) == names


INTENTS: st.SearchStrategy[Intent] = intents()
