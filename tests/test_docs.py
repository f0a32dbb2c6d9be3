"""The documentation names what there is: links, commands, keys of params.yaml, paths, pictures."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from konkyo.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "data/README.md",
    ROOT / "data/own/README.md",
    ROOT / "tests/benchmarks/NOTES.md",
]
OLD_NAMES = {"changelog.md", "concepts.md"}
"""Pages that name renamed keys: the table of the changelog and the glossary."""
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
SUFFIXES = {"csv", "html", "json", "md", "parquet", "png", "py"}
params_of_pages = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as public hosts of git repositories make them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M)
    made: list[str] = []
    for heading in headings:
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        # The second heading of a name has -1 behind it.
        made.append(f"{slug}-{made.count(slug)}" if slug in made else slug)
    return set(made)


def broken_links(page: Path) -> list[str]:
    """Return the page's relative links to a file or a heading that is not there."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    text = re.sub(r"`[^`]*`", "", text)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def code(text: str) -> list[str]:
    """Return what stands in fences of commands and in backticks of a page, one text each."""
    fences = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
    return [*fences, *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))]


@cache
def params_file() -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def is_key(name: str) -> bool:
    """Return whether params.yaml has a key section.key; keys of a user's own mappings count."""
    value: Any = params_file()
    for part in name.split("."):
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


def unknown_keys(text: str) -> list[str]:
    """Return the texts in backticks that look like a key of params.yaml and are none."""
    sections = "|".join(params_file())
    key = re.compile(rf"((?:{sections})(?:\.\w+)+)(?::.*)?$")
    names = [found[1] for part in code(text) if (found := key.match(part))]
    return [n for n in names if n.rpartition(".")[2] not in SUFFIXES and not is_key(n)]


def unknown_commands(text: str) -> list[str]:
    """Return the commands `konkyo <command>` of a page that the command line does not have."""
    commands = typer.main.get_command(app).commands
    named = re.findall(r"(?<![\w/.-])konkyo ([a-z][a-z-]*)", "\n".join(code(text)))
    return [name for name in named if name not in commands]


@params_of_pages
def test_relative_links_and_anchors_resolve(page: Path):
    assert not broken_links(page)


@params_of_pages
def test_every_command_exists(page: Path):
    assert not unknown_commands(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.name not in OLD_NAMES], ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_key_is_in_params(page: Path):
    assert not unknown_keys(page.read_text(encoding="utf-8"))


def test_new_keys_of_the_changelog_are_in_params():
    text = (ROOT / "docs/changelog.md").read_text(encoding="utf-8")
    table = re.findall(r"^ *\| `([\w.]+)[^`]*` \| `([\w.]+)[^`]*` \|$", text, re.M)
    assert len(table) == 29
    assert [new for _, new in table if not is_key(new)] == []
    assert [old for old, new in table if old != new and is_key(old)] == []


@params_of_pages
def test_every_path_of_the_project_exists(page: Path):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"\b((?:src|tests|docs|data/examples)/[\w./-]*\w)", "\n".join(code(text)))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_page_and_picture_is_linked():
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    readme = texts[ROOT / "README.md"]
    for page in sorted((ROOT / "docs").glob("*.md")):
        assert f"(docs/{page.name}" in readme, page
    for picture in sorted((ROOT / "docs/pictures").iterdir()):
        assert any(f"pictures/{picture.name})" in text for text in texts.values()), picture


def test_the_readme_stays_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 220
    assert len(text.encode()) <= 16_384


def test_the_readme_has_one_test_command():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^### Test it\n(.*?)^#", text, re.M | re.S)
    (command,) = re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)
    assert command.count("\n") == 1
    assert "pytest" in command


def test_the_readme_names_every_stage():
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.M) == list(stages["stages"])


