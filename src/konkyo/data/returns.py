"""Returns from closing prices, removal of price errors, and sectors of stocks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.dates import ordinal


def returns_of(frame: pd.DataFrame, close: np.ndarray) -> np.ndarray:
    """Return simple returns, close(t) / close(t-1) - 1, of consecutive months.

    Parameters
    ----------
    frame : DataFrame
        month and stock, in any order, each pair once.
    close : ndarray, shape [rows]
        The month's last price, adjusted where there is such; 0 where the firm is bankrupt.

    Returns
    -------
    ndarray, shape [rows]
        Fractions earned during the row's month, known at its end; NaN where the stock has no close
        in the month before.
    """
    stock = pd.factorize(frame["stock"])[0]
    month = np.where(frame["month"].notna(), ordinal(frame["month"]), -(10**6))
    order = np.lexsort((month, stock))
    follows = (np.diff(stock[order]) == 0) & (np.diff(month[order]) == 1)
    sorted_close = close[order]
    returns = np.full(len(frame), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(sorted_close[:-1] > 0, sorted_close[1:] / sorted_close[:-1] - 1, np.nan)
    returns[order[1:]] = np.where(follows, change, np.nan)
    return returns


def price_errors(
    frame: pd.DataFrame,
    returns: np.ndarray,
    *,
    smallest: float,
    largest: float,
    from_closes: bool,
    total: float = -1.0,
) -> np.ndarray:
    """Return which returns are errors of the prices, bool, shape [rows].

    Parameters
    ----------
    frame : DataFrame
        month and stock.
    returns : ndarray, shape [rows]
        Earned during the row's month, in the unit of `smallest` and `largest`.
    smallest, largest : float
        A return below `smallest` or above `largest` is a price error.
    from_closes : bool
        The returns are computed from closes: that of the month after an error starts from the same
        price and is an error too, whatever it is, which is decided before it is earned.
    total : float, optional
        The loss of all, in the same unit: what a bankrupt stock earns is never an error.
    """
    with np.errstate(invalid="ignore"):
        bad = (returns > largest) | ((returns < smallest) & (returns != total))
        bad &= np.isfinite(returns)
    if from_closes and bad.any():
        stock = pd.factorize(frame["stock"])[0]
        keys = pd.MultiIndex.from_arrays([stock, ordinal(frame["month"])])
        after = pd.MultiIndex.from_arrays([stock[bad], ordinal(frame["month"])[bad] + 1])
        bad |= keys.isin(after) & np.isfinite(returns)
    return bad


def sectors_of(frame: pd.DataFrame, sectors: Sequence[pd.DataFrame]) -> pd.Series:
    """Return each row's own sector, else that of its stock in the first table that has one.

    Parameters
    ----------
    frame : DataFrame
        month (period end), stock, and sector where the rows have one.
    sectors : sequence of DataFrame
        stock, start (day) and sector: the sector of t is the one that began last up to the end of
        t, so that a reclassification changes no earlier month.
    """
    sectors_by_row = (
        frame["sector"] if "sector" in frame else pd.Series(None, frame.index, dtype="str")
    )
    for table in sectors:
        rows = frame[["month", "stock"]].astype({"month": "datetime64[s]"}).reset_index(drop=True)
        spells = table.dropna().astype({"start": "datetime64[s]"}).sort_values("start")
        order = rows.sort_values("month", kind="stable")
        at = pd.merge_asof(order, spells, left_on="month", right_on="start", by="stock")
        sector = pd.Series(at["sector"].to_numpy(), order.index).sort_index().set_axis(frame.index)
        sectors_by_row = sectors_by_row.astype("str").where(sectors_by_row.notna(), sector)
    return sectors_by_row.astype("str")
