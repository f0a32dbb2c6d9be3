"""What the documents and the command line start listens on this machine alone."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from konkyo.tracking import servers

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(
        ROOT / name
        for name in ("README.md", "MLproject", "dvc.yaml", "params.yaml", "data/README.md")
    ),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "data").glob("*/README.md")),
]
LOOPBACK = "127.0.0.1"


def commands() -> list[str]:
    """Return every documented command that starts a server."""
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    starts = r"(?:mlflow (?:server|ui|models serve|gateway)|optuna-dashboard|http\.server)[^\n|`]*"
    return [found for text in texts for found in re.findall(starts, text)]


def test_the_documents_start_servers():
    assert any(command.startswith("optuna-dashboard") for command in commands())
    assert any(command.startswith("mlflow server") for command in commands())


@pytest.mark.parametrize("command", commands())
def test_every_documented_server_binds_to_loopback(command):
    # optuna-dashboard does so by itself: see below.
    if not command.startswith("optuna-dashboard"):
        assert f"--host {LOOPBACK}" in command
    hosts = re.findall(r"--(?:host|bind)[ =](\S+)", command)
    assert set(hosts) <= {LOOPBACK}


def test_the_dashboard_binds_to_loopback_by_itself():
    found = find_spec("optuna_dashboard")
    source = (Path(found.origin).parent / "_config.py").read_text(encoding="utf-8")
    assert re.findall(r"^    host: str = (.*)$", source, re.M) == [f'"{LOOPBACK}"']


def test_no_text_of_the_project_names_every_interface():
    sources = [p for p in (ROOT / "src").rglob("*") if p.suffix in (".py", ".js", ".html")]
    open_to_all = re.compile(r"0\.0\.0\.0|host=[\"']{2}|\[::\]")
    assert not [path for path in [*sources, *DOCUMENTS] if open_to_all.search(path.read_text())]
    assert servers.HOST == LOOPBACK


def test_one_module_starts_servers_and_passes_its_host():
    starts = re.compile(r"\"(?:server|serve)\"|socketserver|http\.server|uvicorn\.run|\.listen\(")
    found = {p.name for p in (ROOT / "src/konkyo").rglob("*/*.py") if starts.search(p.read_text())}
    assert found == {"serve.py", "ui.py"}
    for name in found:
        assert "servers.exec_server(" in (ROOT / "src/konkyo/pipeline" / name).read_text()
