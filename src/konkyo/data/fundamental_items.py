"""The ingredients of ratios as known at the end of a month: figures of a year, forecasts, bases.

Amounts are in thousands of the currency, `shares` in thousands; nothing here knows of prices.
"""

from collections.abc import Callable, Mapping

import numpy as np

from konkyo.data.point_in_time import NONE, Vintages

FLOWS = (
    "sales", "operating_profit", "ordinary_profit", "net_profit", "ebitda", "depreciation",
    "operating_cash_flow", "capital_expenditure", "dividends", "dividends_per_share",
)  # fmt: skip
"""What a period brought: made into figures of twelve months."""

BALANCES = (
    "equity", "assets", "cash", "debt", "short_term_debt", "long_term_debt", "current_assets",
    "current_liabilities", "shares", "size",
)  # fmt: skip
"""What was there when a period ended; `size` is the market value when the report became known."""

FORECASTS = tuple(
    f"{name}_forecast"
    for name in (
        "sales", "operating_profit", "ordinary_profit", "net_profit", "dividends",
        "dividends_per_share",
    )
)  # fmt: skip
"""What somebody expects a year to bring."""

PAID = ("dividends", "capital_expenditure")
"""Payments, which some write as in a cash flow statement, below 0: the amount alone counts."""

UNSCALED = ("dividends_per_share", "dividends_per_share_forecast")
"""Ingredients that are no amounts of a firm: in units of the currency, whatever `unit` says."""

COMPARED = ("sales", "ordinary_profit", "net_profit")
"""Flows whose growth is asked for: `_before` is the year before, `_base` that of a forecast."""

NO_PERIOD = -1000
"""The period of forecasts that do not say which year they are about."""

_AHEAD = 24
"""So many months after the newest figures may the year of a forecast end."""


def dependent_items(name: str) -> tuple[str, ...]:
    """Return the ingredients that belong to one and are of no use beside another table's."""
    bare = name.removesuffix("_forecast")
    if bare == name:
        return (f"{name}_before",)
    return (f"{bare}_base", f"{name}_before")


def figures(said: Vintages, stock: np.ndarray, month: np.ndarray) -> dict[str, np.ndarray]:
    """Return the newest figures of each stock as known at the end of a month.

    Parameters
    ----------
    said : Statements
        Figures of periods; of length 0 where a row tells no period but when it was published.
    stock, month : ndarray of int64, shape [questions]

    Returns
    -------
    dict of str to ndarray, shape [questions]
        Every value of the statements, flows of twelve months; `<flow>_before` for `COMPARED`, the
        twelve months that end one year earlier, as known now too: a restatement for the sake of
        comparison is what the newest figures are to be compared with. Further `known` and `period`,
        NaN where nothing is known. What an interim report lacks, or has without the reports that
        make a year of it, is that of the last full year.
    """
    place = said.newest(stock, month)
    there = place >= 0
    period = _of(said.period, place)
    length = _of(said.length, place)
    year = np.full(len(place), NONE)
    interim = there & (length > 0) & (length < 12)
    if interim.any():
        for back in range(11, 0, -1):
            earlier = said.find(stock, period - back, 12, month)
            year = np.where(interim & (earlier >= 0), earlier, year)
    year_period = _of(said.period, year)
    of = twelve_months(said, stock, period, length, month)
    of_before = twelve_months(said, stock, period - 12, length, month)
    earlier = said.find(stock, year_period - 12, 12, month)
    found: dict[str, np.ndarray] = {
        "known": np.where(there, _of(said.known, place), np.nan),
        "period": np.where(there & (length > 0), period, np.nan),
    }
    for name in said.numbers:
        now, last = said.take(name, place), said.take(name, year)
        if name in FLOWS:
            now = of(name)
        lacks = np.isnan(now) & (year >= 0)
        known = name in FLOWS or name in BALANCES
        found[name] = np.where(lacks, last, now) if known else now
        if name in COMPARED:
            before = np.where(lacks, said.take(name, earlier), of_before(name))
            found[f"{name}_before"] = np.where(there & (length > 0), before, np.nan)
    return found


