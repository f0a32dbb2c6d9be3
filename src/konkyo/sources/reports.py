"""Dated reports joined to the stocks' months as they were known at the end of each.

A report is known from the day on which it was published, or `lag` days after the end of its period
where that day is missing. A row of the stocks at t gets what the newest period known at the end of
t was known to be: see `konkyo.sources.ingredients`; and the ratios made of it: see
`konkyo.sources.ratios`, whose table says which ingredients each wants.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from konkyo.months import ordinal
from konkyo.params import Reports
from konkyo.sources import ingredients, rules
from konkyo.sources.convert import text_of, to_numbers
from konkyo.sources.faults import Fault, rows_of
from konkyo.sources.ingredients import BALANCES, FLOWS, FORECASTS, PAID, UNSCALED, companions
from konkyo.sources.known import Statements, last, pack, statements, unpack
from konkyo.sources.ratios import ratios
from konkyo.sources.reading import Found

DATES = ("period_end", "published", "forecast_end")
"""Days: the last of the report's period, of its publication, the last of its forecasts' year."""

TAKEN = ("month", "return", "sector", "eligible", "close", *rules.RESERVED)
"""Names that reports may not bring: the stocks' own, and those of later tables."""

_EARLIEST, _LATEST = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-12-31")
_LONGEST = 60
_SIZE_MONTH = "size since"
"""Beside the reports' market value: the month in which it became known."""


def typed(found: Found) -> tuple[pd.DataFrame, list[Fault]]:
    """Read the values of a table of reports and check its rows.

    Parameters
    ----------
    found : Found
        Under this project's column names: stock, period_end or published or both, optionally
        months (length of the period, 12 where missing) and forecast_end, and columns of numbers.

    Returns
    -------
    frame : DataFrame
        The rows of the file in its order: stock (text), days (datetime64), numbers.
    faults : list of Fault
        Every broken rule. A row needs a stock and a day, figures are not published before their
        period ends (a forecast may be), and rows of one period and day do not contradict.
    """
    faults = list(rules.missing_columns(found, ["stock"]))
    columns: dict[str, pd.Series] = {}
    for name, values in found.frame.items():
        if name in TAKEN:
            faults.append(
                Fault(
                    found.name(name),
                    f"{name!r} is a name of the stocks' own columns or of a later table's",
                    'give it another name, or leave the column out by mapping it to ""',
                )
            )
        elif name == "stock":
            columns[name] = text_of(values)
            faults += rules.absent(found, name, columns[name].isna().to_numpy())
        elif name in DATES:
            columns[name], bad = _days(values)
            if bad.any():
                shown = rows_of(bad, values)
                remedy = "write YYYY-MM-DD, YYYYMMDD or YYYY-MM (its last day), 1900 to 2200"
                faults.append(Fault(found.name(name), f"not a day in {shown}", remedy))
        else:
            numbers = to_numbers(values)
            columns[name] = numbers.column
            remedy = (
                "write numbers with a decimal point and no other mark, or leave a column of text "
                'out by mapping it to ""'
            )
            faults += rules.unreadable(found, name, numbers, "a number", remedy)
            faults += rules.infinite(found, name, numbers.column)
    frame = pd.DataFrame(columns, index=found.frame.index)
    if not faults:
        faults += [*_undated(found, frame), *_early(found, frame), *_contradictions(found, frame)]
    return frame, faults


