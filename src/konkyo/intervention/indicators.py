"""Raw series to the four inputs and the target, in two versions of what was known.

Data set I holds a month's realised values. Data set II holds, in a month's row, only what was
published before the month began.
"""

import numpy as np
import pandas as pd

from konkyo.intervention.records import SERIES

INPUTS = ("change", "change_before", "deviation", "balance")
"""change: of the rate in the month, per cent, positive where home currency weakens. change_before:
the same one month earlier. deviation: the rate less parity, in units of the rate, positive where
home currency is undervalued. balance: trade balance, per cent of GDP."""
DATA = ("I", "II")
LAGS = {"change": 1, "change_before": 2, "deviation": 2, "balance": 2}
"""Data set II: the rate's change from the month before last to last month and the one before it;
parity and trade balance held from two months earlier."""
EARLIER = 6
"""Months of records that the first row needs before it: two of delay, and a quarter of GDP."""


def parity(records: pd.DataFrame, until: pd.Timestamp | None = None) -> float:
    """Return the real rate's long-run mean, which fixes purchasing power parity.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    until : Timestamp, optional
        The last month that counts; without it the whole sample, as in the paper.

    Returns
    -------
    float
        In units of the rate: the mean of rate x price_abroad / price_home.
    """
    known = records if until is None else records[records["month"] <= until]
    return float((known["rate"] * known["price_abroad"] / known["price_home"]).mean())


def realised(records: pd.DataFrame, real_rate: float) -> pd.DataFrame:
    """Return data set I: month and `INPUTS` as they turned out in that month.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    real_rate : float
        The mean real rate, of `parity`.

    Returns
    -------
    pandas.DataFrame
        GDP is interpolated linearly between the middles of the quarters, so that the balance of a
        quarter's last month already looks at the next quarter: these are not forecasts' inputs.
    """
    gdp = records["gdp"].to_numpy()
    if np.isnan(gdp).any():
        ends = np.flatnonzero(np.isfinite(gdp))
        gdp = np.interp(np.arange(len(gdp)), ends - 1, gdp[ends])
    return _inputs(records, real_rate, gdp)


def published(records: pd.DataFrame, real_rate: float) -> pd.DataFrame:
    """Return data set II: month and `INPUTS` as they were known before the month began.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    real_rate : float
        The mean real rate, of `parity`.

    Returns
    -------
    pandas.DataFrame
        Each input as of `LAGS` months earlier; GDP is that of the last quarter that had ended then.
    """
    then = _inputs(records, real_rate, records["gdp"].ffill().to_numpy())
    shifted = {
        "change": then["change"].shift(LAGS["change"]),
        "change_before": then["change"].shift(LAGS["change_before"]),
        "deviation": then["deviation"].shift(LAGS["deviation"]),
        "balance": then["balance"].shift(LAGS["balance"]),
    }
    return pd.DataFrame({"month": records["month"], **shifted})


def target(records: pd.DataFrame) -> np.ndarray:
    """Return intervention divided by foreign reserves, per cent, positive where yen was sold.

    Returns
    -------
    numpy.ndarray
        [months]. The reserves are those at the end of the month before, which the month's own
        intervention has not moved and which are known when the month begins.
    """
    return (100 * records["intervention"] / records["reserves"].shift(1)).to_numpy()


def _inputs(records: pd.DataFrame, real_rate: float, quarter_gdp: np.ndarray) -> pd.DataFrame:
    missing = set(SERIES) - set(records)
    if missing:
        raise KeyError(f"records without {sorted(missing)}")
    change = 100 * records["rate"].pct_change()
    even = real_rate * records["price_home"] / records["price_abroad"]
    return pd.DataFrame(
        {
            "month": records["month"],
            "change": change,
            "change_before": change.shift(1),
            "deviation": records["rate"] - even,
            "balance": 100 * records["trade_balance"] / (quarter_gdp / 3),
        }
    )
