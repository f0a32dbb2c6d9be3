import numpy as np
import pandas as pd
import pytest

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
