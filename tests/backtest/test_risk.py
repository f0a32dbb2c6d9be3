"""Alpha, drawdowns, years and intervals: by hand and against libraries."""

import empyrical
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from konkyo.backtesting import newey_west_t
from konkyo.backtesting.risk import (
    active_measures,
    by_period,
    drawdowns,
    exposures,
    factor_returns,
    regression,
    rolling_regression,
    sharpe_interval,
)
from konkyo.errors import ParamsError

MONTHS = pd.date_range("2015-01-31", periods=60, freq="ME")


@pytest.fixture
def market() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(rng.normal(0, 0.04, (60, 2)), MONTHS, ["MKT", "SMB"])


def test_alpha_and_betas_are_recovered(market: pd.DataFrame) -> None:
    exact = 0.01 + 0.5 * market["MKT"] - 2.0 * market["SMB"]
    noise = np.random.default_rng(2).normal(0, 0.01, 60)
    table = regression(exact + noise, market).set_index("factor")
    assert table["coefficient"].to_dict() == pytest.approx(
        {"alpha": 0.12, "MKT": 0.5, "SMB": -2.0}, abs=0.1
    )
    data = market.assign(y=exact + noise)
    fitted = smf.ols("y ~ MKT + SMB", data).fit(cov_type="HAC", cov_kwds={"maxlags": 3})
    np.testing.assert_allclose(table["t"], fitted.tvalues)


def test_alpha_without_factors_has_the_mean_t(market: pd.DataFrame) -> None:
    alpha = regression(market["MKT"], market[[]]).iloc[0]
    assert alpha["t"] == pytest.approx(newey_west_t(pd.Series(MONTHS), market["MKT"]))


def test_a_month_without_a_factor_is_counted(market: pd.DataFrame) -> None:
    gaps = market.copy()
    gaps.iloc[[3, 7], 0] = np.nan
    table = regression(market["SMB"], gaps.iloc[:-1])
    assert table["omitted"].tolist() == [3] * 3
    assert table["months"].tolist() == [57] * 3


def test_rolling_windows_know_no_later_month(market: pd.DataFrame) -> None:
    series = market["MKT"] + 0.5 * market["SMB"]
    table = rolling_regression(series, market[["SMB"]])
    assert len(table) == 2 * (60 - 36 + 1)
    changed = series.where(series.index < MONTHS[50], 9.0)
    later = rolling_regression(changed, market[["SMB"]])
    early = table["month"] < MONTHS[50]
    pd.testing.assert_frame_equal(table[early], later[early])


def test_levels_become_returns() -> None:
    market = pd.DataFrame({"month": MONTHS[:3], "index": [100.0, 110.0, 99.0], "MKT": 0.01})
    table = factor_returns(market, {"index": "level", "MKT": "return"})
    assert table["index"].tolist()[1:] == pytest.approx([0.10, -0.10])
    with pytest.raises(ParamsError, match=r"backtest.factors names SMB.* choose from index, MKT"):
        factor_returns(market, {"SMB": "return"})


def test_drawdowns_by_hand() -> None:
    returns = pd.Series([-0.10, 0.20, 0.00, -0.50, 0.25, 0.60, -0.20], MONTHS[:7])
    # Value 0.9, 1.08, 1.08, 0.54, 0.675, 1.08, 0.864.
    table = drawdowns(returns)
    assert table["depth"].tolist() == pytest.approx([-0.5, -0.2, -0.1])
    assert list(table["peak"]) == [MONTHS[2], MONTHS[5], MONTHS[0]]
    assert list(table["trough"]) == [MONTHS[3], MONTHS[6], MONTHS[0]]
    assert list(table["recovery"][::2]) == [MONTHS[5], MONTHS[1]]
    assert pd.isna(table["recovery"][1])
    assert table["months"].tolist() == [3, 1, 1]


def test_the_deepest_drawdown_is_that_of_empyrical(market: pd.DataFrame) -> None:
    deepest = drawdowns(market["MKT"])["depth"][0]
    assert deepest == pytest.approx(empyrical.max_drawdown(market["MKT"]))


def test_years_compound_to_the_whole(market: pd.DataFrame) -> None:
    crisis = {"crisis": (MONTHS[2], MONTHS[13])}
    table = by_period(market["MKT"], crisis).set_index("period")
    years = table["return"].drop("crisis")
    assert list(years.index) == ["2015", "2016", "2017", "2018", "2019"]
    assert (1 + years).prod() == pytest.approx((1 + market["MKT"]).prod())
    assert table["return"]["crisis"] == pytest.approx((1 + market["MKT"][2:14]).prod() - 1)
    assert table["months"].to_dict()["crisis"] == 12


def test_the_interval_holds_the_ratio_and_widens(market: pd.DataFrame) -> None:
    low, high = sharpe_interval(market["MKT"] + 0.02)
    assert low < empyrical.sharpe_ratio(market["MKT"] + 0.02, period="monthly") < high
    wider = sharpe_interval(market["MKT"] + 0.02, level=0.99)
    assert wider[0] < low
    assert wider[1] > high
    assert np.isnan(sharpe_interval(market["MKT"][:23])).all()


def test_the_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(100):
        returns = pd.Series(rng.normal(0.01, 0.04, 240))
        low, high = sharpe_interval(returns, draws=300)
        hits.append(low < 0.25 * np.sqrt(12) < high)
    # 90 per cent in large samples; blocks of a twentieth of the record lose a little.
    assert 0.80 <= np.mean(hits) <= 0.97


def test_active_measures_by_hand() -> None:
    returns, index = pd.Series([0.02, 0.04, 0.01]), pd.Series([0.01, 0.01, np.nan])
    active = active_measures(returns, index)
    assert active["active_return"] == pytest.approx(12 * 0.02)
    assert active["tracking_error"] == pytest.approx(np.sqrt(2 * 0.01**2 * 12))
    assert active["information_ratio"] == pytest.approx(0.24 / np.sqrt(0.0024))


def test_exposures_by_hand() -> None:
    book = pd.DataFrame(
        {
            "month": MONTHS[0],
            "leg": ["long", "long", "short"],
            "stock": list("ABC"),
            "weight": [0.5, 0.5, 1.0],
        }
    )
    characteristics = pd.DataFrame(
        {"month": MONTHS[0], "stock": list("ABC"), "size": [1.0, 0.0, -1.0]}
    )
    assert exposures(book, characteristics)["size"].tolist() == pytest.approx([1.5])
