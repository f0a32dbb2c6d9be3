"""Attributed returns by hand, exactly additive, and against planted effects and a slow oracle."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.backtesting.holdings import Scheme, holdings
from konkyo.backtesting.portfolios import assign_quantiles, mean_returns
from konkyo.backtesting.return_attribution import (
    attribution_summary,
    by_group,
    return_attribution,
    shapley_attribution,
)

GROUPS = ["value", "market", "absorbed"]


def _market(
    seed: int, stocks: int = 30, months: int = 4, missing: float = 0.1
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows with quantiles, and the relevances of three inputs that add up to the scores."""
    rng = np.random.default_rng(seed)
    n = stocks * months
    relevance = rng.normal(size=(n, 3))
    rows = pd.DataFrame(
        {
            "month": np.repeat(pd.date_range("2020-01-31", periods=months, freq="ME"), stocks),
            "stock": np.tile([f"s{i:03d}" for i in range(stocks)], months),
            "model": "network",
            "score": relevance.sum(1),
            "ret": np.where(rng.random(n) < missing, np.nan, rng.normal(0.01, 0.1, n)),
        }
    )
    ranked = assign_quantiles(rows, 5)
    return ranked.assign(sector=rng.choice(["x", "y"], n), size=rng.normal(size=n)), relevance


def test_by_hand() -> None:
    # Scores 1 to 5: weights -2/3, -1/3, 0, 1/3, 2/3; E without a return has D's, 0.06.
    rows = pd.DataFrame(
        {
            "month": pd.Timestamp("2020-01-31"),
            "stock": list("ABCDE"),
            "score": [1.0, 2.0, 3.0, 4.0, 5.0],
            "ret": [0.03, 0.00, 0.05, 0.06, np.nan],
        }
    )
    relevance = np.array([[0, 1], [0, 2], [3, 0], [3, 1], [3, 1]], dtype="float32")
    table = return_attribution(rows, relevance, ["a", "b"]).set_index("feature")
    # k = 1/3; a's deviations -1.8, -1.8, 1.2 each; b's 0, 1, -1, 0, 0; absorbed 0, 0, 0, 0, 1.
    assert table["contribution"].to_dict() == pytest.approx(
        {
            "a": (-1.8 * 0.03 + 1.2 * (0.05 + 0.06 + 0.06)) / 3,
            "b": (0.00 - 0.05) / 3,
            "absorbed": (0.8 * 0.06 - 0.2 * (0.03 + 0.05 + 0.06)) / 3,
        }
    )
    whole = -2 / 3 * 0.03 + 0.06
    assert table["contribution"].sum() == pytest.approx(whole, abs=1e-15)
    assert table["missing"].tolist() == [1, 1, 1]


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    neutral=st.sampled_from([(), ("sector",), ("size",), ("sector", "size")]),
    missing=st.sampled_from([0.0, 0.3]),
)
def test_contributions_sum_to_the_return(seed, neutral, missing) -> None:
    rows, relevance = _market(seed, missing=missing)
    rows["score"] += np.random.default_rng(seed).normal(size=len(rows))
    table = return_attribution(rows, relevance.astype("float32"), ["a", "b", "c"], neutral)
    book = holdings(rows, Scheme("score", neutral), 5)
    legs = mean_returns(book, ["month", "leg"], "weight")
    spread = legs.xs("long", level="leg") - legs.xs("short", level="leg")
    summed = table.groupby("month")["contribution"].sum()
    assert len(summed) == 4
    np.testing.assert_allclose(summed, spread, rtol=0, atol=1e-12)


def test_months_without_returns_are_left_out() -> None:
    rows, relevance = _market(1)
    rows["ret"] = rows["ret"].where(rows["month"] < rows["month"].max())
    assert return_attribution(rows, relevance, ["a", "b", "c"])["month"].nunique() == 3
    assert shapley_attribution(rows, relevance, GROUPS, 5)["month"].nunique() == 3


def _oracle(block: pd.DataFrame, relevance: np.ndarray, n_quantiles: int) -> np.ndarray:
    """Average each group's marginal spread over all orders in which the groups can join."""

    def spread(members: tuple[int, ...]) -> float:
        if not members:
            return 0.0
        score = relevance[:, list(members)].sum(1)
        ranked = assign_quantiles(block.assign(score=score), n_quantiles)
        legs = mean_returns(ranked, ["quantile"])
        return legs[n_quantiles] - legs[1]

    orders = list(permutations(range(relevance.shape[1])))
    values = np.zeros(relevance.shape[1])
    for order in orders:
        for at, member in enumerate(order):
            values[member] += spread(order[: at + 1]) - spread(order[:at])
    return values / len(orders)


