"""Source `simulated-tse`: a simulated market of the paper's shape with a known attribution.

- `catalogue`: the paper's 126 inputs by name, from catalogue.csv
- `scenario`: crisis months, number of listed stocks, sizes of industries
- `firms`, `fundamentals`, `prices`, `series`: the firms, their statements and characteristics,
  their returns and delistings, the market series
- `ground_truth`: the true expected return and the true contribution of every input
- `simulate`: month by month

At the default strengths the true expected return has a rank IC of 0.086 at seed 1 and of 0.080 to
0.087 at seeds 1 to 4 (mean of 169 months, standard error 0.003). No prediction can exceed it on
average.
"""

from konkyo.config import Simulated
from konkyo.data import schema
from konkyo.data.parsing import ParsedTable
from konkyo.data.records import Records, facts_of
from konkyo.data.simulated.catalogue import CHARACTERISTICS, MARKET, SECTORS, catalogue
from konkyo.data.simulated.simulate import Market, simulate

__all__ = ["CHARACTERISTICS", "MARKET", "SECTORS", "Market", "catalogue", "load", "simulate"]


def load(config: Simulated, n_quantiles: int) -> Records:
    """Simulate the market and check it as the records of every source are checked.

    Parameters
    ----------
    config : Simulated
        Seed, number of stocks, noise, and the strength of each effect.
    n_quantiles : int
        The fewest stocks that a month must have, one a portfolio.

    Returns
    -------
    Records
        With `truth` (rows as in `stocks`) and `catalogue`; there are no raw files.

    Raises
    ------
    RecordsError
        A month has fewer stocks than portfolios.
    """
    market = simulate(config)
    stocks, series = schema.check(
        ParsedTable("the simulated stocks", market.stocks),
        ParsedTable("the simulated market series", market.series),
        n_quantiles,
    )
    facts = facts_of(
        stocks,
        {},
        source="simulated-tse",
        licence="the project's own, as its LICENSE says; made by this project from random numbers",
        point_in_time=True,
        survivorship_free=True,
    )
    return Records(
        stocks,
        series,
        facts,
        truth=market.truth.sort_values(["month", "stock"], ignore_index=True),
        catalogue=catalogue()[["name", "english", "japanese"]],
    )
