"""Grounds that are the simulated market's true contributions: the tables show its effects."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo.data.simulated.ground_truth import ground_truth, inputs_with_effect
from konkyo.data.simulated.scenario import centred_ranks
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import factor_means_over_time, factor_shape, top_factors
from konkyo.report.tables.history import effects
from konkyo.report.tables.market import (
    largest_month,
    market_over_time,
    market_quantiles,
    top_market,
)
from small import SIMULATED

from .conftest import assemble

SETTINGS = replace(SIMULATED, stocks=400)
TOPIX_CHANGE = {"2008-08": 0.03, "2008-09": -0.01, "2008-10": -0.20, "2008-11": 0.01}
CRISIS = pd.Timestamp("2008-10-31")
ATTRIBUTES = [name for name in inputs_with_effect(SETTINGS) if name != "topix_change"]
COUNT = SETTINGS.stocks


@pytest.fixture(scope="module")
def planted() -> ExplainedPanel:
    """Four months, the third after a fall; a quarter of the firms have a negative ROE."""
    frames, values, relevance, absorbed = [], [], [], []
    for at, (month, change) in enumerate(TOPIX_CHANGE.items()):
        rng = np.random.default_rng(at)
        attributes = {name: rng.normal(size=COUNT) for name in ATTRIBUTES}
        attributes["roe_forecast"] = rng.permutation(COUNT) - 99.5
        rows = ground_truth(SETTINGS, attributes, change)
        attributes = {name: centred_ranks(values) for name, values in attributes.items()}
        values.append(np.column_stack([*attributes.values(), np.full(COUNT, change)]))
        relevance.append(np.column_stack([rows.contributions[n] for n in PLANTED]))
        absorbed.append(np.full(COUNT, rows.baseline))
        end = pd.Timestamp(month) + pd.offsets.MonthEnd(0)
        frames.append(pd.DataFrame({"month": end, "stock": [f"S{i:03d}" for i in range(COUNT)]}))
    catalogue = pd.DataFrame(
        {"name": PLANTED, "group": ["characteristic"] * len(ATTRIBUTES) + ["market"]}
    )
    keys = pd.concat(frames, ignore_index=True).assign(sector="banks", size=1.0, ret=0.0)
    parts = (np.concatenate(part) for part in (values, relevance, absorbed))
    return assemble(keys, *parts, catalogue, 10)


PLANTED = [*ATTRIBUTES, "topix_change"]


def test_reversal_falls_and_is_steeper_at_the_extremes(planted: ExplainedPanel):
    shape = factor_shape(planted, ["return_1"])
    slope = np.diff(shape["relevance"]) / np.diff(shape["value"])
    assert (slope < 0).all()
    assert slope[0] < 3 * slope[12] and slope[-1] < 3 * slope[12]


def test_quality_works_above_zero_only(planted: ExplainedPanel):
    shape = factor_shape(planted, ["roe_forecast"])
    # A quarter of the ROEs is below zero: up to the rank -0.5, but for the smoothing's one bin.
    below, above = shape[shape["value"] < -0.59], shape[shape["value"] > -0.41]
    assert len(below) >= 4
    assert np.ptp(below["relevance"]) < 1e-9
    slope = np.diff(above["relevance"]) / np.diff(above["value"])
    np.testing.assert_allclose(slope, SETTINGS.quality / 1.5, rtol=0.01)


def test_the_regime_works_in_the_crisis_month_only(planted: ExplainedPanel):
    table = effects(planted).pivot_table(index="month", columns="feature", values="effect")
    calm = table.drop(index=CRISIS)
    for name in ("size", "return_3"):
        np.testing.assert_allclose(calm[name], 0, atol=1e-9)
        assert table.loc[CRISIS, name] < -0.002
    assert table.loc[CRISIS, "book_to_price"] > 1.2 * calm["book_to_price"].max()


def test_the_market_series_shows_the_crisis(planted: ExplainedPanel):
    assert top_market(planted, 1) == ["topix_change"]
    table = market_over_time(planted, ["topix_change"], largest=1)
    assert largest_month(table, "topix_change") == CRISIS
    assert table.loc[~table["marked"], "difference"].abs().max() < 1e-9
    quantiles = market_quantiles(
        planted, "topix_change", CRISIS, ["book_to_price", "size", "return_3"]
    )
    means = quantiles.pivot_table(index="relevance_quantile", columns="attribute", values="value")
    change = means.loc[10] - means.loc[1]
    assert change["book_to_price"] > 0.8 and change["size"] < -0.8 and change["return_3"] < -0.8


def test_strongest_effects_separate_long_from_short(planted: ExplainedPanel):
    means = factor_means_over_time(planted)
    assert set(top_factors(means, 2)) == {"return_1", "roe_forecast"}
    assert (means["difference"] > 0).all()
    assert (means.loc[means["feature"].isin(top_factors(means, 4)), "stars"] == "**").all()
