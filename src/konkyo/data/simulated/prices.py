"""A month's returns, market values and delistings."""

from dataclasses import dataclass

import numpy as np

from konkyo.config import Simulated
from konkyo.data.simulated.firms import Firms, total_assets
from konkyo.data.simulated.scenario import SECTOR_SIZES, student_t

DRIFT = 0.0025
"""The mean monthly return of every stock without any effect, a fraction."""

_MARKET_STD = 0.035
_SECTOR_STD = 0.018
_MAX_OWN_SHOCK = 0.5
_MIN_LISTED_VALUE = 2.0e6


@dataclass(frozen=True)
class MarketState:
    """The market factor and the business cycle at the end of a month.

    Attributes
    ----------
    variance_ratio : float
        The market's conditional variance over its long-run mean (a GARCH(1, 1) process).
    shock : float
        The market factor's return of the month beyond its mean, a fraction.
    business_cycle : float
        Exponentially weighted mean of past shocks, a fraction a month.
    """

    variance_ratio: float = 1.0
    shock: float = 0.0
    business_cycle: float = 0.0

    def advance(self, fixed_shock: float, generator: np.random.Generator) -> "MarketState":
        """Return the state one month later: `fixed_shock` plus a random one of t5 tails."""
        std = _MARKET_STD * np.sqrt(self.variance_ratio)
        shock = fixed_shock + std * float(student_t(generator, 1).clip(-4, 4)[0])
        squared = min((shock / _MARKET_STD) ** 2, 12.0)
        return MarketState(
            variance_ratio=0.15 + 0.70 * self.variance_ratio + 0.15 * squared,
            shock=shock,
            business_cycle=0.85 * self.business_cycle + 0.15 * shock,
        )


def realise_returns(
    firms: Firms,
    expected: np.ndarray,
    *,
    market: MarketState,
    config: Simulated,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw the returns of month t+1 and update market values and risks, in place.

    return = drift + expected + beta x market shock + noise x (sector shock + own shock)

    All shocks are symmetric with mean 0 whatever the stock's characteristics, so that `expected`
    is all that can be predicted of a return's differences between stocks.

    Parameters
    ----------
    firms : Firms
        At the end of month t; at the end of t+1 afterwards. `returns` (with dividends, rounded to
        6 decimals) receive a column.
    expected : ndarray, shape [firms]
        Expected return of t+1 above the cross-sectional mean, a fraction, known at t.
    market : MarketState
        Of month t+1.
    config : Simulated
        `noise` scales the shocks of sectors and of single stocks.
    generator : Generator
        Of month t+1's prices.

    Returns
    -------
    ndarray, shape [firms]
        The firms' own shocks, a fraction.
    """
    count = len(firms)
    sector_shocks = _SECTOR_STD * student_t(generator, len(SECTOR_SIZES)).clip(-4, 4)
    residuals = student_t(generator, count)
    # Own volatility is partly common: it rises with the market's.
    variance = firms.variance_ratio * (0.6 + 0.4 * market.variance_ratio)
    own = config.noise * firms.volatility * np.sqrt(variance) * residuals
    own = own.clip(-_MAX_OWN_SHOCK, _MAX_OWN_SHOCK)
    shocks = firms.beta * market.shock + config.noise * sector_shocks[firms.sector] + own
    returns = np.round((DRIFT + expected + shocks).clip(-0.95, None), 6)

    firms.variance_ratio = 0.2 + 0.65 * firms.variance_ratio + 0.15 * np.minimum(residuals**2, 12)
    reversion = 0.02 * (firms.long_run_beta - firms.beta)
    firms.beta = (firms.beta + reversion + generator.normal(0, 0.03, count)).clip(0, 2.5)
    # A share issue raises the market value without a return, and equity by the money raised.
    issues = generator.random(count) < 0.002
    issued = np.where(issues, generator.uniform(0.03, 0.15, count), 0)
    ex_dividend = firms.market_value * (1 + returns) - firms.dividends / 12
    firms.equity = firms.equity + issued * np.maximum(ex_dividend, 0)
    firms.market_value = np.maximum(np.round(ex_dividend * (1 + issued)), 1000)
    firms.returns = np.column_stack([returns, firms.returns[:, :-1]])
    return own


def draw_delistings(firms: Firms, generator: np.random.Generator) -> np.ndarray:
    """Return which firms are delisted at the month's end, bool, shape [firms].

    Monthly hazards: 0.12 per cent for a takeover (1.4 per cent a year), 5 per cent for a market
    value below the exchange's minimum, 3 per cent for equity below 4 per cent of assets. Drawn
    after the month's return and independent of the next one, so that delistings bias no return.
    """
    small = firms.market_value < _MIN_LISTED_VALUE
    insolvent = firms.equity < 0.04 * total_assets(firms)
    hazard = 0.0012 + 0.05 * small + 0.03 * insolvent
    return generator.random(len(firms)) < hazard


def compound(returns: np.ndarray, months: int) -> np.ndarray:
    """Return the cumulative return of the last months, NaN where one is missing.

    Parameters
    ----------
    returns : ndarray, shape [firms, at least `months`]
        Monthly, newest first.
    months : int
        How many.
    """
    return np.prod(1 + returns[:, :months], axis=1) - 1
