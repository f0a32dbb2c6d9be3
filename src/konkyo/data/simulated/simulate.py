"""The simulation: each month's returns from the characteristics of the month before."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from konkyo.config import Simulated
from konkyo.data.simulated.catalogue import COLUMNS, MARKET, SECTORS
from konkyo.data.simulated.firms import Firms, new_firms
from konkyo.data.simulated.fundamentals import (
    compute_characteristics,
    publish_reports,
    update_statements,
)
from konkyo.data.simulated.ground_truth import ground_truth
from konkyo.data.simulated.prices import MarketState, compound, draw_delistings, realise_returns
from konkyo.data.simulated.scenario import (
    LISTED_STOCKS,
    interpolate,
    ordinal_of,
    shocks_by_month,
)
from konkyo.data.simulated.series import simulate_series
from konkyo.dates import month_end
from konkyo.random import numpy_generator

FIRST, LAST = "1999-12", "2020-01"

BURN_IN = 40
"""Months simulated before the first one published: reports and yields need a history."""

TOPIX_NOISE = 0.001
"""Standard deviation of TOPIX's return around the value-weighted price return, a fraction."""

_FIRST_CODE = 1301


@dataclass(frozen=True, eq=False)
class Market:
    """A simulated market.

    Attributes
    ----------
    stocks : DataFrame
        month, stock, sector, return, size and the characteristics that the panel does not
        compute.
    series : DataFrame
        month and the 24 market series.
    truth : DataFrame
        month, stock, expected (return of t+1 above the cross-sectional mean, known at t),
        baseline (the same of a stock at the centre of every input), and the contribution of each
        input with an effect: expected = baseline + sum of contributions. Rows as in `stocks`.
    """

    stocks: pd.DataFrame
    series: pd.DataFrame
    truth: pd.DataFrame


def simulate(config: Simulated, first: str = FIRST, last: str = LAST) -> Market:
    """Simulate the market.

    Every month has its own generators, seeded by (seed, month, purpose): a simulation that ends
    earlier has the same rows up to there.

    Parameters
    ----------
    config : Simulated
        Seed, number of stocks, noise, and the strength of each effect.
    first, last : str
        The months to publish, YYYY-MM. Another `first` gives another market.
    """
    begin, end = ordinal_of(first), ordinal_of(last)
    start, fixed_shocks = begin - BURN_IN, shocks_by_month()
    firms = new_firms(
        numpy_generator(config.seed, start, "initial firms"),
        0,
        count=_n_stocks(config, start),
        initial=True,
    )
    n_ever_listed = len(firms)
    market, topix = MarketState(), float(interpolate(((1997, 1500.0), (2000, 1700.0)), start))
    expected = np.zeros(len(firms))
    stocks: list[pd.DataFrame] = []
    truths: list[pd.DataFrame] = []
    series: list[tuple[int, float, float, float]] = []
    for month in range(start + 1, end + 1):

        def generator(purpose: str, month: int = month) -> np.random.Generator:
            return numpy_generator(config.seed, month, purpose)

        if month == begin:
            # Past returns of more months than the records have cannot be computed from them.
            firms.returns[:] = np.nan
        market = market.advance(fixed_shocks.get(month, 0.0), generator("market"))
        weights, dividends = firms.market_value, firms.dividends
        own_shocks = realise_returns(
            firms, expected, market=market, config=config, generator=generator("prices")
        )
        price_returns = firms.returns[:, 0] - dividends / 12 / weights
        change = np.average(price_returns, weights=weights)
        change += generator("topix").normal(0, TOPIX_NOISE)
        previous, topix = topix, round(float(topix * (1 + change)), 2)
        update_statements(
            firms,
            own_shocks,
            business_cycle=market.business_cycle,
            generator=generator("statements"),
        )
        publish_reports(firms, month)
        # Delistings and listings happen at the month's end: both have a row of this month.
        delisted = draw_delistings(firms, generator("delistings"))
        n_new = max(_n_stocks(config, month) - int((~delisted).sum()), 0)
        listings = new_firms(generator("listings"), n_ever_listed, count=n_new, initial=False)
        firms = firms.append(listings)
        n_ever_listed += n_new
        remaining = np.concatenate([~delisted, np.ones(n_new, dtype=bool)])

        characteristics = compute_characteristics(firms, generator("missing values"))
        truth = ground_truth(
            config, characteristics | _price_characteristics(firms), topix / previous - 1
        )
        expected = truth.expected[remaining]
        if month >= begin:
            keys = {
                "month": np.repeat(month_end(month), len(firms)),
                "stock": (_FIRST_CODE + firms.number).astype(str),
            }
            stocks.append(
                pd.DataFrame(
                    keys
                    | {"sector": np.array(SECTORS)[firms.sector]}
                    | {"return": firms.returns[:, 0], "size": firms.market_value}
                    | {name: characteristics[name] for name in COLUMNS}
                )
            )
            truths.append(
                pd.DataFrame(
                    keys
                    | {"expected": truth.expected, "baseline": truth.baseline}
                    | truth.contributions
                )
            )
        series.append((month, topix, topix / previous - 1, market.variance_ratio))
        firms = firms.select(remaining)
    return Market(
        pd.concat(stocks, ignore_index=True),
        _market_series(config, begin, series),
        pd.concat(truths, ignore_index=True),
    )


def _n_stocks(config: Simulated, month: int) -> int:
    """Return the number of stocks up to which listings fill the market."""
    return max(round(config.stocks * float(interpolate(LISTED_STOCKS, month))), len(SECTORS))


def _price_characteristics(firms: Firms) -> dict[str, np.ndarray]:
    """Return the characteristics with an effect that the panel computes from returns and size."""
    return {
        "size": firms.market_value,
        "return_1": firms.returns[:, 0],
        "return_3": compound(firms.returns, 3),
        "return_12": compound(firms.returns, 12),
    }


def _market_series(
    config: Simulated, begin: int, months: list[tuple[int, float, float, float]]
) -> pd.DataFrame:
    """Return the 24 market series of the months to publish."""
    month, topix, change, variance_ratio = (
        np.array(column) for column in zip(*months, strict=True)
    )
    others = simulate_series(month, change, variance_ratio, config.seed)
    table = pd.concat([pd.DataFrame({"topix": topix}), others], axis=1)[list(MARKET)]
    table.insert(0, "month", month_end(month))
    return table[month >= begin].reset_index(drop=True)
