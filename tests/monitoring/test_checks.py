from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo.config import Monitor
from konkyo.i18n import LANGUAGES, Text
from konkyo.monitoring import checks
from konkyo.monitoring.figures import charts
from konkyo.monitoring.page import page

LIMITS = Monitor(
    max_psi=0.25,
    max_drifting=0.4,
    max_abs_z=4.0,
    max_missing=0.3,
    months=12,
    min_rank_ic_t=-2.0,
    max_sign_flips=0.5,
)
OLD, NEW = pd.Timestamp("2021-01-31"), pd.Timestamp("2021-02-28")
MONTHS = [OLD, OLD, NEW, NEW]


def show(results, limits, drawn=None) -> str:
    charts_of = drawn or {"en": {}, "ja": {}}
    return page(
        NEW, results, promises=[Text.same("<i>")], limits=limits, window=36, charts=charts_of,
        language="ja",
    )  # fmt: skip


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    """Two months of two inputs; in the newest one every value is exactly at its limit or within."""
    keys = {"month": MONTHS, "feature": ["a", "<b>"] * 2}
    return {
        "drift": pd.DataFrame(
            {**keys, "psi": [0.3, 0.4, 0.25, 0.1], "chance": 0.01, "stocks": [5, 5, 5, 5]}
        ),
        "market": pd.DataFrame({**keys, "value": 0.0, "z": [5.0, 1.0, -4.0, 3.0]}),
        "rank_ic": pd.DataFrame(
            {
                "month": [pd.Timestamp("2020-12-31"), OLD],
                "rank_ic": [0.1, 0.0],
                "recent": 0.01,
                "earlier": 0.05,
                "t": [-3.0, -2.0],
            }
        ),
        "missing": pd.DataFrame({**keys, "share": [0.1, 0.1, 0.3, 0.0]}),
        "promise": pd.DataFrame(
            {
                "feature": ["a", "<b>"],
                "promise": 0.1,
                "annual": [0.02, -0.03],
                "t": 1.0,
                "delivers": [True, False],
            }
        ),
        "signs": pd.DataFrame(
            {
                **keys,
                "before": 0.1,
                "now": [-0.1, -0.1, -0.1, 0.1],
                "t_before": 3.0,
                "t_now": -3.0,
                "changed": [True, True, True, False],
            }
        ),
    }


def _decide(tables: dict[str, pd.DataFrame], limits: Monitor = LIMITS) -> dict[str, checks.Check]:
    history = checks.check_values(tables, limits)
    return {check.name: check for check in checks.evaluate(history, tables, limits, NEW)}


def test_at_the_limit_nothing_is_breached(tables: dict[str, pd.DataFrame]):
    made = _decide(tables)
    assert list(made) == list(checks.CHECKS)
    assert {name: check.value for name, check in made.items()} == {
        "drift": 0.0, "market_z": 4.0, "rank_ic": -2.0, "missing": 0.3, "sign_flips": 0.5,
    }  # fmt: skip
    assert not any(check.breached for check in made.values())
    assert {name: (check.past_breaches, check.past_months) for name, check in made.items()} == {
        "drift": (1, 1), "market_z": (1, 1), "rank_ic": (1, 1), "missing": (0, 1),
        "sign_flips": (1, 1),
    }  # fmt: skip
    assert made["rank_ic"].month == OLD
    assert made["market_z"].month == NEW


@pytest.mark.parametrize(
    ("name", "limits", "said"),
    [
        ("drift", {"max_psi": 0.2}, "1 of 2 characteristics have a PSI above 0.2: a (0.25)"),
        ("market_z", {"max_abs_z": 3.9}, "a (-4.0), <b> (+3.0)"),
        ("rank_ic", {"min_rank_ic_t": -1.9}, "last 2 months +0.010, of the 0 months before +0.050"),
        ("missing", {"max_missing": 0.29}, "a (30%), <b> (0%)"),
        (
            "sign_flips",
            {"max_sign_flips": 0.4},
            "1 of 2 effects changed sign within a year: a (+0.100 to -0.100)",
        ),
    ],
)
def test_just_beyond_the_limit_it_is(
    tables: dict[str, pd.DataFrame], name: str, limits: dict[str, float], said: str
):
    chosen = replace(LIMITS, **limits)
    made = _decide(tables, chosen)
    assert [check.name for check in made.values() if check.breached] == [name]
    assert said in made[name].detail.en
    told = checks.log_line(made[name])
    assert told.startswith(f"{name} = {made[name].value:.3g} is ")
    key = checks.LIMIT_KEYS[name]
    assert f"monitor.{key} = {getattr(chosen, key):g}" in told
    table = checks.to_table(list(made.values())).set_index("check")
    assert table["breached"].to_dict() == {check: check == name for check in checks.CHECKS}


def test_what_cannot_be_judged_breaches_nothing(tables: dict[str, pd.DataFrame]):
    for name in ("drift", "market", "missing", "signs"):
        tables[name] = tables[name][:0]
    tables["rank_ic"]["t"] = np.nan
    made = _decide(tables)
    assert all(np.isnan(check.value) and not check.breached for check in made.values())
    assert made["drift"].detail.en == "no data to evaluate"
    assert made["rank_ic"].detail.en == "too few months to evaluate"
    assert charts(checks.check_values(tables, LIMITS), LIMITS, "en") == {}
    text = show(list(made.values()), LIMITS)
    assert "None of the 5 limits is breached." in text


def test_an_infinite_distance_is_a_breach(tables: dict[str, pd.DataFrame]):
    tables["market"].loc[3, "z"] = np.inf
    check = _decide(tables)["market_z"]
    assert check.breached
    assert "<b> (+inf)" in check.detail.en


def test_the_page_shows_decisions_and_escapes_names(tables: dict[str, pd.DataFrame]):
    limits = replace(LIMITS, max_abs_z=3.9)
    made = _decide(tables, limits)
    values = checks.check_values(tables, limits)
    drawn = {language: charts(values, limits, language) for language in LANGUAGES}
    assert set(drawn["en"]) == set(checks.CHECKS)
    text = show(list(made.values()), limits, drawn)
    assert "1 of 5 limits is breached." in text
    assert "5項目中1項目が閾値を超えた。" in text
    assert "a (-4.0), &lt;b&gt; (+3.0)" in text
    assert "<td><b></td>" not in text
    assert text.count("▲ breached") == 1
    assert '<p class="promise"><span class="t" lang="en">&lt;i&gt;</span>' in text
