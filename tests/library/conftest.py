"""A small simulated market through the pipeline and through the library."""

from dataclasses import replace
from pathlib import Path

import pytest

import chain
import konkyo
from konkyo.data import simulated
from konkyo.features.market import column_name
from small import SIMULATED
from small_library import LAST, MARKET, params, ranker


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """Return the folder of a project whose stages have run."""
    folder = tmp_path_factory.mktemp("library")
    market = simulated.simulate(replace(SIMULATED, stocks=40), last=LAST)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        chain.lay(folder, params(), (market.stocks, market.series))
        chain.run(["prepare", "train", "attribute", "backtest"])
    return Path(folder)


@pytest.fixture(scope="session")
def market():
    """Return the market of the project as the library gives it."""
    return konkyo.simulate_market(stocks=40, last=LAST)


@pytest.fixture(scope="session")
def panel(market):
    """Return its panel."""
    series = [column_name(name, kind) for name, kinds in MARKET.items() for kind in kinds]
    assert set(series) == set(market.market)
    return konkyo.Panel.from_frame(
        market.frame, features=market.features, market=series, sectors="sector",
        size="market_value", calendar=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def fitted(panel):
    """Return the ranker of the project's params, fitted."""
    return ranker().fit(panel)
