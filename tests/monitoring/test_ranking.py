from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from konkyo.config import Report
from konkyo.errors import KonkyoError
from konkyo.monitoring import workbook
from konkyo.monitoring.ranking import month_ranking
from konkyo.report.style import LOWERS, RAISES
from konkyo.report.tables import ExplainedPanel, sentences
from small import small_params

MONTH = pd.Timestamp("2021-01-31")


@pytest.fixture(scope="module")
def config() -> Report:
    report = small_params().report
    return Report(
        **{
            **vars(report),
            "n_extremes": 1,
            "watchlist": ("NA",),
            "month": "newest",
            "language": "en",
        }
    )


@pytest.fixture(scope="module")
def table(hostile: ExplainedPanel, labels: pd.DataFrame) -> pd.DataFrame:
    return month_ranking(hostile, MONTH, labels, "en")


@pytest.fixture(scope="module")
def book(
    hostile: ExplainedPanel,
    labels: pd.DataFrame,
    config: Report,
    tmp_path_factory: pytest.TempPathFactory,
) -> openpyxl.Workbook:
    path = tmp_path_factory.mktemp("book") / "2021-01.xlsx"
    return written(path, hostile, labels, config)


def written(
    path: Path, panel: ExplainedPanel, labels: pd.DataFrame, config: Report
) -> openpyxl.Workbook:
    workbook.write(
        path,
        month_ranking(panel, MONTH, labels, "en"),
        panel=panel,
        labels=labels,
        config=config,
        language="en",
        facts={"month": "2021-01"},
    )
    return openpyxl.load_workbook(path)


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
    found = month_ranking(hostile, MONTH, labels, "ja").set_index("stock")["sentence"]
    said = sentences(hostile, range(4), labels).set_index("stock")["ja"]
    assert found.to_dict() == said.to_dict()


