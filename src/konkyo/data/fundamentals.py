"""Dated reports joined to the stocks' months as they were known at the end of each.

A report is known from the day on which it was published, or `lag` days after the end of its period
where that day is missing. A row of the stocks at t gets what the newest period known at the end of
t was known to be: see `konkyo.data.fundamental_items`; and the ratios made of it: see
`konkyo.data.ratios`, whose table says which ingredients each wants.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from konkyo.config import Reports
from konkyo.data import fundamental_items
from konkyo.data.fundamental_items import BALANCES, FLOWS, FORECASTS, dependent_items
from konkyo.data.fundamentals_read import match, read_report_vintages
from konkyo.data.point_in_time import last, pack, unpack
from konkyo.data.ratios import ratios
from konkyo.dates import ordinal

_SIZE_MONTH = "size since"
"""Beside the reports' market value: the month in which it became known."""


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
        Tables as `konkyo.data.fundamentals_read.read` returns them, in the order in which they are
        asked: where the first knows nothing of an ingredient at t, the second is asked.
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
        shares times `close`; every ratio of `konkyo.data.ratios.table` whose ingredients
        exist; a vendor's further numbers under their names. A column that the stocks have keeps its
        values, and only its missing ones are filled.
    """
    stock, month, codes = _rows_of(stocks)
    values: dict[str, np.ndarray] = {}
    for table, spec in zip(reports, specs, strict=True):
        _fill(values, as_known(table, spec, codes, stock, month))

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
        _, upper = match(codes, own)
        there = int((match(codes, own)[0] >= 0).sum())
        found.append(
            {
                "matched": there,
                "unmatched": len(own) - there,
                "codes": "in capital letters" if upper else "as written",
            }
        )
    return found


def as_known(
    table: pd.DataFrame, spec: Reports, codes: pd.Index, stock: np.ndarray, month: np.ndarray
) -> dict[str, np.ndarray]:
    """Return a table's ingredients and further numbers as known at the end of rows' months.

    Parameters
    ----------
    table, spec : DataFrame, Reports
        A table of reports as `konkyo.data.fundamentals_read.read` returns it, and how it is to be
        read.
    codes : Index
        The stocks by their codes.
    stock, month : ndarray of int64, shape [rows]
        Places in `codes`, months counted from 1970-01.

    Returns
    -------
    dict of str to ndarray, shape [rows]
        As `konkyo.data.fundamental_items.figures` and `forecasts` return them, missing once the
        report has been known for more than `carry` months.
    """
    said = read_report_vintages(table, spec, codes)
    both = (said.figures, said.forecasts)
    events = np.unique(np.concatenate([pack(part.stock, part.known) for part in both]))
    if not len(events):
        return {}
    at_stock, at_month = unpack(events)
    now = fundamental_items.figures(said.figures, at_stock, at_month)
    ahead = fundamental_items.forecasts(said.forecasts, said.figures, now, at_stock, at_month)

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


def _rows_of(stocks: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, pd.Index]:
    codes, distinct = pd.factorize(stocks["stock"])
    return codes.astype("int64"), ordinal(stocks["month"]), pd.Index(distinct)


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
    return (_SIZE_MONTH,) if name == "size" else dependent_items(name)


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
        # Across a split only adjusted prices move as the market value does.
        price = (
            stocks["close_adjusted"].to_numpy("float64") if "close_adjusted" in stocks else close
        )
        if price is not None:
            then = _at(stock, month, price, stock, values[_SIZE_MONTH])
            found = found * np.divide(price, then, out=np.full(len(then), np.nan), where=then > 0)
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
