"""The order in which figures show tables: by hand, and that nothing is lost on the way."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import small_tables as small
from konkyo.report.style import clipped, width_of, wrapped
from konkyo.report.tables.figure_data import (
    heat_grid,
    largest,
    mean_turnover,
    numbers,
    quantile_ends,
    score_steps,
)


def test_heat_table_has_shorts_on_top() -> None:
    rows, value, relevance = heat_grid(small.stocks(), most=2)
    assert rows["stock"].tolist() == ["D", "C", "<b>B", "A"]
    assert rows["side"].tolist() == ["short", "named", "long", "long"]
    # The most relevant input first.
    assert value.columns.tolist() == relevance.columns.tolist() == ["return_1", "size"]
    np.testing.assert_allclose(value, [[-1.0, 1.0], [0.0, 0.0], [0.5, 0.25], [0.9, -0.5]])
    np.testing.assert_allclose(relevance.iloc[0], [-0.40, -0.05])
    # 0.40 in all, less 0.30 and 0.10: what TOPIX, banks and the biases add is nothing.
    np.testing.assert_allclose(rows["rest"], [0.05, 0.01, 0.05, 0.0], atol=1e-12)


def test_heat_table_has_the_inputs_of_the_params() -> None:
    rows, value, relevance = heat_grid(small.stocks(), most=1, columns=("topix", "size"))
    assert value.columns.tolist() == relevance.columns.tolist() == ["topix", "size"]
    np.testing.assert_allclose(rows["score"], relevance.sum(axis=1) + rows["rest"])


def test_a_named_stock_among_the_longest_has_two_rows() -> None:
    table = small.stocks()
    again = table[table["stock"] == "A"].assign(side="named")
    rows, _, relevance = heat_grid(pd.concat([table, again], ignore_index=True), most=4)
    assert rows["stock"].tolist() == ["D", "C", "A", "<b>B", "A"]
    np.testing.assert_array_equal(relevance.iloc[2], relevance.iloc[4])


def test_steps_lead_from_one_score_to_the_other() -> None:
    steps = score_steps(small.changes(), "A", most=2)
    assert steps["feature"].tolist() == ["before", "return_1", "size", "others", "absorbed", "now"]
    assert steps["count"].tolist() == [1, 1, 1, 2, 1, 1]
    np.testing.assert_allclose(steps["start"], [0.0, 0.10, 0.35, 0.25, 0.29, 0.0])
    np.testing.assert_allclose(steps["end"], [0.10, 0.35, 0.25, 0.29, 0.30, 0.30])
    assert steps.attrs["month"] == small.MONTHS[2]


def test_largest_are_by_size_with_ties_in_order() -> None:
    table = pd.DataFrame({"name": list("abcd"), "x": [1.0, -2.0, 2.0, 0.5]})
    assert largest(table, "x", 3)["name"].tolist() == ["b", "c", "a"]


def test_the_ends_of_the_quantiles() -> None:
    table, ends = quantile_ends(small.quantiles(), most=5)
    assert table["attribute"].tolist() == ["size", "return_1"]
    np.testing.assert_allclose(table["low"], [-0.1, 0.5])
    np.testing.assert_allclose(table["high"], [0.1, -0.4])
    assert ends["relevance_quantile"].tolist() == [1, 3]
    assert ends["stocks"].tolist() == [10, 12]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_turnover_of_rows_sums_to_the_portfolios(most: int) -> None:
    table, rest = mean_turnover(small.turnover(), most)
    assert table["feature"].tolist() == ["return_1", "absorbed", "size"][:most]
    assert rest["count"] == 3 - most
    assert table["long"].sum() + rest["long"] == pytest.approx(0.5)
    assert table["short"].sum() + rest["short"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0, 0.0], ["1", "0"]),
        ([1.0, -0.5], ["1.00", "-0.50"]),
        ([2345.4, 7.0], ["2345", "7"]),
        ([12.34], ["12.3"]),
        ([0.0234, np.nan], ["0.023", ""]),
        ([4.37e-10, 0.0], ["4.4e-10", "0.0e+00"]),
    ],
)
def test_numbers_are_short(values: list[float], words: list[str]) -> None:
    assert numbers(np.array(values)) == words


@given(st.text(alphabet="ab 漢字、", max_size=60), st.integers(4, 20))
def test_wrapping_changes_nothing_but_line_ends(words: str, width: int) -> None:
    lines = wrapped(words, width)
    assert "".join("".join(lines).split()) == "".join(words.split())
    longest = max((width_of(word) for word in words.split(" ")), default=0)
    # A closing mark stays with the letter before it, one em beyond the width.
    assert all(width_of(line.strip("、 ")) <= max(width, longest) for line in lines)


def test_wraps_at_spaces_and_japanese_letters() -> None:
    assert wrapped("mean of all", 5) == ["mean of", "all"]
    assert wrapped("年率リターン", 4) == ["年率リタ", "ーン"]
    assert wrapped("入力例。", 3) == ["入力", "例。"]
    assert clipped("Information", 4) == "Infor…"
    assert clipped("銀行", 2) == "銀行"