def rows_of(page: str, pattern: str) -> list[list[str]]:
    """Return the cells of the rows of a page's tables that begin with a text."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = re.findall(rf"^\| ({pattern}.*) \|$", text, re.M)
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def test_the_results_are_those_of_metrics_json():
    metrics = json.loads((ROOT / "data/metrics.json").read_text(encoding="utf-8"))
    models = "(?:network|ridge|placebo)"
    published = "(?:long|short|spread|spread_net|market|benchmark)"
    portfolios = rows_of("docs/results.md", rf"{models} \| {published} \|")
    assert len(portfolios) == 18
    for model, portfolio, *shown in portfolios:
        has = metrics[model][portfolio]
        assert shown == [
            f"{100 * has['annual_return']:.1f}",
            f"{100 * has['annual_volatility']:.1f}",
            f"{has['return_risk_ratio']:.2f}",
            f"{has['sharpe_ratio']:.2f}",
            f"{100 * has['max_drawdown']:.1f}",
            f"{100 * has['hit_rate']:.1f}",
            str(has["months"]),
        ]
    skills = rows_of("docs/results.md", rf"{models} \| -?0")
    assert len(skills) == 3
    for model, *shown in skills:
        has = metrics[model]
        turnover = f"{has['turnover']:.2f}" if "turnover" in has else ""
        assert shown == [
            f"{has['rank_ic']:.4f}",
            f"{has['rank_ic_t']:.1f}",
            f"{has['monotonicity']:.2f}",
            turnover,
            str(has["months"]),
        ]
    for model, *_, rank_ic, t, months in rows_of("README.md", rf"{models} \| equal-weighted"):
        has = metrics[model]
        assert rank_ic == f"{has['rank_ic']:.4f}"
        assert t == f"{has['rank_ic_t']:.1f}"
        assert months == str(has["months"])


def test_the_portfolios_are_those_of_portfolio_json():
    figures = json.loads((ROOT / "data/portfolio.json").read_text(encoding="utf-8"))
    names = "(?:equal|value|score)-weighted|sector-neutral"
    models = "(?:network|ridge|placebo)"

    def of(model: str, portfolio: str) -> tuple[float, dict[str, float]]:
        has = figures if model == "network" else figures[model]
        found = has[portfolio.replace("-", "_")]
        return found["gross"]["annual_return"], found["net"]

    summary = rows_of("README.md", rf"{models} \| (?:{names})")
    assert len(summary) == 9
    for model, portfolio, *shown in summary:
        gross, net = of(model, portfolio)
        assert shown[:5] == [
            f"{100 * gross:.1f}",
            f"{100 * net['annual_return']:.1f}",
            f"{net['sharpe_ratio']:.2f}",
            f"{100 * net['alpha']:.1f}",
            f"{net['alpha_t']:.1f}",
        ]
    table = rows_of("docs/results.md", rf"{models} \| (?:{names})")
    assert len(table) == 7
    for model, portfolio, *shown in table:
        gross, net = of(model, portfolio)
        assert shown == [
            f"{100 * gross:.1f}",
            f"{100 * net['annual_return']:.1f}",
            f"{100 * net['annual_volatility']:.1f}",
            f"{net['sharpe_ratio']:.2f}",
            f"{net['sharpe_low']:.2f} to {net['sharpe_high']:.2f}",
            f"{100 * net['max_drawdown']:.1f}",
            f"{100 * net['alpha']:.1f}",
            f"{net['alpha_t']:.1f}",
            f"{100 * net['turnover']:.0f}" if "turnover" in net else "",
            f"{100 * net['active_return']:.1f}",
            f"{net['information_ratio']:.2f}",
        ]


def test_the_study_has_the_results_of_its_metrics():
    path = ROOT / "data/intervention/metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    rows = rows_of("docs/intervention.md", r"(?:amount, rmse|occurrence, Brier|\| II, known)")
    assert len(rows) == 4
    kinds = [
        ("amount", "linear", "rmse", 2, "never"),
        ("occurrence", "logit", "brier", 3, "share_so_far"),
    ]
    for i, (_, inputs, *shown) in enumerate(rows):
        method, benchmark, loss, digits, naive = kinds[i // 2]
        of_data = metrics[method][inputs.split(",")[0]]
        losses = [of_data["network"][loss], of_data[benchmark][loss]]
        losses.append(metrics[method]["past"][naive][loss])
        right = ", ".join(f"{of_data[model]['right']:.2f}" for model in ("network", benchmark))
        assert [cell.removesuffix(" (logit)") for cell in shown] == [
            *(f"{number:.{digits}f}" for number in losses), right,
        ]  # fmt: skip
    text = (ROOT / "docs/intervention.md").read_text(encoding="utf-8")
    *first, last = (f"{number:.2f}" for number in metrics["threshold"].values())
    assert f"set in at {', '.join(first)}\nand {last}." in text


def test_what_is_wrong_is_found(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "# One heading: two\n[a](#one-heading-two) [b](#none) [c](none.md) [d](page.md#none)\n"
        "`konkyo trian` and `train.epoch`, `train.epochs: 3`, `verify.json`\n"
        "```sh\nkonkyo check && konkyo nothing\n```\n",
        encoding="utf-8",
    )
    text = page.read_text(encoding="utf-8")
    assert broken_links(page) == ["#none", "none.md", "page.md#none"]
    assert unknown_commands(text) == ["nothing", "trian"]
    assert unknown_keys(text) == ["train.epoch"]
