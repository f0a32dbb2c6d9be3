"""The four inputs and the target, from the raw series.

Data set I has the realised values of each month; data set II is point in time: a month's row has
only what was published before the month began.
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
"""Lags of data set II in months: the rate is known at once, prices and trade two months later."""
LEAD_MONTHS = 6
"""Months of records needed before a period: two lags, a change, and a quarter of GDP."""


def parity(records: pd.DataFrame, until: pd.Timestamp | None = None) -> float:
    """Return the long-run mean of the real rate, the level of purchasing power parity.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    until : Timestamp, optional
        Last month of the sample; by default all months, as in the paper.

    Returns
    -------
    float
        In units of the rate: the mean of rate x price_abroad / price_home.
    """
    sample = records if until is None else records[records["month"] <= until]
    return float((sample["rate"] * sample["price_abroad"] / sample["price_home"]).mean())


def realised(records: pd.DataFrame, real_rate: float) -> pd.DataFrame:
    """Return data set I: month and the realised `INPUTS`.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    real_rate : float
        The mean real rate, of `parity`.

    Returns
    -------
    pandas.DataFrame
        GDP is interpolated linearly between mid-quarters, so that the balance of a quarter's last
        month looks ahead to the next quarter; data set II does not.
    """
    gdp = records["gdp"].to_numpy()
    if np.isnan(gdp).any():
        ends = np.flatnonzero(np.isfinite(gdp))
        gdp = np.interp(np.arange(len(gdp)), ends - 1, gdp[ends])
    return _inputs(records, real_rate, gdp)


def published(records: pd.DataFrame, real_rate: float) -> pd.DataFrame:
    """Return data set II: month and `INPUTS` as published before the month began.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    real_rate : float
        The mean real rate, of `parity`.

    Returns
    -------
    pandas.DataFrame
        Each input lagged by `LAGS`; GDP is that of the last complete quarter.
    """
    inputs = _inputs(records, real_rate, records["gdp"].ffill().to_numpy())
    shifted = {
        "change": inputs["change"].shift(LAGS["change"]),
        "change_before": inputs["change"].shift(LAGS["change_before"]),
        "deviation": inputs["deviation"].shift(LAGS["deviation"]),
        "balance": inputs["balance"].shift(LAGS["balance"]),
    }
    return pd.DataFrame({"month": records["month"], **shifted})


def target(records: pd.DataFrame) -> np.ndarray:
    """Return intervention over foreign reserves, per cent, positive where yen was sold.

    Returns
    -------
    numpy.ndarray
        [months]. Reserves are those at the end of the previous month: known when the month begins
        and not yet changed by its intervention.
    """
    return (100 * records["intervention"] / records["reserves"].shift(1)).to_numpy()


def _inputs(records: pd.DataFrame, real_rate: float, quarter_gdp: np.ndarray) -> pd.DataFrame:
    missing = set(SERIES) - set(records)
    if missing:
        raise KeyError(f"records without {sorted(missing)}")
    change = 100 * records["rate"].pct_change()
    parity_rate = real_rate * records["price_home"] / records["price_abroad"]
    return pd.DataFrame(
        {
            "month": records["month"],
            "change": change,
            "change_before": change.shift(1),
            "deviation": records["rate"] - parity_rate,
            "balance": 100 * records["trade_balance"] / (quarter_gdp / 3),
        }
    )
