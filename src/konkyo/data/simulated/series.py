"""The market series beside TOPIX: correlated with it, near the levels that history had."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.data.simulated.portable_random import Draws
from konkyo.data.simulated.scenario import along

_PURPOSE = 5

_YEARS = (1997, 2000, 2003, 2007, 2009, 2012, 2015, 2018, 2020)


@dataclass(frozen=True)
class Asset:
    """A price: pulled to its course, moved by TOPIX, by its group and by itself.

    Attributes
    ----------
    course : tuple of float
        Levels at the start of `_YEARS`.
    topix : float
        Change for a change of TOPIX of 1.
    group : str
        What it shares a monthly shock with, and `shared`, that shock's deviation.
    own : float
        Deviation of its own monthly shock.
    pull : float
        Share of the way to its course that it goes in a month.
    """

    course: tuple[float, ...]
    topix: float
    group: str
    shared: float
    own: float
    pull: float = 0.06


_PRICES = {
    "nikkei_225": Asset(
        (18500, 18500, 8700, 17300, 8800, 8600, 17500, 22700, 23600), 1.02, "japan", 0.0, 0.008, 0.0
    ),
    "dow_jones": Asset(
        (6600, 11300, 8600, 12500, 8800, 12400, 17800, 24800, 28700), 0.45, "world", 0.025, 0.008
    ),
    "sp_500": Asset(
        (750, 1450, 890, 1420, 900, 1280, 2050, 2700, 3250), 0.46, "world", 0.027, 0.006
    ),
    "dax": Asset(
        (2900, 6900, 2950, 6600, 4800, 6000, 9800, 13000, 13300), 0.55, "world", 0.032, 0.020
    ),
    "ftse_100": Asset(
        (4150, 6800, 3950, 6200, 4450, 5600, 6550, 7650, 7550), 0.40, "world", 0.026, 0.012
    ),
    "usd_jpy": Asset((116, 104, 119, 119, 91, 77, 119, 112, 109), 0.22, "yen", 0.018, 0.010),
    "eur_jpy": Asset((140, 104, 125, 157, 126, 100, 145, 135, 122), 0.30, "yen", 0.020, 0.016),
    "crb": Asset((245, 205, 235, 305, 225, 310, 230, 195, 185), 0.15, "goods", 0.030, 0.012),
    "wti": Asset((25, 26, 31, 60, 44, 99, 53, 61, 61), 0.25, "goods", 0.060, 0.045),
    "gold": Asset((365, 285, 345, 635, 870, 1570, 1185, 1300, 1520), -0.05, "goods", 0.015, 0.040),
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
"""Yields in per cent: what they share shocks with, how strongly, and their course."""

_FEARS = {"nikkei_vi": (21.0, 1.0), "vix": (15.0, 0.8)}
"""Volatility indices: quiet level, and how strongly falls of TOPIX move them."""

_GROUPS = ("japan", "world", "yen", "goods", "jpy")


def beside(month: np.ndarray, topix: np.ndarray, heat: np.ndarray, seed: int) -> pd.DataFrame:
    """Return the other market series of figure 14.

    Parameters
    ----------
    month : ndarray of int, shape [months]
        Months counted from 1970-01, without gaps.
    topix : ndarray, shape [months]
        Change of TOPIX during the month, a fraction.
    heat : ndarray, shape [months]
        The market's conditional variance in units of its mean, known at the month's end.
    seed : int
        Of the simulation.

    Returns
    -------
    DataFrame
        One row a month, 23 series known at its end: indices and prices in their units with 2
        decimals, yields in per cent with 3. Each row looks at its own month and those before.
    """
    level = {name: _along(asset.course, month[0]) for name, asset in _PRICES.items()}
    away = dict.fromkeys(_YIELDS, 0.0)
    fear = {name: quiet for name, (quiet, _) in _FEARS.items()}
    rows = []
    for at, fallen, hot in zip(month.tolist(), topix.tolist(), heat.tolist(), strict=True):
        draws = Draws(seed, at, _PURPOSE)
        shared = dict(zip(_GROUPS, draws.student(len(_GROUPS)).tolist(), strict=True))
        own = iter(draws.student(len(level) + len(away) + len(fear)).tolist())
        row = {}
        for name, asset in _PRICES.items():
            pull = asset.pull * (_along(asset.course, at) / level[name] - 1)
            shock = asset.shared * shared[asset.group] + asset.own * next(own)
            level[name] *= max(1 + pull + asset.topix * fallen + shock, 0.4)
            row[name] = round(level[name], 2)
        for name, (group, strength, course) in _YIELDS.items():
            unit = 0.10 if group == "jpy" else 0.18
            # Money flees to bonds when shares fall.
            shock = strength * (0.8 * shared[group] + 4 * fallen) + 0.25 * next(own)
            width = min(max(_along(course, at), 0.1), 1.0)
            away[name] = 0.93 * away[name] + unit * width * shock
            row[name] = round(_along(course, at) + away[name], 3)
        for name, (quiet, strength) in _FEARS.items():
            wanted = quiet + 4 * (hot - 1)
            jump = 130 * strength * max(-fallen - 0.015, 0) + 1.5 * next(own)
            fear[name] = max(fear[name] + 0.3 * (wanted - fear[name]) + jump, 9.0)
            row[name] = round(fear[name], 2)
        rows.append(row)
    return pd.DataFrame(rows)


def _along(course: tuple[float, ...], month: int) -> float:
    return along(tuple(zip(_YEARS, course, strict=True)), month)
