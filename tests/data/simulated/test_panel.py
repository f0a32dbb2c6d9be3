"""The panel built from the preset: 126 inputs, from which the truth follows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konkyo import config
from konkyo.data.simulated import CHARACTERISTICS, MARKET, SECTORS, catalogue, simulate
from konkyo.data.simulated.catalogue import COLUMNS, COMPUTED
from konkyo.data.simulated.ground_truth import EFFECTS, inputs_with_effect
from konkyo.data.simulated.scenario import SECTOR_SIZES
from konkyo.data.simulated.simulate import FIRST
from konkyo.features.build import build
from konkyo.features.store import Panel
from small import SIMULATED

from .conftest import wide

PRESET = config.load(Path(__file__).parents[3] / "data/examples/simulated-tse/params.yaml")


@pytest.fixture(scope="module")
def small():
    """Return the market of the preset, 60 stocks of it, up to 2004-06."""
    return simulate(replace(PRESET.ingest.simulated, stocks=60), FIRST, "2004-06")


@pytest.fixture(scope="module")
def panel(small) -> Panel:
    return build(small.stocks, small.series, PRESET.prepare)[0]


def test_126_inputs():
    counts = catalogue()["group"].value_counts().to_dict()
    assert counts == {"characteristic": 33, "sector": 33, "calendar": 12, "market": 48}
    assert len(catalogue()) == 126 and catalogue()["name"].is_unique
    assert len(CHARACTERISTICS) == len(SECTORS) == len(SECTOR_SIZES) == 33 and len(MARKET) == 24
    assert len(COLUMNS) == 26 and set(COLUMNS) | set(COMPUTED) == set(CHARACTERISTICS)


def test_yields_as_differences_all_else_as_changes():
    yields = {name for name, (_, second) in MARKET.items() if second == "difference"}
    assert yields == {name for name in MARKET if name.startswith(("jgb", "ust", "bund", "gilt"))}
    assert {first for first, _ in MARKET.values()} == {"level"}


def test_every_input_has_names_in_both_languages():
    names = catalogue()
    assert (names[["english", "japanese"]] != "").all().all()
    assert names["english"].is_unique and names["japanese"].is_unique
    assert names["english"].str.isascii().all()


def test_the_preset_is_the_papers_setting():
    assert PRESET.ingest.source == "simulated-tse"
    assert PRESET.ingest.simulated == replace(SIMULATED, stocks=1700)
    chosen = PRESET.prepare
    assert chosen.characteristics == CHARACTERISTICS and chosen.sectors == SECTORS
    assert chosen.market == MARKET and list(chosen.market) == list(MARKET)
    # All stocks: listings fill up to 1.12 * 1700 at most, and leavers stay for one row.
    assert chosen.universe_size >= 1.15 * PRESET.ingest.simulated.stocks
    assert chosen.first_month == "2002-12" and PRESET.train.window_months == 36


def test_panel_columns_follow_the_catalogue(panel):
    assert panel.names == catalogue()["name"].tolist()
    assert panel.features.shape[1] == 126
    assert panel.catalogue["group"].tolist() == catalogue()["group"].tolist()
    assert panel.catalogue["transform"].tolist() == catalogue()["transform"].tolist()


def test_all_stocks_are_in_the_panel(panel, small):
    assert len(panel.index) == (small.stocks["month"] >= panel.index["month"].min()).sum()


def test_past_returns_are_the_past_returns(panel, small):
    returns = wide(small.stocks, "return")
    for months in (1, 3, 6, 12, 36):
        past = (1 + returns).rolling(months).apply(np.prod, raw=True) - 1
        ranks = (past.rank(axis=1) - 1) / (past.notna().sum(axis=1).to_numpy()[:, None] - 1)
        values = panel.features[:, panel.names.index(f"return_{months}")]
        found = wide(panel.index.astype({"stock": str}).assign(values=values), "values")
        expected = (ranks * 2 - 1).reindex_like(found).fillna(0).where(found.notna())
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_truth_follows_from_the_panels_inputs(panel, small):
    settings = PRESET.ingest.simulated
    month = panel.index["month"].to_numpy()
    stocks = small.stocks.set_index(["month", "stock"])
    keys = pd.MultiIndex.from_frame(panel.index[["month", "stock"]].astype({"stock": str}))
    roe = stocks["roe_forecast"].reindex(keys)
    share = (roe <= 0).groupby(month).sum() / roe.notna().groupby(month).sum()
    inputs = {
        name: panel.features[:, panel.names.index(name)].astype(float)
        for name in inputs_with_effect(settings)
    }
    expected = np.zeros(len(keys))
    for at, losing in share.items():
        here = month == at
        of_month = {name: values[here] for name, values in inputs.items()}
        total = sum(
            getattr(settings, e.name) * e.function(of_month, 2 * losing - 1) for e in EFFECTS
        )  # fmt: skip
        expected[here] = total - total.mean()
    true = small.truth.set_index(["month", "stock"])["expected"].reindex(keys)
    np.testing.assert_allclose(true, expected, atol=1e-7)


def test_truth_adds_up_in_the_table(small):
    true = small.truth
    parts = true.drop(columns=["month", "stock", "expected", "baseline"])
    assert list(parts.columns) == inputs_with_effect(PRESET.ingest.simulated)
    assert set(parts.columns) <= set(catalogue()["name"])
    np.testing.assert_allclose(true["baseline"] + parts.sum(axis=1), true["expected"], atol=1e-15)
