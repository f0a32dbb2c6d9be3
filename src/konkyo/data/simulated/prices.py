"""A month's returns, market values, listings and delistings."""

from dataclasses import dataclass

import numpy as np

from konkyo.config import Simulated
from konkyo.data.simulated.firms import Firms, assets_of
from konkyo.data.simulated.portable_random import Draws
from konkyo.data.simulated.scenario import FIRMS

DRIFT = 0.0025
"""What every stock earns a month beside all else, a fraction."""

_MARKET_DEVIATION = 0.035
_SECTOR_DEVIATION = 0.018
_LARGEST = 0.5
_SMALLEST_VALUE = 2.0e6


@dataclass(frozen=True)
class Climate:
    """The state of the market as a whole.

    Attributes
    ----------
    heat : float
        The market's conditional variance in units of its mean, at the end of the month.
    shock : float
        What the market earned in the month beyond its mean, a fraction.
    economy : float
        The same, smoothed over the last months.
    """

    heat: float = 1.0
    shock: float = 0.0
    economy: float = 0.0

    def next(self, planned: float, draws: Draws) -> "Climate":
        """Return the next month's: a fat-tailed shock whose variance follows past shocks."""
        chance = float(draws.student(1).clip(-4, 4)[0])
        deviation = _MARKET_DEVIATION * float(np.sqrt(self.heat))
        shock = planned + deviation * chance
        size = min((shock / _MARKET_DEVIATION) * (shock / _MARKET_DEVIATION), 12.0)
        heat = 0.15 + 0.70 * self.heat + 0.15 * size
        return Climate(heat, shock, 0.85 * self.economy + 0.15 * shock)


def trade(
    firms: Firms, expected: np.ndarray, climate: Climate, settings: Simulated, draws: Draws
) -> tuple[np.ndarray, np.ndarray]:
    """Move market values by one month, in place.

    A return is the same drift for all, the stock's expected return, its beta times the market's
    shock, its industry's shock and its own. All shocks are symmetric with mean 0 whatever the
    stock is like, so that nothing but `expected` is known of a return beforehand.

    Parameters
    ----------
    firms : Firms
        At the end of month t.
    expected : ndarray, shape [firms]
        Expected return of t+1 above the others, a fraction, from what is known at t.
    climate : Climate
        Of month t+1.
    settings : Simulated
        The noise.
    draws : Draws
        Of month t+1's prices.

    Returns
    -------
    returns : ndarray, shape [firms]
        Earned in t+1 with dividends, rounded to 6 decimals.
    own : ndarray, shape [firms]
        The part of it that is the firm's own shock.
    """
    count = len(firms)
    industries = _SECTOR_DEVIATION * draws.student(len(FIRMS)).clip(-4, 4)
    chance = draws.student(count)
    common = float(np.sqrt(0.6 + 0.4 * climate.heat))
    deviation = settings.noise * firms.volatility * np.sqrt(firms.heat) * common
    own = (deviation * chance).clip(-_LARGEST, _LARGEST)
    shocks = firms.beta * climate.shock + settings.noise * industries[firms.sector] + own
    returns = np.round((DRIFT + expected + shocks).clip(-0.95, None), 6)

    firms.heat = 0.2 + 0.65 * firms.heat + 0.15 * np.minimum(chance * chance, 12)
    firms.beta = (
        firms.beta + 0.02 * (firms.usual_beta - firms.beta) + 0.03 * draws.normal(count)
    ).clip(0, 2.5)  # fmt: skip
    # Rare issues change the market value beside the return, and the book by the money raised.
    issue = np.where(draws.uniform(count) < 0.002, 0.03 + 0.12 * draws.uniform(count), 0)
    unissued = firms.value * (1 + returns) - firms.dividend / 12
    firms.equity = firms.equity + issue * np.maximum(unissued, 0)
    firms.value = np.maximum(np.round(unissued * (1 + issue)), 1000)
    firms.returns = np.column_stack([returns, firms.returns[:, :-1]])
    return returns, own


def staying(firms: Firms, draws: Draws) -> np.ndarray:
    """Return which firms stay listed after the month's end, bool, shape [firms].

    Decided after the month's return and before the next, which is therefore no different for the
    stocks that go: some are bought (about 1.4 per cent a year), some are too small for the
    section, some have lost their equity.
    """
    small = firms.value < _SMALLEST_VALUE
    broke = firms.equity < 0.04 * assets_of(firms)
    hazard = 0.0012 + 0.05 * small + 0.03 * broke
    return draws.uniform(len(firms)) >= hazard


def compounded(returns: np.ndarray, months: int) -> np.ndarray:
    """Return the return over the last months, as the panel does: NaN where one is missing.

    Parameters
    ----------
    returns : ndarray, shape [firms, at least `months`]
        Newest first.
    """
    product = 1 + returns[:, 0]
    for lag in range(1, months):
        product = product * (1 + returns[:, lag])
    return product - 1
