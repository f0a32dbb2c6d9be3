"""Perturbed raw tables: rows available by the month stay, and the source reads the result."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo import config
from konkyo.leakage import record_sources, run
from konkyo.leakage.perturb import EXTREME, PERTURBATIONS, REDRAWN
from konkyo.leakage.record_sources import record_source
from small_prices import random_rows

T = 12 * 31 + 4
"""2001-05, counted from 1970-01."""


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda perturbation: perturbation.name)
def test_reports_published_by_the_month_stay(own, perturbation):
    spec, rows = record_sources.read(own.ingest.tables)["reports"][0]
    made = record_sources.perturb_reports(spec, rows, T, perturbation, np.random.default_rng(1))

    def known(frame: pd.DataFrame) -> np.ndarray:
        return record_sources.known_of(spec, frame)

    before = rows[known(rows) <= T].reset_index(drop=True)
    past = known(made) <= T
    pd.testing.assert_frame_equal(made[past].reset_index(drop=True), before, check_dtype=False)
    ahead = made[~past]
    if not perturbation.months:
        assert ahead.empty
        return
    keys = ["stock", "period_end"]
    # Restatements of periods that were known, and other values of those that were not.
    assert len(ahead.merge(before, on=keys)) > 20
    later = ahead.merge(rows[known(rows) > T], on=keys, suffixes=("", "_before"))
    assert len(later) > 20 and (later["grade"] != later["grade_before"]).all()


def test_memberships_begun_by_the_month_stay(own):
    _, rows = record_sources.read(own.ingest.tables)["members"][0]
    for perturbation in (REDRAWN, EXTREME):
        made = record_sources.perturb_members(
            rows, T, perturbation, rng=np.random.default_rng(1), new_codes=["!NEW"]
        )
        starts = ["2000-01-01", "2001-03-15"]
        for frame in (rows, made):
            early = frame[frame["start"] == starts[0]].sort_values("stock")
            starts.append(early["end"].where(early["end"] == "2001-03-15").tolist())
        assert starts[-1] == starts[-2]
        assert made.loc[made["stock"] == "!NEW", "start"].tolist() == [pd.Timestamp("2001-06-01")]
        # Ends after the month are others or unknown.
        assert (made["end"] == "2001-06-01").sum() < (rows["end"] == "2001-06-01").sum() / 4


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


@pytest.mark.slow
def test_nothing_moves_in_daily_prices(audit, dated, tmp_path):
    source = record_source(dated.ingest, tmp_path / "raw", dated.backtest.n_quantiles)
    assert len(source.records[0]) > 200
    table = audit(source, dated, months=("2002-06",), perturbations=(REDRAWN, EXTREME))
    assert table["moved"].sum() == 0 and table["compared"].sum() > 1500


def test_perturbed_records_differ(own, tmp_path):
    source = record_source(own.ingest, tmp_path / "raw", own.backtest.n_quantiles)
    for perturbation in (REDRAWN, EXTREME):
        stocks, market = source.perturb(T, perturbation, np.random.default_rng(1), tmp_path)
        after = source.records[0].merge(stocks, on=["month", "stock"], suffixes=("", "_new"))
        after = after[after["month"] > "2001-05-31"]
        for name in ("return", "size", "grade"):
            assert (after[name] != after[f"{name}_new"]).mean() > 0.6
        series = source.records[1].merge(market, on="month", suffixes=("", "_new"))
        moved = series["VIX"] != series["VIX_new"]
        assert moved[series["month"] > "2001-05-31"].all()
        assert not moved[series["month"] <= "2001-05-31"].any()


def test_decision_months_end_with_the_newest():
    month = pd.Series(pd.date_range("2000-01-31", periods=20, freq="ME").repeat(2))
    assert run.decision_months(month, 6, 3) == ["2000-07", "2001-01", "2001-08"]
    assert run.decision_months(month, 6, 1) == ["2001-08"]
    assert len(run.decision_months(month, 6, 99)) == 14
