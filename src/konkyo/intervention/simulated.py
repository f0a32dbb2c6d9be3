"""An authority whose reaction function is known: the default records of the second study.

Nothing below a move of `THRESHOLD` per cent in the month, an S-shaped rise beyond it, more or less
of it as parity and the trade balance have it, and different in each of the paper's four periods.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo import dates
from konkyo.random import seed_of

THRESHOLD = 1.0
"""Per cent of the month's move against which the authority leans: below it, nothing."""
_FIRST, _LAST = "1980-06", "1995-12"
_PARITY = 175.0
"""Yen per dollar that equal prices would justify: the real rate's long-run mean."""


@dataclass(frozen=True)
class Regime:
    """How the authority reacts in one period.

    Attributes
    ----------
    first, last : str
        Months.
    sign : int
        +1 where it sells yen, -1 where it buys.
    most : float
        Per cent of reserves at the top of the rise, at parity and the usual trade balance.
    width : float
        Per cent of move between the threshold and the top.
    parity : float
        Added share for every 30 yen of undervaluation (sells less, buys more) or overvaluation.
    balance : float
        Added share for every per cent of surplus above the usual one.
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
    deviation: np.ndarray | float,
    balance: np.ndarray | float,
) -> np.ndarray:
    """Return intervention in the regime's own direction, per cent of reserves.

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
    more = 1 + regime.parity * np.tanh(lean) + regime.balance * np.tanh(np.asarray(balance) - 2.5)
    return regime.most * shape * more


def planted(curves: pd.DataFrame, points: pd.DataFrame) -> np.ndarray:
    """Return the true reaction along the curves that `surface.thresholds` reads.

    Parameters
    ----------
    curves : pandas.DataFrame
        period, move.
    points : pandas.DataFrame
        Of `samples.points`: the months whose mean the other inputs stand at.

    Returns
    -------
    numpy.ndarray
        [rows of curves] per cent of reserves; NaN in periods that no single regime covers.
    """
    truth = np.full(len(curves), np.nan)
    for period, own in points.groupby("period"):
        first, last = (dates.label(own["month"].agg(end)) for end in ("min", "max"))
        for regime in REGIMES:
            if regime.first <= first and last <= regime.last and regime.sign == own["sign"].iloc[0]:
                rows = (curves["period"] == period).to_numpy()
                change = -regime.sign * curves.loc[rows, "move"].to_numpy()
                usual = own["deviation"].mean(), own["balance"].mean()
                truth[rows] = reaction(regime, change, *usual)
    return truth


def make(seed: int) -> pd.DataFrame:
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
    # A generator of its own, so that the default records stay what they are whatever else changes.
    draw = np.random.Generator(np.random.PCG64(seed_of(seed, "simulated authority")))
    span = np.arange(_ordinal(_FIRST), _ordinal(_LAST) + 1)
    count = len(span)
    home = 100 * np.exp(np.cumsum(0.0005 + 0.002 * draw.standard_normal(count)))
    abroad = 100 * np.exp(np.cumsum(0.0025 + 0.002 * draw.standard_normal(count)))
    rate, balance = _rate(draw, home / abroad), _balance(draw, count)
    gdp = 65_000 * np.exp(0.0045 * np.arange(count)) * np.exp(0.005 * draw.standard_normal(count))
    change = 100 * np.diff(rate, prepend=rate[0]) / np.concatenate([rate[:1], rate[:-1]])
    deviation = rate - _PARITY * home / abroad
    noise = np.exp(0.1 * draw.standard_normal(count) - 0.005)
    reserves, intervention = np.empty(count), np.zeros(count)
    level = 25_000.0
    for place, month in enumerate(span):
        for regime in REGIMES:
            if _ordinal(regime.first) <= month <= _ordinal(regime.last):
                share = reaction(regime, change[place], deviation[place], balance[place])
                amount = regime.sign * level * float(share) / 100 * noise[place]
                intervention[place] = round(amount)
        level = level * 1.006 + intervention[place]
        reserves[place] = level
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


def _rate(draw: np.random.Generator, relative: np.ndarray) -> np.ndarray:
    """Return a rate that wanders around parity; its monthly means carry on a third of a move."""
    rate = np.empty(len(relative))
    rate[0], step = _PARITY * relative[0] * 1.1, 0.0
    for place in range(1, len(relative)):
        away = np.log(rate[place - 1] / (_PARITY * relative[place - 1]))
        step = 0.3 * step - 0.03 * away + 0.026 * draw.standard_normal()
        rate[place] = rate[place - 1] * np.exp(step)
    return rate


def _balance(draw: np.random.Generator, count: int) -> np.ndarray:
    """Return a trade balance, per cent of GDP, that returns slowly to 2.5."""
    balance = np.full(count, 2.5)
    for place in range(1, count):
        balance[place] += 0.85 * (balance[place - 1] - 2.5) + 0.45 * draw.standard_normal()
    return balance


def _ordinal(name: str) -> int:
    return int(np.datetime64(name, "M").astype("int64"))
