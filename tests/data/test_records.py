"""Records cut at a month."""

import pandas as pd
import pytest

from konkyo.data.records import Records, facts_of, truncate
from konkyo.dates import parse
from konkyo.errors import ParamsError

MONTHS = pd.to_datetime(["2001-01-31", "2001-02-28", "2001-03-31"])


def records() -> Records:
    stocks = pd.DataFrame({"month": MONTHS.repeat(2), "stock": ["A", "B", "A", "B", "A", "C"]})
    facts = facts_of(
        stocks, {}, source="x", licence="y", point_in_time=True, survivorship_free=True
    )
    market = pd.DataFrame({"month": MONTHS, "MKT": [1.0, 2.0, 3.0]})
    return Records(stocks, market, facts, truth=stocks.assign(expected=0.1))


def test_every_table_and_the_facts_are_cut():
    cut = truncate(records(), parse("2001-02"))
    assert cut.stocks["stock"].to_list() == list("ABAB")
    assert cut.market["MKT"].to_list() == [1.0, 2.0]
    assert cut.truth is not None and len(cut.truth) == 4
    assert (cut.facts["rows"], cut.facts["stocks"], cut.facts["last_month"]) == (4, 2, "2001-02")
    assert cut.facts["first_month"] == "2001-01" and cut.catalogue is None


@pytest.mark.parametrize("month", ["2000-12", "2001-04"])
def test_a_month_outside_the_records(month):
    with pytest.raises(ParamsError, match=f"'{month}' is outside .* 2001-01 to 2001-03"):
        truncate(records(), parse(month))


def test_records_begin_at_a_month():
    cut = truncate(records(), None, parse("2001-02"))
    assert cut.stocks["stock"].to_list() == list("ABAC") and cut.market["MKT"].to_list() == [
        2.0,
        3.0,
    ]
    assert (cut.facts["first_month"], cut.facts["last_month"]) == ("2001-02", "2001-03")
    with pytest.raises(ParamsError, match=r"first_month = '2001-04' is outside .* to oldest"):
        truncate(records(), None, parse("2001-04"))
