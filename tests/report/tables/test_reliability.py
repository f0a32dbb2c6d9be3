"""Reliable relevances by hand: shares, the inputs named, how long they stay."""

from dataclasses import replace

import numpy as np
import pytest

from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.factors import factor_means
from konkyo.report.tables.labels import labels
from konkyo.report.tables.reliability import most_reliable, reliable_later, reliable_shares
from konkyo.report.tables.sentences import Phrases
from konkyo.report.tables.stocks import stock_table

# Of A, B, C, D in January, the same in February, A, B, C, E in March: return_1, size, own sector.
FLAGS = [
    [1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0],
    [1, 0, 0, 0, 0], [1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0],
    [1, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0],
]  # fmt: skip


@pytest.fixture
def flagged(tiny: ExplainedPanel) -> ExplainedPanel:
    reliable = np.array(FLAGS, dtype=bool)
    return replace(tiny, reliable=reliable, error=np.full(reliable.shape, 0.1, dtype=np.float16))


def test_shares_by_month_and_group(flagged):
    shares = reliable_shares(flagged).set_index(["group", "month"])["share"]
    assert shares["characteristic"].tolist() == [4 / 8, 3 / 8, 2 / 8]
    # One own sector a stock; the panel has one dummy, of banks.
    assert shares["sector"].tolist() == [0.25, 0.25, 0.25]
    assert shares["market"].tolist() == [0.0, 0.0, 0.0]


def test_the_inputs_that_are_reliable_most_often(flagged):
    shares = most_reliable(flagged, flagged.months()[0])
    assert shares.to_dict() == {"return_1": 0.75, "size": 0.25, "sector_banks": 0.25}


def test_how_long_they_stay(flagged):
    later = reliable_later(flagged).set_index("later")
    # January's five: A's return_1 (0.4, then 0.1) and size are pairs, B's return_1 changes sign,
    # B's sector and D's return_1 stay. February's four: A's return_1 and B's sector stay, of B's
    # return_1 nothing is left, D has gone.
    assert later.loc[1, "share"] == pytest.approx((3 + 2) / (5 + 3))
    # In March, of January's without D: A's two and B's sector; B's return_1 does not.
    assert later.loc[2, "share"] == pytest.approx(3 / 4)
    assert later.loc[3:, "share"].isna().all()


def test_a_stock_table_has_errors_and_flags(flagged, tiny):
    table = stock_table(flagged, flagged.months()[0], 1)
    first = table[table["stock"] == "A"].set_index("feature")
    assert first["reliable"].tolist() == [True, True, False, False, False, False]
    assert first["error"].dropna().round(3).tolist() == [0.1] * 5
    assert "error" not in stock_table(tiny, tiny.months()[0], 1)


def test_sentences_name_what_is_reliable(flagged):
    table = labels(flagged.names, flagged.catalogue)
    phrases = Phrases(table, "en")
    values, relevances = np.array([0.9, 0.8, 0, 0, 0.1]), np.array([0.1, 0.3, 0, 0, 0.2])
    said = phrases.sentence(1, 9, values, relevances, reliable=np.array([1, 0, 0, 0, 0], bool))
    assert said == "ranked 1 of 9: 1-month return high (+0.100)"
    said = phrases.sentence(1, 9, values, relevances, reliable=np.zeros(5, bool))
    assert said == "ranked 1 of 9: no single input can be told from noise"


def test_stars_by_standard_errors(flagged):
    month = flagged.months()[0]
    error = np.array([[0.1, 0.2, 0.04, 0.0, 0.02]])
    frame = flagged.index[["month"]].drop_duplicates().set_index("month").iloc[:1]
    for place, name in enumerate(flagged.names):
        frame[name] = error[:, place]
    means = factor_means(replace(flagged, difference_error=frame), month, "resampled")
    means = means.set_index("feature")
    # A and B less C and D: 0.25 + 0.2, 0.05 + 0.1, 0.05, 0, 0.05 + 0.1.
    assert means["t"].round(2).tolist()[:3] == [4.5, 0.75, 1.25]
    assert np.isnan(means.loc["month_01", "t"]) and means.loc["month_01", "p"] == 1
    assert means["stars"].tolist() == ["**", "", "", "", "**"]
    paper = factor_means(replace(flagged, difference_error=frame), month).set_index("feature")
    assert paper["t"].tolist() != means["t"].tolist()
