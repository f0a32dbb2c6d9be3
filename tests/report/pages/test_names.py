"""Stocks whose names are mark-up, formulas, paths or mathematics: figures, files, sentences."""

import json
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup

from konkyo.i18n import Text
from konkyo.pipeline import report
from konkyo.report import tables
from konkyo.report.charts import report as charts
from konkyo.report.charts.theme import save_pngs
from konkyo.report.pages.html import Page, chart_files, shell

NAMES = [
    "</script><script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "../../../evil",
    "/etc/passwd",
    r"$\bad{$_x$",
    "two\nlines",
    "長" * 300,
    "..",
]
HOSTILE = "<script>window.hurt=1</script>\"'&"
"""A stock of the evidence that `made` makes."""


def shell_of(chart, language):
    return shell(Page(Text("T", "T"), Markup(""), [], charts={language: {"change": chart}}))


@pytest.mark.parametrize(
    ("name", "language"), list(zip(NAMES, ["en", "ja"] * (len(NAMES) // 2), strict=True))
)
def test_figures_of_a_stock_of_any_name(made, labels, name, language, tmp_path):
    evidence = made(1)
    evidence.index["stock"] = evidence.index["stock"].replace(HOSTILE, name)
    month = evidence.index["month"].iloc[-1]
    stocks = tables.stock_table(evidence, month, 3, (name,))
    changes = tables.score_changes(evidence, month, [name])
    folder = tmp_path / "report"
    file = report._file(f"change_bars/{name}")
    heat = charts.stock_heat(stocks, labels, language)
    change = charts.change_bars(changes, labels, name, language)
    for chart in (heat, change):
        save_pngs({folder / f"{file}.png": chart}, 50)
    written = chart_files({language: {"change": change}})
    assert "<script>alert" not in str(shell_of(change, language))
    assert json.loads(written[f"chart/{language}/change"])["usermeta"]["title"]
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {folder}


def test_sentences_hold_no_name_of_a_stock(made, labels):
    """What stands beside a name in pages and workbooks is made of labels and numbers alone."""
    evidence = made(1)
    rows = np.flatnonzero(evidence.index["stock"] == HOSTILE)
    told = tables.sentences(evidence, rows, labels)
    assert len(rows) == 3
    assert not [text for language in ("en", "ja") for text in told[language] if "script" in text]


def test_file_names_of_figures_are_short_and_unique():
    made = [report._file(f"change_bars/{name}") for name in [*NAMES, "長" * 299]]
    assert len(set(made)) == len(made)
    assert all(Path(name).name == name and len(f"{name}.html".encode()) < 250 for name in made)
    assert report._file("change_bars/S01") == "change_bars-S01"
