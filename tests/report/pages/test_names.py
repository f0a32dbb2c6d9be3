"""Names that are mark-up, formulas, paths or mathematics: figures, files, sentences."""

import json
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup

import small_tables as small
from konkyo.i18n import Text
from konkyo.pipeline import report
from konkyo.report import tables
from konkyo.report.charts.factors import factor_scatter
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


@pytest.mark.parametrize("name", NAMES)
def test_figures_with_a_stock_of_any_name(name, tmp_path):
    points = small.points().assign(stock=name)
    for language in ("en", "ja"):
        chart = factor_scatter(points, small.shape(), small.LABELS, "return_1", language)
        save_pngs({tmp_path / "scatter.png": chart}, 50)
        page = Page(Text("T", "T"), Markup(""), [], charts={language: {"scatter": chart}})
        assert "<script>alert" not in str(shell(page))
        written = json.loads(chart_files(page.charts)[f"chart/{language}/scatter"])
        assert written["usermeta"]["title"]


def test_sentences_hold_no_name_of_a_stock(made, labels):
    """What stands beside a name in pages and workbooks is made of labels and numbers alone."""
    evidence = made(1)
    rows = np.flatnonzero(evidence.index["stock"] == HOSTILE)
    told = tables.sentences(evidence, rows, labels)
    assert len(rows) == 3
    assert not [text for language in ("en", "ja") for text in told[language] if "script" in text]


def test_file_names_of_figures_are_short_and_unique():
    made = [report._file(f"factor_scatter/{name}") for name in [*NAMES, "長" * 299]]
    assert len(set(made)) == len(made)
    assert all(Path(name).name == name and len(f"{name}.html".encode()) < 250 for name in made)
    assert report._file("factor_scatter/S01") == "factor_scatter-S01"
