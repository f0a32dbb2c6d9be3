"""Risk of monthly series: alpha and betas, drawdowns, years, interval of the Sharpe ratio."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import statsmodels.api as sm

from konkyo.backtesting.objectives import MONTHS_A_YEAR, objective_values
from konkyo.backtesting.performance import annual_return, max_drawdown, sharpe_ratio
from konkyo.errors import ParamsError
from konkyo.random import numpy_generator

ALPHA = "alpha"
ROLLING_MONTHS = 36
BLOCK_MONTHS = 12


def newey_west_lags(months: int) -> int:
    """Return floor(4 (n / 100)^(2/9)), the lag of Newey and West (1994)."""
    return int(4 * (months / 100) ** (2 / 9))


def regression(returns: pd.Series, factors: pd.DataFrame) -> pd.DataFrame:
    """Return alpha and betas of a series against factor returns.

    Parameters
    ----------
    returns : Series
        By month, fractions.
    factors : DataFrame
        By the same months, fractions; a month without one of them is omitted.

    Returns
    -------
    DataFrame
        factor ("alpha" first), coefficient (alpha a year, arithmetic), t (Newey and West, lag
        floor(4 (n / 100)^(2/9))), months, omitted. NaN with fewer months than twice the
        coefficients.
    """
    both = factors.assign(returns=returns).reindex(returns.index).dropna()
    names = [ALPHA, *factors.columns]
    table = pd.DataFrame({"factor": names, "coefficient": np.nan, "t": np.nan})
    table = table.assign(months=len(both), omitted=len(returns) - len(both))
    if len(both) < 2 * len(names):
        return table
    lags = {"maxlags": newey_west_lags(len(both))}
    fitted = sm.OLS(
        both["returns"], sm.add_constant(both[factors.columns], has_constant="add")
    ).fit(cov_type="HAC", cov_kwds=lags)
    scale = np.r_[MONTHS_A_YEAR, np.ones(len(names) - 1)]
    return table.assign(coefficient=fitted.params.to_numpy() * scale, t=fitted.tvalues.to_numpy())


def rolling_regression(
    returns: pd.Series, factors: pd.DataFrame, length: int = ROLLING_MONTHS
) -> pd.DataFrame:
    """Return month (the last of a window), factor, coefficient, t of all windows of `length`."""
    tables = [
        regression(returns.iloc[end - length : end], factors).assign(month=returns.index[end - 1])
        for end in range(length, len(returns) + 1)
    ]
    columns = ["month", "factor", "coefficient", "t"]
    return (
        pd.concat(tables)[columns].reset_index(drop=True)
        if tables
        else pd.DataFrame(columns=columns)
    )


def factor_returns(market: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return market series as factor returns, by month.

    Parameters
    ----------
    market : DataFrame
        month and the market series of the records.
    kinds : mapping
        return (the series is a monthly return, a fraction) or level (an index) of each factor.

    Raises
    ------
    ParamsError
        The records have no such series.
    """
    absent = [name for name in kinds if name not in market.columns.drop("month")]
    if absent:
        raise ParamsError(
            f"backtest.factors names {', '.join(absent)}, not among the records' market series: "
            f"choose from {', '.join(market.columns.drop('month')) or 'none'}"
        )
    table = market.set_index("month")[list(kinds)].astype("float64")
    for name, kind in kinds.items():
        if kind == "level":
            table[name] = table[name].pct_change(fill_method=None)
    return table


def drawdowns(returns: pd.Series, most: int = 5) -> pd.DataFrame:
    """Return the deepest drawdowns of the compounded value, each from peak to recovery.

    Parameters
    ----------
    returns : Series
        By the month in which they were earned, ascending, fractions.
    most : int
        The number of drawdowns.

    Returns
    -------
    DataFrame
        peak (the month before the fall; the month of the first fall where the value had no earlier
        month), trough, recovery (NaT where there was none), depth (a fraction, below 0), months
        (from peak to recovery or to the end); the deepest first.
    """
    value = (1.0 + returns.clip(lower=-1.0)).cumprod().to_numpy()
    peak = np.maximum.accumulate(np.r_[1.0, value])[1:]
    depth = value / peak - 1.0
    months, rows = returns.index, []
    # A number a stretch under water; stretches at the peak are left out.
    under = depth < 0
    stretch = np.cumsum(np.diff(under, prepend=False) & under)
    for number in np.unique(stretch[under]):
        at = np.flatnonzero(under & (stretch == number))
        first, last = max(at[0] - 1, 0), at[-1] + 1
        rows.append(
            {
                "peak": months[first],
                "trough": months[at[np.argmin(depth[at])]],
                "recovery": months[last] if last < len(months) else pd.NaT,
                "depth": float(depth[at].min()),
                "months": int(min(last, len(months) - 1) - first),
            }
        )
    columns = ["peak", "trough", "recovery", "depth", "months"]
    table = pd.DataFrame(rows, columns=columns).sort_values("depth", ignore_index=True)
    return table.head(most)


