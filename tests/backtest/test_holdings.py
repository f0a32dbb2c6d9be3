"""Weights by hand, and what holds of every scheme."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konkyo.backtesting.holdings import Scheme, basis, holdings, omitted, residual
from konkyo.backtesting.portfolios import NoPortfoliosError, assign_quantiles
from konkyo.errors import ParamsError


def _rows(seed: int, stocks: int = 40, months: int = 4, sectors: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    ends = pd.date_range("2020-01-31", periods=months, freq="ME")
    n = stocks * months
    rows = pd.DataFrame(
        {
            "month": np.repeat(ends, stocks),
            "stock": np.tile([f"s{i:03d}" for i in range(stocks)], months),
            "model": "network",
            "score": rng.normal(size=n),
            "ret": np.where(rng.random(n) < 0.1, np.nan, rng.normal(0.01, 0.1, n)),
        }
    )
    return assign_quantiles(rows, 4).assign(
        sector=rng.choice([f"x{i}" for i in range(sectors)], n),
        market_value=rng.lognormal(size=n),
        size=rng.uniform(-1, 1, n),
        beta=rng.uniform(-1, 1, n),
    )


@pytest.fixture
def five() -> pd.DataFrame:
    """One month of five stocks: A and B of one sector, C to E of the other."""
    rows = pd.DataFrame(
        {
            "month": pd.Timestamp("2020-01-31"),
            "stock": list("ABCDE"),
            "model": "network",
            "score": [1.0, 2.0, 3.0, 4.0, 5.0],
            "ret": 0.0,
        }
    )
    return assign_quantiles(rows, 2).assign(
        sector=["x", "x", "y", "y", "y"], market_value=[1.0, 3.0, 2.0, 2.0, 4.0]
    )


def _signed(book: pd.DataFrame) -> dict[str, float]:
    sign = np.where(book["leg"] == "long", 1, -1)
    return dict(zip(book["stock"], sign * book["weight"], strict=True))


@pytest.mark.parametrize(
    ("scheme", "weights"),
    [
        (Scheme(), {"A": -1 / 2, "B": -1 / 2, "C": 1 / 3, "D": 1 / 3, "E": 1 / 3}),
        (Scheme("value"), {"A": -1 / 4, "B": -3 / 4, "C": 1 / 4, "D": 1 / 4, "E": 1 / 2}),
        (Scheme("score"), {"A": -2 / 3, "B": -1 / 3, "D": 1 / 3, "E": 2 / 3}),
        (Scheme("rank"), {"A": -2 / 3, "B": -1 / 3, "D": 1 / 3, "E": 2 / 3}),
        (Scheme("score", cap=0.6), {"A": -0.6, "B": -0.4, "D": 0.4, "E": 0.6}),
        # Two fifths of the stocks are in sector x; of three stocks in two halves, D and E are high.
        (
            Scheme(neutral=("sector",)),
            {"A": -0.4, "B": 0.4, "C": -0.6, "D": 0.3, "E": 0.3},
        ),
        # Within their sectors, scores are 0.5 from the mean in x and 1 in y.
        (
            Scheme("score", ("sector",)),
            {"A": -1 / 3, "B": 1 / 3, "C": -2 / 3, "E": 2 / 3},
        ),
    ],
)
def test_by_hand(five: pd.DataFrame, scheme: Scheme, weights: dict[str, float]) -> None:
    assert _signed(holdings(five, scheme, 2)) == pytest.approx(weights)


def test_a_sector_below_the_quantiles_is_omitted(five: pd.DataFrame) -> None:
    three = five.assign(quantile=pd.array([1, 1, 2, 3, 3], dtype="Int64"))
    scheme = Scheme(neutral=("sector",))
    assert set(holdings(three, scheme, 3)["stock"]) == {"C", "E"}
    assert omitted(three, scheme, 3) == 2


def test_a_buffer_keeps_stocks(five: pd.DataFrame) -> None:
    def month(end: str, quantiles: list[int]) -> pd.DataFrame:
        quantile = pd.array(quantiles, dtype="Int64")
        return five.assign(month=pd.Timestamp(end), quantile=quantile)

    rows = pd.concat(
        [
            month("2020-01-31", [1, 2, 3, 4, 4]),
            month("2020-02-29", [1, 4, 2, 3, 3]),  # D and E leave the highest, not the buffer
            month("2020-03-31", [2, 4, 1, 2, 3]),  # D leaves the buffer too
            month("2020-05-31", [2, 4, 1, 2, 3]),  # after a gap, from cash
        ],
        ignore_index=True,
    )
    book = holdings(rows, Scheme(buffer=2), 4)
    sides = book.groupby(["month", "leg"])["stock"].agg("".join).to_dict()
    expected = {
        ("2020-01-31", "long"): "DE", ("2020-01-31", "short"): "A",
        ("2020-02-29", "long"): "BDE", ("2020-02-29", "short"): "A",
        ("2020-03-31", "long"): "BE", ("2020-03-31", "short"): "AC",
        ("2020-05-31", "long"): "B", ("2020-05-31", "short"): "C",
    }  # fmt: skip
    assert sides == {(pd.Timestamp(end), leg): names for (end, leg), names in expected.items()}


WEIGHTS = st.sampled_from(["equal", "value", "score", "rank"])
NEUTRAL = st.lists(st.sampled_from(["sector", "size", "beta"]), unique=True).map(tuple)


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), weights=WEIGHTS, neutral=NEUTRAL, cap=st.sampled_from([1.0, 0.2]))
def test_each_side_sums_to_one(seed, weights, neutral, cap) -> None:
    book = holdings(_rows(seed, sectors=2), Scheme(weights, neutral, cap), 4)
    sums = book.groupby(["month", "leg"])["weight"].sum()
    assert len(sums) == 2 * 4
    np.testing.assert_allclose(sums, 1.0)
    assert (book["weight"] > 0).all()
    assert (book["weight"] <= cap + 1e-9).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), weights=st.sampled_from(["score", "rank"]), neutral=NEUTRAL)
def test_linear_portfolios_have_no_exposure(seed, weights, neutral) -> None:
    rows = _rows(seed)
    book = holdings(rows, Scheme(weights, neutral), 4)
    for month, held in book.groupby("month"):
        block = rows[rows["month"] == month]
        signed = pd.Series(_signed(held)).reindex(block["stock"]).fillna(0.0)
        np.testing.assert_allclose(signed.to_numpy() @ basis(block, neutral), 0.0, atol=1e-12)


@given(seed=st.integers(0, 1000), weights=st.sampled_from(["equal", "value"]))
@settings(max_examples=10)
def test_sectors_weigh_the_same_on_both_sides(seed, weights) -> None:
    rows = _rows(seed)
    book = holdings(rows, Scheme(weights, ("sector",)), 4)
    book = book.merge(rows[["month", "stock", "sector"]], on=["month", "stock"])
    sides = book.pivot_table(
        index=["month", "sector"], columns="leg", values="weight", aggfunc="sum"
    )
    np.testing.assert_allclose(sides["long"], sides["short"])


def test_the_future_moves_no_weight() -> None:
    rows = _rows(3)
    last = rows["month"].max()
    changed = rows.assign(
        score=rows["score"].where(rows["month"] < last, -rows["score"]), ret=-rows["ret"]
    )
    for scheme in (Scheme("value", ("sector", "size"), 0.3), Scheme("score", ("beta",))):
        before, after = (holdings(table, scheme, 4) for table in (rows, changed))
        columns = ["month", "leg", "stock", "weight"]
        pd.testing.assert_frame_equal(
            before.loc[before["month"] < last, columns], after.loc[after["month"] < last, columns]
        )


def test_residuals_are_those_of_scikit_learn() -> None:
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(1)
    values, regressors = rng.normal(size=(30, 2)), rng.normal(size=(30, 3))
    fitted = LinearRegression().fit(regressors, values)
    mine = residual(values, np.column_stack([np.ones(30), regressors]))
    np.testing.assert_allclose(mine, values - fitted.predict(regressors), atol=1e-12)


def test_bad_input_is_an_error_with_a_remedy(five: pd.DataFrame) -> None:
    with pytest.raises(ParamsError, match=r"backtest.cap = 0.3: the 3 stocks .* set it to 0.3333"):
        holdings(five, Scheme(cap=0.3), 2)
    with pytest.raises(ParamsError, match=r"backtest.neutral: beta is no characteristic"):
        holdings(five, Scheme("score", ("beta",)), 2)
    with pytest.raises(NoPortfoliosError, match=r"sectors of at least backtest.n_quantiles = 4"):
        holdings(five, Scheme(neutral=("sector",)), 4)
    with pytest.raises(NoPortfoliosError, match="its scores are equal"):
        holdings(five.assign(score=1.0), Scheme("score"), 2)
