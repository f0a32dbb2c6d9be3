"""The order in which figures show tables: by hand, and that nothing is lost on the way."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import small_tables as small
from konkyo.report.style import width_of, wrapped
from konkyo.report.tables.figure_data import largest, quantile_ends


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
