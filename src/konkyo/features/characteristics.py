"""Characteristics of stocks from their returns, sizes and whatever else the records bring.

Every function takes grids [months, stocks] and returns one; the value at month t looks at months up
to t alone. NaN means missing.
"""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from konkyo.errors import ParamsError

# A rolling moment of k months asks for at least this share of them.
ENOUGH = 2 / 3
_ROLLING = re.compile(r"(return|beta|volatility|maximum)_([1-9]\d*)")


def compound_return(returns: np.ndarray, length: int) -> np.ndarray:
    """Return the compounded return over the last `length` months, all of which must be there.

    Parameters
    ----------
    returns : numpy.ndarray
        [months, stocks], fractions earned in each month.
    length : int
        Months, t included.

    Returns
    -------
    numpy.ndarray
        [months, stocks]; figure 13's return over 1, 3, 6, 12 months and 3 years.
    """
    return _fold(1 + returns, length, np.multiply) - 1


def maximum_return(returns: np.ndarray, length: int) -> np.ndarray:
    """Return the largest monthly return of the last `length` months (two thirds must be there)."""
    largest = _fold(returns, length, np.fmax)
    return np.where(_enough(returns, length), largest, np.nan)


def volatility(returns: np.ndarray, length: int) -> np.ndarray:
    """Return the sample deviation of the last `length` monthly returns (two thirds must be there).

    Fractions a month, not annualised.
    """
    known = np.isfinite(returns)
    count = _sum(known.astype(float), length)
    filled = np.where(known, returns, 0)
    total, squares = _sum(filled, length), _sum(filled**2, length)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (squares - total**2 / count) / (count - 1)
    return np.where(count >= max(ENOUGH * length, 2), np.sqrt(np.maximum(variance, 0)), np.nan)


def beta(returns: np.ndarray, market: np.ndarray, length: int) -> np.ndarray:
    """Return the slope of a stock's returns on the market's over the last `length` months.

    Parameters
    ----------
    returns : numpy.ndarray
        [months, stocks].
    market : numpy.ndarray
        [months], return of the market in the same months.
    length : int
        Months; two thirds of them must be there, and the market must have moved.

    Returns
    -------
    numpy.ndarray
        [months, stocks], without a unit.
    """
    known = np.isfinite(returns) & np.isfinite(market)[:, None]
    x = np.where(known, market[:, None], 0)
    y = np.where(known, returns, 0)
    count, sx, sy = (_sum(part, length) for part in (known.astype(float), x, y))
    sxx, sxy = _sum(x * x, length), _sum(x * y, length)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = sxx - sx**2 / count
        slope = (sxy - sx * sy / count) / variance
    moved = variance > 1e-12
    return np.where(moved & (count >= max(ENOUGH * length, 2)), slope, np.nan)


def market_return(returns: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the value-weighted return of all records, [months].

    Parameters
    ----------
    returns : numpy.ndarray
        [months, stocks], earned in month t.
    size : numpy.ndarray
        [months, stocks], market value at the end of month t; the weights of month t are those of
        the end of t-1, so the first month has none.

    Returns
    -------
    numpy.ndarray
        Fractions, NaN where no stock has both.
    """
    weight = np.full_like(size, np.nan)
    weight[1:] = size[:-1]
    known = np.isfinite(weight) & np.isfinite(returns)
    # One after another: a pairwise sum would change in its last bits when a stock is listed later.
    total = np.cumsum(np.where(known, weight, 0), axis=1)[:, -1]
    earned = np.cumsum(np.where(known, weight * np.where(known, returns, 0), 0), axis=1)[:, -1]
    return np.divide(earned, total, out=np.full(len(total), np.nan), where=total > 0)


def compute(name: str, grids: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return a characteristic by its name in params.yaml.

    Parameters
    ----------
    name : str
        return_k, beta_k, volatility_k or maximum_k for k months, or a column of the records
        (size comes as its logarithm).
    grids : mapping of str to numpy.ndarray
        The records' number columns as grids.

    Raises
    ------
    ParamsError
        The name is neither.
    """
    rolling = _ROLLING.fullmatch(name)
    if rolling:
        kind, length = rolling[1], int(rolling[2])
        returns = grids["return"]
        if kind == "beta":
            return beta(returns, market_return(returns, grids["size"]), length)
        simple: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
            "return": compound_return,
            "volatility": volatility,
            "maximum": maximum_return,
        }
        return simple[kind](returns, length)
    if name == "size":
        return np.log(grids["size"])
    if name in grids and name != "return":
        return grids[name]
    columns = ", ".join(sorted(set(grids) - {"return"}))
    raise ParamsError(
        f"prepare.characteristics has {name!r}, which is neither return_k, beta_k, volatility_k or "
        f"maximum_k for a number k of months nor a column of the records ({columns}): correct it "
        "or take it out"
    )


def table(
    names: Sequence[str], grids: Mapping[str, np.ndarray], row: np.ndarray, column: np.ndarray
) -> pd.DataFrame:
    """Return characteristics of chosen stock-months, raw: as they are before standardising.

    Parameters
    ----------
    names : sequence of str
        As in params.yaml.
    grids : mapping of str to numpy.ndarray
        The records' number columns as grids.
    row, column : numpy.ndarray
        [chosen], their places in the grids.

    Returns
    -------
    pandas.DataFrame
        [chosen, names] float64, NaN where missing or infinite.
    """
    chosen = {name: compute(name, grids)[row, column] for name in names}
    return pd.DataFrame(chosen).replace([np.inf, -np.inf], np.nan)


def describe(name: str) -> str:
    """Return what a characteristic is made from, for the catalogue."""
    rolling = _ROLLING.fullmatch(name)
    if rolling:
        return f"{rolling[1]} over {rolling[2]} months"
    return "log market value" if name == "size" else f"records: {name}"


def _fold(values: np.ndarray, length: int, join: np.ufunc) -> np.ndarray:
    """Join each month with the length - 1 before it; NaN for months with fewer before them."""
    count = len(values)
    out = np.full_like(values, np.nan)
    if length <= count:
        folded = values[length - 1 :].copy()
        for lag in range(1, length):
            join(folded, values[length - 1 - lag : count - lag], out=folded)
        out[length - 1 :] = folded
    return out


def _sum(values: np.ndarray, length: int) -> np.ndarray:
    """Sum over the last `length` months, over fewer at the start."""
    padded = np.concatenate([np.zeros((length - 1, values.shape[1])), values])
    return _fold(padded, length, np.add)[length - 1 :]


def _enough(values: np.ndarray, length: int) -> np.ndarray:
    return _sum(np.isfinite(values).astype(float), length) >= ENOUGH * length
