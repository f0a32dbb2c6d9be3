"""From records to grounds: what comes after t changes nothing up to t, to the bit."""

import numpy as np
import pandas as pd
import pytest

from konkyo import dates
from konkyo.attribution.attributions import explain
from konkyo.features.build import build
from konkyo.models import jobs
from konkyo.models.baselines import ridge_scores
from konkyo.models.train import train
from konkyo.windows import MonthSlices, rolling
from small import make_records, small_params

PARAMS = small_params()


def pipeline(stocks: pd.DataFrame, market: pd.DataFrame, folder) -> pd.DataFrame:
    """Return every month's scores and grounds, and the linear baseline's scores."""
    panel, _ = build(stocks, market, PARAMS.prepare)
    windows = rolling(MonthSlices.of(panel.index["month"]), PARAMS.train.window_months)
    train(panel, windows, PARAMS.train, folder)
    rows = slice(windows[0].test_start, None)
    frame = panel.index[["month", "stock"]].iloc[rows].reset_index(drop=True)
    features = pd.DataFrame(panel.features[rows], columns=panel.names)
    grounds = explain(folder / "weights", pd.concat([frame, features], axis=1), 0.001)
    label = panel.index["label"].to_numpy(dtype=np.float32)
    entries = [e for e in jobs.network_specs(panel, windows, PARAMS.train) if not e.placebo]
    ridge = [
        ridge_scores(panel, w, e, label, PARAMS.train.ridge_penalty)
        for w, e in zip(windows, entries, strict=True)
    ]
    return grounds.assign(ridge=np.concatenate(ridge))


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    return pipeline(*make_records(), tmp_path_factory.mktemp("before"))


@pytest.mark.parametrize("last", ["2001-06", "2002-01"])
def test_the_future_changes_no_score_and_no_relevance(last, before, tmp_path):
    stocks, market = make_records()
    month = dates.parse(last)
    rng = np.random.default_rng(0)
    later = stocks["month"] > month
    stocks.loc[later, "return"] = rng.normal(0, 0.5, later.sum()).clip(-0.9)
    stocks.loc[later, ["size", "illiquidity"]] = rng.random((later.sum(), 2)) * 1e6 + 1
    stocks = stocks[~(later & (rng.random(len(stocks)) < 0.2))]
    new = stocks[stocks["month"] > month].drop_duplicates("month").assign(stock="NEW", sector="Z")
    ahead = market["month"] > month
    market.loc[ahead, ["MKT", "VIX"]] = rng.random((ahead.sum(), 2)) * 100
    after = pipeline(pd.concat([stocks, new]), market, tmp_path)
    upto = before["month"] <= month
    assert upto.sum() > 50
    same = after[after["month"] <= month].reset_index(drop=True)
    pd.testing.assert_frame_equal(before[upto].reset_index(drop=True), same, check_exact=True)
    moved = before.merge(after, on=["month", "stock"], suffixes=("_before", "_after"))
    moved = moved[moved["month"] > month]
    assert (moved["score_before"] != moved["score_after"]).mean() > 0.9


def test_the_past_does_change_them(before, tmp_path):
    stocks, market = make_records()
    stocks.loc[stocks["month"] == stocks["month"].min(), "return"] *= 2
    stocks.loc[stocks["month"] == dates.parse("2000-12"), "return"] *= -0.5
    after = pipeline(stocks, market, tmp_path)
    assert (after["score"] != before["score"]).any()