def twelve_months(
    said: Vintages,
    stock: np.ndarray,
    period: np.ndarray,
    length: np.ndarray,
    month: np.ndarray,
) -> Callable[[str], np.ndarray]:
    """Return what the twelve months up to the end of a period brought, as known in a month.

    Parameters
    ----------
    said : Statements
    stock, period, length, month : ndarray of int64, shape [questions]
        Period and length of a statement; length 0 is the vendor's own year.

    Returns
    -------
    callable
        From the name of a flow to its values, shape [questions]. A statement of less than twelve
        months is added up: since the year's beginning + last full year - the same months of last
        year; or else the periods of that length that make a year. One of more than twelve months
        counts by its share. NaN where a part is not known.
    """

    def at(period: np.ndarray, length: np.ndarray | int) -> np.ndarray:
        return said.find(stock, period, length, month)

    interim = (length > 0) & (length < 12)
    share = 12 / np.maximum(length, 12)
    own = at(period, length)
    if not interim.any():
        return lambda name: said.take(name, own) * share
    full, same = at(period - length, 12), at(period - 12, length)
    parts = {
        part: [at(period - back, part) for back in range(part, 12, part)]
        for part in map(int, np.unique(length[interim]))
        if 12 % part == 0
    }

    def of(name: str) -> np.ndarray:
        now = said.take(name, own)
        added = now + said.take(name, full) - said.take(name, same)
        value = np.where(interim, added, now * share)
        for part, places in parts.items():
            open_ = (length == part) & np.isnan(value)
            if open_.any():
                total = sum((said.take(name, place) for place in places), start=now)
                value = np.where(open_, total, value)
        return value

    return of


def forecasts(
    said: Vintages,
    actual: Vintages,
    now: Mapping[str, np.ndarray],
    stock: np.ndarray,
    month: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return the newest forecasts of each stock as known at the end of a month.

    Parameters
    ----------
    said : Statements
        Forecasts by the year that they are about, its last month the period (`NO_PERIOD` where it
        is not said), of length 0.
    actual : Statements
        Figures, from which forecasts take the year before theirs.
    now : mapping of str to ndarray, shape [questions]
        What `figures` returned for the same questions.
    stock, month : ndarray of int64, shape [questions]

    Returns
    -------
    dict of str to ndarray, shape [questions]
        Of the years whose figures are not known yet, the one that was spoken of last (of several,
        the nearest): its forecasts, `<name>_before` as known one month earlier for the same year,
        `<flow>_base` the year before it (the newest figures where that is not known or the year
        is not said), and `known`.
    """
    # Without figures of a period the years that have ended are those of the calendar.
    newest = now["period"]
    after = np.where(np.isnan(newest), month - 1, newest).astype("int64")
    place, known = np.full(len(stock), NONE), np.full(len(stock), -np.inf)
    for ahead in range(_AHEAD + 1):
        # The first turn asks for those that say no year: any other that is as new is better.
        year = after + ahead if ahead else np.full(len(stock), NO_PERIOD)
        found = said.find(stock, year, 0, month)
        when = np.where(found >= 0, _of(said.known, found), -np.inf)
        later = (when > known) | ((when == known) & (place >= 0) & (_year(said, place) < 0))
        later &= found >= 0
        place, known = np.where(later, found, place), np.where(later, when, known)
    year = _of(said.period, place)
    earlier = said.find(stock, year, 0, month - 1)
    base_of = twelve_months(actual, stock, year - 12, np.full(len(stock), 12), month)
    values = {"known": np.where(place >= 0, known, np.nan)}
    for name in said.numbers:
        bare = name.removesuffix("_forecast")
        values[name] = said.take(name, place)
        values[f"{name}_before"] = np.where(place >= 0, said.take(name, earlier), np.nan)
        if bare in COMPARED:
            base = base_of(bare)
            newest_year = now.get(bare, np.full(len(stock), np.nan))
            base = np.where(np.isnan(base), newest_year, base)
            values[f"{bare}_base"] = np.where(place >= 0, base, np.nan)
    return values


def _year(said: Vintages, place: np.ndarray) -> np.ndarray:
    """Return 0 where a forecast says its year, -1 where it does not."""
    return np.where(_of(said.period, place) == NO_PERIOD, -1, 0)


def _of(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    if not len(values):
        return np.zeros(len(place), dtype=values.dtype)
    return values.take(np.maximum(place, 0), mode="clip")
