"""pyproject.toml names what konkyo imports, once and bounded; requirements.lock is within it."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from imports import closure, modules

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
"""Requirements by extra; those of the library have none."""

LIBRARY = [
    "data",
    "features",
    "models",
    "attribution",
    "backtesting",
    "report.charts",
    "leakage",
    "library",
]
"""The packages that need no extra."""
COME_ALONG = {"pydantic-core": "pydantic", "markupsafe": "jinja2"}
"""What is imported and comes with another, in the one version that goes with it."""
NOT_IMPORTED = {"optuna-dashboard", "psycopg", "dvc", "dvc-s3", "aiobotocore", "boto3"}
"""Programs, a driver that an address names, and DVC's and MLflow's own clients of a store."""

DISTRIBUTIONS = packages_distributions()


def names_of(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def imported(path: Path, within_functions: bool) -> set[str]:
    """Return the distributions whose packages a module imports."""
    names, coming = set(), [ast.parse(path.read_bytes())]
    while coming:
        node = coming.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).split(".")[0])
        if within_functions or not isinstance(node, ast.FunctionDef | ast.Lambda):
            coming += ast.iter_child_nodes(node)
    outside = names - sys.stdlib_module_names - {"konkyo"}
    # Of two that have one package, as mlflow and mlflow-skinny, the short name is the whole.
    found = {min(map(canonicalize_name, DISTRIBUTIONS[name]), key=len) for name in outside}
    return {COME_ALONG.get(name, name) for name in found}


def test_the_lock_keeps_every_bound():
    locked = lines("requirements.lock")
    assert "-e ." in locked
    exact = dict(line.split("==") for line in locked if line != "-e .")
    assert all(re.fullmatch(r"[\w.]+", version) for version in exact.values())
    versions = {canonicalize_name(name): Version(version) for name, version in exact.items()}
    assert len(versions) == len(locked) - 1
    for line in chain(*EXTRAS.values()):
        requirement = Requirement(line)
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)])


def test_requirements_install_every_extra():
    assert lines("requirements.txt") == [f"-e .[{','.join(name for name in EXTRAS if name)}]"]


def test_every_requirement_is_bounded_once():
    every = [Requirement(line) for line in chain(*EXTRAS.values())]
    names = [canonicalize_name(requirement.name) for requirement in every]
    assert sorted(names) == sorted(set(names))
    for requirement in every:
        operators = {part.operator for part in requirement.specifier}
        # fsspec's versions are dates, which promise nothing.
        assert operators == ({">="} if requirement.name == "fsspec" else {">=", "<"})


def test_what_is_required_is_what_is_imported():
    used = set().union(*(imported(path, within_functions=True) for path in modules().values()))
    required = {extra: names_of(each) for extra, each in EXTRAS.items() if extra != "dev"}
    vendors = required.pop("jquants")
    assert set().union(*required.values()) == used | NOT_IMPORTED
    # Imported by their names as texts, so that an absent client is an error of its own.
    texts = "".join(path.read_text(encoding="utf-8") for path in modules().values())
    assert all(name in texts for name in vendors)


@pytest.mark.parametrize("room", LIBRARY)
def test_the_library_needs_no_extra(room):
    start = [name for name in modules() if f"{name}.".startswith(f"konkyo.{room}.")]
    start = [name for name in start if not name.startswith("konkyo.data.vendors")]
    assert start
    # What packages above the modules import comes along.
    needed = closure(start)
    needed |= {name.rpartition(".")[0] for name in needed if name.count(".") > 1}
    used = set().union(*(imported(modules()[name], within_functions=False) for name in needed))
    assert used <= names_of(EXTRAS[""])
