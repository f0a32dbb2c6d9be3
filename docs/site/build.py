"""The site: `python docs/site/build.py notebooks` executes them, `... site` builds all pages.

Both write to .site, which git ignores: pages (Markdown, at the paths of the repository) and html.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter
from nbconvert.writers import FilesWriter
from reference import commands_page, params_page, python_page

ROOT = Path(__file__).parents[2]
SITE = ROOT / ".site"
PAGES, NOTEBOOKS = SITE / "pages", SITE / "notebooks"
COPIED = ("README.md", "LICENSE", "CITATION.cff", "data/README.md", "data/own/README.md")
NOTES = "tests/benchmarks/NOTES.md"
CHARTS_AS_PICTURES = """
import altair
from konkyo.report.charts.theme import CONFIG
altair.renderers.enable("svg")
altair.theme.register("konkyo", enable=True)(lambda: {"config": CONFIG})
None
"""
"""A page has pictures where the notebook of a reader has charts that answer to the mouse."""


def execute(path: Path) -> str:
    """Run a notebook in an empty folder; write it with its outputs as Markdown."""
    start = time.monotonic()
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(CHARTS_AS_PICTURES))
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=300, resources=resources, coalesce_streams=True).execute()
    del notebook.cells[0]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # Progress bars.
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
    exporter = MarkdownExporter()
    body, resources = exporter.from_notebook_node(
        notebook, {"output_files_dir": f"{path.stem}_files"}
    )
    # Tables as the theme draws them, not as pandas does.
    body = re.sub(r"<style scoped>.*?</style>\n?", "", body, flags=re.S)
    body = body.replace('<table border="1" class="dataframe">', "<table>").replace(folder, "~")
    body = re.sub(r"<(t[dh])>(\d{4}-\d\d)", r'<\1 style="white-space: nowrap">\2', body)
    FilesWriter(build_directory=str(NOTEBOOKS)).write(body, resources, notebook_name=path.stem)
    return f"{path.name}: {time.monotonic() - start:.0f} seconds"


def site() -> None:
    """Gather the pages, generate the reference, build without warnings."""
    shutil.rmtree(PAGES, ignore_errors=True)
    shutil.copytree(ROOT / "docs", PAGES / "docs", ignore=shutil.ignore_patterns("*.ipynb"))
    for name in (*COPIED, NOTES):
        (PAGES / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, PAGES / name)
    shutil.copytree(NOTEBOOKS, PAGES / "docs/notebooks", dirs_exist_ok=True)
    reference = PAGES / "docs/reference"
    reference.mkdir()
    for name, page in {
        "params": params_page(),
        "commands": commands_page(),
        "python": python_page(),
    }.items():
        (reference / f"{name}.md").write_text(page, encoding="utf-8")
    for path in PAGES.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\.ipynb(?=[)#])", ".md", text), encoding="utf-8")
    shutil.copyfile(ROOT / "docs/site/mkdocs.yml", SITE / "mkdocs.yml")
    subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict"], cwd=SITE, check=True
    )


def notebooks(names: list[str]) -> None:
    """Execute notebooks, two at a time; all of them without names."""
    if not names:
        shutil.rmtree(NOTEBOOKS, ignore_errors=True)
    paths = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
    with ThreadPoolExecutor(2) as pool:
        for line in pool.map(execute, [p for p in paths if not names or p.stem in names]):
            print(line, flush=True)


def main() -> None:
    """Run one of the two steps; a site needs the notebooks once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["notebooks", "site"])
    parser.add_argument("names", nargs="*", help="notebooks, without .ipynb; default: all")
    given = parser.parse_args()
    if given.step == "notebooks" or not NOTEBOOKS.exists():
        notebooks(given.names)
    if given.step == "site":
        site()


if __name__ == "__main__":
    main()
