"""The tables of portfolios as they are held: consistent with one another and with the backtest."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import small_portfolio as small
from konkyo import backtesting
from konkyo.backtesting.portfolio_tables import horizon_ic, later_returns, portfolio_tables
from konkyo.backtesting.portfolios import NoPortfoliosError
from konkyo.config import Impact, Period


def _network(table: pd.DataFrame, portfolio: str) -> pd.DataFrame:
    rows = table[(table["model"] == "network") & (table["portfolio"] == portfolio)]
    return rows.set_index("month")


def test_the_equal_weighted_one_is_that_of_figure_7() -> None:
    rows = small.inputs().rows.drop(columns=["quantile", "rank"])
    ranked = backtesting.assign_quantiles(rows, 5)
    monthly = backtesting.monthly_returns(ranked, 5, 10.0)
    monthly = monthly[monthly["model"] == "network"].set_index("month")
    held = _network(small.tables()[0]["portfolio_returns"], "equal_weighted")
    for mine, published in (("gross", "spread"), ("net", "spread_net"), ("turnover", "turnover")):
        np.testing.assert_allclose(held[mine], monthly[published], atol=1e-14)


def test_attributions_add_up_to_the_returns() -> None:
    tables, _ = small.tables()
    groups = tables["return_attribution_groups"]
    for name in ("equal_weighted", "score_weighted"):
        part = groups[groups["portfolio"] == name].groupby("month")["contribution"].sum()
        gross = _network(tables["portfolio_returns"], name)["gross"]
        np.testing.assert_allclose(part, gross, rtol=0, atol=1e-12)
    inputs = tables["return_attribution"].groupby("month")["contribution"].sum()
    np.testing.assert_allclose(
        inputs, _network(tables["portfolio_returns"], "score_weighted")["gross"], atol=1e-12
    )


def test_the_planted_inputs_earned_the_return() -> None:
    summary = small.tables()[0]["return_attribution_summary"]
    t = summary[summary["kind"] == "input"].set_index("feature")["t"]
    assert t["return_1"] > 3
    assert t["size"] < -2
    promise = small.tables()[0]["promise"].set_index("feature")["delivers"]
    assert promise["return_1"]
    assert set(promise.index) == set(small.CATALOGUE["name"])


def test_figures_have_stable_names() -> None:
    tables, figures = small.tables()
    table = tables["portfolio_performance"].set_index(["model", "portfolio"])
    net = figures["sector_neutral"]["net"]
    assert net["sharpe_ratio"] == table.loc[("network", "sector_neutral"), "sharpe_ratio"]
    assert set(figures) == {
        *("equal_weighted", "value_weighted", "sector_neutral", "score_weighted"),
        *("return_attribution", "horizon_rank_ic", "placebo"),
    }
    assert table["main"].groupby("portfolio").first().to_dict() == {
        "equal_weighted": True, "value_weighted": False, "sector_neutral": False,
        "score_weighted": False,
    }  # fmt: skip


def test_horizon_one_is_the_published_rank_ic() -> None:
    inputs = small.inputs()
    network = inputs.rows[inputs.rows["model"] == "network"]
    ahead = later_returns(inputs, network, [1, 2])
    realised = network["ret"].notna().to_numpy()
    np.testing.assert_array_equal(ahead[realised, 0], network["ret"][realised])
    later = network.groupby("stock")["ret"].shift(-1)
    both = later.notna().to_numpy()
    np.testing.assert_array_equal(ahead[both, 1], later[both])
    horizon = horizon_ic(inputs)
    # The records go a month beyond the last decision.
    assert horizon["months"].tolist() == [49 - h for h in range(1, 13)]
    assert horizon["t_newey_west"][0] > 3 > horizon["t_newey_west"][1:].abs().max()


def test_a_lag_of_a_month_earns_the_later_month() -> None:
    periods = (Period("crisis", "2016-07", "2017-03"),)
    tables, figures = small.tables(lag_months=1, periods=periods)
    held = _network(tables["portfolio_returns"], "custom")
    inputs = small.inputs()
    rows = inputs.rows[inputs.rows["model"] == "network"]
    late = rows.assign(ret=later_returns(inputs, rows, [2])[:, 0])
    means = late.groupby(["month", "quantile"])["ret"].mean()
    spread = means.xs(5, level="quantile") - means.xs(1, level="quantile")
    np.testing.assert_allclose(held["gross"], spread.dropna(), atol=1e-14)
    assert (held["earned"] == held.index + pd.offsets.MonthEnd(2)).all()
    assert "custom" in figures
    table = tables["periods"].set_index("period")
    assert list(table.index) == ["2015", "2016", "2017", "2018", "2019", "crisis"]
    assert table["months"]["crisis"] == 9


def test_impact_gives_the_capacity_curve() -> None:
    impact = Impact(coefficient=1.0, aum=1e6, currency="JPY")
    tables, figures = small.tables(impact=impact)
    curve = tables["capacity"].set_index("aum")["net"]
    assert curve.is_monotonic_decreasing
    net = figures["custom"]["net"]["annual_return_arithmetic"]
    assert curve[1e6] == pytest.approx(net)
    assert net < figures["equal_weighted"]["net"]["annual_return_arithmetic"]


def test_records_without_sectors_have_fewer_portfolios() -> None:
    whole = small.inputs()
    bare = replace(whole, rows=whole.rows.assign(sector=None, market_value=np.nan))
    tables, _ = portfolio_tables(bare, small.CONFIG)
    names = set(tables["portfolio_performance"]["portfolio"])
    assert names == {"equal_weighted", "score_weighted"}
    with pytest.raises(NoPortfoliosError, match="sectors of at least"):
        portfolio_tables(bare, replace(small.CONFIG, neutral=("sector",), weights="rank"))


def test_holdings_and_trades_fit_each_other() -> None:
    tables, _ = small.tables(neutral=("sector", "size"), weights="value", buffer=2)
    held, trades = tables["holdings"], tables["trades"]
    np.testing.assert_allclose(held.groupby(["month", "leg"])["weight"].sum(), 1.0)
    np.testing.assert_allclose(trades["weight"] - trades["before"], trades["trade"])
    last = held[held["month"] == held["month"].max()].set_index(["leg", "stock"])["weight"]
    after = trades[trades["month"] == held["month"].max()].set_index(["leg", "stock"])["weight"]
    assert after[after > 0].to_dict() == pytest.approx(last.to_dict())
