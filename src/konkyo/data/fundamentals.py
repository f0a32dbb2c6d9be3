"""Dated reports joined to the stocks' months as they were known at the end of each.

A report is known from the day on which it was published, or `lag` days after the end of its period
where that day is missing. A row of the stocks at t gets what the newest period known at the end of
t was known to be: see `konkyo.data.point_in_time`; and the ratios made of it: see
`konkyo.data.ratios`, whose table says which ingredients each wants.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from konkyo.config import Reports
from konkyo.data.fundamentals_read import to_statements
from konkyo.data.point_in_time import as_known
from konkyo.data.ratios import BALANCES, FLOWS, FORECASTS, dependent_items, ratios
from konkyo.data.stocks import spells
from konkyo.dates import ordinal

_SIZE_MONTH = "size since"
"""Beside the reports' market value: the month in which it became known."""


def join(
    stocks: pd.DataFrame,
    reports: Sequence[pd.DataFrame],
    specs: Sequence[Reports],
    valued: bool = True,
    spell: np.ndarray | None = None,
) -> pd.DataFrame:
    """Add what reports say, as known at the end of each row's month, and the ratios made of it.

    Parameters
    ----------
    stocks : DataFrame
        month (period end), stock, and where there are such: size (thousands of the currency),
        close, volume, shares and further columns. Each stock and month once.
    reports : sequence of DataFrame
        Tables that `fundamentals_read.check` has checked, in the order in which they are asked:
        where the first knows nothing of an ingredient at t, the second is asked.
    specs : sequence of Reports
        Of each table: `lag` days after period_end from which a row without `published` is known,
        `carry` months for which a report counts after the month in which it became known, `unit`
        of its amounts.
    valued : bool, optional
        `size` is a market value. False where the column stands for something else, such as traded
        value: ratios to market value would not mean what they say, and are left out.
    spell : ndarray of int64, shape [rows], optional
        Which of its code's firms each row is about; by default what `stocks.spells` returns.

    Returns
    -------
    DataFrame
        The rows as they came with further columns (float64): `size` where it was missing, from the
        reports' own (moved by `close` since the month in which it became known) or else their
        shares times `close`; every ratio of `konkyo.data.ratios.table` whose ingredients
        exist; a vendor's further numbers under their names. A column that the stocks have keeps its
        values, and only its missing ones are filled.
    """
    codes, month = pd.Index(stocks["stock"].unique()), ordinal(stocks["month"])
    # A change over time, too, is one of the same firm.
    stock, firms = _firms(stocks, spells(stocks) if spell is None else spell)
    rows = pd.DataFrame({"stock": stock, "month": month})
    values: dict[str, np.ndarray] = {}
    for table, spec in zip(reports, specs, strict=True):
        figures, forecasts = (_of_firms(part, firms) for part in to_statements(table, spec, codes))
        if len(figures) or len(forecasts):
            items_known = as_known(figures, forecasts, rows, spec.carry)
            since = items_known.pop("known")
            if "size" in items_known:
                items_known[_SIZE_MONTH] = since
            _fill(values, items_known)

    numbers = {
        name: stocks[name].to_numpy("float64")
        for name in stocks
        if pd.api.types.is_numeric_dtype(stocks[name])
    }
    size = _size(numbers, values, stock, month)
    added = {} if size is None else {"size": size}
    items = {*FLOWS, *BALANCES, *FORECASTS}
    items |= {other for name in items for other in _with(name)}
    for name in [name for name in values if name not in items]:
        added[name] = _first(numbers.get(name), values.pop(name))
    values = {name: some for name, some in values.items() if name != "size"} | (
        {} if size is None else {"size": size}
    )
    for name in ("volume", "shares"):
        if name in numbers:
            values[name] = _first(numbers[name] / 1000, values.get(name))
    added |= ratios(stock, month, values, numbers | added, valued)
    return stocks.assign(**added)


def _firms(stocks: pd.DataFrame, spell: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """Tell apart the firms that have borne one code.

    Returns
    -------
    firm : ndarray of int64, shape [rows]
        Each row's firm.
    firms : DataFrame
        Of each firm, in order: code, since (its first month, but for the first firm).
    """
    code, _ = pd.factorize(stocks["stock"])
    month = ordinal(stocks["month"])
    order = np.lexsort((month, code))
    other = np.diff(code[order], prepend=-1) != 0
    begins = other | (np.diff(spell[order], prepend=-1) != 0)
    firm = np.empty(len(stocks), dtype="int64")
    firm[order] = np.cumsum(begins) - 1
    since = np.where(other, -(10**6), month[order])[begins]
    return firm, pd.DataFrame({"code": code[order][begins], "since": since})


def _of_firms(statements: pd.DataFrame, firms: pd.DataFrame) -> pd.DataFrame:
    """Return statements by firm: of a code's firms, the last that began before they were known."""
    merged = pd.merge_asof(
        statements.sort_values("known", kind="stable"),
        firms.assign(firm=firms.index).sort_values("since"),
        left_on="known",
        right_on="since",
        left_by="stock",
        right_by="code",
    )
    return merged.assign(stock=merged["firm"]).drop(columns=["code", "since", "firm"])


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
    numbers: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    stock: np.ndarray,
    month: np.ndarray,
) -> np.ndarray | None:
    """Return market values in thousands: the stocks' own, else the reports', None if there is none.

    The reports' market value moves with `close` from the end of the month in which it became known.
    """
    size = None
    # Across a split only adjusted prices move as the market value does.
    price = numbers.get("close_adjusted", numbers.get("close"))
    if "size" in values:
        size = values["size"]
        if price is not None:
            since = np.nan_to_num(values[_SIZE_MONTH], nan=month.min() - 1).astype("int64")
            prices = pd.Series(price, pd.MultiIndex.from_arrays([stock, month]))
            then = prices.reindex(pd.MultiIndex.from_arrays([stock, since])).to_numpy()
            size = size * np.divide(price, then, out=np.full(len(then), np.nan), where=then > 0)
    elif "shares" in values and "close" in numbers:
        size = values["shares"] * numbers["close"]
    reported = numbers.get("size")
    return reported if size is None else _first(reported, np.where(size > 0, size, np.nan))


def _first(values: np.ndarray | None, otherwise: Any) -> np.ndarray:
    """Return values, those that are missing from the others; one of both may not be there."""
    if values is None or otherwise is None:
        return otherwise if values is None else values
    return np.where(np.isnan(values), otherwise, values)
