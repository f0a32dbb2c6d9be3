import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from konkyo import dates, windows
from konkyo.errors import ArtifactError


def month_column(names: list[str]) -> pd.Series:
    return pd.Series([dates.parse(name) for name in names])


COLUMN = month_column(["2001-11"] * 2 + ["2001-12"] * 3 + ["2002-01"] + ["2002-02"] * 2)


def test_blocks():
    blocks = windows.MonthSlices.of(COLUMN)
    assert blocks.names == ("2001-11", "2001-12", "2002-01", "2002-02")
    assert blocks.offsets.tolist() == [0, 2, 5, 6, 8]
    assert blocks.rows(1) == slice(2, 5)


def test_a_window_ends_the_month_before_its_decision():
    decisions = windows.rolling(windows.MonthSlices.of(COLUMN), 2)
    assert decisions == [
        windows.Window("2002-01", "2001-11", "2001-12", 0, 5, 5, 6),
        windows.Window("2002-02", "2001-12", "2002-01", 2, 6, 6, 8),
    ]
    assert [w.last_label for w in decisions] == ["2002-01", "2002-02"]
    table = windows.table(decisions)
    assert table["train_rows"].tolist() == [5, 4]
    assert table["test_rows"].tolist() == [1, 2]
    assert table["first_train"].tolist() == ["2001-11", "2001-12"]
    assert (table["last_label"] == table["month"]).all()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no rows"),
        (["2001-01", "2001-03"], "row 0 is of 2001-01 and the next of 2001-03"),
        (["2001-02", "2001-01"], "must follow one another"),
    ],
)
def test_months_without_order_are_an_error(names, message):
    with pytest.raises(ArtifactError, match=message):
        windows.MonthSlices.of(month_column(names) if names else COLUMN[:0])


def test_a_short_panel_is_an_error():
    with pytest.raises(ArtifactError, match="needs 5 months of panel, but there are 4"):
        windows.rolling(windows.MonthSlices.of(COLUMN), 4)
    with pytest.raises(ArtifactError, match=r"there are 1 \(2001-11 to 2001-11\): add more"):
        windows.rolling(windows.MonthSlices.of(COLUMN[:2]), 4)


def test_training_and_test_rows_never_meet():
    blocks = windows.MonthSlices.of(COLUMN)
    for window in windows.rolling(blocks, 1):
        assert window.stop == window.test_start < window.test_stop
        assert np.isin(window.stop, blocks.offsets)


def test_a_gap_of_one_month_by_hand():
    blocks = windows.MonthSlices.of(COLUMN)
    # The row of 2001-11 earns its label in 2002-01, that of 2001-12 in 2002-02.
    assert windows.rolling(blocks, 1, skip_months=1) == [
        windows.Window("2002-01", "2001-11", "2001-11", 0, 2, 5, 6),
        windows.Window("2002-02", "2001-12", "2001-12", 2, 5, 6, 8),
    ]
    assert windows.rolling(blocks, 2, skip_months=1) == [
        windows.Window("2002-02", "2001-11", "2001-12", 0, 5, 6, 8)
    ]
    with pytest.raises(ArtifactError, match=r"skip_months = 1 needs 5 months .* at most 2 or"):
        windows.rolling(blocks, 3, skip_months=1)


@given(st.integers(1, 8), st.integers(0, 4), st.integers(0, 12))
def test_every_label_of_a_window_is_realised(length, skip_months, more):
    names = [f"{2000 + i // 12}-{i % 12 + 1:02d}" for i in range(length + skip_months + 1 + more)]
    column = month_column(names)
    decisions = windows.rolling(windows.MonthSlices.of(column), length, skip_months)
    earned = [dates.label(m) for m in windows.earned_in(column, skip_months)]
    assert [w.month for w in decisions] == names[length + skip_months :]
    for window in decisions:
        assert window.stop - window.start == length
        assert max(earned[window.start : window.stop]) == window.last_label == window.month
        assert window.stop == window.test_start - skip_months


def test_what_a_decision_earns_by_hand():
    returns = np.array([[0.1], [0.2], [0.3], [0.4]])
    for skip_months, expected in ((0, [0.2, 0.3, 0.4]), (1, [0.3, 0.4]), (5, [])):
        ahead = windows.returns_ahead(returns, skip_months)[:, 0]
        missing = [np.nan] * (4 - len(expected))
        np.testing.assert_array_equal(ahead, [*expected, *missing])
    assert windows.earned_in(COLUMN[-1:], 1)[0] == dates.parse("2002-04")
