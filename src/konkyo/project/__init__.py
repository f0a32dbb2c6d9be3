"""A project of one's own: its files, and the digests of the code that its stages depend on.

`templates` has links to files of konkyo's repository, which a wheel holds as copies: there is one
dvc.yaml, one MLproject and one params.yaml of a source.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from konkyo import __version__, config
from konkyo.cache import SOURCES, digest_of
from konkyo.errors import ArtifactError

_TEMPLATES = Path(__file__).with_name("templates")
_STUDY = SOURCES / "konkyo/intervention/stages.yaml"
_CODE_STAGE = """stages:
  code:
    desc: Digests of konkyo's code, on which the other stages depend.
    cmd: konkyo code
    always_changed: true
    outs:
      - data/code.json:
          cache: false

"""
_PYTHON_ENV = """# The environment of `mlflow run`, by the Python that runs MLflow. For exact
# versions write `pip freeze` to requirements.lock, and `-r requirements.lock` here.
build_dependencies:
  - pip
dependencies:
  - konkyo[pipeline]=={version}
"""
_EXAMPLE_STOCKS, _EXAMPLE_MONTHS = 60, ("2005-01", "2019-12")
_EXAMPLE_COLUMNS = ["month", "stock", "sector", "return", "size", "book_to_price", "earnings_yield"]
_EXAMPLE_SERIES = ["topix", "usd_jpy", "vix"]
_EXAMPLE_PARAMS = {
    "source: us-equities ": "source: tables      ",
    "data/own/stocks.parquet": "data/own/stocks.csv",
    "data/own/market.parquet": "data/own/market.csv",
    "first_month: 2002-12": "first_month: 2008-01",
    r"illiquidity, idiosyncratic_volatility, maximum_12\]": "book_to_price, earnings_yield]",
    r"    MKT: (.*\n)+?    gold: .*\n": "".join(
        f"    {series}: [level, change]\n" for series in _EXAMPLE_SERIES
    ),
}
"""What params.yaml of the example has in the place of the main job's."""


def is_repository(folder: Path = Path()) -> bool:
    """Return whether a folder is konkyo's own repository, whose stages depend on its sources."""
    return (folder / "src/konkyo").is_dir()


def files() -> dict[str, str]:
    """Return the files that every project has, by path; a new version of konkyo may change them."""
    return {
        "dvc.yaml": stages(_template("stages")).replace("stages:\n", _CODE_STAGE, 1),
        "MLproject": _mlproject(_template("MLproject")),
        "python_env.yaml": _PYTHON_ENV.format(version=__version__),
        ".gitignore": _template("gitignore"),
        ".dvcignore": _template("dvcignore"),
        ".dvc/plots/monthly.json": _template("monthly.json"),
        "data/own/README.md": _without_links(_template("own_README.md")),
        "docs/data.md": _without_links(_template("data.md")),
        "docs/model.md": _without_links(_template("model.md")),
    }


def new_files(source: str) -> dict[str, str]:
    """Return the files of a new project by path.

    Parameters
    ----------
    source : str
        `ingest.source`; with tables, a small example of own records is among the files.
    """
    made = files() | {".dvc/config": _template("dvc_config")}
    if source != "tables":
        return made | {"params.yaml": _template(source)}
    params = _template("us-equities")
    for pattern, text in _EXAMPLE_PARAMS.items():
        params = re.sub(pattern, text, params)
    tables = {
        f"data/own/{name}.csv": table.to_csv(index=False) for name, table in example().items()
    }
    return made | tables | {"params.yaml": params}


def stages(text: str) -> str:
    """Return a pipeline of the repository whose stages depend on data/code.json, not on sources."""
    text = re.sub(r"^ +- src/.*\n", "", text, flags=re.M)
    named = r"^  ([\w-]+):\n((?:    .*\n)*?)    params:\n"
    with_code = r"  \1:\n\2    params:\n      - data/code.json: [\1]\n"
    return re.sub(named, with_code, text, flags=re.M)


def code_digests() -> dict[str, str]:
    """Return konkyo's version, and for each stage a digest of the sources that it depends on.

    These are the sources that dvc.yaml of the repository names, byte by byte.
    """
    digests = {"konkyo": __version__}
    for path in (_TEMPLATES / "stages", _STUDY):
        for name, stage in _yaml(path.read_text(encoding="utf-8"))["stages"].items():
            paths = [SOURCES.parent / dep for dep in stage["deps"] if dep.startswith("src/")]
            parts = [part for at in map(_installed_at, paths) for part in _contents(at)]
            digests[name] = digest_of(*parts)
    return digests


def example() -> dict[str, pd.DataFrame]:
    """Return tables of own records, stocks and market: fifteen years of a small market."""
    # The command `code`, a stage of every run, needs no market.
    from konkyo.data import simulated

    whole = config.load(_TEMPLATES / "us-equities").ingest.simulated
    market = simulated.simulate(replace(whole, stocks=_EXAMPLE_STOCKS), *_EXAMPLE_MONTHS)
    tables = {
        "stocks": market.stocks[_EXAMPLE_COLUMNS],
        "market": market.series[["month", *_EXAMPLE_SERIES]],
    }
    return {
        name: table.assign(month=table["month"].dt.strftime("%Y-%m"))
        for name, table in tables.items()
    }


def upgrade(folder: Path) -> Iterator[str]:
    """Yield the patch, one file at a time, that brings a project's files to this version.

    Raises
    ------
    ArtifactError
        The folder is no project that `konkyo init` made.
    """
    if "data/code.json" not in _text(folder / "dvc.yaml"):
        raise ArtifactError(
            f"{folder / 'dvc.yaml'} has no stage that writes data/code.json: this is no project of "
            "`konkyo init`; run it in such a folder, or make one with `konkyo init my-study`"
        )
    for name, after in files().items():
        before = _text(folder / name)
        lines = difflib.unified_diff(
            before.splitlines(keepends=True),
            after.splitlines(keepends=True),
            f"a/{name}" if (folder / name).exists() else "/dev/null",
            f"b/{name}",
        )
        end = "\n\\ No newline at end of file\n"
        yield "".join(line if line.endswith("\n") else line + end for line in lines)


def default_params(folder: Path) -> dict[str, Any]:
    """Return the keys, dotted, that params.yaml of a project leaves out, with their defaults.

    Raises
    ------
    ParamsError
        It is missing or breaks a rule; some keys have no default.
    """
    path = folder / "params.yaml"
    every = config.flatten(config.as_dict(config.load(path)))
    written = config.flatten(_yaml(path.read_text(encoding="utf-8")))
    return {key: value for key, value in every.items() if key not in written}


def _mlproject(text: str) -> str:
    text = re.sub(r"^# PYTHONPATH.*\n", "", text.replace("PYTHONPATH=src ", ""), flags=re.M)
    return re.sub(r"^  test:\n(    .*\n?)+", "", text, flags=re.M)


def _without_links(text: str) -> str:
    """Return a page without its links to other pages, which a project does not have."""
    return re.sub(r"\[([^\]]+)\]\((?![a-z]+:|#)[^)\s]+\)", r"\1", text)


def _installed_at(path: Path) -> Path:
    """Return where a source of the repository, src/konkyo/..., is installed."""
    return SOURCES / path.relative_to(SOURCES.parent / "src")


def _contents(path: Path) -> Iterator[bytes | str]:
    """Yield name and bytes of a file, or of every file of a folder."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file() and "__pycache__" not in file.parts:
            yield from (file.relative_to(SOURCES).as_posix(), file.read_bytes())


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


@cache
def _template(name: str) -> str:
    return _text(_TEMPLATES / name)


def _yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)