@pytest.mark.parametrize("seed", range(2))
def test_shapley_agrees_with_all_orders(seed: int) -> None:
    rows, relevance = _market(seed, stocks=33, months=2)
    fast = shapley_attribution(rows, relevance, GROUPS, 5)
    for month, part in fast.groupby("month"):
        at = (rows["month"] == month).to_numpy()
        slow = _oracle(rows[at].drop(columns=["quantile", "rank"]), relevance[at], 5)
        np.testing.assert_allclose(part["contribution"], slow, atol=1e-12)


def test_a_group_without_relevance_earns_nothing() -> None:
    rows, relevance = _market(2)
    padded = np.column_stack([relevance, np.zeros(len(rows))])
    table = shapley_attribution(rows, padded, [*GROUPS, "calendar"], 5)
    plain = shapley_attribution(rows, relevance, GROUPS, 5)
    calendar = table.loc[table["feature"] == "calendar", "contribution"]
    np.testing.assert_allclose(calendar, 0.0, atol=1e-15)
    rest = table[table["feature"] != "calendar"]["contribution"]
    np.testing.assert_allclose(rest, plain["contribution"], atol=1e-15)


def test_groups_and_summary_by_hand() -> None:
    months = pd.date_range("2020-01-31", periods=2, freq="ME")
    table = pd.DataFrame(
        {
            "month": np.repeat(months, 3),
            "feature": ["a", "b", "absorbed"] * 2,
            "contribution": [0.01, 0.02, -0.01, 0.03, -0.02, 0.02],
        }
    )
    groups = by_group(table, pd.Series({"a": "market", "b": "market"}))
    summary = attribution_summary(groups).set_index("feature")
    assert summary["annual"].to_dict() == pytest.approx({"market": 0.24, "absorbed": 0.06})
    assert summary["positive"].to_dict() == {"market": 1.0, "absorbed": 0.5}
    # Deviations -0.015 and 0.015: 2 x 0.015^2, less 2 x 1/2 x 0.015^2 of the one lag.
    assert summary["t"]["absorbed"] == pytest.approx(2 * 0.005 / 0.015)


EFFECTS = np.array([0.010, -0.005, 0.0])
"""What a unit of each input's relevance earns a month."""


def _planted(seed: int, *, noise: float = 0.1) -> tuple[pd.DataFrame, np.ndarray]:
    rows, relevance = _market(seed, stocks=80, months=72, missing=0.0)
    drawn = np.random.default_rng(seed + 10_000).normal(0, noise, len(rows))
    return rows.assign(ret=relevance @ EFFECTS + drawn), relevance


def _within(share: float, lines: int) -> bool:
    """Return whether a share is within two standard errors of 5 per cent."""
    return bool(abs(share - 0.05) <= 2 * np.sqrt(0.05 * 0.95 / lines))


@pytest.mark.long
def test_planted_effects_are_recovered() -> None:
    beyond = []
    for seed in range(20):
        rows, relevance = _planted(seed)
        truth, _ = _planted(seed, noise=0.0)
        table, true = (
            attribution_summary(return_attribution(part, relevance, ["a", "b", "c"]))[:3]
            for part in (rows, truth)
        )
        standard_error = (table["annual"] / table["t"]).abs()
        beyond += ((table["annual"] - true["annual"]).abs() > 2 * standard_error).tolist()
        assert table["t"][0] > 4
        assert table["t"][1] < -1
    assert _within(float(np.mean(beyond)), len(beyond))


@pytest.mark.long
def test_shuffled_labels_reject_at_their_level() -> None:
    t = []
    for seed in range(20):
        rows, relevance = _planted(seed)
        mixed = rows.groupby("month")["ret"].sample(frac=1, random_state=seed)
        table = return_attribution(rows.assign(ret=mixed.to_numpy()), relevance, ["a", "b", "c"])
        t += attribution_summary(table)["t"].abs().tolist()[:3]
    assert _within(float(np.mean(np.array(t) > 1.993)), len(t))
