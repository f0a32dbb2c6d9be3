"""An authority with a specified reaction function: the default records of the second study.

No response to a move below `THRESHOLD` per cent in the month and an S-shaped response beyond it,
scaled by the deviation from parity and the trade balance, with other parameters in each of the
paper's four periods.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.random import seed_of

THRESHOLD = 1.0
"""Per cent of the month's move below which the authority does not respond."""
_FIRST, _LAST = "1980-06", "1995-12"
_PARITY = 175.0
"""Yen per dollar that equal prices would justify: the real rate's long-run mean."""


@dataclass(frozen=True)
class Regime:
    """Parameters of the reaction function in one period.

    Attributes
    ----------
    first, last : str
        Months.
    sign : int
        +1 where it sells yen, -1 where it buys.
    most : float
        Full response in per cent of reserves, at parity and a trade balance of 2.5.
    width : float
        Per cent of move between the threshold and the full response.
    parity : float
        Relative change of the response for 30 yen of undervaluation (sells less, buys more).
    balance : float
        Relative change of the response for one per cent of trade balance above 2.5.
    """

    first: str
    last: str
    sign: int
    most: float
    width: float
    parity: float
    balance: float


REGIMES = (
    Regime("1981-06", "1985-08", -1, 2.5, 1.5, 0.30, 0.15),
    Regime("1986-04", "1989-03", 1, 6.0, 2.0, 0.35, -0.20),
    Regime("1989-04", "1993-02", -1, 4.0, 1.0, 0.25, 0.20),
    Regime("1993-03", "1995-12", 1, 8.0, 1.5, 0.40, -0.15),
)


def reaction(
    regime: Regime,
    change: np.ndarray | float,
    *,
    deviation: np.ndarray | float,
    balance: np.ndarray | float,
) -> np.ndarray:
    """Return intervention in the regime's direction, per cent of reserves.

    Parameters
    ----------
    regime : Regime
        The period.
    change : ndarray or float
        Of the rate in the month, per cent; positive where yen weakens.
    deviation : ndarray or float
        Of the rate from parity, yen; positive where yen is undervalued.
    balance : ndarray or float
        Trade balance, per cent of GDP.
    """
    move = -regime.sign * np.asarray(change, dtype=float)
    rise = np.clip((move - THRESHOLD) / regime.width, 0, 1)
    shape = rise**2 * (3 - 2 * rise)
    lean = -regime.sign * np.asarray(deviation) / 30
    factor = 1 + regime.parity * np.tanh(lean) + regime.balance * np.tanh(np.asarray(balance) - 2.5)
    return regime.most * shape * factor


def true_response(curves: pd.DataFrame, points: pd.DataFrame) -> np.ndarray:
    """Return the true response along the curves of `surface.response_curves`.

    Parameters
    ----------
    curves : pandas.DataFrame
        period, change, deviation, balance.
    points : pandas.DataFrame
        Of `samples.training_points`: the months of each period.

    Returns
    -------
    numpy.ndarray
        [rows of curves] per cent of reserves; NaN in periods that are not within one regime.
    """
    response = np.full(len(curves), np.nan)
    for period, months in points.groupby("period"):
        first, last = (dates.label(months["month"].agg(end)) for end in ("min", "max"))
        for regime in REGIMES:
            within = regime.first <= first and last <= regime.last
            if within and regime.sign == months["sign"].iloc[0]:
                rows = (curves["period"] == period).to_numpy()
                asked = curves.loc[rows, ["change", "deviation", "balance"]]
                response[rows] = reaction(regime, **{n: asked[n].to_numpy() for n in asked})
    return response


def simulate(seed: int) -> pd.DataFrame:
    """Simulate the raw monthly series.

    Parameters
    ----------
    seed : int
        Of all draws.

    Returns
    -------
    pandas.DataFrame
        month and `records.SERIES`, 1980-06 to 1995-12.
    """
    # The bit generator is named: numpy may change the default one, and with it the records.
    generator = np.random.Generator(np.random.PCG64(seed_of(seed, "simulated authority")))
    span = np.arange(_ordinal(_FIRST), _ordinal(_LAST) + 1)
    count = len(span)
    home = 100 * np.exp(np.cumsum(0.0005 + 0.002 * generator.standard_normal(count)))
    abroad = 100 * np.exp(np.cumsum(0.0025 + 0.002 * generator.standard_normal(count)))
    rate, balance = _rate(generator, home / abroad), _balance(generator, count)
    gdp = (
        65_000
        * np.exp(0.0045 * np.arange(count))
        * np.exp(0.005 * generator.standard_normal(count))
    )
    change = 100 * np.diff(rate, prepend=rate[0]) / np.concatenate([rate[:1], rate[:-1]])
    deviation = rate - _PARITY * home / abroad
    noise = np.exp(0.1 * generator.standard_normal(count) - 0.005)
    reserves, intervention = np.empty(count), np.zeros(count)
    level = 25_000.0
    for row, month in enumerate(span):
        for regime in REGIMES:
            if _ordinal(regime.first) <= month <= _ordinal(regime.last):
                share = reaction(
                    regime, change[row], deviation=deviation[row], balance=balance[row]
                )
                amount = regime.sign * level * float(share) / 100 * noise[row]
                intervention[row] = round(amount)
        level = level * 1.006 + intervention[row]
        reserves[row] = level
    return pd.DataFrame(
        {
            "month": dates.month_end(span),
            "rate": rate,
            "price_home": home,
            "price_abroad": abroad,
            "trade_balance": balance / 100 * gdp / 3,
            "gdp": np.where(span % 3 == 2, gdp, np.nan),
            "intervention": intervention,
            "reserves": reserves,
        }
    )


def _rate(generator: np.random.Generator, relative: np.ndarray) -> np.ndarray:
    """Return a rate that reverts to parity; a third of each monthly move carries over."""
    rate = np.empty(len(relative))
    rate[0], step = _PARITY * relative[0] * 1.1, 0.0
    for row in range(1, len(relative)):
        log_gap = np.log(rate[row - 1] / (_PARITY * relative[row - 1]))
        step = 0.3 * step - 0.03 * log_gap + 0.026 * generator.standard_normal()
        rate[row] = rate[row - 1] * np.exp(step)
    return rate


def _balance(generator: np.random.Generator, count: int) -> np.ndarray:
    """Return an AR(1) trade balance around 2.5 per cent of GDP."""
    balance = np.full(count, 2.5)
    for row in range(1, count):
        balance[row] += 0.85 * (balance[row - 1] - 2.5) + 0.45 * generator.standard_normal()
    return balance


def _ordinal(name: str) -> int:
    return int(np.datetime64(name, "M").astype("int64"))
