"""Raw characteristics are what standardising begins with."""

import numpy as np
import pandas as pd
import pytest

from konkyo.config import Params
from konkyo.errors import ArtifactError
from konkyo.features.characteristics import raw_values, table
from konkyo.features.standardise import standardise
from konkyo.features.store import Panel


def test_standardised_they_are_the_panels_features(
    records: tuple[pd.DataFrame, pd.DataFrame], small: Params, panel: Panel
):
    names = small.prepare.characteristics
    raw = raw_values(records[0], panel.index, names)
    scaled = standardise(raw, panel.index["month"].to_numpy(), "rank", None).fillna(0.0)
    own = panel.features[:, panel.columns("characteristic")]
    np.testing.assert_allclose(scaled, own, atol=1e-6)
    assert raw["illiquidity"].isna().any()


def test_a_months_return_and_size_by_hand(records: tuple[pd.DataFrame, pd.DataFrame], panel: Panel):
    raw = raw_values(records[0], panel.index, ["return_1", "size"])
    row = panel.index.iloc[100]
    table = records[0]
    own = table[(table["month"] == row["month"]) & (table["stock"] == row["stock"])].iloc[0]
    assert raw["return_1"].iloc[100] == pytest.approx(own["return"])
    assert raw["size"].iloc[100] == pytest.approx(np.log(own["size"]))


def test_the_future_does_not_change_them(
    records: tuple[pd.DataFrame, pd.DataFrame], small: Params, panel: Panel
):
    cut = panel.index["month"].iloc[150]
    later = records[0].copy()
    later.loc[later["month"] > cut, ["return", "size", "illiquidity"]] *= 3
    before = raw_values(records[0], panel.index, small.prepare.characteristics)
    after = raw_values(later, panel.index, small.prepare.characteristics)
    past = (panel.index["month"] <= cut).to_numpy()
    pd.testing.assert_frame_equal(before[past], after[past])
    assert not before[~past].equals(after[~past])


def test_a_panel_of_other_records_is_refused(
    records: tuple[pd.DataFrame, pd.DataFrame], panel: Panel
):
    gone = records[0][records[0]["stock"] != panel.index["stock"].iloc[0]]
    with pytest.raises(ArtifactError, match=r"the records do not.*dvc repro prepare"):
        raw_values(gone, panel.index, ["size"])
    early = records[0][records[0]["month"] < panel.index["month"].iloc[-1]]
    with pytest.raises(ArtifactError, match="the records do not"):
        raw_values(early, panel.index, ["size"])


def test_records_may_begin_with_the_panel(records: tuple[pd.DataFrame, pd.DataFrame], panel: Panel):
    since = records[0][records[0]["month"] >= panel.index["month"].iloc[0]]
    pd.testing.assert_frame_equal(
        raw_values(since, panel.index, ["size"]), raw_values(records[0], panel.index, ["size"])
    )


def test_what_is_infinite_is_missing():
    grid = np.array([[np.inf, -np.inf, 1.0]])
    found = table(["own"], {"own": grid}, np.zeros(3, dtype=int), np.arange(3))
    np.testing.assert_array_equal(found["own"], [np.nan, np.nan, 1.0])