def _days(values: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Return days, with the time where there is one, and where there was a value that is none."""
    if pd.api.types.is_datetime64_any_dtype(values):
        days = values.dt.tz_localize(None) if values.dt.tz is not None else values
        there = values.notna()
    else:
        text = text_of(values)
        there = text.notna()
        days = pd.Series(pd.NaT, index=values.index, dtype="datetime64[s]")
        for pattern, day, end in (
            (r"\d{4}-\d{2}-\d{2}", text, False),
            (r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}.*", text.str[:19], False),
            (r"\d{8}", text.str[:4] + "-" + text.str[4:6] + "-" + text.str[6:], False),
            (r"\d{4}-\d{2}", text + "-01", True),
        ):
            fits = text.str.fullmatch(pattern).fillna(False).astype(bool)
            read = pd.to_datetime(day.where(fits), format="ISO8601", errors="coerce")
            days = days.mask(fits, (read + pd.offsets.MonthEnd(0) if end else read))
    days = days.astype("datetime64[s]")
    days = days.where((days >= _EARLIEST) & (days <= _LATEST))
    return days, (days.isna() & there).to_numpy()


def _undated(found: Found, frame: pd.DataFrame) -> Iterator[Fault]:
    """Every row says when it was known."""
    dates = [name for name in DATES[:2] if name in frame]
    missing = frame[dates].isna().all(axis=1).to_numpy() if dates else np.ones(len(frame), bool)
    if missing.any():
        yield Fault(
            found.name("period_end"),
            f"neither period_end nor published in {rows_of(missing)}",
            "fill in one of the two, or map your own names to them in `columns`",
        )
    if "months" in frame:
        months = frame["months"]
        bad = (~(months.between(1, _LONGEST) & (months % 1 == 0)) & months.notna()).to_numpy()
        if bad.any():
            yield Fault(
                found.name("months"),
                f"not a whole number from 1 to {_LONGEST} in {rows_of(bad, months)}",
                "write the length of the report's period in months",
            )


def _early(found: Found, frame: pd.DataFrame) -> Iterator[Fault]:
    """No figures are known before their period ends."""
    if "period_end" not in frame or "published" not in frame:
        return
    bad = (_figures_in(frame) & (frame["published"] < frame["period_end"])).to_numpy()
    if bad.any():
        shown = frame["published"].astype("str") + " before " + frame["period_end"].astype("str")
        yield Fault(
            found.name("published"),
            f"published before the period ended in {rows_of(bad, shown)}",
            "correct one of the two days; rows of forecasts alone may be published before",
        )


def _contradictions(found: Found, frame: pd.DataFrame) -> Iterator[Fault]:
    """Rows of one stock, period and day do not say different things."""
    keys = [name for name in ("stock", "months", *DATES) if name in frame]
    repeated = frame[frame.duplicated(keys, keep=False)]
    if repeated.empty:
        return
    groups = repeated.groupby(keys, dropna=False)
    numbers = [name for name in frame if name not in keys]
    differs = np.zeros(len(frame), dtype=bool)
    for name in numbers:
        several = groups[name].transform("nunique") > 1
        differs[frame.index.get_indexer(repeated.index[several.to_numpy()])] = True
    if differs.any():
        yield Fault(
            found.name("stock"),
            f"different values for one stock, period and day in {rows_of(differs, frame['stock'])}",
            "keep one row a stock, period_end and published, or add `months` where a year and its "
            "last quarter end on one day",
        )


def join(
    stocks: pd.DataFrame,
    reports: Sequence[pd.DataFrame],
    specs: Sequence[Reports],
    valued: bool = True,
) -> pd.DataFrame:
    """Add what reports say, as known at the end of each row's month, and the ratios made of it.

    Parameters
    ----------
    stocks : DataFrame
        month (period end), stock, and where there are such: size (thousands of the currency),
        close, volume, shares and further columns. Each stock and month once.
    reports : sequence of DataFrame
        Tables as `typed` returns them, in the order in which they are asked: where the first knows
        nothing of an ingredient at t, the second is asked.
    specs : sequence of Reports
        Of each table: `lag` days after period_end from which a row without `published` is known,
        `carry` months for which a report counts after the month in which it became known, `unit`
        of its amounts.
    valued : bool, optional
        `size` is a market value. False where the column stands for something else, such as traded
        value: ratios to market value would not mean what they say, and are left out.

    Returns
    -------
    DataFrame
        The rows as they came with further columns (float64): `size` where it was missing, from the
        reports' own (moved by `close` since the month in which it became known) or else their
        shares times `close`; every ratio of `konkyo.sources.ratios.table` whose ingredients
        exist; a vendor's further numbers under their names. A column that the stocks have keeps its
        values, and only its missing ones are filled.
    """
    stock, month, codes = _rows_of(stocks)
    values: dict[str, np.ndarray] = {}
    for table, spec in zip(reports, specs, strict=True):
        _fill(values, _as_known(table, spec, codes, stock, month))

    column = {name: stocks[name].to_numpy("float64") for name in ("close",) if name in stocks}
    size = _size(stocks, values, stock, month, column.get("close"))
    added: dict[str, np.ndarray] = {} if size is None else {"size": size}
    ingredient = {*FLOWS, *BALANCES, *FORECASTS}
    ingredient |= {other for name in ingredient for other in _with(name)}
    for name in [name for name in values if name not in ingredient]:
        found = values.pop(name)
        if name in stocks:
            found = _first(stocks[name].to_numpy("float64"), found)
        added[name] = found
    values.pop("size", None)
    if size is not None:
        values["size"] = size
    for name in ("volume", "shares"):
        if name in stocks:
            own = stocks[name].to_numpy("float64") / 1000
            values[name] = _first(own, values[name]) if name in values else own
    given = {
        name: stocks[name].to_numpy("float64")
        for name in stocks
        if pd.api.types.is_numeric_dtype(stocks[name])
    } | added
    added |= ratios(stock, month, values, given, valued)
    return stocks.assign(**added)


def matches(stocks: pd.DataFrame, reports: Sequence[pd.DataFrame]) -> list[dict[str, Any]]:
    """Return how the stocks of each table of reports were found, for the facts of the records.

    Returns
    -------
    list of dict
        matched (stocks found), unmatched, codes: `as written`, or `in capital letters` where no
        code is found as it is written.
    """
    codes = pd.Index(stocks["stock"].unique())
    found = []
    for table in reports:
        own = pd.Index(table["stock"].unique())
        _, upper = _match(codes, own)
        there = int((_match(codes, own)[0] >= 0).sum())
        found.append(
            {
                "matched": there,
                "unmatched": len(own) - there,
                "codes": "in capital letters" if upper else "as written",
            }
        )
    return found


@dataclass(frozen=True, eq=False)
class _Said:
    """One table's statements: figures of periods and forecasts of years."""

    figures: Statements
    forecasts: Statements


def _as_known(
    table: pd.DataFrame, spec: Reports, codes: pd.Index, stock: np.ndarray, month: np.ndarray
) -> dict[str, np.ndarray]:
    """Return a table's ingredients and further numbers as known at rows, shape [rows] each."""
    said = _said(table, spec, codes)
    both = (said.figures, said.forecasts)
    events = np.unique(np.concatenate([pack(part.stock, part.known) for part in both]))
    if not len(events):
        return {}
    at_stock, at_month = unpack(events)
    now = ingredients.figures(said.figures, at_stock, at_month)
    ahead = ingredients.forecasts(said.forecasts, said.figures, now, at_stock, at_month)

    # Nothing changes between two events, so that each row looks at the last one of its stock.
    place = last(events, pack(stock, month))
    there = (place >= 0) & (at_stock[np.maximum(place, 0)] == stock)
    place = np.maximum(place, 0)
    quiet = month > at_month[place]
    found: dict[str, np.ndarray] = {}
    for part, names in ((now, set(now)), (ahead, set(ahead))):
        known = part["known"][place]
        current = there & (month - known <= spec.carry)
        for name in sorted(names - {"known", "period"}):
            values = part[name]
            if name.endswith("_forecast_before"):
                # A month ago the last event had already been, where it was not in this month.
                values = np.where(quiet, part[name.removesuffix("_before")][place], values[place])
            else:
                values = values[place]
            found[name] = np.where(current, values, np.nan)
        if "size" in part:
            found[_SIZE_MONTH] = np.where(current, known, np.nan)
    return found


def _said(table: pd.DataFrame, spec: Reports, codes: pd.Index) -> _Said:
    """Return a table's rows as statements, amounts in thousands, of the stocks in `codes` alone."""
    own = pd.Index(table["stock"].unique())
    place = _match(codes, own)[0][own.get_indexer(table["stock"])]
    table, stock = table[place >= 0], place[place >= 0].astype("int64")
    missing = pd.Series(pd.NaT, index=table.index, dtype="datetime64[s]")
    end = table.get("period_end", missing)
    published = table.get("published", missing)
    day = published.fillna(end + pd.Timedelta(days=spec.lag))
    known = ordinal(day)
    dated = end.notna().to_numpy()
    period = np.where(dated, _period(end), known)
    length = np.full(len(table), 12)
    if "months" in table:
        length = table["months"].fillna(12).to_numpy().astype("int64")

    numbers = {name: _amounts(table[name], name, spec.unit) for name in _numbers_in(table)}
    ahead = {name: numbers.pop(name) for name in FORECASTS if name in numbers}
    order = day.to_numpy().astype("datetime64[s]").astype("int64")

    has = _any(numbers, len(table))
    figures = statements(
        stock[has], period[has], np.where(dated, length, 0)[has], known[has], order[has],
        {name: values[has] for name, values in numbers.items()},
    )  # fmt: skip
    # A forecast that does not say its year is about the one after the report's, or the one that an
    # interim report is part of; one published before its period ended is about that.
    late = (end - published).dt.days.fillna(-1).to_numpy() > 0
    year = period + np.where(late, 0, np.where(length >= 12, 12, 12 - length))
    year = np.where(dated, year, ingredients.NO_PERIOD)
    if "forecast_end" in table:
        said = table["forecast_end"].notna().to_numpy()
        year = np.where(said, _period(table["forecast_end"]), year)
    has = _any(ahead, len(table))
    forecasts = statements(
        stock[has], year[has], np.zeros(has.sum(), dtype="int64"), known[has], order[has],
        {name: values[has] for name, values in ahead.items()},
    )  # fmt: skip
    return _Said(figures, forecasts)


def _amounts(values: pd.Series, name: str, unit: int) -> np.ndarray:
    """Return an ingredient in thousands; a vendor's further numbers as they are."""
    numbers = values.to_numpy("float64")
    bare = name.removesuffix("_forecast")
    if bare in PAID:
        numbers = np.abs(numbers)
    if name == "shares":
        return numbers / 1000
    if name in UNSCALED or name not in (*FLOWS, *BALANCES, *FORECASTS):
        return numbers
    return numbers * (unit / 1000)


def _period(days: pd.Series) -> np.ndarray:
    """Return the month at whose end, to the nearest, a period ends: some years end on a weekday."""
    return ordinal((days - pd.Timedelta(days=15)).fillna(pd.Timestamp(1970, 1, 1)))


def _numbers_in(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame if name not in ("stock", "months", *DATES)]


def _figures_in(frame: pd.DataFrame) -> pd.Series:
    """Return which rows hold anything but forecasts."""
    names = [name for name in _numbers_in(frame) if name not in FORECASTS]
    return frame[names].notna().any(axis=1)


def _any(numbers: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
    has = np.zeros(rows, dtype=bool)
    for values in numbers.values():
        has |= ~np.isnan(values)
    return has


def _rows_of(stocks: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    codes, distinct = pd.factorize(stocks["stock"])
    return codes.astype("int64"), ordinal(stocks["month"]), pd.Index(distinct)


def _match(codes: pd.Index, own: pd.Index) -> tuple[np.ndarray, bool]:
    """Return the place of each of a table's codes among the stocks', -1 where it is not there.

    Codes are compared in capital letters only where none is found as it is written, and then only
    those that stay different from each other.
    """
    place = codes.get_indexer(own)
    if (place >= 0).any() or not len(own):
        return place, False
    large, wanted = codes.str.upper(), own.str.upper()
    once = ~large.duplicated(keep=False)
    place = np.where(wanted.duplicated(keep=False), -1, large[once].get_indexer(wanted))
    return np.where(place >= 0, np.flatnonzero(once)[np.maximum(place, 0)], -1), bool(
        (place >= 0).any()
    )


def _fill(values: dict[str, np.ndarray], further: Mapping[str, np.ndarray]) -> None:
    """Fill what the tables so far do not know; what belongs to a value comes with it."""
    empty = np.full(len(next(iter(further.values()), np.array([]))), np.nan)
    follows = {other for name in further for other in _with(name)}
    for name in [name for name in further if name not in follows]:
        keep = ~np.isnan(values.get(name, empty)) | np.isnan(further[name])
        for other in (name, *_with(name)):
            if other in further:
                values[other] = np.where(keep, values.get(other, empty), further[other])


def _with(name: str) -> tuple[str, ...]:
    return (_SIZE_MONTH,) if name == "size" else companions(name)


def _size(
    stocks: pd.DataFrame,
    values: Mapping[str, np.ndarray],
    stock: np.ndarray,
    month: np.ndarray,
    close: np.ndarray | None,
) -> np.ndarray | None:
    """Return market values in thousands: the stocks' own, else the reports', None if there is none.

    The reports' market value moves with `close` from the end of the month in which it became known.
    """
    found = None
    if "size" in values:
        found = values["size"]
        if close is not None:
            then = _at(stock, month, close, stock, values[_SIZE_MONTH])
            found = found * np.divide(close, then, out=np.full(len(then), np.nan), where=then > 0)
    elif "shares" in values and close is not None:
        found = values["shares"] * close
    if found is not None:
        found = np.where(found > 0, found, np.nan)
    if "size" not in stocks:
        return found
    own = stocks["size"].to_numpy("float64")
    return own if found is None else _first(own, found)


def _at(
    stock: np.ndarray, month: np.ndarray, values: np.ndarray, whose: np.ndarray, when: np.ndarray
) -> np.ndarray:
    """Return a column's value of a stock and month, NaN where there is no such row."""
    code = pack(stock, month)
    order = np.argsort(code, kind="stable")
    wanted = pack(whose, np.nan_to_num(when, nan=month.min() - 1.0).astype("int64"))
    place = np.minimum(np.searchsorted(code[order], wanted), len(code) - 1)
    return np.where(code[order][place] == wanted, values[order][place], np.nan)


def _first(values: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), otherwise, values)
