"""Characteristics of stocks: momentum, volatility, beta, size, and columns of the records.

| name | formula at t | source |
|---|---|---|
| return_k | prod(1 + r) over t-k+1 .. t, less 1 | momentum, reversal: the paper's figure 13 |
| return_lag_k | r of t-k | sequences of monthly returns |
| volatility_k | sample std of r over t-k+1 .. t | Ang, Hodrick, Xing and Zhang (2006) |
| beta_k | cov(r, m) / var(m) over t-k+1 .. t | market model; Fama and MacBeth (1973) |
| maximum_k | max of r over t-k+1 .. t | Bali, Cakici and Whitelaw (2011), of daily returns |
| size | log of market value at t | Banz (1981) |
| a column | the record of t | the records' source |

r is the stock's monthly return and m the value-weighted return of all records; of records without
a size the equal-weighted return of the eligible stocks. Every function takes grids [months, stocks]
and returns one; the value at t uses months up to t only. NaN is missing.
"""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.errors import ArtifactError
from konkyo.features.grid import Grid

MIN_SHARE = 2 / 3
"""Volatility, beta and maximum of k months need returns in at least this share of them."""
ROLLING = re.compile(r"(return|return_lag|beta|volatility|maximum)_([1-9]\d*)")


def compound_return(returns: np.ndarray, length: int) -> np.ndarray:
    """Return the compounded return over the last `length` months; NaN if any of them is missing.

    prod(1 + r) - 1 over t-length+1 .. t.

    Parameters
    ----------
    returns : numpy.ndarray
        [months, stocks], fractions earned in each month.
    length : int
        Months, t included.

    Returns
    -------
    numpy.ndarray
        [months, stocks], fractions; the paper's figure 13 has 1, 3, 6, 12 months and 3 years.
    """
    return _fold(1 + returns, length, np.multiply) - 1


def lagged_return(returns: np.ndarray, lag: int) -> np.ndarray:
    """Return the return of t-lag, [months, stocks]; NaN where the records begin later."""
    result = np.full_like(returns, np.nan)
    result[lag:] = returns[: max(len(returns) - lag, 0)]
    return result


def maximum_return(returns: np.ndarray, length: int) -> np.ndarray:
    """Return the largest monthly return of the last `length` months.

    max(r) over t-length+1 .. t, a fraction; NaN if less than two thirds of them are defined. Bali,
    Cakici and Whitelaw (2011) take it over the daily returns of a month.
    """
    largest = _fold(returns, length, np.fmax)
    return np.where(_enough(returns, length), largest, np.nan)


def volatility(returns: np.ndarray, length: int) -> np.ndarray:
    """Return the sample standard deviation of the last `length` monthly returns.

    sqrt(sum((r - mean)^2) / (n - 1)) over t-length+1 .. t, fractions a month, not annualised; NaN
    if less than two thirds of the months, or than two, are defined.
    """
    defined = np.isfinite(returns)
    count = _sum(defined.astype(float), length)
    filled = np.where(defined, returns, 0)
    total, squares = _sum(filled, length), _sum(filled**2, length)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (squares - total**2 / count) / (count - 1)
    return np.where(count >= max(MIN_SHARE * length, 2), np.sqrt(np.maximum(variance, 0)), np.nan)


def beta(returns: np.ndarray, market: np.ndarray, length: int) -> np.ndarray:
    """Return the slope of a stock's returns on the market's over the last `length` months.

    cov(r, m) / var(m) over the months of t-length+1 .. t in which both are defined.

    Parameters
    ----------
    returns : numpy.ndarray
        [months, stocks].
    market : numpy.ndarray
        [months], return of the market in the same months.
    length : int
        Months.

    Returns
    -------
    numpy.ndarray
        [months, stocks], dimensionless; NaN if less than two thirds of the months, or than two, are
        defined, or if the market's return is constant.
    """
    defined = np.isfinite(returns) & np.isfinite(market)[:, None]
    x = np.where(defined, market[:, None], 0)
    y = np.where(defined, returns, 0)
    count, sx, sy = (_sum(part, length) for part in (defined.astype(float), x, y))
    sxx, sxy = _sum(x * x, length), _sum(x * y, length)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = sxx - sx**2 / count
        slope = (sxy - sx * sy / count) / variance
    # Sums of squares cancel: a constant market leaves 1e-18 here, and a month of 0.1 per cent 1e-6.
    varies = variance > 1e-12
    return np.where(varies & (count >= max(MIN_SHARE * length, 2)), slope, np.nan)


