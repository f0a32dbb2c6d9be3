from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from konkyo.errors import KonkyoError
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.market import (
    largest_month,
    market_over_time,
    market_quantiles,
    top_market,
)


def test_over_time_by_hand(tiny: ExplainedPanel):
    table = market_over_time(tiny, ["topix_change", "size"], largest=1)
    rows = table[table["feature"] == "topix_change"]
    # January: (0.1 + 0) / 2 against (-0.1 - 0.1) / 2; February: (0 + 0.1) / 2 against the same.
    np.testing.assert_allclose(rows["long"], [0.05, 0.05, 0], atol=1e-8)
    np.testing.assert_allclose(rows["short"], [-0.1, 0.05, 0], atol=1e-8)
    np.testing.assert_allclose(rows["difference"], [0.15, 0, 0], atol=1e-8)
    assert rows["marked"].tolist() == [True, False, False]
    assert largest_month(table, "topix_change") == pd.Timestamp("2020-01-31")
    assert largest_month(table, "size") == pd.Timestamp("2020-01-31")
    assert table["feature"].tolist() == ["topix_change"] * 3 + ["size"] * 3


def test_marks_the_largest_of_either_sign(made: Callable[..., ExplainedPanel]):
    table = market_over_time(made(7, months=8), ["topix_change"], largest=3)
    marked = table[table["marked"]]
    assert len(marked) == 3
    rest = table.loc[~table["marked"], "difference"].abs()
    assert marked["difference"].abs().min() >= rest.max()
    assert marked["difference"].abs().max() == abs(
        table.set_index("month")["difference"][largest_month(table, "topix_change")]
    )


def test_top_market_by_mean_absolute_difference(tiny: ExplainedPanel):
    relevance = tiny.relevance.copy()
    # One series moves apart up and down, the other a little and always up.
    long = np.zeros(12, dtype=bool)
    long[tiny.side("long")] = True
    sign = np.repeat([1, -1, 1], 4)
    relevance[:, 3] = np.where(long, 0.3 * sign, 0)
    relevance[:, 4] = np.where(long, 0.2, 0)
    # One moves both sides, which sets nothing apart.
    relevance[:, 2] = 0.5
    catalogue = pd.DataFrame(
        {
            "name": ["a", "b", "together", "up_and_down", "up"],
            "group": ["sector"] * 2 + ["market"] * 3,
        }
    )
    e = ExplainedPanel(tiny.index, tiny.features, relevance, tiny.absorbed, catalogue)
    assert top_market(e, 1) == ["up_and_down"]
    assert top_market(e, 5) == ["up_and_down", "up", "together"]


def test_quantiles_by_hand(made: Callable[..., ExplainedPanel]):
    e = made(11, stocks=60)
    month = e.months()[2]
    table = market_quantiles(e, "topix_change", month)
    assert table["attribute"].unique().tolist() == ["return_1", "size"]
    rows = e.index[e.index["month"] == month].index
    order = sorted(rows, key=lambda row: e.relevance[row, 4])
    parts = e.best
    assert sorted(table["relevance_quantile"].unique()) == list(range(1, parts + 1))
    for place in range(parts):
        members = [row for k, row in enumerate(order) if parts * k // len(order) == place]
        result = table[table["relevance_quantile"] == place + 1].set_index("attribute")
        assert result["stocks"].tolist() == [len(members)] * 2
        assert result.loc["size", "value"] == pytest.approx(e.features[members, 1].mean(), abs=1e-6)
        assert result["relevance"].iloc[0] == pytest.approx(e.relevance[members, 4].mean())
    assert table["relevance"].is_monotonic_increasing
    chosen = market_quantiles(e, "topix_change", month, ["sector_banks"])
    assert chosen["attribute"].unique().tolist() == ["sector_banks"]


def test_too_few_stocks_for_quantiles(tiny: ExplainedPanel):
    index = tiny.index.assign(quantile=tiny.index["quantile"].replace(tiny.best, 10))
    ten = ExplainedPanel(index, tiny.features, tiny.relevance, tiny.absorbed, tiny.catalogue)
    with pytest.raises(KonkyoError, match="2020-02 has 4 ranked stocks, fewer than the 10 port"):
        market_quantiles(ten, "topix_change", pd.Timestamp("2020-02-29"))
    with pytest.raises(KonkyoError, match="no feature gold"):
        market_quantiles(tiny, "gold", pd.Timestamp("2020-02-29"))
