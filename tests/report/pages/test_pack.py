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
    GROUPS,
    MISSING,
    VALUE_STEP,
    pack,
    pack_factors,
    relevance_step,
)
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import factor_means, factor_shape

RELEVANCES = ("score", "totals", "relevance", "full_relevance")


def read(packed: dict[str, bytes], month: str) -> dict[str, np.ndarray]:
    """Read a month number by number, as the description of the format says."""
    head = json.loads(zlib.decompress(packed["pack/head.json"], 31))
    data = zlib.decompress(packed[f"pack/{month}"], 31)
    facts = next(entry for entry in head["months"] if entry["month"] == month)
    n, full, inputs, largest = facts["count"], facts["full"], len(head["names"]), head["largest"]
    shapes = {
        "stock": (n,), "sector": (n,), "score": (n,), "quantile": (n,), "totals": (4, n),
        "input": (largest, n), "relevance": (largest, n), "value": (largest, n), "full": (full,),
        "full_relevance": (inputs, full), "full_value": (inputs, full),
        "raw": (inputs if head["raw_units"] else 0, full),
        "leg_relevance": (len(head["factors"]), facts["legs"]),
        "leg_value": (len(head["factors"]), facts["legs"]),
        "code": (largest if head["errors"] else 0, n),
        "full_code": (inputs if head["errors"] else 0, full),
    }  # fmt: skip
    columns, start = {}, 0
    for name, shape in shapes.items():
        # Each of the totals is a column.
        parts = [shape[1:]] * shape[0] if name == "totals" else [shape]
        read_parts = []
        for part in parts:
            count, numbers = int(np.prod(part)), []
            for i in range(count):
                planes = [data[start + plane * count + i] for plane in range(4)]
                zigzag = int.from_bytes(bytes(planes), "little")
                numbers.append(-(zigzag + 1) // 2 if zigzag % 2 else zigzag // 2)
            start += 4 * count
            read_parts.append(np.array(numbers).reshape(part))
        columns[name] = np.stack(read_parts) if name == "totals" else read_parts[0]
    assert start == len(data)
    units = np.array(head["units"])
    steps = {
        name: columns[name].T * head["step"]
        for name in ("score", "totals", "relevance", "full_relevance", "leg_relevance")
    }
    return (
        columns
        | steps
        | {
            "stock": np.array(head["stocks"])[columns["stock"]],
            "sector": np.array(head["sectors"])[columns["sector"]],
            "input": columns["input"].T,
            "value": columns["value"].T * units[columns["input"].T],
            "full_value": columns["full_value"].T * units,
            "leg_value": columns["leg_value"].T * units[head["factors"]],
            "raw": np.where(columns["raw"] == MISSING, np.nan, columns["raw"]).T
            * (head["raw_units"] or 1.0),
            "market": np.array(facts["market"]),
        }
    )


def carried(e: ExplainedPanel, row: int, most: int) -> list[int]:
    """Return the inputs that a row carries: three reliable ones at first, then by size."""
    by_size = sorted(range(len(e.names)), key=lambda i: (-abs(float(e.relevance[row, i])), i))
    named = [i for i in by_size if e.reliable[row, i]][:3]
    chosen = [*named, *(i for i in by_size if i not in named)][:most]
    return [i for i in by_size if i in chosen]


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
    raw = (e.features * 10.0 ** np.arange(-4, 6)).astype(np.float32)
    raw[::3, 1] = np.nan
    flags = np.random.default_rng(seed).random(e.relevance.shape) < 0.2
    errors = np.abs(e.relevance[:, ::-1]).astype(np.float16)
    e = replace(e, raw=raw, error=errors, reliable=flags)
    packed = pack(e, 2, ("S01",), largest, ("size", "usd_jpy"))
    half = relevance_step(e.index["score"].to_numpy()) / 2 + 1e-9
    exact = np.column_stack(
        [e.relevance[:, e.columns(group)].sum(1, dtype=float) for group in GROUPS]
    )
    # A market series is one number a month; a dummy is exact.
    market = e.columns("market")
    for month in e.months():
        got = read(packed, label(month))
        rows = e.rows(month)
        order = rows.start + np.argsort(e.index["rank"].to_numpy()[rows])
        selected = e.index.iloc[order]
        assert got["stock"].tolist() == selected["stock"].tolist()
        assert got["sector"].tolist() == selected["sector"].tolist()
        assert got["quantile"].tolist() == selected["quantile"].fillna(0).tolist()
        np.testing.assert_allclose(got["score"], selected["score"], atol=half, rtol=0)
        np.testing.assert_allclose(got["totals"], exact[order], atol=half, rtol=0)
        remaining = min(largest, len(e.names))
        largest_first = np.array([carried(e, row, remaining) for row in order])
        assert (got["input"] == largest_first).all()
        for row, codes in zip(order, got["code"].T, strict=True):
            at = carried(e, row, remaining)
            assert (codes % 2 == 1).tolist() == flags[row, at].tolist()
            np.testing.assert_allclose(
                (codes // 2) * 2 * (half - 1e-9), errors[row, at], atol=half, rtol=0
            )
        true = np.take_along_axis(e.relevance[order], largest_first, 1)
        np.testing.assert_allclose(got["relevance"], true, atol=half, rtol=0)
        values = e.features[order].copy()
        np.testing.assert_allclose(got["market"][market], values[0, market], rtol=1e-6)
        values[:, market] = 0
        near = VALUE_STEP / 2 + 1e-7
        expected = np.take_along_axis(values, largest_first, 1)
        np.testing.assert_allclose(got["value"], expected, atol=near, rtol=0)
        full = got["full"]
        np.testing.assert_allclose(
            got["full_relevance"], e.relevance[order[full]], atol=half, rtol=0
        )
        np.testing.assert_allclose(got["full_value"], values[full], atol=near, rtol=0)
        present = np.where(raw == 0, np.nan, np.abs(raw))
        present[0, np.isnan(present).all(0)] = 1.0
        sizes = np.nanmedian(present, axis=0)
        error = np.abs(got["raw"] - raw[order[full]]) / sizes
        assert np.nanmax(error, initial=0) <= 5.01e-4
        assert (np.isnan(got["raw"]) == np.isnan(raw[order[full]])).all()
        leg = np.flatnonzero(np.isin(got["quantile"], [1, e.best]) & (got["quantile"] > 0))
        np.testing.assert_allclose(
            got["leg_relevance"], e.relevance[np.ix_(order[leg], [1, 9])], atol=half, rtol=0
        )
        np.testing.assert_allclose(got["leg_value"][:, 0], values[leg, 1], atol=near, rtol=0)


def test_factors_of_every_month_are_the_tables(evidence: ExplainedPanel) -> None:
    packed = pack_factors(evidence, ["size"])
    assert list(packed) == [f"factors/{label(month)}" for month in evidence.months()]
    for month in evidence.months():
        tables = json.loads(zlib.decompress(packed[f"factors/{label(month)}"], 31))
        means = factor_means(evidence, month).iloc[tables["means"]["input"]]
        assert means["difference"].abs().is_monotonic_decreasing
        for name in ("long", "short", "t", "p", "p_adjusted"):
            np.testing.assert_allclose(
                np.array(tables["means"][name], float), means[name], rtol=6e-4
            )
        curve = factor_shape(evidence, ["size"], month)
        np.testing.assert_allclose(tables["curves"]["1"]["low"], curve["low"], rtol=6e-4)
    without = (
        evidence.index["quantile"]
        .astype("Int64")
        .mask(evidence.index["month"] == evidence.months()[0])
    )
    fewer = replace(evidence, index=evidence.index.assign(quantile=without))
    assert list(pack_factors(fewer, [])) == list(packed)[1:]


def test_extremes_and_newest_month_have_all_inputs(
    evidence: ExplainedPanel,
) -> None:
    packed = pack(evidence, 2, ("S05",), 3)
    for month in evidence.months():
        got = read(packed, label(month))
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


def test_a_packed_value_stays_high_or_low() -> None:
    exact = np.random.default_rng(0).uniform(-3, 3, 20_000)
    packed = np.rint(exact / VALUE_STEP) * VALUE_STEP
    for cut in (-1 / 3, 1 / 3):
        assert ((packed > cut) == (exact > cut)).all()


def test_market_series_that_vary_by_stock_are_refused(evidence: ExplainedPanel) -> None:
    values = evidence.features.copy()
    values[3, 8] += 1
    with pytest.raises(ArtifactError, match="topix_change differs between stocks in 2020-01"):
        pack(replace(evidence, features=values), 2)


def test_the_same_evidence_packs_to_the_same_bytes(evidence: ExplainedPanel) -> None:
    assert pack(evidence, 2) == pack(evidence, 2)
