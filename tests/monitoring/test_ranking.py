from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from konkyo.i18n import Language
from konkyo.monitoring import workbook
from konkyo.monitoring.ranking import month_ranking
from konkyo.report.style import LOWERS, RAISES
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.sentences import sentences

MONTH = pd.Timestamp("2021-01-31")


@pytest.fixture(scope="module")
def table(hostile: ExplainedPanel, labels: pd.DataFrame) -> pd.DataFrame:
    return month_ranking(hostile, MONTH, labels, "en")


def test_errors_and_flags_stand_beside_relevances(hostile: ExplainedPanel, labels: pd.DataFrame):
    reliable = np.zeros(hostile.relevance.shape, dtype=bool)
    reliable[:, 0] = True
    error = np.full(hostile.relevance.shape, 0.25, dtype=np.float16)
    table = month_ranking(replace(hostile, error=error, reliable=reliable), MONTH, labels, "en")
    names = hostile.names
    assert (table[[f"error_{name}" for name in names]] == 0.25).all().all()
    assert table[f"reliable_{names[0]}"].all() and not table[f"reliable_{names[1]}"].any()
    # One input is reliable, so that one is named.
    assert (table["reason_1"] != "").all() and (table["reason_2"] == "").all()


def test_the_ranking_by_hand(table: pd.DataFrame):
    assert table["stock"].tolist() == ["0012", "=1+1", "NA", "<script>alert(1)</script>"]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["side"].tolist() == ["long", "long", "short", "short"]
    assert table["quantile"].tolist() == [2, 2, 1, 1]
    np.testing.assert_allclose(table["score"], [0.39, 0.16, -0.03, -0.31], atol=1e-7)
    first = table.iloc[0]
    assert first["reason_1"] == "1-month return high (+0.300)"
    assert first["sentence"] == "ranked 1 of 4: " + ", ".join(
        first[["reason_1", "reason_2", "reason_3"]]
    )
    assert first["value_size"] == pytest.approx(-0.2)
    assert first["relevance_topix_change"] == pytest.approx(-0.02)


def test_rows_add_up(table: pd.DataFrame):
    parts = table.filter(like="relevance_").sum(axis=1) + table["absorbed"]
    np.testing.assert_allclose(parts, table["score"], atol=1e-7)


def test_sentences_are_the_reports(hostile: ExplainedPanel, labels: pd.DataFrame):
    ranking = month_ranking(hostile, MONTH, labels, "ja").set_index("stock")["sentence"]
    said = sentences(hostile, range(4), labels).set_index("stock")["ja"]
    assert ranking.to_dict() == said.to_dict()


def test_by_input_adds_up(table: pd.DataFrame, hostile: ExplainedPanel):
    parts = workbook.by_input(table, hostile.catalogue)
    assert parts.columns.tolist() == [
        "return_1", "size", "sector", "calendar", "topix_change", "absorbed",
    ]  # fmt: skip
    np.testing.assert_allclose(parts.sum(axis=1), table["score"], atol=1e-7)


@pytest.fixture(scope="module")
def book(
    hostile: ExplainedPanel,
    table: pd.DataFrame,
    labels: pd.DataFrame,
    tmp_path_factory: pytest.TempPathFactory,
) -> openpyxl.Workbook:
    path = tmp_path_factory.mktemp("book") / "2021-01.xlsx"
    return written(path, table, hostile, labels)


def written(
    path: Path,
    ranking: pd.DataFrame,
    panel: ExplainedPanel,
    labels: pd.DataFrame,
    language: Language = "en",
) -> openpyxl.Workbook:
    workbook.write(
        path,
        ranking,
        catalogue=panel.catalogue,
        labels=labels,
        language=language,
        facts={"month": "2021-01"},
    )
    return openpyxl.load_workbook(path)


def test_names_stay_text(book: openpyxl.Workbook):
    for sheet in ("Ranking", "Values", "Relevances"):
        names = [book[sheet].cell(row, 2) for row in range(2, 6)]
        assert [cell.value for cell in names] == [
            "0012", "=1+1", "NA", "<script>alert(1)</script>",
        ]  # fmt: skip
        assert [cell.data_type for cell in names] == ["s"] * 4
        assert [bool(cell.quotePrefix) for cell in names] == [False, True, False, False]
    formulas = [c for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert formulas == []


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "#N/A"])
def test_texts_that_begin_like_formulas(
    hostile: ExplainedPanel, table: pd.DataFrame, labels: pd.DataFrame, tmp_path: Path, name: str
):
    ranking = table.assign(stock=[name, "b", "c", "d"])
    cell = written(tmp_path / "x.xlsx", ranking, hostile, labels)["Ranking"]["B2"]
    assert (cell.value, cell.data_type) == (name, "s")
    assert bool(cell.quotePrefix) == (name != "#N/A")


