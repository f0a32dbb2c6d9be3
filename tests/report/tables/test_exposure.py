import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd

from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.exposure import exposure


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


def test_months_without_portfolios_hold_nothing(made: Callable[..., ExplainedPanel]):
    e = made(3)
    gone = e.months()[2]
    quantile = e.index["quantile"].mask(e.index["month"] == gone)
    other = dataclasses.replace(e, index=e.index.assign(quantile=quantile))
    held = exposure(other)
    assert held.loc[held["month"] == gone, ["long", "short"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(
        held[held["month"] != gone], exposure(e)[lambda table: table["month"] != gone]
    )
