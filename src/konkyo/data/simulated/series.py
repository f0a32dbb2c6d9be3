"""The 23 market series other than TOPIX: correlated with it, near their historical levels."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.data.simulated.scenario import interpolate, student_t
from konkyo.random import numpy_generator

_YEARS = (1997, 2000, 2003, 2007, 2009, 2012, 2015, 2018, 2020)


@dataclass(frozen=True)
class Price:
    """An index, exchange rate or commodity that reverts to a path and has three shocks.

    Attributes
    ----------
    path : tuple of float
        Levels at the start of `_YEARS`.
    topix_beta : float
        Return for a TOPIX return of 1.
    factor : str
        The common factor of its group.
    factor_std, own_std : float
        Monthly standard deviation of its returns from the factor, and of its own.
    reversion : float
        Share of the distance from its path that it makes up in a month.
    """

    path: tuple[float, ...]
    topix_beta: float
    factor: str
    factor_std: float
    own_std: float
    reversion: float = 0.06


_PRICES = {
    "nikkei_225": Price(
        (18500, 18500, 8700, 17300, 8800, 8600, 17500, 22700, 23600), 1.02, "japan", 0.0, 0.008, 0.0
    ),
    "dow_jones": Price(
        (6600, 11300, 8600, 12500, 8800, 12400, 17800, 24800, 28700), 0.45, "world", 0.025, 0.008
    ),
    "sp_500": Price(
        (750, 1450, 890, 1420, 900, 1280, 2050, 2700, 3250), 0.46, "world", 0.027, 0.006
    ),
    "dax": Price(
        (2900, 6900, 2950, 6600, 4800, 6000, 9800, 13000, 13300), 0.55, "world", 0.032, 0.020
    ),
    "ftse_100": Price(
        (4150, 6800, 3950, 6200, 4450, 5600, 6550, 7650, 7550), 0.40, "world", 0.026, 0.012
    ),
    "usd_jpy": Price((116, 104, 119, 119, 91, 77, 119, 112, 109), 0.22, "yen", 0.018, 0.010),
    "eur_jpy": Price((140, 104, 125, 157, 126, 100, 145, 135, 122), 0.30, "yen", 0.020, 0.016),
    "crb": Price((245, 205, 235, 305, 225, 310, 230, 195, 185), 0.15, "goods", 0.030, 0.012),
    "wti": Price((25, 26, 31, 60, 44, 99, 53, 61, 61), 0.25, "goods", 0.060, 0.045),
    "gold": Price((365, 285, 345, 635, 870, 1570, 1185, 1300, 1520), -0.05, "goods", 0.015, 0.040),
}

_YIELDS = {
    "jgb_2": ("jpy", 0.35, (0.8, 0.3, 0.05, 0.8, 0.4, 0.13, -0.02, -0.14, -0.13)),
    "jgb_5": ("jpy", 0.7, (1.8, 1.0, 0.25, 1.2, 0.7, 0.35, 0.02, -0.09, -0.12)),
    "jgb_10": ("jpy", 1.0, (2.6, 1.7, 0.9, 1.7, 1.2, 1.0, 0.3, 0.05, -0.02)),
    "jgb_20": ("jpy", 1.1, (3.1, 2.2, 1.4, 2.1, 1.75, 1.75, 1.05, 0.57, 0.28)),
    "jgb_30": ("jpy", 1.1, (3.3, 2.4, 1.6, 2.3, 1.8, 1.95, 1.2, 0.8, 0.42)),
    "ust_2": ("world", 1.2, (5.9, 6.3, 1.7, 4.8, 0.8, 0.25, 0.65, 1.9, 1.55)),
    "ust_5": ("world", 1.2, (6.2, 6.5, 2.9, 4.7, 1.6, 0.85, 1.6, 2.2, 1.65)),
    "ust_10": ("world", 1.0, (6.4, 6.5, 4.0, 4.7, 2.3, 1.9, 2.1, 2.4, 1.9)),
    "ust_30": ("world", 0.9, (6.6, 6.5, 4.9, 4.8, 2.8, 2.9, 2.7, 2.75, 2.35)),
    "bund_10": ("world", 0.8, (5.8, 5.4, 4.3, 4.0, 3.0, 1.85, 0.5, 0.45, -0.2)),
    "gilt_10": ("world", 0.9, (7.6, 5.6, 4.4, 4.75, 3.1, 2.0, 1.75, 1.2, 0.8)),
}
"""Yields in per cent: factor, its loading, and the path as in `Price`."""

_VOLATILITY_INDICES = {"nikkei_vi": (21.0, 1.0), "vix": (15.0, 0.8)}
"""Level in calm markets, and sensitivity to falls of TOPIX."""

_FACTORS = ("japan", "world", "yen", "goods", "jpy")


def simulate_series(
    months: np.ndarray, topix: np.ndarray, variance_ratio: np.ndarray, seed: int
) -> pd.DataFrame:
    """Simulate the other market series of figure 14.

    Parameters
    ----------
    months : ndarray of int, shape [months]
        Counted from 1970-01, without gaps.
    topix : ndarray, shape [months]
        TOPIX's return of the month, a fraction.
    variance_ratio : ndarray, shape [months]
        The market's conditional variance over its mean at the month's end.
    seed : int
        Of the simulation.

    Returns
    -------
    DataFrame, shape [months, 23]
        Series known at the month's end: indices and prices in their units with 2 decimals,
        yields in per cent with 3. A row depends on its own month and earlier ones.
    """
    prices, indices = list(_PRICES.values()), _VOLATILITY_INDICES.values()
    price_paths = _paths([price.path for price in prices], months)
    yield_paths = _paths([path for _, _, path in _YIELDS.values()], months)
    price_factors = [_FACTORS.index(price.factor) for price in prices]
    yield_factors = [_FACTORS.index(factor) for factor, _, _ in _YIELDS.values()]
    topix_beta, factor_std, own_std, reversion = np.array(
        [(p.topix_beta, p.factor_std, p.own_std, p.reversion) for p in prices]
    ).T
    loading = np.array([loading for _, loading, _ in _YIELDS.values()])
    # Yields move less where they are near zero, and less in Japan.
    country_std = np.where(np.array(yield_factors) == _FACTORS.index("jpy"), 0.10, 0.18)
    yield_std = country_std * yield_paths.clip(0.1, 1.0)
    calm_level, sensitivity = np.array(list(indices)).T

    levels = price_paths[0]
    deviations = np.zeros(len(_YIELDS))
    volatility = calm_level
    rows = []
    for row, month in enumerate(months.tolist()):
        generator = numpy_generator(seed, month, "series")
        factors = student_t(generator, len(_FACTORS))
        price_shocks = own_std * student_t(generator, len(prices))
        yield_shocks = 0.25 * student_t(generator, len(_YIELDS))
        volatility_shocks = 1.5 * student_t(generator, len(calm_level))

        shocks = factor_std * factors[price_factors] + price_shocks
        pull = reversion * (price_paths[row] / levels - 1)
        levels = levels * np.maximum(1 + pull + topix_beta * topix[row] + shocks, 0.4)
        # Flight to quality: yields fall with shares.
        shocks = loading * (0.8 * factors[yield_factors] + 4 * topix[row]) + yield_shocks
        deviations = 0.93 * deviations + yield_std[row] * shocks
        target = calm_level + 4 * (variance_ratio[row] - 1)
        jump = 130 * sensitivity * max(-topix[row] - 0.015, 0)
        volatility = volatility + 0.3 * (target - volatility) + jump + volatility_shocks
        volatility = np.maximum(volatility, 9.0)
        yields = (yield_paths[row] + deviations).round(3)
        rows.append(np.concatenate([levels.round(2), yields, volatility.round(2)]))
    return pd.DataFrame(np.array(rows), columns=[*_PRICES, *_YIELDS, *_VOLATILITY_INDICES])


def _paths(levels: list[tuple[float, ...]], months: np.ndarray) -> np.ndarray:
    """Return paths given at the start of `_YEARS` by month, shape [months, series]."""
    knots = [list(zip(_YEARS, path, strict=True)) for path in levels]
    return np.column_stack([interpolate(path, months) for path in knots])
