"""Market series of plausible levels that move together."""

import pandas as pd
import pytest

from konkyo.data.simulated import MARKET, simulate
from small import SIMULATED


@pytest.fixture(scope="module")
def series() -> pd.DataFrame:
    return simulate(SIMULATED, "2000-01", "2020-01").series.set_index("month")


def test_the_24_of_figure_14(series):
    assert tuple(series.columns) == tuple(MARKET) and len(MARKET) == 24
    assert series.notna().all().all()


def test_levels(series):
    prices = [name for name, transforms in MARKET.items() if transforms[1] == "change"]
    assert (series[prices] > 0).all().all()
    yields = series.drop(columns=prices)
    assert ((yields > -1.5) & (yields < 10)).all().all()
    assert series["usd_jpy"].between(60, 160).all()
    assert series["vix"].between(9, 100).all()


def test_japanese_yields_fall_below_zero(series):
    yields = series[["jgb_2", "jgb_5", "jgb_10", "jgb_20", "jgb_30"]]
    assert (yields["2000":"2001"].mean() > yields["2018":"2019"].mean()).all()
    assert (series["jgb_2"]["2017":] < 0).all()
    assert yields.mean().is_monotonic_increasing


def test_fear_rises_in_the_crisis(series):
    for name in ("vix", "nikkei_vi"):
        assert series[name]["2008-10"].item() > 1.6 * series[name].median()


def test_shares_and_the_dollar_fall_with_topix(series):
    # A yield of exactly zero has no rate of change.
    changes = series.drop(columns=[n for n in MARKET if MARKET[n][1] == "difference"]).pct_change()
    with_topix = changes.corrwith(changes["topix"])
    assert with_topix["nikkei_225"] > 0.95
    assert with_topix[["dow_jones", "sp_500", "dax", "ftse_100"]].between(0.4, 0.9).all()
    assert with_topix["usd_jpy"] > 0.2
    assert series["vix"].diff().corr(changes["topix"]) < -0.3


def test_crisis_months(series):
    change = series["topix"].pct_change()
    for month in ("2008-10", "2011-03"):
        assert change[month].item() < change.quantile(0.2)