def has_price(grids: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return 1 where a stock has a price at the end of the month, or a return in it, else NaN.

    What stands for the size of records without one: [months, stocks].
    """
    return np.where(np.isfinite(grids.get("close", grids["return"])), 1.0, np.nan)


def market_weights(grids: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return each stock's weight in the market at the end of the month, [months, stocks].

    The market value; without one 1 for every eligible stock with a price.
    """
    if "size" in grids:
        return grids["size"]
    priced = has_price(grids)
    return np.where(grids.get("eligible", priced) == 0, np.nan, priced)


def market_return(returns: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the value-weighted market return of all records, [months].

    sum(w r) / sum(w) over the stocks of which both are defined, w the market value at t-1.

    Parameters
    ----------
    returns : numpy.ndarray
        [months, stocks], earned in month t.
    size : numpy.ndarray
        [months, stocks], market value at the end of month t. Weights are those of the end of t-1,
        so the first month has no market return.

    Returns
    -------
    numpy.ndarray
        Fractions, NaN where no stock has a weight and a return.
    """
    weight = np.full_like(size, np.nan)
    weight[1:] = size[:-1]
    defined = np.isfinite(weight) & np.isfinite(returns)
    # cumsum adds one stock after another: the pairwise sum of np.sum groups stocks by their number,
    # so that a stock listed later would change the last bits of earlier months.
    total = np.cumsum(np.where(defined, weight, 0), axis=1)[:, -1]
    gain = np.cumsum(np.where(defined, weight * np.where(defined, returns, 0), 0), axis=1)[:, -1]
    return np.divide(gain, total, out=np.full(len(total), np.nan), where=total > 0)


def compute(name: str, grids: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return a characteristic by its name in params.yaml.

    Parameters
    ----------
    name : str
        return_k, return_lag_k, beta_k, volatility_k or maximum_k for k months, or a column of the
        records (of size the logarithm).
    grids : mapping of str to numpy.ndarray
        The records' number columns as grids.
    """
    rolling = ROLLING.fullmatch(name)
    if rolling:
        kind, length = rolling[1], int(rolling[2])
        returns = grids["return"]
        if kind == "beta":
            return beta(returns, market_return(returns, market_weights(grids)), length)
        simple: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
            "return": compound_return,
            "return_lag": lagged_return,
            "volatility": volatility,
            "maximum": maximum_return,
        }
        return simple[kind](returns, length)
    if name == "size":
        return np.log(grids["size"])
    return grids[name]


def table(
    names: Sequence[str], grids: Mapping[str, np.ndarray], row: np.ndarray, column: np.ndarray
) -> pd.DataFrame:
    """Return the raw characteristics of stock-months, before standardisation.

    Parameters
    ----------
    names : sequence of str
        As in params.yaml.
    grids : mapping of str to numpy.ndarray
        The records' number columns as grids.
    row, column : numpy.ndarray
        [rows], positions of the stock-months in the grids.

    Returns
    -------
    pandas.DataFrame
        [rows, names] float64, NaN where missing or infinite.
    """
    columns = {name: compute(name, grids)[row, column] for name in names}
    return pd.DataFrame(columns, pd.RangeIndex(len(row))).replace([np.inf, -np.inf], np.nan)


# Every rolling characteristic is computed from these.
_BASE = ("return", "size", "close", "eligible")


def raw_values(stocks: pd.DataFrame, index: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the raw characteristics of the panel's rows.

    Parameters
    ----------
    stocks : pandas.DataFrame
        The records from which the panel was built.
    index : pandas.DataFrame
        month and stock of the panel's rows.
    names : sequence of str
        Characteristics, as in params.yaml.

    Returns
    -------
    pandas.DataFrame
        [rows, names] float64 in the order of `index`, point in time at the row's month end; NaN
        where missing.

    Raises
    ------
    ArtifactError
        A row of the panel has no record.
    """
    grid = Grid.of(stocks)
    recorded, wanted = (
        pd.MultiIndex.from_arrays([dates.ordinal(rows["month"]), rows["stock"].astype("str")])
        for rows in (stocks, index)
    )
    at = recorded.get_indexer(wanted)
    if (at < 0).any():
        first = index.iloc[int(np.argmin(at))]
        raise ArtifactError(
            f"the panel has stock {first['stock']} in {dates.label(first['month'])}, but the "
            f"records do not ({int((at < 0).sum())} of {len(index)} rows): run "
            "`dvc repro prepare`"
        )
    columns = [name for name in stocks.columns if name in _BASE or name in names]
    grids = {name: grid.to_grid(stocks[name]) for name in columns}
    return table(names, grids, grid.row[at], grid.column[at])


def describe(name: str) -> str:
    """Return the source of a characteristic, in words, for the catalogue."""
    rolling = ROLLING.fullmatch(name)
    if rolling:
        kind, length = rolling[1], rolling[2]
        return f"return of t-{length}" if kind == "return_lag" else f"{kind} over {length} months"
    return "log market value" if name == "size" else f"records: {name}"


def _fold(values: np.ndarray, length: int, operation: np.ufunc) -> np.ndarray:
    """Reduce each month with the length - 1 before it; NaN for months with fewer before them."""
    # Lag by lag and not by a running total: each month sums its own window in the same order, so
    # that no rounding of earlier months is carried along and an earlier start changes nothing.
    count = len(values)
    result = np.full_like(values, np.nan)
    if length <= count:
        window = values[length - 1 :].copy()
        for lag in range(1, length):
            operation(window, values[length - 1 - lag : count - lag], out=window)
        result[length - 1 :] = window
    return result


def _sum(values: np.ndarray, length: int) -> np.ndarray:
    """Sum over the last `length` months, over fewer at the start."""
    padded = np.concatenate([np.zeros((length - 1, values.shape[1])), values])
    return _fold(padded, length, np.add)[length - 1 :]


def _enough(values: np.ndarray, length: int) -> np.ndarray:
    return _sum(np.isfinite(values).astype(float), length) >= MIN_SHARE * length
