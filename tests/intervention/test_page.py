"""The page's body from small tables."""

import pandas as pd
import pytest

from konkyo.intervention import page

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def body(quick) -> str:
    name = quick.periods[0].name
    one = pd.DataFrame({"period": [name], "method": ["amount"], "rmse": [1.23456], "months": [12]})
    read = {key: one for key in ("thresholds", "fit", "tests", "seed_variation")}
    read["scores"] = pd.concat([one, one.assign(period="all", rmse=float("nan"))])
    read["penalties"] = pd.DataFrame(
        {
            "period": [name, name],
            "data": ["II", "II"],
            "method": ["amount", "amount"],
            "weight_decay": [0.00001, 0.01],
            "loss": [0.4, 0.125],
            "best": [False, True],
        }
    )
    tables = {
        f"{kind}_1": pd.DataFrame({"month": ["1985-05", "right"], "actual": [-200.0, None]})
        for kind in ("amounts", "answers", "occurrence")
    }
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
    assert "1986-04..1989-03" in body and "0.571" in body


def test_every_text_is_there_in_both_languages(body):
    assert body.count('lang="en"') == body.count('lang="ja"') > 50
