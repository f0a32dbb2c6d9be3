"""What is packed comes back within the stated error, and always adds up."""

import json
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.dates import label
from konkyo.errors import ArtifactError
from konkyo.report.pages.codec import (
    DECIMALS,
    FINER,
    GROUPS,
    pack,
    relevance_step,
    unpack,
    value_step,
)
from konkyo.report.tables import ExplainedPanel


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    stocks=st.integers(6, 40),
    months=st.integers(1, 4),
    scale=st.sampled_from([1e-3, 0.02, 0.1, 3.0]),
    largest=st.integers(1, 12),
)
def test_packed_evidence_comes_back(
    made: Callable[..., ExplainedPanel],
    seed: int,
    stocks: int,
    months: int,
    scale: float,
    largest: int,
) -> None:
    e = made(seed, stocks, months, scale)
    first = (e.index["month"] == e.months()[0]) & (len(e.months()) > 1)
    without = e.index["quantile"].astype("Int64").mask(first)
    e = replace(e, index=e.index.assign(quantile=without))
    packed = pack(e, 2, ("S01",), largest)
    head = json.loads(zlib.decompress(packed.head, 31))
    half = head["step"] / 2 + 1e-9
    exact = np.column_stack(
        [e.relevance[:, e.columns(group)].sum(1, dtype=float) for group in GROUPS]
    )
    for month in e.months():
        got = unpack(head, label(month), packed.months[label(month)])
        rows = e.rows(month)
        order = rows.start + np.argsort(e.index["rank"].to_numpy()[rows])
        own = e.index.iloc[order]
        kept = min(largest, len(e.names))
        assert got["stock"].tolist() == own["stock"].tolist()
        assert got["quantile"].tolist() == own["quantile"].fillna(0).tolist()
        np.testing.assert_allclose(got["score"], own["score"], atol=half / FINER, rtol=0)
        np.testing.assert_allclose(got["totals"], exact[order], atol=half, rtol=0)
        largest_first = np.argsort(-np.abs(e.relevance[order]), axis=1, kind="stable")[:, :kept]
        assert (got["inputs"] == largest_first).all()
        true = np.take_along_axis(e.relevance[order], largest_first, 1)
        np.testing.assert_allclose(got["relevance"], true, atol=half, rtol=0)
        values = np.take_along_axis(e.features[order], largest_first, 1)
        ours = np.isin(largest_first, e.columns("characteristic"))
        assert (np.isnan(got["value"]) == ~ours).all()
        near = max(head["value_steps"]) / 2 + 1e-7
        np.testing.assert_allclose(got["value"][ours], values[ours], atol=near, rtol=0)
        full = order[got["full"]]
        np.testing.assert_allclose(got["full_relevance"], e.relevance[full], atol=half, rtol=0)
        np.testing.assert_allclose(
            got["full_value"], e.features[full][:, e.columns("characteristic")], atol=near, rtol=0
        )


def test_extremes_and_newest_month_have_all_inputs(
    evidence: ExplainedPanel,
) -> None:
    packed = pack(evidence, 2, ("S05",), 3)
    head = json.loads(zlib.decompress(packed.head, 31))
    for month in evidence.months():
        got = unpack(head, label(month), packed.months[label(month)])
        count = len(got["stock"])
        expected = {0, 1, count - 2, count - 1} | set(np.flatnonzero(got["stock"] == "S05"))
        if month == evidence.months()[-1]:
            expected = set(range(count))
        assert set(got["full"]) == expected


def test_a_packed_relevance_rounds_as_the_exact_one() -> None:
    rng = np.random.default_rng(0)
    for spread in (0.001, 0.04, 0.0614, 0.5, 4.0):
        step = relevance_step(rng.normal(0, spread, 1000))
        exact = rng.normal(0, spread, 20_000)
        packed = np.rint(exact / step) * step
        unit = 10**DECIMALS
        digits = [np.floor(np.abs(numbers) * unit + 0.5) for numbers in (packed, exact)]
        assert (digits[0] == digits[1]).all()
        assert step <= 1 / unit + 1e-12


@pytest.mark.parametrize("largest", [0.2, 1.0, 3.0, 40.0])
def test_a_packed_value_stays_high_or_low(largest: float) -> None:
    step = value_step(largest)
    exact = np.random.default_rng(0).uniform(-largest, largest, 20_000)
    packed = np.rint(exact / step) * step
    for cut in (-1 / 3, 1 / 3):
        assert ((packed > cut) == (exact > cut)).all()


def test_market_series_that_vary_by_stock_are_refused(evidence: ExplainedPanel) -> None:
    values = evidence.features.copy()
    values[3, 8] += 1
    with pytest.raises(ArtifactError, match="topix_change differs between stocks in 2020-01"):
        pack(replace(evidence, features=values), 2)


def test_dummies_that_contradict_sectors_are_refused(evidence: ExplainedPanel) -> None:
    values = evidence.features.copy()
    values[0, 3] = 1 - values[0, 3]
    with pytest.raises(ArtifactError, match="dummies of the sector"):
        pack(replace(evidence, features=values), 2)


def test_the_same_evidence_packs_to_the_same_bytes(evidence: ExplainedPanel) -> None:
    assert pack(evidence, 2) == pack(evidence, 2)
