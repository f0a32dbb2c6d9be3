"""The benchmark by hand: weights of market value, and an index of the records."""

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting import benchmark_returns, cumulative, performance
from konkyo.config import Benchmark
from konkyo.errors import ParamsError

MONTHS = pd.to_datetime(["2020-01-31", "2020-02-29", "2020-03-31"])


@pytest.fixture
def index() -> pd.DataFrame:
    rows = [
        (MONTHS[0], 100.0, 0.10),
        (MONTHS[0], 300.0, -0.02),
        (MONTHS[1], 100.0, np.nan),  # leaves the market: the others earn the return
        (MONTHS[1], 50.0, 0.04),
        (MONTHS[2], 100.0, np.nan),  # the last decision month
    ]
    return pd.DataFrame(rows, columns=["month", "size", "ret"])


@pytest.fixture
def market() -> pd.DataFrame:
    return pd.DataFrame({"month": MONTHS, "topix": [1000.0, 1100.0, 990.0], "mkt": [9.0, 0.1, 0.2]})


def test_the_universe_by_market_value(index, market):
    returns = benchmark_returns(index, market, None)
    assert returns.index.to_list() == list(MONTHS[:2])
    np.testing.assert_allclose(returns, [(100 * 0.10 - 300 * 0.02) / 400, 0.04])


@pytest.mark.parametrize(
    ("series", "kind", "expected"), [("topix", "level", [0.1, -0.1]), ("mkt", "return", [0.1, 0.2])]
)
def test_an_index_earns_in_the_month_after(index, market, series, kind, expected):
    returns = benchmark_returns(index, market, Benchmark(series, kind, total_return=False))
    assert returns.index.to_list() == list(MONTHS[:2])
    np.testing.assert_allclose(returns, expected)


def test_a_month_that_the_index_lacks_has_no_return(index, market):
    short = market.drop(index=1)
    assert benchmark_returns(index, short, Benchmark("topix", "level", total_return=False)).empty


def test_a_series_that_is_not_there_is_refused(index, market):
    with pytest.raises(ParamsError, match=r"'nikkei' is not among .* topix, mkt"):
        benchmark_returns(index, market, Benchmark("nikkei", "level", total_return=False))


def test_tables_have_the_months_of_the_benchmark():
    columns = {name: [0.1, 0.2] for name in ("long", "short", "spread", "spread_net", "market")}
    returns = pd.DataFrame(
        {"month": MONTHS[:2], "earned": MONTHS[1:], "model": "network", **columns}
    )
    returns["benchmark"] = [0.05, np.nan]
    table = performance(returns).set_index("portfolio")
    assert table["months"].to_dict() == dict.fromkeys(columns, 2) | {"benchmark": 1}
    line = cumulative(returns).query("portfolio == 'benchmark'")
    assert line["month"].to_list() == [MONTHS[1]]
    np.testing.assert_allclose(line["cumulative"], [0.05])
    assert "benchmark" not in set(performance(returns.drop(columns="benchmark"))["portfolio"])
