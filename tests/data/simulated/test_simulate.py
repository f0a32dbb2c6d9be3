"""Records that agree with one another, never look ahead, and are the same every time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo.data.simulated import simulate
from konkyo.data.simulated.fundamentals import FORECASTS, growth_rate, standardise_newest
from konkyo.data.simulated.prices import compound
from konkyo.data.simulated.scenario import LISTED_STOCKS, MARKET_SHOCKS, interpolate, ordinal_of
from small import SIMULATED

from .conftest import FIRST, LAST, finite, wide

PINNED = {
    "return": (0.00247109684, 0.100505124),
    "size": (43890685.5, 60622579.2),
    "roe_forecast": (0.0134896176, 0.525977841),
    "topix": (1733.18, 1588.57),
    "vix": (19.3481667, 6.12267458),
    "expected": (0.00799539428, -0.000112708869),
}
"""Figures of the small market."""


def test_two_runs_are_equal(market):
    again = simulate(SIMULATED, FIRST, LAST)
    pd.testing.assert_frame_equal(again.stocks, market.stocks, check_exact=True)
    pd.testing.assert_frame_equal(again.series, market.series, check_exact=True)
    pd.testing.assert_frame_equal(again.truth, market.truth, check_exact=True)


def test_the_market_is_pinned_to_tolerance(market):
    # The last bits may differ by processor and version of numpy, the market may not.
    stocks = market.stocks
    assert len(stocks) == 3611 and stocks["stock"].nunique() == 65
    figures = {
        "return": (stocks["return"].mean(), stocks["return"].std()),
        "size": (stocks["size"].mean(), stocks["size"].std()),
        "roe_forecast": (stocks["roe_forecast"].mean(), stocks["roe_forecast"].std()),
        "topix": (market.series["topix"].iloc[0], market.series["topix"].iloc[-1]),
        "vix": (market.series["vix"].mean(), market.series["vix"].std()),
        "expected": (market.truth["expected"].std(), market.truth["baseline"].mean()),
    }
    for name, values in PINNED.items():
        assert figures[name] == pytest.approx(values, rel=1e-6), name


def test_another_seed_is_another_market(market):
    other = simulate(replace(SIMULATED, seed=2), FIRST, "2005-03")
    assert not other.stocks["return"].equals(market.stocks["return"].iloc[: len(other.stocks)])


@pytest.mark.parametrize("last", ["2005-01", "2007-08"])
def test_a_shorter_simulation_has_the_same_rows(market, last):
    short = simulate(SIMULATED, FIRST, last)
    for name in ("stocks", "series", "truth"):
        whole, part = getattr(market, name), getattr(short, name)
        until = whole[whole["month"] <= part["month"].max()]
        pd.testing.assert_frame_equal(part, until.reset_index(drop=True), check_exact=True)


def test_months_and_keys(market):
    months = pd.period_range(FIRST, LAST, freq="M").to_timestamp(how="end").normalize()
    assert market.series["month"].to_list() == months.to_list()
    assert not market.stocks.duplicated(["month", "stock"]).any()
    keys = ["month", "stock"]
    pd.testing.assert_frame_equal(market.truth[keys], market.stocks[keys])


def test_market_value_moves_with_the_return(market):
    size = wide(market.stocks, "size")
    grown = size / size.shift(1) - 1
    returned = wide(market.stocks, "return")
    # What is left is dividends, at most 8 per cent a year, and rare issues of 3 per cent or more.
    left = finite(grown - returned)
    assert ((left < 1e-6) & (left > -0.08 / 12 - 1e-6) | (left > 0.015)).all()
    assert (left > 0.015).mean() < 0.005


def test_topix_is_value_weighted_less_dividends(market):
    stocks = market.stocks
    returned, weight = wide(stocks, "return"), wide(stocks, "size").shift(1)
    paid = (wide(stocks, "dividend_yield") * wide(stocks, "size")).shift(1)
    weight = weight.where(returned.notna())
    earned = (returned * weight).sum(axis=1) / weight.sum(axis=1)
    dividends = paid.where(returned.notna()).sum(axis=1) / weight.sum(axis=1) / 12
    topix = market.series.set_index("month")["topix"].pct_change()
    gap = (topix - earned + dividends).iloc[1:]
    assert abs(gap.mean()) < 0.0005
    assert gap.std() < 0.002


def test_price_ratios_share_their_price(market):
    stocks = market.stocks
    book = stocks["equity"] / stocks["size"]
    both = book.notna() & stocks["book_to_price"].notna()
    np.testing.assert_allclose(stocks["book_to_price"][both], book[both], rtol=1e-4, atol=1e-6)
    assert both.mean() > 0.98


def test_reports_come_quarterly(market):
    changed = wide(market.stocks, "sales").diff().iloc[1:]
    moved = (changed != 0)[changed.notna()]
    share = moved.sum().sum() / changed.notna().sum().sum()
    assert 0.3 < share < 0.36


def test_listings_and_delistings(market):
    listed = wide(market.stocks, "size").notna()
    count = listed.sum(axis=1)
    assert count.between(0.85 * SIMULATED.stocks, 1.15 * SIMULATED.stocks).all()
    first, last = listed.iloc[0], listed.iloc[-1]
    assert (last & ~first).any() and (first & ~last).any()
    # Nobody comes back, and a newly listed stock has no return yet.
    spells = (listed.astype(int).diff() == 1).sum()
    assert (spells + first <= 1).all()
    came = listed & ~listed.shift(1, fill_value=True)
    assert wide(market.stocks, "return")[came].isna().all().all()


def test_all_industries_at_the_start_of_a_market():
    began = simulate(replace(SIMULATED, stocks=300), FIRST, FIRST)
    assert began.stocks["sector"].nunique() >= 32


def test_missing_shares(market):
    share = market.stocks.drop(columns=["month", "stock", "sector"]).isna().mean()
    assert share["size"] == 0 and share["return"] < 0.02
    plain = share.drop(["size", "return", *FORECASTS])
    growing = [name for name in plain.index if name.endswith("_growth")]
    assert plain.drop(growing).between(0.001, 0.01).all()
    assert share[growing].between(0.005, 0.3).all()
    assert share[[*FORECASTS]].between(0.05, 0.4).all()


def test_small_firms_lack_forecasts():
    stocks = simulate(replace(SIMULATED, stocks=600), FIRST, FIRST).stocks
    small = stocks["size"] < stocks["size"].median()
    lacks = stocks["roe_forecast"].isna()
    assert lacks[small].mean() > 2 * lacks[~small].mean()


def test_returns_have_fat_tails_and_clustered_risk():
    returns = wide(simulate(replace(SIMULATED, stocks=300), "2007-01", "2010-12").stocks, "return")
    own = returns.sub(returns.mean(axis=1), axis=0)
    scaled = own / own.std()
    assert (finite(scaled) ** 4).mean() > 3.8
    size = own.abs().mean(axis=1)
    assert size["2008-09":"2009-03"].mean() > 1.1 * size["2007-01":"2007-07"].mean()
    assert np.median(finite(returns.corr())) > 0.15


def test_history_pays_beta_nothing_on_the_whole():
    assert abs(sum(MARKET_SHOCKS.values())) < 1e-12
    decided = {m: s for m, s in MARKET_SHOCKS.items() if "2006-01" <= m <= "2020-01"}
    assert abs(sum(decided.values())) < 1e-12


def test_course_between_knots():
    assert interpolate(((2000, 1.0), (2002, 3.0)), ordinal_of("2001-01")) == pytest.approx(2.0)
    assert interpolate(((2000, 1.0), (2002, 3.0)), ordinal_of("1999-01")) == 1.0
    assert interpolate(((2000, 1.0), (2002, 3.0)), ordinal_of("2003-01")) == 3.0
    assert interpolate(LISTED_STOCKS, ordinal_of("2003-01")) == 0.93


def test_growth_from_a_loss_is_missing():
    found = growth_rate(np.array([3.0, 1.0, 1.0, 90.0]), np.array([2.0, -1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(found, [0.5, np.nan, np.nan, 10.0])


def test_standardised_over_time():
    yields = np.full((2, 36), np.nan)
    yields[0, :24] = [3.0] + [1.0, 2.0, 3.0] * 7 + [1.0, 2.0]
    yields[1, :23] = np.arange(23)
    past = yields[0, :24]
    expected = (3.0 - past.mean()) / past.std(ddof=1)
    np.testing.assert_allclose(standardise_newest(yields), [expected, np.nan])


def test_compounded():
    returns = np.array([[0.1, 0.2, np.nan], [0.5, -0.5, 1.0]])
    np.testing.assert_allclose(compound(returns, 2), [0.32, -0.25])
    np.testing.assert_allclose(compound(returns, 3), [np.nan, 0.5])
