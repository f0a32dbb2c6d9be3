"""Two runs side by side, by hand."""

import pandas as pd
import pytest

import small_portfolio as small
from konkyo.monitoring.run_comparison import compare_month, compare_runs
from konkyo.pipeline.compare import page

MEANS = pd.DataFrame({"feature": ["return_1", "size"], "difference": [0.1, -0.3]})


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    one = {**small.tables()[0], "factor_means": MEANS}
    returns = one["portfolio_returns"]
    held = one["holdings"]
    other = {
        **one,
        # A basis point less in every month but the first, which the other run does not have.
        "portfolio_returns": returns.assign(net=returns["net"] - 0.0001)[
            returns["month"] > small.MONTHS[0]
        ],
        "holdings": held[~held["stock"].isin(["s00", "s01"])],
    }
    return compare_runs(one, other)


def test_returns_are_compared_over_common_months(tables) -> None:
    performance = tables["performance"].set_index("portfolio")
    assert performance["difference"].to_list() == pytest.approx([12 * 0.0001] * 4)
    assert performance["common_months"].to_list() == [46] * 4
    assert (performance["sharpe_ratio_1"] == performance["sharpe_ratio_2"]).all()


def test_overlap_is_the_share_of_common_stocks(tables) -> None:
    held = small.tables()[0]["holdings"]
    overlap = tables["overlap"].set_index(["month", "leg"])["share"]
    for key, part in held.groupby(["month", "leg"]):
        assert overlap[key] == pytest.approx(1 - part["stock"].isin(["s00", "s01"]).mean())


def test_the_largest_differences_come_first(tables) -> None:
    assert tables["means"]["feature"].tolist() == ["size", "return_1"]
    assert set(tables["attribution"]["portfolio"]) == {
        "equal_weighted", "score_weighted", "sector_neutral",
    }  # fmt: skip


def test_disagreements_by_hand() -> None:
    one = pd.DataFrame(
        {"month": 0, "stock": list("ABC"), "score": [3.0, 2, 1], "x": [2.0, 1, 0], "y": 1.0,
         "absorbed": 0.0}
    )  # fmt: skip
    other = pd.DataFrame(
        {"month": 0, "stock": list("CADB"), "score": [4.0, 1, 9, 2], "x": [3.0, 0, 9, 2],
         "absorbed": 0.0}
    )  # fmt: skip
    result = compare_month(one, other)
    stocks = result["stocks"].set_index("stock")
    # D is in the other run alone; without it C, B, A are its order.
    assert stocks["rank_1"].to_dict() == {"A": 1, "C": 3, "B": 2}
    assert stocks["rank_2"].to_dict() == {"A": 3, "C": 1, "B": 2}
    assert stocks["input"].to_dict()["A"] == "x"
    inputs = result["inputs"].set_index("feature")["difference"]
    assert inputs.to_dict() == pytest.approx({"x": (2 + 1 + 3) / 3, "y": 1.0})


def test_the_page_names_both_runs(tables) -> None:
    stocks = pd.DataFrame({"stock": ["A"], "rank_1": [1], "rank_2": [3], "input": ["x"]})
    month = {
        "stocks": stocks.assign(difference=-2),
        "inputs": pd.DataFrame({"feature": ["x"], "difference": [0.5]}),
    }
    text = page({**tables, **month}, ("<one>", "two"), "2021-11", "en")
    assert "&lt;one&gt; against two" in text
    assert "<one>" not in text.replace("&lt;one&gt;", "")
