"""Stocks whose names are mark-up, formulas, paths or mathematics: figures, files, sentences."""

from pathlib import Path

import numpy as np
import pytest

from konkyo.pipeline import report
from konkyo.report import figures, interactive, tables

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
    for figure in (
        figures.stock_heat(stocks, labels, language),
        figures.change_bars(changes, labels, name, language),
    ):
        figures.save(figure, folder / f"{file}.png", 50)
    figure = interactive.change_bars(changes, labels, name, language)
    page = interactive.write(figure, folder, file, language).read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {folder}


def test_sentences_hold_no_name_of_a_stock(made, labels):
    """What stands beside a name in pages and workbooks is made of labels and numbers alone."""
    evidence = made(1)
    rows = np.flatnonzero(evidence.index["stock"] == HOSTILE)
    told = tables.sentences(evidence, rows, labels)
    assert len(rows) == 3
    assert not [text for language in ("en", "ja") for text in told[language] if "script" in text]


def test_files_of_figures_are_short_plain_and_different():
    made = [report._file(f"change_bars/{name}") for name in [*NAMES, "長" * 299]]
    assert len(set(made)) == len(made)
    assert all(Path(name).name == name and len(f"{name}.html".encode()) < 250 for name in made)
    assert report._file("change_bars/S01") == "change_bars-S01"
