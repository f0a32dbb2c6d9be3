from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from konkyo.errors import KonkyoError
from konkyo.report import tables as report_tables
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.labels import labels
from small import small_params

CHOSEN = small_params().report
_OF_MARKET = {"market_over_time", "market_quantiles"}


def test_defaults_take_what_separates_long_from_short(
    made: Callable[..., ExplainedPanel],
) -> None:
    e = made(3, stocks=60)
    tables = report_tables.tables(e, labels(e.names), CHOSEN)
    newest = e.months()[-1]
    assert set(tables["stocks"]["month"]) == {newest}
    assert tables["stocks"].groupby("side")["stock"].nunique().to_dict() == {
        "long": 10,
        "short": 10,
    }
    assert tables["sentences"]["stock"].tolist() == list(dict.fromkeys(tables["stocks"]["stock"]))
    assert set(tables["factor_shape"]["feature"]) == set(
        report_tables.top_factors(tables["factor_means"], 6)
    )
    assert set(tables["market_quantiles"]["feature"]) == set(report_tables.top_market(e, 3))
    marked = tables["market_over_time"].set_index("month")["difference"].abs()
    assert tables["market_quantiles"]["month"].unique().tolist() == [marked.idxmax()]


def test_choices_are_kept(made: Callable[..., ExplainedPanel]) -> None:
    e = made(3, stocks=60)
    month, named = e.months()[1], e.index["stock"].iloc[e.rows(e.months()[1])].iloc[7]
    name = f"{month:%Y-%m}"
    chosen = replace(
        CHOSEN, month=name, n_extremes=2, watchlist=(named,), factors=("size",), market_month=name
    )
    tables = report_tables.tables(e, labels(e.names), chosen)
    assert set(tables["stocks"]["month"]) == {month}
    assert tables["stocks"].query("side == 'named'")["stock"].unique().tolist() == [named]
    assert set(tables["factor_points"]["feature"]) == {"size"}
    assert set(tables["market_quantiles"]["month"]) == {month}
    with pytest.raises(
        KonkyoError, match=r"report\.market names size, .* choose from topix_change"
    ):
        report_tables.tables(e, labels(e.names), replace(chosen, market=("size",)))


def test_without_market_series_their_tables_are_absent(
    made: Callable[..., ExplainedPanel],
) -> None:
    e = made(3, stocks=60)
    keep = np.flatnonzero(e.catalogue["group"] != "market")
    bare = ExplainedPanel(
        e.index, e.features[:, keep], e.relevance[:, keep],
        e.absorbed + e.relevance.sum(1) - e.relevance[:, keep].sum(1),
        e.catalogue.iloc[keep].reset_index(drop=True),
    )  # fmt: skip
    tables = report_tables.tables(bare, labels(bare.names), CHOSEN)
    whole = report_tables.tables(e, labels(e.names), CHOSEN)
    assert set(whole) - set(tables) == _OF_MARKET
    with pytest.raises(KonkyoError, match="none, as the panel has none"):
        report_tables.tables(bare, labels(bare.names), replace(CHOSEN, market=("MKT",)))
