"""The catalogue of texts: both languages have the same, and code and catalogue name each other."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from konkyo.i18n import LANGUAGES, Text, catalogue, display_name, section, t
from konkyo.report.pages.report import SCRIPT_TEXTS

SOURCES = Path(__file__).parents[2] / "src/konkyo"
KEYS = frozenset(catalogue("en"))
TABLES = frozenset(key.partition(".")[0] for key in KEYS)
SHAPE = re.compile(r"[a-z]+(?:\.[A-Za-z0-9_-]+)+")
FILES = (".html", ".js", ".css", ".csv", ".json", ".md", ".parquet", ".py", ".toml")


def _strings(path: Path) -> Iterator[str]:
    """Yield the literals of a source; of one with gaps the part before the first, with a *."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        for literal, joined in re.findall(r'"([^"\n]*)"(\s*\+)?', text):
            yield f"{literal}*" if joined else literal
    elif path.suffix == ".html":
        yield from re.findall(rf'"({SHAPE.pattern})"', text)
        yield from (f"{part}*" for part in re.findall(r'"([a-z]+\.[a-z.]*\.)" ~', text))
    else:
        yield from _python_strings(ast.parse(text))


def _python_strings(tree: ast.AST) -> Iterator[str]:
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in strings for part in node.values}
    for node in ast.walk(tree):
        if id(node) in parts:
            continue
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            yield f"{node.values[0].value}*"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Call) and _called(node) in ("display_name", "of_name"):
            # A name in the data: any of the table's may come.
            table = node.args[0]
            if isinstance(table, ast.Constant):
                yield f"{table.value}.*"
        elif (
            isinstance(node, ast.Call)
            and _called(node) == "sections"
            and isinstance(node.args[0], ast.Constant)
        ):
            yield f"{node.args[0].value}.section.*"


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _sources() -> list[Path]:
    kinds = (".py", ".js", ".html")
    # The config room names keys of params.yaml, whose sections are called as tables of texts are.
    return sorted(
        path
        for path in SOURCES.rglob("*")
        if path.suffix in kinds and SOURCES / "config" not in path.parents
    )


def _literals() -> set[str]:
    return {literal for path in _sources() for literal in _strings(path)}


def _gaps(words: str) -> set[tuple[str, str]]:
    """Return the placeholders of a text with their formats."""
    return {(name, form or "") for _, name, form, _ in Formatter().parse(words) if name is not None}


def test_both_languages_have_the_same_placeholders() -> None:
    for key in KEYS:
        english, japanese = catalogue("en")[key], catalogue("ja")[key]
        assert _gaps(english) == _gaps(japanese), key
        assert all(name.isidentifier() for name, _ in _gaps(english)), key
        assert bool(english) == bool(japanese), key


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    keys = {
        literal
        for literal in _literals()
        if SHAPE.fullmatch(literal)
        and literal.partition(".")[0] in TABLES
        and not literal.endswith(FILES)
    }
    tables = {key[: key.rindex(".")] for key in KEYS} | TABLES
    # "monitor.detail" names a table of the catalogue.
    assert sorted(keys - KEYS - tables) == []
    assert len(keys) > 200


def test_every_key_of_the_catalogue_is_in_the_code() -> None:
    literals = _literals()
    beginnings = {
        literal[:-1]
        for literal in literals
        if re.fullmatch(r"[a-z]+\.[\w.]*\*", literal) and literal.partition(".")[0] in TABLES
    }
    unused = {key for key in KEYS - literals if not key.startswith(tuple(beginnings))}
    assert sorted(unused) == []
    # Nor does the code begin a key as none begins.
    assert [part for part in beginnings if not any(key.startswith(part) for key in KEYS)] == []


def test_report_scripts_use_only_texts_of_the_page() -> None:
    carried = section(*SCRIPT_TEXTS)["en"]
    assets = SOURCES / "report/pages/assets"
    named = {
        literal
        for path in assets.glob("*.js")
        for literal in _strings(path)
        if literal.partition(".")[0] in TABLES and SHAPE.fullmatch(literal)
    }
    assert len(named) > 15
    assert sorted(named - set(carried)) == []
    # The scripts replace {name} alone: a format would stay as it is.
    assert [key for key in carried if any(form for _, form in _gaps(carried[key]))] == []


def test_a_text_is_filled_in_its_language() -> None:
    year = Text("year", "年")
    assert t("report.search_page", "en", study=year) == "search: year"
    assert t("report.search_page", "ja", study=year) == "探索：年"
    both = Text.of("report.search_page", study="{x}")
    assert both["en"] == "search: {x}" and both["ja"].endswith("{x}")
    with pytest.raises(KeyError, match="no_such"):
        t("axis.no_such", "en")
    with pytest.raises(KeyError, match="study"):
        t("report.search_page", "en")


def test_a_users_own_name_is_shown_as_it_is() -> None:
    assert display_name("model", "my own {model}", "ja") == "my own {model}"
    assert display_name("model", "ridge", "ja") == "リッジ回帰"
    assert Text.of_name("portfolio", "long") == Text("long", "ロング")


@pytest.mark.parametrize("language", LANGUAGES)
def test_japanese_texts_are_japanese_english_are_not(language: str) -> None:
    written = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
    texts = {key: Formatter().parse(words) for key, words in catalogue(language).items()}
    words = {key: "".join(part for part, *_ in parts) for key, parts in texts.items()}
    if language == "en":
        assert [key for key, text in words.items() if written.search(text)] == [
            "page.other_language"
        ]
    else:
        # Names that are the same in both, and templates without a word.
        latin = {key for key, text in words.items() if not written.search(text)}
        assert {key for key in latin if re.search(r"[a-z]{4}", words[key])} <= {
            "page.other_language",
            "tuning.current",
            "workbook.fact.version",
        }


def test_importing_the_catalogue_loads_no_figures() -> None:
    code = (
        "import sys, konkyo.i18n\n"
        "heavy = {'altair', 'vl_convert', 'pandas', 'numpy', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
