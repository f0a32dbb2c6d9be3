"""The four inputs and the target, from the raw series.

Data set I has the realised values of the forecast month t. Data set II replaces them by what was
known when t began, after footnote 17 of the paper; months before t are realised in both.
"""

import numpy as np
import pandas as pd
from statsmodels.tsa.seasonal import STL

from konkyo import dates
from konkyo.config import InterventionInputs
from konkyo.errors import RecordsError
from konkyo.intervention.records import SERIES

INPUTS = ("change", "change_before", "deviation", "balance")
"""change: of the rate in the month, per cent, positive where home currency weakens. change_before:
the same one month earlier. deviation: the rate less parity, in units of the rate, positive where
home currency is undervalued. balance: trade balance, per cent of GDP."""
DATA = ("I", "II")
LEAD_MONTHS = 6
"""Months of records needed before a period: two lags, a change, and a quarter of GDP."""
_SEASONS = 24
"""Months that STL needs: two years."""


def mean_real_rate(records: pd.DataFrame, base: str) -> float:
    """Return the long-run mean of the real rate, the level of purchasing power parity.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series up to the last month that may be used.
    base : str
        "all" for all these months, or the months first..last.

    Returns
    -------
    float
        In units of the rate: the mean of rate x price_abroad / price_home.

    Raises
    ------
    RecordsError
        The records do not have all months of the base.
    """
    if base != "all":
        ends = pd.DatetimeIndex([dates.parse(name) for name in base.split("..")])
        months = records["month"]
        if ends[0] < months.iloc[0] or ends[1] > months.iloc[-1]:
            raise RecordsError(
                f"intervention.inputs.parity_base is {base}, but the months that may be used run "
                f"from {dates.label(months.iloc[0])} to {dates.label(months.iloc[-1])}: choose "
                "months within them, or all; looks_ahead allows for months after the forecast"
            )
        records = records[months.between(*ends)]
    return float((records["rate"] * records["price_abroad"] / records["price_home"]).mean())


def realised(records: pd.DataFrame, real_rate: float, *, seasonal: bool) -> pd.DataFrame:
    """Return the realised inputs of all months.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series up to the last month that may be used: seasonal adjustment and
        interpolation read all of them, so that a month's balance depends on later months too.
    real_rate : float
        Of `mean_real_rate`.
    seasonal : bool
        Whether trade balance and GDP are seasonally adjusted by STL.

    Returns
    -------
    pandas.DataFrame
        month, `INPUTS` and parity (units of the rate). Quarterly GDP is interpolated linearly
        between mid-quarters; after the last one it stays at its value.

    Raises
    ------
    RecordsError
        Fewer months than STL needs.
    """
    missing = set(SERIES) - set(records)
    if missing:
        raise KeyError(f"records without {sorted(missing)}")
    if seasonal and len(records) < _SEASONS:
        raise RecordsError(
            f"intervention.inputs.seasonal_adjustment needs {_SEASONS} months of records before "
            f"the first forecast, and there are {len(records)} up to "
            f"{dates.label(records['month'].iloc[-1])}: bring earlier months, forecast from a "
            "later one, or set it to false"
        )
    gdp, trade = records["gdp"].to_numpy(copy=True), records["trade_balance"].to_numpy()
    ends = np.flatnonzero(np.isfinite(gdp))
    quarterly = len(ends) < len(gdp)
    if seasonal:
        trade = trade - STL(trade, period=12).fit().seasonal
        # Of the logarithm: the seasonal swing of GDP grows with its level.
        log_gdp = np.log(gdp[ends])
        season = STL(log_gdp, period=4 if quarterly else 12).fit().seasonal
        gdp[ends] = np.exp(log_gdp - season)
    if quarterly:
        gdp = np.interp(np.arange(len(gdp)), ends - 1, gdp[ends])
    change = 100 * records["rate"].pct_change()
    parity = real_rate * records["price_home"] / records["price_abroad"]
    return pd.DataFrame(
        {
            "month": records["month"],
            "change": change,
            "change_before": change.shift(1),
            "deviation": records["rate"] - parity,
            "balance": 100 * trade / (gdp / 3),
            "parity": parity,
        }
    )


def lagged(inputs: pd.DataFrame, rate: pd.Series) -> pd.DataFrame:
    """Return inputs with the parity of a month and the balance of two months before (footnote 12).

    Parameters
    ----------
    inputs : pandas.DataFrame
        Of `realised`.
    rate : pandas.Series
        The rate of the same months.
    """
    return inputs.assign(
        deviation=rate - inputs["parity"].shift(1), balance=inputs["balance"].shift(2)
    )


def published(
    records: pd.DataFrame, row: int, *, real_rate: float, config: InterventionInputs
) -> np.ndarray:
    """Return the inputs of data set II: the month `row` as known when it began (footnote 17).

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    row : int
        Position of the forecast month t.
    real_rate : float
        Of `mean_real_rate`.
    config : InterventionInputs
        Seasonal adjustment, and what is extended from t-2.

    Returns
    -------
    numpy.ndarray
        [4] in the order of `INPUTS`. change: from the end of t-2 to the end of t-1 where the
        records have `rate_end`, otherwise of the monthly means, and then equal to change_before.
        change_before: the realised change of t-1. deviation and balance: those of t-2, or with
        `extended: parity` the rate of t-1 less the parity of t-2. Prices, trade and GDP of later
        months than t-2 are not read, unless `looks_ahead` asks for it.
    """
    available = records if config.looks_ahead else records.iloc[: row - 1]
    seasonal = config.seasonal_adjustment
    before = realised(available, real_rate, seasonal=seasonal).iloc[row - 2]
    end = records["rate_end" if "rate_end" in records else "rate"].to_numpy()
    rate = records["rate"].to_numpy()
    deviation = before["deviation"]
    if config.extended == "parity":
        deviation = rate[row - 1] - before["parity"]
    return np.array(
        [
            100 * (end[row - 1] / end[row - 2] - 1),
            100 * (rate[row - 1] / rate[row - 2] - 1),
            deviation,
            before["balance"],
        ]
    )


def reserves(records: pd.DataFrame, config: InterventionInputs) -> np.ndarray:
    """Return the reserves that divide each month's intervention, million dollars.

    Parameters
    ----------
    records : pandas.DataFrame
        The raw series.
    config : InterventionInputs
        "previous": of the end of the previous month, known when the month begins and not yet
        changed by its intervention. "same": of the end of the month itself, as in the paper.
    """
    return records["reserves"].shift(1 if config.reserves == "previous" else 0).to_numpy()
