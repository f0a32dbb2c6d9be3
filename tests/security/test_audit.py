"""What the check of dependencies says: of findings, of accepted ones, of no answer."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

PATH = Path(__file__).parents[2] / ".ci/audit.py"
FOUND = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {
            "name": "holed",
            "version": "2.0",
            "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-9"], "fix_versions": ["2.1"]}],
        },
        {"name": "konkyo", "skip_reason": "not in a registry"},
    ]
}


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_finding_fails(audit):
    said, code = audit.verdict(FOUND, {})
    assert code == 1
    assert said[0] == "holed 2.0: PYSEC-1, mended in 2.1"
    assert said[-1] == "audited: 2 packages"


@pytest.mark.parametrize("number", ["PYSEC-1", "CVE-9"])
def test_a_finding_with_a_reason_does_not(audit, number):
    said, code = audit.verdict(FOUND, {("holed", number): "only its server, never started"})
    assert code == 0
    assert said[0] == f"holed {number}: accepted, only its server, never started"


@pytest.mark.parametrize(
    "accepted", [{("holed", "PYSEC-1"): " "}, {("other", "PYSEC-1"): "a reason"}]
)
def test_no_reason_and_another_package_do_not_count(audit, accepted):
    assert audit.verdict(FOUND, accepted)[1] == 1


def test_a_line_that_is_no_longer_needed_fails(audit):
    clean = {"dependencies": FOUND["dependencies"][:1]}
    said, code = audit.verdict(clean, {("holed", "PYSEC-1"): "a reason"})
    assert code == 1
    assert said[0] == "holed PYSEC-1: accepted but no longer found, remove its line"


def test_without_a_service_it_says_so_and_passes(audit):
    silent = {"dependencies": [{"name": name, "skip_reason": "x"} for name in "ab"]}
    said, code = audit.verdict(silent, {("holed", "PYSEC-1"): "a reason"})
    assert code == 0
    assert said[0].startswith("not audited, no service knows them: 2 packages")


@pytest.mark.parametrize(
    ("told", "code", "said"),
    [
        ("pip_audit: ConnectionError: no route to host", 0, "not audited, no service answers"),
        ("No module named pip_audit", 1, "failed: No module named pip_audit"),
    ],
)
def test_an_answer_that_is_none(audit, monkeypatch, capsys, told, code, said):
    answer = SimpleNamespace(stdout="", stderr=told)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    assert audit.main() == code
    assert said in capsys.readouterr().out


def test_every_accepted_vulnerability_has_a_reason(audit):
    assert all(reason.strip() for reason in audit.read(audit.ACCEPTED).values())


def test_every_line_that_bandit_passes_over_says_why():
    lines = [
        (path, line)
        for path in (PATH.parents[1] / "src").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "# nosec" in line
    ]
    assert len(lines) > 20
    bare = [line for _, line in lines if not line.partition("# nosec B")[2].partition(" # ")[2]]
    assert not bare