def test_names_stay_text(book: openpyxl.Workbook):
    for sheet in ("Ranking", "Values", "Relevances"):
        column = 2
        found = [book[sheet].cell(row, column) for row in range(2, 6)]
        assert [cell.value for cell in found] == [
            "0012", "=1+1", "NA", "<script>alert(1)</script>",
        ]  # fmt: skip
        assert [cell.data_type for cell in found] == ["s"] * 4
        assert found[1].quotePrefix
        assert not found[0].quotePrefix
    formulas = [c for sheet in book for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert formulas == []


def test_what_is_not_reliable_is_pale(
    book: openpyxl.Workbook,
    hostile: ExplainedPanel,
    labels: pd.DataFrame,
    config: Report,
    tmp_path: Path,
):
    reliable = np.ones(hostile.relevance.shape, dtype=bool)
    reliable[1] = False
    error = np.zeros(hostile.relevance.shape, dtype=np.float16)
    panel = replace(hostile, error=error, reliable=reliable)
    sheet = written(tmp_path / "a.xlsx", panel, labels, config)["Attribution"]
    rows = list(sheet.iter_rows(min_row=2))
    # The largest relevance, 0.3, is not reliable: three tenths of the way to red.
    assert rows[2][5].value == pytest.approx(0.3)
    colours = [row[5].fill.fgColor.rgb[2:] for row in rows]
    assert colours[2] == workbook.shade(0.3 * 0.3, 0.3).fgColor.rgb[2:]
    before = [row[5].fill.fgColor.rgb[2:] for row in book["Attribution"].iter_rows(min_row=2)]
    assert colours[:2] == before[:2] and colours[2] != before[2]


def test_relevances_are_coloured_like_figure_8(book: openpyxl.Workbook, hostile: ExplainedPanel):
    sheet = book["Attribution"]
    heads = [cell.value for cell in sheet[1]]
    # Largest mean relevance of the three stocks first; all dummies have some relevance here.
    assert heads[:6] == ["side", "rank", "stock", "sector", "score", "1-month return"]
    assert heads[-1] == "absorbed"
    rows = list(sheet.iter_rows(min_row=2))
    assert [row[2].value for row in rows] == ["<script>alert(1)</script>", "NA", "0012"]
    assert [row[0].value for row in rows] == ["short", "watchlist", "long"]
    for row in rows:
        assert sum(cell.value for cell in row[5:]) == pytest.approx(row[4].value, abs=1e-6)
    # The largest relevance of the sheet is the end of the scale, the other end is as far.
    assert rows[2][5].value == pytest.approx(0.3)
    assert rows[2][5].fill.fgColor.rgb[2:] == RAISES[1:]
    assert rows[0][5].value == pytest.approx(-0.2)
    share = round(0.2 / 0.3 * workbook.SHADES) / workbook.SHADES
    blue = [round(255 + (int(LOWERS[at : at + 2], 16) - 255) * share) for at in (1, 3, 5)]
    assert rows[0][5].fill.fgColor.rgb[2:] == "".join(f"{one:02X}" for one in blue)
    # The same cells of the next sheet have the same colours and the inputs' values.
    inputs = list(book["Inputs"].iter_rows(min_row=2))
    for one, other in zip(rows, inputs, strict=True):
        assert [c.fill.fgColor.rgb for c in one[5:-1]] == [c.fill.fgColor.rgb for c in other[5:]]
    assert inputs[2][5].value == pytest.approx(1.0)


def test_all_stocks_and_the_dummies_as_one_column(book: openpyxl.Workbook):
    sheet = book["Relevances"]
    heads = [cell.value for cell in sheet[1]]
    assert heads[:6] == ["rank", "stock", "1-month return", "Size", "Sector", "Calendar month"]
    assert [sheet.cell(row, 5).value for row in range(2, 6)] == [0.1, 0.03, 0.02, -0.1]
    values = book["Values"]
    assert [cell.value for cell in values[1]] == ["rank", "stock", "1-month return", "Size"]
    assert [values.cell(row, 3).value for row in range(2, 6)] == [1.0, 0.2, -0.2, -1.0]
    for name in ("Ranking", "Attribution", "Inputs", "Values", "Relevances"):
        assert book[name].freeze_panes
        assert book[name].auto_filter.ref == book[name].dimensions


def test_by_input_adds_up(table: pd.DataFrame, hostile: ExplainedPanel):
    parts = workbook.by_input(table, hostile.catalogue)
    assert parts.columns.tolist() == [
        "return_1", "size", "sector", "calendar", "topix_change", "absorbed",
    ]  # fmt: skip
    np.testing.assert_allclose(parts.sum(axis=1), table["score"], atol=1e-7)


def test_the_read_me_names_every_input(book: openpyxl.Workbook, hostile: ExplainedPanel):
    rows = [[cell.value for cell in row] for row in book["Read me"].iter_rows()]
    assert rows[0][:2] == ["decision month (t)", "2021-01"]
    listed = {row[1]: row[4] for row in rows[-len(hostile.names) :]}
    assert list(listed) == hostile.names
    assert listed["topix_change"] == pytest.approx(0.02)
    assert listed["return_1"] is None


def test_japanese_and_a_name_that_no_workbook_can_hold(
    hostile: ExplainedPanel, labels: pd.DataFrame, config: Report, tmp_path: Path
):
    index = hostile.index.assign(stock=["=1+1", "a\x00b", "c", "NA"])
    e = ExplainedPanel(
        index, hostile.features, hostile.relevance, hostile.absorbed, hostile.catalogue
    )
    table = month_ranking(e, MONTH, labels, "ja")
    workbook.write(
        tmp_path / "x.xlsx", table, panel=e, labels=labels, config=config, language="ja", facts={}
    )
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    assert book.sheetnames == [
        "順位", "寄与", "入力値", "全銘柄の入力値", "全銘柄の関連度", "説明",
    ]  # fmt: skip
    assert book["順位"]["B2"].value == "a\ufffdb"
    assert book["順位"]["H2"].value.startswith("4銘柄中1位：")


def test_an_unranked_watchlist_stock_is_an_error(
    hostile: ExplainedPanel,
    labels: pd.DataFrame,
    config: Report,
    table: pd.DataFrame,
    tmp_path: Path,
):
    strange = Report(**{**vars(config), "watchlist": ("nobody",)})
    with pytest.raises(KonkyoError, match="nobody"):
        workbook.write(
            tmp_path / "x.xlsx",
            table,
            panel=hostile,
            labels=labels,
            config=strange,
            language="en",
            facts={},
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_texts_that_begin_like_formulas(value: str):
    sheet = openpyxl.Workbook(write_only=True).create_sheet()
    cell = workbook.cell(sheet, value)
    assert (cell.value, cell.data_type, cell.quotePrefix) == (value, "s", True)
    assert workbook.cell(sheet, None).value is None
    assert workbook.shade(0.001, 1.0).fgColor.rgb[2:] == "FFFFFF"


def test_a_month_without_portfolios_is_ranked(
    hostile: ExplainedPanel,
    labels: pd.DataFrame,
    config: Report,
    table: pd.DataFrame,
    tmp_path: Path,
):
    without = hostile.index.assign(quantile=pd.Series(pd.NA, hostile.index.index, dtype="Int64"))
    e = replace(hostile, index=without)
    found = month_ranking(e, MONTH, labels, "en")
    assert found["side"].eq("").all() and found["quantile"].isna().all()
    same = ["stock", "rank", "score", "sentence"]
    pd.testing.assert_frame_equal(found[same], table[same])
    workbook.write(
        tmp_path / "book.xlsx",
        found,
        panel=e,
        labels=labels,
        config=config,
        language="en",
        facts={"month": "2021-01"},
    )
    sheet = openpyxl.load_workbook(tmp_path / "book.xlsx")["Ranking"]
    assert [cell.value for cell in sheet["D"][1:]] == [None] * 4
    assert [cell.value for cell in sheet["A"][1:]] == [1, 2, 3, 4]
