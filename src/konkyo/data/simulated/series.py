"""The 23 market series other than TOPIX: correlated with it, near their historical levels."""

from importlib.resources import files

import numpy as np
import pandas as pd

from konkyo.data.simulated.scenario import interpolate, student_t
from konkyo.io import read_csv
from konkyo.random import numpy_generator

_SERIES = read_csv(files(__package__) / "series.csv", na_values=[""])
"""Indices, exchange rates and commodities, and yields in per cent: name, kind, the common factor of
the group, and levels at the start of years. A price reverts to that path, by `reversion` of the
distance a month, and has three shocks: `loading` of TOPIX's return, those of the factor and its own
(monthly standard deviations). A yield's `loading` is that of its factor."""

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
    years = [name for name in _SERIES if name.isdigit()]
    knots = [list(zip(map(int, years), row, strict=True)) for row in _SERIES[years].to_numpy()]
    paths = np.column_stack([interpolate(path, months) for path in knots])
    is_price = (_SERIES["kind"] == "price").to_numpy()
    prices, yields = _SERIES[is_price], _SERIES[~is_price]
    price_paths, yield_paths = paths[:, is_price], paths[:, ~is_price]
    price_factors, yield_factors = (
        [_FACTORS.index(factor) for factor in some["factor"]] for some in (prices, yields)
    )
    topix_beta, factor_std, own_std, reversion = (
        prices[name].to_numpy() for name in ("loading", "factor_std", "own_std", "reversion")
    )
    loading = yields["loading"].to_numpy()
    # Yields move less where they are near zero, and less in Japan.
    country_std = np.where(np.array(yield_factors) == _FACTORS.index("jpy"), 0.10, 0.18)
    yield_std = country_std * yield_paths.clip(0.1, 1.0)
    calm_level, sensitivity = np.array(list(_VOLATILITY_INDICES.values())).T

    levels = price_paths[0]
    deviations = np.zeros(len(yields))
    volatility = calm_level
    rows = []
    for row, month in enumerate(months.tolist()):
        generator = numpy_generator(seed, month, "series")
        factors = student_t(generator, len(_FACTORS))
        price_shocks = own_std * student_t(generator, len(prices))
        yield_shocks = 0.25 * student_t(generator, len(yields))
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
        rates = (yield_paths[row] + deviations).round(3)
        rows.append(np.concatenate([levels.round(2), rates, volatility.round(2)]))
    return pd.DataFrame(np.array(rows), columns=[*_SERIES["name"], *_VOLATILITY_INDICES])
