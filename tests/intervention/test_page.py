"""The page's body from small tables."""

import pandas as pd
import pytest

from konkyo.intervention import page

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def body(quick) -> str:
    name = quick.periods[0].name
    one = pd.DataFrame({"period": [name], "method": ["amount"], "rmse": [1.23456], "months": [12]})
    read = {key: one for key in ("responses", "fit", "tests")}
    read["scores"] = pd.concat([one, one.assign(period="all", rmse=float("nan"))])
    read["penalties"] = pd.DataFrame(
        {
            "period": [name, name],
            "method": ["amount", "amount"],
            "weight_decay": [0.00001, 0.01],
            "loss": [0.4, 0.125],
            "best": [False, True],
        }
    )
    read["records"] = pd.DataFrame({"month": [], "rate": []})
    one_month = pd.DataFrame(
        {
            "month": ["1985-05", "right"],
            "intervention": [1, None],
            "cut": [0, None],
            "data_I": [1, 1.0],
        }
    )
    tables = {"method_1_1": one_month, "method_2_1": one_month, "amounts_1": one_month[:1]}
    source = {"source": HOSTILE, "first_month": "1980-06", "last_month": "1985-08"}
    # What a span is dressed in is the page's own matter.
    return str(page.body(source, read, tables=tables, config=quick)).replace('class="t" ', "")


def test_whatever_comes_from_data_is_escaped(body):
    assert HOSTILE not in body
    assert "&lt;script&gt;" in body


def test_numbers_show_rounded_and_sort_exactly(body):
    assert '<td data-value="1.23456"><span lang="en">1.235</span>' in body
    assert '<td data-value="12.0"><span lang="en">12</span>' in body
    assert '<td data-value=""><span lang="en">–</span>' in body


def test_penalties_and_published_shares_are_shown(body):
    assert '<td data-value="0.4"><span lang="en">0.400</span>' in body
    assert '<td data-value="0.125"><span lang="en">0.125</span>' in body
    assert '<td data-value="0.5714285714285714">' in body


def test_what_the_papers_rules_leave_open_is_stated(body):
    assert "in 1 of 1 months the past twelve months had no intervention" in body
    assert "is that of monthly means of the month before" in body
    assert "deviation and trade balance are those of two months before" in body
    assert "Figure 7–10. Method 1" in body


def test_every_text_is_there_in_both_languages(body):
    assert body.count('lang="en"') == body.count('lang="ja"') > 50
