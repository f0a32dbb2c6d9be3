import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting.turnover import equal_weights, trades
from konkyo.report.tables import ExplainedPanel, exposure, relevance_turnover


def test_exposure_by_hand(tiny: ExplainedPanel):
    table = exposure(tiny).set_index(["month", "name"])
    january, february = pd.Timestamp("2020-01-31"), pd.Timestamp("2020-02-29")
    columns = ["long", "short", "difference"]
    assert table.loc[(january, "banks"), columns].tolist() == [1, 0, 1]
    assert table.loc[(february, "banks"), columns].tolist() == [0.5, 0.5, 0]
    # Sizes 8, 4, 2, 1 are at the percentiles 7/8, 5/8, 3/8, 1/8.
    assert table.loc[(january, "size"), columns].tolist() == [0.75, 0.25, 0.5]
    assert table["kind"].tolist() == ["sector", "sector", "size"] * 3


def test_shares_add_up_and_a_stock_may_have_no_sector(made: Callable[..., ExplainedPanel]):
    e = made(4)
    e.index.loc[:20, "sector"] = None
    table = exposure(e)
    sums = table[table["kind"] == "sector"].groupby("month")[["long", "short"]].sum()
    np.testing.assert_allclose(sums, 1)
    assert set(table["name"]) == {"", "banks", "foods", "mining", "size"}


def test_turnover_by_hand(tiny: ExplainedPanel):
    table = relevance_turnover(tiny).set_index(["month", "side"])
    february = table.loc[(pd.Timestamp("2020-02-29"), "long")].set_index("feature")["turnover"]
    # B leaves for the change of its 1-month return alone; C enters: 0.4, 0.2 and 0.1 (absorbed).
    expected = {"return_1": 0.25 + 0.25 * 4 / 7, "topix_change": 0.25 * 2 / 7}
    expected |= {"absorbed": 0.25 / 7, "unranked": 0, "size": 0, "sector_banks": 0, "month_01": 0}
    assert february.to_dict() == pytest.approx(expected, abs=1e-7)
    # C leaves; E was not ranked in February.
    march = table.loc[(pd.Timestamp("2020-03-31"), "long")].set_index("feature")["turnover"]
    assert march["unranked"] == pytest.approx(0.25)
    assert march["return_1"] == pytest.approx(0.25 * 5 / 6)
    # D is gone and C enters the shorts.
    short = table.loc[(pd.Timestamp("2020-03-31"), "short")].set_index("feature")["turnover"]
    assert short["unranked"] == pytest.approx(0.25)
    assert short.sum() == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(4))
def test_the_sum_is_the_turnover_of_the_backtest(made: Callable[..., ExplainedPanel], seed: int):
    e = made(seed, months=8, without=(3,))
    split = relevance_turnover(e).groupby(["month", "side"])["turnover"].sum()
    # No return, no drift: the weights before trading are those of the month before.
    whole = trades(equal_weights(e.index.assign(model="network"), e.best))
    whole = whole.dropna().set_index(["month", "leg"])["turnover"]
    assert len(split) == len(whole) == 2 * 5
    for key, turnover in whole.items():
        assert split[key] == pytest.approx(turnover)


def test_a_trade_without_attribution_is_not_assigned(tiny: ExplainedPanel):
    """The other stocks' scores can move a stock out of a portfolio; its own grounds did not."""
    relevance = tiny.relevance.copy()
    relevance[5] = relevance[1]
    e = ExplainedPanel(tiny.index, tiny.features, relevance, tiny.absorbed, tiny.catalogue)
    table = relevance_turnover(e).set_index(["month", "side", "feature"])["turnover"]
    assert table[pd.Timestamp("2020-02-29"), "long", "unranked"] == pytest.approx(0.25)


def test_months_without_portfolios_trade_nothing(
    made: Callable[..., ExplainedPanel],
):
    e = made(3)
    whole = relevance_turnover(e)
    gone = e.months()[2]
    quantile = e.index["quantile"].mask(e.index["month"] == gone)
    other = dataclasses.replace(e, index=e.index.assign(quantile=quantile))
    found = relevance_turnover(other)
    left = whole[~whole["month"].isin(e.months()[2:4])].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, left)
    held = exposure(other)
    assert held.loc[held["month"] == gone, ["long", "short"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(
        held[held["month"] != gone], exposure(e)[lambda table: table["month"] != gone]
    )
