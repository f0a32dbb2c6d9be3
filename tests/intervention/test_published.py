"""The published tables, figures 7 to 18: answers and shares follow by the study's own rules."""

import numpy as np
import pandas as pd
import pytest

from konkyo.intervention import scoring, tables

COLUMNS = ("in_sample", "data_I", "data_II", "linear")
DETERMINED = ("1985-06", "1985-07", "1985-08", "1993-02")
"""Months whose past twelve months are all in the table."""


@pytest.fixture(scope="module")
def amounts() -> pd.DataFrame:
    return tables.published("amounts").set_index("month")


@pytest.fixture(scope="module")
def marks() -> pd.DataFrame:
    return tables.published("marks")


@pytest.fixture(scope="module")
def method_1(marks) -> pd.DataFrame:
    return marks[marks["method"] == 1].set_index("month")


def cut_interval(amounts: pd.Series, marks: pd.Series) -> tuple[float, float]:
    """Return the largest size that is a no and the smallest that is a yes, by the marks."""
    occurred = marks["intervention"] == "yes"
    yes = {"actual": occurred}
    yes |= {name: (marks[name] == "right") == occurred for name in COLUMNS}
    sizes = amounts.abs()
    return (
        max([0.0, *(sizes[name] for name in yes if not yes[name])]),
        min([np.inf, *(sizes[name] for name in yes if yes[name])]),
    )


def answers(amounts: pd.DataFrame, cut: pd.Series, config) -> pd.DataFrame:
    """Score the published amounts of some months, one column a forecast."""
    tables = {}
    for name in COLUMNS:
        rows = pd.DataFrame(
            {"method": "amount", "actual": amounts["actual"], "forecast": amounts[name], "cut": cut}
        )
        tables[name] = scoring.score_predictions(rows, config)
    return pd.concat(tables, axis=1)


def test_the_published_tables_are_whole(amounts, marks, method_1):
    assert marks.groupby("figure").size().to_list() == [15, 6, 13, 5] * 2
    assert amounts.index.tolist() == method_1.index.tolist()
    assert marks[marks["method"] == 2]["month"].tolist() == method_1.index.tolist()
    assert amounts["data_II"]["1995-09"] == 15473


def test_amount_marks_are_recomputed(amounts, method_1, study):
    occurred = method_1["intervention"] == "yes"
    assert occurred.sum() == 18
    for name in COLUMNS[:3]:
        right = scoring.amount_right(amounts["actual"], amounts[name], config=study.scoring)
        assert (right[occurred] == (method_1[f"amount_{name}"][occurred] == "right")).all()
        assert method_1[f"amount_{name}"][~occurred].isna().all()


def test_marks_follow_from_the_cut_where_it_is_known(amounts, method_1, study):
    number = dict(zip(amounts.index, range(len(amounts)), strict=True))
    cut = pd.Series(
        {
            month: scoring.cut(
                amounts["actual"].iloc[number[month] - 12 : number[month]].to_numpy(), study.scoring
            )
            for month in DETERMINED
        }
    )
    scored = answers(amounts.loc[list(DETERMINED)], cut, study.scoring)
    for name in COLUMNS:
        assert (scored[name]["right"] == (method_1[name][list(DETERMINED)] == "right")).all()
    occurred = scored["in_sample"]["actual_yes"]
    assert (occurred == (method_1["intervention"][list(DETERMINED)] == "yes")).all()


def test_some_cut_gives_the_marks_of_every_month(amounts, method_1, study):
    """The interval of cuts that the five columns allow is never empty."""
    interval = {m: cut_interval(amounts.loc[m], method_1.loc[m]) for m in amounts.index}
    assert all(low < high for low, high in interval.values())
    # The lower end: a size above the cut is a yes, and the size of a no is not.
    cut = pd.Series({month: low for month, (low, _) in interval.items()})
    scored = answers(amounts, cut, study.scoring)
    for name in COLUMNS:
        assert (scored[name]["right"] == (method_1[name] == "right")).all()


def test_signs_could_not_give_the_marks(amounts, method_1):
    """With amounts in the period's direction, four months have no cut."""
    selling = amounts.index.str[:4].isin(["1988", "1989", "1995"])
    signed = amounts.mul(np.where(selling, 1, -1), axis=0)
    never = []
    for month in amounts.index:
        occurred = method_1["intervention"][month] == "yes"
        yes = {n: (method_1[n][month] == "right") == occurred for n in COLUMNS}
        low = max([0.0, *(signed[n][month] for n in COLUMNS if not yes[n])])
        high = min([np.inf, *(signed[n][month] for n in COLUMNS if yes[n])])
        if low >= high:
            never.append(month)
    assert never == ["1985-07", "1985-08", "1989-01", "1989-03"]


def test_method_2_counts_any_intervention(amounts, marks, method_1):
    """1985-04 and 1992-12 are yes there, and no in method 1 (footnote 20)."""
    method_2 = marks[marks["method"] == 2].set_index("month")
    yes = method_2["intervention"] == "yes"
    printed = amounts["actual"] != 0
    # 1985-04 is printed as 0: less than half a million dollars.
    assert yes.index[yes != printed].tolist() == ["1985-04"]
    assert (method_1["intervention"][["1985-04", "1992-12"]] == "no").all()
    assert yes[["1985-04", "1992-12"]].all()


def test_printed_shares_follow_from_the_marks():
    printed = tables.published("shares").set_index("figure")
    shares = tables.shares_of_right().set_index("figure")[list(tables.ANSWERS)]
    assert shares.isna().equals(printed.isna())
    pd.testing.assert_frame_equal((100 * shares).round(), printed.astype(float))


def test_the_studys_shares_stand_below_the_papers():
    table = pd.DataFrame({"month": ["1984-06", "1984-07", "right"], "intervention": [1, 0, None]})
    table = table.assign(in_sample=[1, 0, 0.5], data_I=[1, 1, 1], linear_data_I=0.1)
    by_name = {f"method_{i}_1": table for i in (1, 2)}
    beside = tables.beside_the_paper(by_name, (tables.PERIODS[0],))
    selected = beside[beside["source"] == "study"]
    assert selected["figure"].tolist() == [7, 11]
    assert (
        selected[["months", "interventions", "in_sample", "data_I"]].to_numpy().tolist()
        == [[2, 1, 0.5, 1]] * 2
    )
    assert len(tables.beside_the_paper({}, ("1999-01..2000-01",))) == 8
