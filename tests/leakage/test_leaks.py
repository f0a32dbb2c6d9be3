"""Every planted leak is found, at its stage, by its feature and since its first month."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo import backtesting, windows
from konkyo.data import fundamentals, us_equities
from konkyo.features import build, characteristics
from konkyo.leakage.perturb import PERTURBATIONS
from konkyo.leakage.record_sources import BuiltRecords, record_source
from konkyo.models import jobs
from small import make_records, small_params

FIRST, DECISION = "2000-07", "2001-09"
"""Of the small records: the panel's first month and the decision month."""


def moved(table: pd.DataFrame, stage: str = "") -> pd.DataFrame:
    """Return what moved, by feature, of one stage or of the first one where something did."""
    rows = table[table["moved"] > 0]
    return rows[rows["stage"] == (stage or rows["stage"].iloc[0])].set_index("feature")


@pytest.mark.slow
def test_without_a_leak_nothing_moves(audit):
    table = audit(months=(), perturbations=PERTURBATIONS)
    assert table["moved"].sum() == 0
    assert set(table["stage"]) == {"ingest", "prepare", "train", "attribute", "backtest"}
    features = table[table["stage"] == "prepare"].set_index("feature")["compared"]
    # 7, 15 and 24 months of at most 16 stocks; of the newest month there are two perturbations.
    assert features["volatility_6"] == features["universe"] > 3 * 7 * 10
    assert features["label"] < features["volatility_6"]
    weights = table.set_index("feature")["compared"]
    inputs = 6 + 3 + 12 + 4
    assert weights["weights of layer 1"] == 8 * (inputs + 1) * 8
    assert (table["compared"] > 0).all() and (table["example"] == "").all()


def test_standardising_over_the_full_sample(audit, monkeypatch):
    own = build.within_month

    def leaky(values, month, how, clip):
        made = own(values, month, how, clip)
        if "volatility_6" in values:
            column = values["volatility_6"].clip(upper=1.0)
            made["volatility_6"] = (column - column.mean()) / column.std()
        return made

    monkeypatch.setattr(build, "within_month", leaky)
    found = moved(audit())
    assert list(found.index) == ["volatility_6"] and set(found["stage"]) == {"prepare"}
    assert found.loc["volatility_6", "first_month"] == FIRST


def test_a_label_shifted_by_one(audit, monkeypatch):
    def leaky(returns, skip_months):
        ahead = np.full_like(returns, np.nan)
        ahead[:-2] = returns[2:]
        return ahead

    monkeypatch.setattr(build, "returns_ahead", leaky)
    found = moved(audit())
    assert set(found.index) == {"ret", "label"} and set(found["stage"]) == {"prepare"}
    # The label of the month before would be realised after the decision month.
    assert set(found["first_month"]) == {"2001-08"}
    newest = moved(audit(months=("2002-06",)))
    assert set(newest.index) == {"ret", "label"} and set(newest["first_month"]) == {"2002-05"}


def test_a_universe_of_those_that_survive(audit, monkeypatch):
    own = build.universe

    def leaky(size, grid, **limits):
        tomorrow = np.vstack([size[1:], size[-1:]])
        return own(np.where(np.isfinite(tomorrow), size, np.nan), grid, **limits)

    monkeypatch.setattr(build, "universe", leaky)
    table = audit()
    found = moved(table)
    assert found.index[0] == "universe" and found["stage"].iloc[0] == "prepare"
    assert found.loc["universe", "first_month"] == DECISION
    assert " is gone" in found.loc["universe", "example"]


def test_the_size_of_the_wrong_month(audit, monkeypatch):
    own = characteristics.compute

    def leaky(name, grids):
        if name == "size":
            grids = {"size": np.vstack([grids["size"][1:], grids["size"][-1:]])}
        return own(name, grids)

    monkeypatch.setattr(characteristics, "compute", leaky)
    found = moved(audit())
    assert "size" in found.index and set(found["stage"]) == {"prepare"}
    assert set(found.index) <= {"size", "counts of missing values"}
    assert found.loc["size", "first_month"] == DECISION


def test_a_source_that_takes_the_size_of_the_row_after(audit, monkeypatch):
    def leaky(stocks):
        later = stocks.groupby("stock")["size"].shift(-1)
        return stocks.assign(size=later.fillna(stocks["size"]))

    monkeypatch.setattr(us_equities, "to_point_in_time", leaky)
    stocks, market = make_records()
    source = BuiltRecords(records=(leaky(stocks), market), unlagged=(stocks, market), lagged=True)
    found = moved(audit(source))
    assert list(found.index) == ["size"] and found.loc["size", "stage"] == "ingest"
    assert found.loc["size", "first_month"] == DECISION


