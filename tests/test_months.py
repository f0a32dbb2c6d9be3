import pandas as pd

from konkyo import months


def test_months_count_from_1970_and_back():
    ends = pd.Series(pd.to_datetime(["1969-12-31", "1970-01-31", "2000-02-29"]))
    assert months.ordinal(ends).tolist() == [-1, 0, 361]
    assert months.month_end(months.ordinal(ends)).tolist() == ends.tolist()


def test_names():
    assert months.label(months.parse("2004-02")) == "2004-02"
    assert months.parse("2004-02") == pd.Timestamp("2004-02-29")
