import subprocess
import sys
from importlib.resources import files

import pandas as pd
import pytest

from konkyo.data.simulated.catalogue import catalogue
from konkyo.features.market import column_name
from konkyo.report.tables.labels import labels

US_SECTORS = [
    "Aero", "Agric", "Autos", "Banks", "Beer", "BldMt", "Books", "Boxes", "BusSv", "Chems",
    "Chips", "Clths", "Cnstr", "Coal", "Comps", "Drugs", "ElcEq", "FabPr", "Fin", "Food", "Fun",
    "Gold", "Guns", "Hlth", "Hshld", "Insur", "LabEq", "Mach", "Meals", "MedEq", "Mines", "Oil",
    "Other", "Paper", "PerSv", "RlEst", "Rtail", "Rubbr", "Ships", "Smoke", "Soda", "Steel",
    "Telcm", "Toys", "Trans", "Txtls", "Util", "Whlsl",
]  # fmt: skip
US = [
    "return_1", "return_36", "beta_36", "volatility_12", "size", "illiquidity",
    "idiosyncratic_volatility", "maximum_12", *(f"sector_{name}" for name in US_SECTORS),
    *(f"month_{number:02d}" for number in range(1, 13)),
    *(column_name(name, transform) for name in ("MKT", "SMB", "HML", "RMW", "CMA")
      for transform in ("level", "difference")),
]  # fmt: skip


def one(name: str, rows: pd.DataFrame | None = None) -> dict[str, str]:
    return labels([name], rows).iloc[0].to_dict()


@pytest.mark.parametrize("names", [catalogue()["name"].tolist(), US])
def test_every_feature_of_both_markets_has_a_name(names: list[str]):
    table = labels(names)
    assert table["feature"].tolist() == names
    assert not table.isna().any(axis=None)
    assert not (table == "").any(axis=None)
    assert table["en"].is_unique and table["ja"].is_unique
    # An untranslated name would read like the feature's, or have no Japanese character.
    assert not (table["en"] == table["feature"]).any()
    written = table["ja"].str.contains(r"[ぁ-んァ-ヶ一-龠]")
    proper = ["TOPIX", "EBITDA/EV"]
    assert table.loc[~written & ~table["ja"].isin(proper), "ja"].tolist() == []


def test_of_kinds_and_units():
    kinds = labels(catalogue()["name"]).groupby("kind").size().to_dict()
    assert kinds == {
        "characteristic": 33, "sector": 33, "calendar": 12, "level": 24, "change": 13,
        "difference": 11,
    }  # fmt: skip
    assert one("jgb_10_difference")["unit"] == "1-month difference"
    assert one("month_03")["unit_ja"] == "1か0"
    rows = pd.DataFrame({"name": ["roe_forecast"], "transform": ["zscore"]})
    assert one("roe_forecast", rows)["unit"] == "standard deviations from the month's mean"
    assert one("MKT")["kind"] == "rate"
    assert one("MKT_difference")["kind"] == "rate_difference"


def test_words_inside_a_sentence():
    said = labels(["roe_forecast", "sales_growth", "ebitda_to_ev_forecast", "topix_change"])
    assert said["phrase_en"].tolist() == [
        "forecast ROE", "sales growth", "forecast EBITDA to enterprise value", "TOPIX",
    ]  # fmt: skip
    assert said["phrase_ja"].tolist() == ["予想ROE", "実績売上高成長率", "予想EBITDA/EV", "TOPIX"]
    assert one("size")["high_en"] == "large"
    assert one("size")["low_ja"] == "小さい"


def test_any_number_of_months():
    assert one("return_3")["en"] == "3-month return"
    assert one("return_12")["ja"] == "過去12か月リターン"
    assert one("return_60")["en"] == "5-year return"
    assert one("return_60")["ja"] == "過去5年リターン"
    assert one("volatility_24")["en"] == "24-month volatility"


def test_simulated_inputs_have_the_catalogues_names():
    """The source's catalogue goes with its records; here every source's features have one name."""
    reference = catalogue().set_index("name")
    table = labels(reference.index).set_index("feature")
    shorter = {
        "roe_forecast": ("ROE, forecast", "ROE（予想）"),
        "return_1": ("1-month return", "過去1か月リターン"),
        "return_3": ("3-month return", "過去3か月リターン"),
        "return_6": ("6-month return", "過去6か月リターン"),
        "return_12": ("12-month return", "過去12か月リターン"),
        "return_36": ("3-year return", "過去3年リターン"),
        "beta_36": ("36-month beta", "36か月ベータ"),
        "size": ("Size", "時価総額"),
    }
    names = {
        name: tuple(row) for name, row in reference[["english", "japanese"]].T.items()
    } | shorter
    assert {name: tuple(row) for name, row in table[["en", "ja"]].T.items()} == names
    # Group and transform need no panel's catalogue.
    with_panel = labels(reference.index, reference.reset_index()[["name", "group", "transform"]])
    pd.testing.assert_frame_equal(with_panel, table.reset_index())


def test_every_derived_ratio_has_names_of_its_own():
    ratios = pd.read_csv(files("konkyo.data").joinpath("ratios.csv"))["name"].tolist()
    table = labels(ratios)
    assert table["en"].is_unique and table["ja"].is_unique
    assert not (table["en"] == table["feature"].str.replace("_", " ")).any()
    assert table["ja"].str.contains(r"[ぁ-んァ-ヶ一-龠]").all()


def test_labels_do_not_import_the_simulator():
    code = (
        "import sys, konkyo.report.tables.labels\n"
        "assert not [name for name in sys.modules if 'simulated' in name]"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_an_unknown_feature_is_called_by_its_own_name():
    result = one("profit_warning")
    assert (result["kind"], result["en"], result["ja"]) == ("characteristic",) + (
        "profit warning",
    ) * 2
    assert (result["high_en"], result["low_ja"]) == ("high", "低い")
    assert one("sector_space_travel")["en"] == "space travel"
    assert one("sector_space_travel")["kind"] == "sector"


def test_user_labels_go_first_unless_empty():
    rows = pd.DataFrame(
        {
            "name": ["size", "nikkei", "nikkei_change"],
            "group": ["characteristic", "market", "market"],
            "transform": ["rank", "level", "change"],
            "en": ["Market cap", "Nikkei", None],
            "ja": ["", "日経平均", None],
        }
    )
    table = labels(["size", "nikkei_change", "nikkei"], rows).set_index("feature")
    assert table.loc["size", ["en", "ja", "high_en"]].tolist() == [
        "Market cap",
        "時価総額",
        "large",
    ]
    assert table.loc["nikkei_change", "en"] == "Nikkei, 1-month change"
    assert table.loc["nikkei_change", "phrase_ja"] == "日経平均"
    assert table["kind"].tolist() == ["characteristic", "change", "level"]


def test_groups_have_names_too():
    table = labels(["characteristic", "sector", "calendar", "market", "absorbed", "unranked"])
    assert (table["kind"] == "group").all()
    assert table["ja"].tolist()[:4] == ["銘柄属性", "業種", "暦月", "市場指標"]
