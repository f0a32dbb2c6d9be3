"""Two commands in one folder: real processes, the second of which waits and says for whom."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from konkyo.pipeline import locking

HOLD = """
import sys, time
from pathlib import Path
from konkyo.pipeline import locking
name, shared, log, seconds = sys.argv[1:]
with locking.held(name, shared == "shared"):
    with open(log, "a") as file:
        file.write("in\\n")
    time.sleep(float(seconds))
    with open(log, "a") as file:
        file.write("out\\n")
"""


@pytest.fixture
def start(tmp_path):
    """Return what starts a process that holds a lock for some seconds, and notes in and out."""
    processes = []

    def begin(name: str, kind: str, seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLD, name, kind, "log", str(seconds)]
        processes.append(subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def noted(folder: Path) -> list[str]:
    path = folder / "log"
    return path.read_text().split() if path.exists() else []


def wait_for(folder: Path, lines: int) -> None:
    end = time.monotonic() + 30
    while len(noted(folder)) < lines:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_second_waits_and_says_for_whom(start, tmp_path):
    first = start("results", "alone", 1.0)
    wait_for(tmp_path, 1)
    second = start("results", "alone", 0.0)
    said = second.communicate(timeout=30)[1]
    assert noted(tmp_path) == ["in", "out", "in", "out"]
    assert f"(process {first.pid}, since 2" in said
    assert said.startswith("konkyo: `konkyo results alone") and "waiting until it has" in said
    assert first.communicate(timeout=30)[1] == ""


def test_a_writer_waits_for_readers(start, tmp_path):
    readers = [start("results", "shared", 1.5) for _ in range(2)]
    wait_for(tmp_path, 2)
    assert noted(tmp_path) == ["in", "in"]
    writer = start("results", "alone", 0.0)
    said = writer.communicate(timeout=30)[1]
    assert noted(tmp_path) == ["in", "in", "out", "out", "in", "out"]
    assert any(f"process {reader.pid}," in said for reader in readers)


def test_other_files_have_a_lock_of_their_own(start, tmp_path):
    start("results", "alone", 30)
    wait_for(tmp_path, 1)
    other = start("intervention", "alone", 0.0)
    assert other.communicate(timeout=30)[1] == ""


def test_a_killed_process_leaves_no_lock_and_no_name(start, tmp_path):
    killed = start("results", "alone", 60)
    wait_for(tmp_path, 1)
    killed.kill()
    killed.wait()
    after = start("results", "alone", 0.0)
    assert after.communicate(timeout=30)[1] == ""
    assert noted(tmp_path) == ["in", "in", "out"]


def test_a_name_that_is_no_longer_anyones_is_not_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for text in ("", "{", "[]", json.dumps({"command": "konkyo train", "process": gone.pid})):
        path = tmp_path / "lock"
        path.write_text(text)
        assert locking._holder(path) == "another command"


def test_every_stage_that_writes_results_holds_a_lock():
    stages = Path(locking.__file__).parent
    helpers = {
        "__init__",
        "locking",
        "system_errors",
        "report_inputs",
        "earlier_months",
        "dvc_commit",
    }
    free = helpers | {"check", "intervention", "serve", "ui", "fetch", "tune"}
    for path in stages.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        decorated = "@locking.writing" in text or "@locking.reading" in text
        assert decorated == (path.stem not in free), path.stem
    for name in ("fetch", "tune"):
        assert "with locking.held(" in (stages / f"{name}.py").read_text(encoding="utf-8")