def test_a_scaler_fitted_on_all_windows(audit, monkeypatch):
    own = jobs.market_scale

    def leaky(panel, blocks, first, last):
        return own(panel, blocks, 0, len(blocks.names))

    monkeypatch.setattr(jobs, "market_scale", leaky)
    table = audit()
    found = moved(table)
    assert set(found["stage"]) == {"train"}
    series = ("MKT", "MKT_difference", "VIX", "VIX_change")
    scalers = {f"scaler: {what} of {name}" for what in ("mean", "std") for name in series}
    assert scalers <= set(found.index) and "weights of layer 1" in found.index
    # The decision month's window and the two before it are compared.
    assert found.loc["scaler: mean of MKT", "first_month"] == "2001-07"
    assert "score" in moved(table, "attribute").index


def test_training_on_the_decision_month(audit, monkeypatch):
    own = jobs.network_specs

    def leaky(panel, windows, params):
        label = panel.index["label"].to_numpy()
        stop = {w.month: w.test_stop for w in windows}
        start = {w.month: w.start for w in windows}
        return [
            replace(e, rows=start[e.month] + np.flatnonzero(
                np.isfinite(label[start[e.month] : stop[e.month]])
            ))
            for e in own(panel, windows, params)
        ]  # fmt: skip

    monkeypatch.setattr(jobs, "network_specs", leaky)
    found = moved(audit())
    assert set(found["stage"]) == {"train"}
    assert {"weights of layer 1", "weights of layer 2", "weights of layer 3"} <= set(found.index)
    assert "key of the weights" not in found.index


def test_portfolios_that_know_what_they_earn(audit, monkeypatch):
    own = backtesting.assign_quantiles

    def leaky(scores, portfolios):
        known = scores["ret"].clip(-1, 10).fillna(0.0)
        return own(scores.assign(score=scores["score"] + known), portfolios)

    monkeypatch.setattr(backtesting, "assign_quantiles", leaky)
    found = moved(audit())
    assert set(found["stage"]) == {"backtest"} and "quantile" in found.index
    assert found.loc["quantile", "first_month"] == DECISION


@pytest.mark.slow
def test_fundamentals_joined_by_period_end(audit, own, tmp_path, monkeypatch):
    source = record_source(own.ingest, tmp_path / "raw", own.backtest.n_quantiles)
    assert audit(source, own, perturbations=PERTURBATIONS)["moved"].sum() == 0

    said = fundamentals.to_statements

    def leaky(table, spec, codes):
        return said(table.assign(published=pd.NaT), replace(spec, lag=0), codes)

    monkeypatch.setattr(fundamentals, "to_statements", leaky)
    source = record_source(own.ingest, tmp_path / "raw", own.backtest.n_quantiles)
    found = moved(audit(source, own))
    assert set(found["stage"]) == {"ingest"}
    assert {"grade", "book_to_price"} <= set(found.index) <= set(source.records[0].columns)
    assert not {"return", "size", "sector", "eligible"} & set(found.index)
    assert found.loc["grade", "first_month"] <= DECISION


def gapped():
    """Return the small params with a month left out."""
    whole = small_params()
    return replace(whole, prepare=replace(whole.prepare, skip_months=1))


def test_with_a_month_left_out_nothing_moves(audit):
    table = audit(params=gapped(), months=(), perturbations=PERTURBATIONS)
    assert table["moved"].sum() == 0 and (table["compared"] > 0).all()


def test_a_window_that_forgets_the_gap(audit, monkeypatch):
    own = windows.rolling
    monkeypatch.setattr(windows, "rolling", lambda blocks, length, skip_months: own(blocks, length))
    found = moved(audit(params=gapped()))
    # The label of the row of t-1 is realised in t+1.
    assert set(found["stage"]) == {"train"}
    assert {"key of the weights", "weights of layer 1", "ridge"} <= set(found.index)


def test_a_label_beyond_the_gap(audit, monkeypatch):
    own = windows.returns_ahead
    monkeypatch.setattr(build, "returns_ahead", lambda returns, skip: own(returns, skip + 1))
    found = moved(audit(params=gapped()))
    assert set(found.index) == {"ret", "label"} and set(found["stage"]) == {"prepare"}
    # With a gap of one month the labels up to 2001-07 are realised by 2001-09.
    assert set(found["first_month"]) == {"2001-07"}
