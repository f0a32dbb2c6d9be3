"""The simulated market as a frame, with its ground truth."""

from dataclasses import dataclass

import pandas as pd

from konkyo.config import Prepare, Simulated, section
from konkyo.data import simulated
from konkyo.errors import ParamsError
from konkyo.features import build

FIRST, LAST = "2002-12", "2020-01"
"""First month whose characteristics have 36 months of returns, and the last of the simulation."""


@dataclass(frozen=True, eq=False)
class SimulatedMarket:
    """A simulated market and what is true of it.

    Attributes
    ----------
    frame : pandas.DataFrame
        month, stock, sector, market_value (thousands of yen), forward_return (earned in t+1, a
        fraction, missing in the newest month and for a stock that left), the raw characteristics
        known at t, and the market series of the month.
    truth : pandas.DataFrame
        month, stock, expected (the true expected return of t+1 above the cross-sectional mean),
        baseline (that of a stock at the centre of every input) and the true contribution of each
        input with an effect: expected = baseline + sum of contributions.
    features, market : list of str
        Names of the characteristics and of the market series, for `Panel.from_frame`.
    """

    frame: pd.DataFrame
    truth: pd.DataFrame
    features: list[str]
    market: list[str]


def simulate_market(
    *,
    seed: int = 1,
    stocks: int = 1700,
    noise: float = 1.0,
    reversal: float = 0.009,
    quality: float = 0.013,
    value: float = 0.008,
    interaction: float = 0.010,
    regime: float = 0.014,
    last: str = "2020-01",
) -> SimulatedMarket:
    """Return a market of the shape of Tokyo's, from 2002-12 on, whose expected returns are known.

    The market of the source simulated-tse: 33 characteristics and 24 market series of the Nikko
    paper's figures 13 and 14, 33 industries, five planted effects.

    Parameters
    ----------
    seed : int
        Of the whole market.
    stocks : int
        Listed at the same time, approximately; at least 40.
    noise : float
        Multiple of idiosyncratic and industry shocks.
    reversal, quality, value, interaction, regime : float
        Planted effects: expected monthly return at the extreme; 0 removes one.
    last : str
        Last month, YYYY-MM; an earlier end leaves the months before it as they are.

    Raises
    ------
    ParamsError
        A value is not allowed, or the last month is before 2003-01 or after 2020-01.

    Examples
    --------
    >>> import konkyo
    >>> market = konkyo.simulate_market(stocks=40, last="2003-01")
    >>> market.frame["month"].dt.strftime("%Y-%m").unique().tolist()
    ['2002-12', '2003-01']
    >>> len(market.features), len(market.market)
    (33, 48)
    >>> market.truth.columns[:4].tolist()
    ['month', 'stock', 'expected', 'baseline']
    """
    values = {
        "seed": seed, "stocks": stocks, "noise": noise, "reversal": reversal, "quality": quality,
        "value": value, "interaction": interaction, "regime": regime,
    }  # fmt: skip
    config = section(Simulated, values, "simulate_market")
    if not FIRST < last <= LAST or len(last) != len(LAST):
        raise ParamsError(f"last = {last!r}: set it to a month after {FIRST}, at most {LAST}")
    records = simulated.simulate(config, last=last)
    every = {
        "first_month": FIRST,
        "universe_size": len(records.stocks),
        "characteristics": simulated.CHARACTERISTICS,
        "standardise": "rank",
        "clip": 3.0,
        "label": "rank",
        "sectors": simulated.SECTORS,
        "market": simulated.MARKET,
    }
    prepare = section(Prepare, every, "simulate_market")
    index, raw, series, _ = build.raw_rows(records.stocks, records.series, prepare)
    names = {"size": "market_value", "ret": "forward_return"}
    sector = pd.Categorical(index["sector"], categories=list(simulated.SECTORS))
    frame = pd.concat([index.rename(columns=names).assign(sector=sector), raw, series], axis=1)
    truth = records.truth[records.truth["month"] >= frame["month"].min()]
    return SimulatedMarket(
        frame,
        truth.sort_values(["month", "stock"], ignore_index=True),
        features=list(raw),
        market=list(series),
    )
