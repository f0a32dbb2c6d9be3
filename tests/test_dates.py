import pandas as pd

from konkyo import dates


def test_months_count_from_1970_and_back():
    ends = pd.Series(pd.to_datetime(["1969-12-31", "1970-01-31", "2000-02-29"]))
    assert dates.ordinal(ends).tolist() == [-1, 0, 361]
    assert dates.month_end(dates.ordinal(ends)).tolist() == ends.tolist()


def test_names():
    assert dates.label(dates.parse("2004-02")) == "2004-02"
    assert dates.parse("2004-02") == pd.Timestamp("2004-02-29")
