import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from konkyo.i18n import Language, catalogue
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.labels import labels
from konkyo.report.tables.sentences import RULES, Phrases, number, sentences

NAMES = [
    "roe_forecast", "return_1", "size", "sector_banks", "month_03", "topix", "topix_change",
    "jgb_10_difference", "MKT", "MKT_difference",
]  # fmt: skip
VALUES = [0.9, -0.8, 0.5, 1.0, 0.0, 1523.4, -0.082, 0.12, -0.0171, 0.034]


def sentence(
    table: pd.DataFrame,
    rank: int,
    stocks: int,
    values: Sequence[float],
    relevances: Sequence[float],
    language: Language,
    n: int = 3,
) -> str:
    phrases = Phrases(table, language)
    return phrases.sentence(rank, stocks, np.array(values), np.array(relevances), n)


def say(feature: str, value: float, language: str) -> str:
    """Return what one input is put into, without rank and relevance."""
    text = sentence(labels([feature]), 1, 2, [value], [0.5], language)
    return text.split(": ")[1][:-9] if language == "en" else text.split("：")[1][:-8]


def test_the_largest_three_in_order():
    relevances = [0.083, 0.0516, -0.031, 0.01, 0, 0, 0, 0, 0, 0]
    table = labels(NAMES)
    assert sentence(table, 12, 1700, VALUES, relevances, "en") == (
        "ranked 12 of 1,700: forecast ROE high (+0.083), 1-month return low (+0.052), "
        "size large (-0.031)"
    )
    assert sentence(table, 12, 1700, VALUES, relevances, "ja") == (
        "1,700銘柄中12位：予想ROEが高い（+0.083）、過去1か月リターンが低い（+0.052）、"
        "時価総額が大きい（-0.031）"
    )
    assert sentence(table, 12, 1700, VALUES, relevances, "en", n=1).endswith("high (+0.083)")


@pytest.mark.parametrize(
    ("feature", "value", "en", "ja"),
    [
        ("size", -0.34, "size small", "時価総額が小さい"),
        ("size", -1 / 3, "size average", "時価総額が平均的"),
        ("size", 0.2, "size average", "時価総額が平均的"),
        ("sector_banks", 1.0, "in sector Banks", "業種が銀行業"),
        ("sector_banks", 0.0, "not in sector Banks", "業種が銀行業以外"),
        ("month_03", 1.0, "decided in March", "判断月が3月"),
        ("month_03", 0.0, "decided in another month than March", "判断月が3月以外"),
        ("topix", 1523.4, "TOPIX at 1,523", "TOPIXが1,523"),
        ("topix_change", -0.082, "TOPIX down 8.2% in a month", "TOPIXが1か月で8.2%下落"),
        ("topix_change", 0.0, "TOPIX unchanged in a month", "TOPIXが1か月で横ばい"),
        (
            "jgb_10_difference",
            0.12,
            "JGB 10-year yield up 0.120 in a month",
            "日本国債10年利回りが1か月で0.120上昇",
        ),
        ("jgb_2", -0.143, "JGB 2-year yield at -0.143", "日本国債2年利回りが-0.143"),
        ("MKT", -0.0171, "market excess return (MKT) -1.7%", "市場超過リターン（MKT）が-1.7%"),
        (
            "MKT_difference",
            0.034,
            "market excess return (MKT) up 3.4 points from the month before",
            "市場超過リターン（MKT）が前月より3.4ポイント上昇",
        ),
    ],
)
def test_words_for_values(feature: str, value: float, en: str, ja: str):
    assert say(feature, value, "en") == en
    assert say(feature, value, "ja") == ja


def test_numbers_are_rounded_half_up_on_every_machine():
    assert number(0.125, 2) == "0.13"
    assert number(-0.0004, 3) == "0.000"
    assert number(35421.06, 0) == "35,421"
    assert number(1234.5, 1) == "1,234.5"
    assert number(0.0625, 3) == "0.063"


def test_equal_relevances_are_named_in_column_order():
    table = labels(["return_1", "size", "beta_36"])
    text = sentence(table, 1, 3, [1, 1, 1], [0.1, -0.2, 0.2], "en", n=2)
    assert text == "ranked 1 of 3: size large (-0.200), 36-month beta high (+0.200)"


def test_a_label_is_never_read_as_a_template():
    selected = pd.DataFrame({"name": ["odd"], "en": ["{rank} of %s <b>"], "ja": ["{high}"]})
    assert sentence(labels(["odd"], selected), 1, 2, [1], [1], "en").startswith(
        "ranked 1 of 2: {rank} of %s <b> high"
    )
    assert "{high}が高い" in sentence(labels(["odd"], selected), 1, 2, [1], [1], "ja")


def test_every_kind_of_rule_has_its_words():
    assert json.loads(json.dumps(RULES)) == RULES
    selected = {
        key for key in catalogue("en") if key.startswith("sentence.") and key.count(".") == 2
    }
    sides = ("low", "average", "high")
    assert selected == {f"sentence.{kind}.{side}" for kind in RULES["thresholds"] for side in sides}


def test_many_are_those_one_by_one(tiny: ExplainedPanel):
    table = labels(tiny.names)
    rows = np.array([9, 2, 4])
    many = sentences(tiny, rows, table, n=2)
    assert many["stock"].tolist() == ["B", "C", "A"]
    for row, said in zip(rows, many.itertuples(), strict=True):
        about = tiny.index.iloc[row]
        for language in ("en", "ja"):
            assert getattr(said, language) == sentence(
                table,
                about["rank"],
                about["stocks"],
                tiny.features[row],
                tiny.relevance[row],
                language,
                n=2,
            )
    assert many["en"][1] == (
        "ranked 3 of 4: 1-month return average (-0.100), TOPIX down 10.0% in a month (-0.100)"
    )