def by_period(
    returns: pd.Series, periods: Mapping[str, tuple[pd.Timestamp, pd.Timestamp]]
) -> pd.DataFrame:
    """Return the measures of calendar years, and of further periods.

    Parameters
    ----------
    returns : Series
        By the month in which they were earned, fractions.
    periods : mapping
        Name to first and last month (their ends, both included).

    Returns
    -------
    DataFrame
        period, return (compounded; of a year that of its months, of a further period a year),
        sharpe_ratio, max_drawdown, months.
    """
    parts = {str(year): part for year, part in returns.groupby(returns.index.year)}
    rows = []
    for name, part in parts.items():
        rows.append(
            {"period": name, "return": float((1 + part.clip(lower=-1)).prod() - 1), **_risk(part)}
        )
    for name, (first, last) in periods.items():
        part = returns[first:last]
        rows.append({"period": name, "return": annual_return(part), **_risk(part)})
    return pd.DataFrame(rows)


def _risk(part: pd.Series) -> dict[str, float]:
    return {
        "sharpe_ratio": sharpe_ratio(part),
        "max_drawdown": max_drawdown(part),
        "months": len(part),
    }


def sharpe_interval(
    returns: pd.Series, draws: int = 2000, level: float = 0.90, seed: int = 1
) -> tuple[float, float]:
    """Return the interval of the Sharpe ratio by a circular block bootstrap of 12 months.

    Politis and Romano (1992): blocks of consecutive months, the last followed by the first, so that
    every month is drawn equally often.

    Parameters
    ----------
    returns : Series
        Fractions, in the order in which they were earned.
    draws : int
        Resampled records.
    level : float
        The share of the draws inside the interval.
    seed : int
        Of the draws.

    Returns
    -------
    tuple of float
        NaN with fewer months than two blocks.
    """
    values = returns.to_numpy("float64")
    n = len(values)
    if n < 2 * BLOCK_MONTHS:
        return float("nan"), float("nan")
    starts = numpy_generator(seed, "block bootstrap").integers(
        n, size=(draws, -(-n // BLOCK_MONTHS))
    )
    places = (starts[:, :, None] + np.arange(BLOCK_MONTHS)).reshape(draws, -1)[:, :n] % n
    ratios = objective_values(values[places].T, "sharpe_ratio")
    low, high = np.nanquantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def active_measures(returns: pd.Series, benchmark: pd.Series) -> dict[str, float]:
    """Return a long-only portfolio against its benchmark, by common months.

    Returns
    -------
    dict
        active_return (arithmetic, a year), tracking_error (a year), information_ratio: fractions.
    """
    active = (returns - benchmark).dropna()
    return {
        "active_return": float(active.mean() * MONTHS_A_YEAR),
        "tracking_error": float(active.std() * np.sqrt(MONTHS_A_YEAR)),
        "information_ratio": sharpe_ratio(active),
    }


def exposures(holdings: pd.DataFrame, characteristics: pd.DataFrame) -> pd.DataFrame:
    """Return the exposure of long less short to characteristics, by month.

    Parameters
    ----------
    holdings : DataFrame
        Of one model: month, leg, stock, weight.
    characteristics : DataFrame
        month, stock and the characteristics, standardised in the cross-section.

    Returns
    -------
    DataFrame
        month and, in the unit of the characteristics, one column of each.
    """
    names = list(characteristics.columns.drop(["month", "stock"]))
    joined = holdings.merge(characteristics, on=["month", "stock"], how="left")
    signed = joined["weight"].where(joined["leg"] == "long", -joined["weight"])
    parts = joined[names].fillna(0.0).mul(signed, axis=0)
    return parts.groupby(joined["month"]).sum().reset_index()
