"""Raw tables in other worlds: what was known by then is what it was; the source reads them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo import config
from konkyo.leakage import perturb_tables, run
from konkyo.leakage.perturb import EXTREME, OTHER, WORLDS
from konkyo.leakage.record_sources import record_source
from small_prices import random_rows

T = 12 * 31 + 4
"""2001-05, counted from 1970-01."""


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_reports_known_by_the_month_stay_and_later_ones_differ(own, world):
    raw = perturb_tables.read(own.ingest.tables).reports[0]
    made = perturb_tables.reported(raw, T, world, np.random.default_rng(1))

    def known(frame: pd.DataFrame) -> np.ndarray:
        table = perturb_tables._reports(replace(raw, frame=frame))
        return table.known

    before = raw.frame[known(raw.frame) <= T].reset_index(drop=True)
    past = known(made) <= T
    pd.testing.assert_frame_equal(made[past].reset_index(drop=True), before, check_dtype=False)
    ahead = made[~past]
    if not world.months:
        assert ahead.empty
        return
    keys = ["stock", "period_end"]
    # Restatements of periods that were known, and other values of those that were not.
    assert len(ahead.merge(before, on=keys)) > 20
    later = ahead.merge(raw.frame[known(raw.frame) > T], on=keys, suffixes=("", "_before"))
    assert len(later) > 20 and (later["grade"] != later["grade_before"]).all()


def test_stays_that_began_stay_and_their_ends_are_not_known(own):
    raw = perturb_tables.read(own.ingest.tables).members[0]
    for world in (OTHER, EXTREME):
        made = perturb_tables.stays(raw, T, world, np.random.default_rng(1), ["!NEW"])
        starts = ["2000-01-01", "2001-03-15"]
        for frame in (raw.frame, made):
            early = frame[frame["start"] == starts[0]].sort_values("stock")
            starts.append(early["end"].where(early["end"] == "2001-03-15").tolist())
        assert starts[-1] == starts[-2]
        assert made.loc[made["stock"] == "!NEW", "start"].tolist() == [pd.Timestamp("2001-06-01")]
        # Ends after the month are others or unknown.
        assert (made["end"] == "2001-06-01").sum() < (raw.frame["end"] == "2001-06-01").sum() / 4


@pytest.fixture(params=["long", "wide"])
def dated(own, tmp_path, request) -> config.Params:
    """Return params of daily prices, side by side or one below the other."""
    rows = pd.concat([random_rows(seed).assign(group=seed) for seed in range(3)])
    rows["stock"] += rows.pop("group").astype("str")
    columns = ["date", "stock", "close", "volume"]
    if request.param == "wide":
        rows = rows.pivot_table(index="date", columns="stock", values="close").reset_index()
        columns = list(rows)
    rows[columns].to_csv(tmp_path / "daily.csv", index=False)
    stocks = replace(
        own.ingest.tables.stocks,
        files=(str(tmp_path / "daily.csv"),),
        columns={},
        rows="dated",
        layout=request.param,
        eligible="",
    )
    kept = {"stocks": stocks, "members": (), "sectors": ()}
    if request.param == "long":
        # Traded value stands in for the market value.
        kept["stocks"] = replace(stocks, columns={"dollar_volume": "size"})
        kept["reports"] = ()
    else:
        table = pd.read_csv(own.ingest.tables.reports[0].files[0])
        names = sorted(table["stock"].unique())
        new = dict(zip(names, sorted(set(columns[1:])), strict=False))
        table["shares"] = np.exp(np.sin(np.arange(len(table)))) * 1e6
        table["stock"] = table["stock"].map(new)
        table = table.dropna(subset="stock")
        table.to_csv(own.ingest.tables.reports[0].files[0], index=False)
    ingest = replace(own.ingest, last_month="2002-06", tables=replace(own.ingest.tables, **kept))
    prepare = replace(
        own.prepare,
        first_month="2001-05",
        universe_size=8,
        characteristics=("return_1", "size", "daily_volatility", "beta_daily"),
    )
    return replace(own, ingest=ingest, prepare=prepare)


def test_nothing_moves_in_daily_prices(audit, dated, tmp_path):
    origin = record_source(dated.ingest, tmp_path / "raw", dated.backtest.n_quantiles)
    assert len(origin.records[0]) > 200
    table = audit(origin, dated, months=("2002-06",), tried=(OTHER, EXTREME))
    assert table["moved"].sum() == 0 and table["compared"].sum() > 1500


def test_another_world_really_differs(own, tmp_path):
    origin = record_source(own.ingest, tmp_path / "raw", own.backtest.n_quantiles)
    for world in (OTHER, EXTREME):
        stocks, market = origin.world(T, world, np.random.default_rng(1), tmp_path)
        after = origin.records[0].merge(stocks, on=["month", "stock"], suffixes=("", "_new"))
        after = after[after["month"] > "2001-05-31"]
        for name in ("return", "size", "grade"):
            assert (after[name] != after[f"{name}_new"]).mean() > 0.6
        series = origin.records[1].merge(market, on="month", suffixes=("", "_new"))
        moved = series["VIX"] != series["VIX_new"]
        assert moved[series["month"] > "2001-05-31"].all()
        assert not moved[series["month"] <= "2001-05-31"].any()


def test_decision_months_are_spread_and_end_with_the_newest():
    month = pd.Series(pd.date_range("2000-01-31", periods=20, freq="ME").repeat(2))
    assert run.decision_months(month, 6, 3) == ["2000-07", "2001-01", "2001-08"]
    assert run.decision_months(month, 6, 1) == ["2001-08"]
    assert len(run.decision_months(month, 6, 99)) == 14
