"""The simulation: month by month, each one's returns from what was known the month before."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.config import Simulated
from konkyo.data.simulated.catalogue import COLUMNS, MARKET, SECTORS
from konkyo.data.simulated.firms import Firms, listed
from konkyo.data.simulated.fundamentals import attributes, live, publish_reports
from konkyo.data.simulated.ground_truth import truth
from konkyo.data.simulated.portable_random import Draws, mean
from konkyo.data.simulated.prices import Climate, compounded, staying, trade
from konkyo.data.simulated.scenario import LISTED, along, ordinal_of, shocks_by_month
from konkyo.data.simulated.series import beside
from konkyo.dates import month_end

FIRST, LAST = "1999-12", "2020-01"

UNSEEN = 40
"""Months simulated before the first one published: reports and yields have their past."""

TOPIX_NOISE = 0.001
"""Deviation of TOPIX's change from the stocks' value-weighted change of price, a fraction."""

_START, _CLIMATE, _PRICES, _BUSINESS, _GAPS, _EXITS, _LISTINGS = 0, 1, 2, 3, 4, 6, 7
_FIRST_CODE = 1301


@dataclass(frozen=True, eq=False)
class Market:
    """A simulated market.

    Attributes
    ----------
    stocks : DataFrame
        month, stock, sector, return, size and the attributes that the panel does not compute.
    series : DataFrame
        month and the 24 market series.
    truth : DataFrame
        month, stock, expected (return of t+1 above the others, from what is known at t),
        baseline (the same of a stock at the centre), and the contribution of each input with an
        effect: expected = baseline + the sum of contributions. Rows as in `stocks`.
    """

    stocks: pd.DataFrame
    series: pd.DataFrame
    truth: pd.DataFrame


def simulate(settings: Simulated, first: str = FIRST, last: str = LAST) -> Market:
    """Simulate the market.

    Parameters
    ----------
    settings : Simulated
        Seed, number of stocks, noise, and the strength of each effect.
    first, last : str
        The months to publish, YYYY-MM. An earlier `last` gives the same rows up to it; another
        `first` gives another market.
    """
    begin, end = ordinal_of(first), ordinal_of(last)
    planned = shocks_by_month()
    start = begin - UNSEEN
    firms = listed(Draws(settings.seed, start, _START), 0, _wanted(settings, start), at_start=True)
    born = len(firms)
    climate, topix = Climate(), along(((1997, 1500.0), (2000, 1700.0)), start)
    expected = np.zeros(born)
    stock_months: list[pd.DataFrame] = []
    true_months: list[pd.DataFrame] = []
    market_months: list[tuple[int, float, float, float]] = []
    for month in range(start + 1, end + 1):

        def draws(purpose: int, month: int = month) -> Draws:
            return Draws(settings.seed, month, purpose)

        if month == begin:
            # What happened before the records begin is in no return that they allow to compute.
            firms.returns[:] = np.nan
        climate = climate.next(planned.get(month, 0.0), draws(_CLIMATE))
        weight = firms.value
        returns, own = trade(firms, expected, climate, settings, draws(_PRICES))
        change = weighted(returns - firms.dividend / 12 / weight, weight)
        change += TOPIX_NOISE * float(draws(_START).normal(1)[0])
        before, topix = topix, round(topix * (1 + change), 2)
        live(firms, own, climate.economy, draws(_BUSINESS))
        publish_reports(firms, month)
        # Both happen at the month's end, those who go with their last return in the records.
        leaving = ~staying(firms, draws(_EXITS))
        missing = max(_wanted(settings, month) - (len(firms) - int(leaving.sum())), 0)
        firms = firms.and_(listed(draws(_LISTINGS), born, missing, at_start=False))
        born += missing
        leaving = np.concatenate([leaving, np.zeros(missing, dtype=bool)])

        found = attributes(firms, draws(_GAPS))
        known = truth(settings, found | _price_attributes(firms), topix / before - 1)
        expected = known.expected[~leaving]
        if month >= begin:
            stamp = np.repeat(month_end(month), len(firms))
            codes = (_FIRST_CODE + firms.number).astype(str)
            stock_months.append(
                pd.DataFrame(
                    {"month": stamp, "stock": codes, "sector": np.array(SECTORS)[firms.sector]}
                    | {"return": firms.returns[:, 0], "size": firms.value}
                    | {name: found[name] for name in COLUMNS}
                )
            )
            true_months.append(
                pd.DataFrame(
                    {"month": stamp, "stock": codes}
                    | {"expected": known.expected, "baseline": known.baseline}
                    | known.contributions
                )
            )
        market_months.append((month, topix, topix / before - 1, climate.heat))
        firms = firms.only(~leaving)
    return Market(
        pd.concat(stock_months, ignore_index=True),
        _series(settings, begin, market_months),
        pd.concat(true_months, ignore_index=True),
    )


def weighted(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the mean of values weighted by `weight`."""
    return mean(values * weight) / mean(weight)


def _wanted(settings: Simulated, month: int) -> int:
    """Return the number of stocks that listings fill up to."""
    return max(round(settings.stocks * along(LISTED, month)), len(SECTORS))


def _price_attributes(firms: Firms) -> dict[str, np.ndarray]:
    """Return the attributes with an effect that the panel computes itself."""
    return {
        "size": firms.value,
        "return_1": firms.returns[:, 0],
        "return_3": compounded(firms.returns, 3),
        "return_12": compounded(firms.returns, 12),
    }


def _series(
    settings: Simulated, begin: int, months: list[tuple[int, float, float, float]]
) -> pd.DataFrame:
    month, topix, change, heat = (np.array(column) for column in zip(*months, strict=True))
    others = beside(month, change, heat, settings.seed)
    table = pd.concat([pd.DataFrame({"topix": topix}), others], axis=1)[list(MARKET)]
    table.insert(0, "month", month_end(month))
    return table[month >= begin].reset_index(drop=True)
