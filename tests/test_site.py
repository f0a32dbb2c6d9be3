"""The site: every page has its place, every figure its formula, every key its meaning."""

import ast
import json
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from konkyo import selection_bias
from konkyo.attribution import ground_truth
from konkyo.data import ratios
from konkyo.features.characteristics import ROLLING
from konkyo.tuning.objective import MEASURES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
GENERATED = {f"docs/reference/{name}.md" for name in ("python", "params", "commands")}
RUNNABLE = ("getting-started.md", "coming-from.md")


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "site/reference.py"))


def leaves(values: dict[str, Any]) -> set[str]:
    """Return the innermost names of nested figures."""
    return {
        name
        for key, value in values.items()
        for name in (leaves(value) if isinstance(value, dict) else {key})
    }


def metrics_written() -> set[str]:
    """Return the name of every figure in the JSON files, which MLflow has too."""
    names: set[str] = set()
    for file in ("metrics", "portfolio", "summary", "verify", "intervention/metrics"):
        names |= leaves(json.loads((ROOT / f"data/{file}.json").read_text(encoding="utf-8")))
    months = pd.date_range("2000-01-31", periods=40, freq="ME", name="month")
    trials = pd.DataFrame(np.random.default_rng(1).normal(0, 0.1, (40, 5)), months)
    names |= {
        *selection_bias(trials.reset_index()),
        *MEASURES,
        *ground_truth.reliability_measures({}),
        "seed_correlation",
    }
    # Horizons of a rank IC, periods of the study's threshold, and name.of of summary.json.
    return {name.rpartition(".")[2] for name in names if not re.fullmatch(r"[\d.-]+", name)}


def test_every_page_is_in_the_navigation():
    text = (DOCS / "site/mkdocs.yml").read_text(encoding="utf-8")
    nav = set(re.findall(r"[\w./-]+\.md", text[text.index("\nnav:") :]))
    pages = {str(path.relative_to(ROOT)) for path in DOCS.rglob("*.md")}
    notebooks = {f"docs/notebooks/{path.stem}.md" for path in DOCS.rglob("*.ipynb")}
    others = {"README.md", "data/README.md", "data/own/README.md", "tests/benchmarks/NOTES.md"}
    assert nav == pages | notebooks | others | GENERATED


@pytest.mark.parametrize("path", sorted(DOCS.glob("notebooks/*.ipynb")), ids=lambda p: p.stem)
def test_notebooks_are_without_outputs(path: Path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)


def test_every_characteristic_has_its_formula():
    page = (DOCS / "formulas.md").read_text(encoding="utf-8")
    kinds = ROLLING.pattern[1:].partition(")")[0].split("|")
    names = {f"{kind}_k" for kind in kinds} | set(ratios.table()["name"])
    assert len(names) > 40
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_every_metric_has_its_formula():
    page = (DOCS / "formulas.md").read_text(encoding="utf-8")
    names = metrics_written()
    assert len(names) > 60
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_every_key_of_params_is_in_the_reference(reference: dict[str, Any]):
    page = reference["params_page"]()
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| `(.*?)` \| (.+?) \| (.*) \|$", page, re.M)
    assert {"window_months", "space.width", "tables.stocks.layout"} <= {row[0] for row in rows}
    assert [row for row in rows if not all(row)] == []
    assert page.count("\n## ") == len(YAML(typ="safe", pure=True).load(text))
    assert "| `dropout` | `0.4` | number from 0 below 1 |" in page
    assert "| `epochs` | `20` | integer from 1 | passes over the window |" in page


def test_every_command_is_in_the_reference(reference: dict[str, Any]):
    page = reference["commands_page"]()
    assert "## `konkyo tune`" in page and "* `--month YYYY-MM`" in page


def python_of(name: str) -> list[str]:
    """Return the Python of a page, a text a fence."""
    text = (DOCS / name).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNABLE)
def test_the_python_of_a_page_runs(name: str, capsys: pytest.CaptureFixture[str]):
    session: dict[str, Any] = {}
    for code in python_of(name):
        exec(code, session)
    assert capsys.readouterr().out


def test_the_japanese_page_has_the_same_python():
    english, japanese = (
        [ast.dump(ast.parse(code)) for code in python_of(name)]
        for name in ("getting-started.md", "ja/getting-started.md")
    )
    assert english == japanese != []
