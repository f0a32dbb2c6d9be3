"""What monthly rows of stocks do not bring and is made of what they do: return and sector."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from konkyo.dates import ordinal


def returns_of(frame: pd.DataFrame, close: np.ndarray) -> np.ndarray:
    """Return each row's return from the last closes of consecutive months.

    Parameters
    ----------
    frame : DataFrame
        month and stock, in any order, each pair once.
    close : ndarray, shape [rows]
        The month's last adjusted price.

    Returns
    -------
    ndarray, shape [rows]
        Fractions earned during the row's month, known at its end; missing where the stock has no
        close in the month before.
    """
    stock = pd.factorize(frame["stock"])[0]
    month = np.where(frame["month"].notna(), ordinal(frame["month"]), -(10**6))
    order = np.lexsort((month, stock))
    follows = (np.diff(stock[order]) == 0) & (np.diff(month[order]) == 1)
    sorted_close = close[order]
    earned = np.full(len(frame), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(sorted_close[:-1] > 0, sorted_close[1:] / sorted_close[:-1] - 1, np.nan)
    earned[order[1:]] = np.where(follows, change, np.nan)
    return earned


def price_errors(
    frame: pd.DataFrame,
    returns: np.ndarray,
    *,
    smallest: float,
    largest: float,
    from_closes: bool,
) -> np.ndarray:
    """Return which returns are faults of the prices, bool, shape [rows].

    Parameters
    ----------
    frame : DataFrame
        month and stock.
    returns : ndarray, shape [rows]
        Earned during the row's month, in the unit of `smallest` and `largest`.
    smallest, largest : float
        A return below the one, which is no loss of all, or above the other is a fault.
    from_closes : bool
        The returns are made from closes: that of the month after a fault starts from the same
        price and is one as well, whatever it is. That is known before it is earned.
    """
    with np.errstate(invalid="ignore"):
        bad = np.isfinite(returns) & ((returns > largest) | (returns < smallest))
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
        stock, and sector where the rows bring it.
    sectors : sequence of DataFrame
        stock and sector, one row a stock.
    """
    found = frame["sector"] if "sector" in frame else pd.Series(None, frame.index, dtype="str")
    for table in sectors:
        named = table.dropna().set_index("stock")["sector"]
        found = found.astype("str").where(found.notna(), frame["stock"].map(named))
    return found.astype("str")