def test_what_is_not_reliable_is_grey(
    hostile: ExplainedPanel, labels: pd.DataFrame, tmp_path: Path
):
    reliable = np.zeros(hostile.relevance.shape, dtype=bool)
    # The stock 0012, the second row of the panel: its 1-month return and its own sector.
    reliable[1, [0, 3]] = True
    panel = replace(hostile, error=np.zeros(reliable.shape, np.float16), reliable=reliable)
    ranking = month_ranking(panel, MONTH, labels, "en")
    sheet = written(tmp_path / "a.xlsx", ranking, panel, labels)["Relevances"]
    upright = [[cell.value for cell in row if not cell.font.italic] for row in sheet["C2:G5"]]
    assert upright == [[0.3, 0.1], [], [], []]
    # What is absorbed has no error.
    assert [cell.font.italic for cell in sheet["H"][1:]] == [False] * 4


def test_relevances_are_coloured_on_one_scale(book: openpyxl.Workbook):
    ((area, (rule,)),) = book["Relevances"].conditional_formatting._cf_rules.items()
    assert str(area.sqref) == "C2:H5"
    assert [float(end.val) for end in rule.colorScale.cfvo] == pytest.approx([-0.3, 0, 0.3])
    assert [colour.rgb[2:] for colour in rule.colorScale.color] == [
        LOWERS[1:], "FFFFFF", RAISES[1:],
    ]  # fmt: skip


def test_all_stocks_and_the_dummies_as_one_column(book: openpyxl.Workbook):
    sheet = book["Relevances"]
    heads = [cell.value for cell in sheet[1]]
    assert heads[:6] == ["rank", "stock", "1-month return", "Size", "Sector", "Calendar month"]
    assert [sheet.cell(row, 5).value for row in range(2, 6)] == [0.1, 0.03, 0.02, -0.1]
    values = book["Values"]
    assert [cell.value for cell in values[1]] == ["rank", "stock", "1-month return", "Size"]
    assert [values.cell(row, 3).value for row in range(2, 6)] == [1.0, 0.2, -0.2, -1.0]
    for name in ("Ranking", "Values", "Relevances", "Inputs"):
        assert book[name].freeze_panes
        assert book[name].auto_filter.ref == book[name].dimensions


def test_the_workbook_names_every_input(book: openpyxl.Workbook, hostile: ExplainedPanel):
    rows = [[cell.value for cell in row] for row in book["Inputs"].iter_rows(min_row=2)]
    listed = {row[1]: row[4] for row in rows}
    assert list(listed) == hostile.names
    assert listed["topix_change"] == pytest.approx(0.02)
    assert listed["return_1"] is None
    about = [[cell.value for cell in row] for row in book["Read me"].iter_rows()]
    assert about[0] == ["decision month (t)", "2021-01"]
    assert about[-1][1].startswith("All inputs were available")


def test_japanese_and_a_name_that_no_workbook_can_hold(
    hostile: ExplainedPanel, labels: pd.DataFrame, tmp_path: Path
):
    index = hostile.index.assign(stock=["=1+1", "a\x00b", "c", "NA"])
    panel = replace(hostile, index=index)
    ranking = month_ranking(panel, MONTH, labels, "ja")
    book = written(tmp_path / "x.xlsx", ranking, panel, labels, "ja")
    assert book.sheetnames == ["順位", "全銘柄の入力値", "全銘柄の関連度", "入力", "説明"]
    assert book["順位"]["B2"].value == "a\ufffdb"
    assert book["順位"]["H2"].value.startswith("4銘柄中1位：")


def test_a_month_without_portfolios_is_ranked(
    hostile: ExplainedPanel, labels: pd.DataFrame, table: pd.DataFrame, tmp_path: Path
):
    without = hostile.index.assign(quantile=pd.Series(pd.NA, hostile.index.index, dtype="Int64"))
    panel = replace(hostile, index=without)
    ranking = month_ranking(panel, MONTH, labels, "en")
    assert ranking["side"].eq("").all() and ranking["quantile"].isna().all()
    same = ["stock", "rank", "score", "sentence"]
    pd.testing.assert_frame_equal(ranking[same], table[same])
    sheet = written(tmp_path / "book.xlsx", ranking, panel, labels)["Ranking"]
    assert [cell.value for cell in sheet["D"][1:]] == [None] * 4
    assert [cell.value for cell in sheet["A"][1:]] == [1, 2, 3, 4]
