from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.errors import ArtifactError, KonkyoError
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.stocks import stock_table

JANUARY, FEBRUARY, MARCH = (pd.Timestamp(day) for day in ("2020-01-31", "2020-02-29", "2020-03-31"))


def test_figure_8_by_hand(tiny: ExplainedPanel):
    table = stock_table(tiny, FEBRUARY, 1, ["B", "C"])
    stocks = table.drop_duplicates(["side", "stock"])
    assert stocks[["side", "place", "stock", "rank", "stocks", "quantile"]].to_numpy().tolist() == [
        ["long", 1, "C", 1, 4, 2],
        ["short", 1, "D", 4, 4, 1],
        ["named", 1, "B", 3, 4, 1],
        ["named", 2, "C", 1, 4, 2],
    ]
    rows = table[table["side"] == "short"].set_index("feature")
    assert rows.index.tolist() == [*tiny.names, "absorbed"]
    np.testing.assert_allclose(rows["relevance"], [-0.4, -0.1, 0, 0, 0.1, 0], atol=1e-7)
    np.testing.assert_allclose(rows["value"], [1.0, -1.0, 0, 0, 0.02, np.nan])


def test_the_shortest_come_first_among_the_shorts(tiny: ExplainedPanel):
    stocks = stock_table(tiny, JANUARY, 2).drop_duplicates("stock")
    assert stocks["stock"].tolist() == ["A", "B", "D", "C"]
    assert stocks["place"].tolist() == [1, 2, 1, 2]


def test_no_stock_is_long_and_short(tiny: ExplainedPanel):
    table = stock_table(tiny, MARCH, 30)
    assert table.groupby("stock")["side"].nunique().tolist() == [1, 1, 1, 1]


def test_every_stock_of_a_month_can_be_named(tiny: ExplainedPanel):
    named = stock_table(tiny, MARCH, 1, ["E", "A", "C", "B"])
    rows = named[named["side"] == "named"].drop_duplicates("stock")
    assert rows["stock"].tolist() == ["E", "A", "C", "B"]


def test_unknown_stocks_are_named(tiny: ExplainedPanel):
    with pytest.raises(KonkyoError, match=r"X, E not among the 4 stocks ranked in 2020-01 \(such"):
        stock_table(tiny, JANUARY, 1, ["X", "A", "E"])
    with pytest.raises(ArtifactError, match="2021-01"):
        stock_table(tiny, pd.Timestamp("2021-01-31"), 1)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 8))
def test_all_adds_up(made: Callable[..., ExplainedPanel], seed: int, n: int):
    e = made(seed, months=3)
    month = e.months()[-1]
    table = stock_table(e, month, n).groupby(["side", "stock"])
    np.testing.assert_allclose(table["relevance"].sum(), table["score"].first(), atol=1e-6)
