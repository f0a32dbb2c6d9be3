"""Two commands in one folder: real processes, the second of which waits and says for whom."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from konkyo.pipeline import locking
from processes import PATIENCE, until

HOLD = """
import sys
from pathlib import Path
from konkyo.pipeline import locking
name, shared, log = sys.argv[1:]
with locking.held(name, shared == "shared"):
    with open(log, "a") as file:
        file.write("in\\n")
    # Until the test lets go.
    sys.stdin.read()
    with open(log, "a") as file:
        file.write("out\\n")
"""


@pytest.fixture
def start(tmp_path):
    """Return what starts a process that holds a lock until its input ends, and notes in and out."""
    processes = []

    def begin(name: str, kind: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, name, kind, "log"],
            cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()


def noted(folder: Path) -> list[str]:
    path = folder / "log"
    return path.read_text().split() if path.exists() else []


def wait_for(folder: Path, lines: int) -> None:
    until(lambda: len(noted(folder)) >= lines)


def release(process: subprocess.Popen[str]) -> str:
    """Let a process go on and end; return what else it says."""
    return process.communicate(timeout=PATIENCE)[1]


def test_the_second_waits_and_says_for_whom(start, tmp_path):
    first = start("results", "alone")
    wait_for(tmp_path, 1)
    second = start("results", "alone")
    said = second.stderr.readline()
    assert noted(tmp_path) == ["in"]
    assert (release(first), release(second)) == ("", "")
    assert noted(tmp_path) == ["in", "out", "in", "out"]
    assert f"(process {first.pid}, since 2" in said
    assert said.startswith("konkyo: `konkyo results alone") and "waiting until it has" in said


def test_a_writer_waits_for_readers(start, tmp_path):
    readers = [start("results", "shared") for _ in range(2)]
    wait_for(tmp_path, 2)
    writer = start("results", "alone")
    said = writer.stderr.readline()
    assert noted(tmp_path) == ["in", "in"]
    assert [release(process) for process in (*readers, writer)] == ["", "", ""]
    assert noted(tmp_path) == ["in", "in", "out", "out", "in", "out"]
    assert any(f"process {reader.pid}," in said for reader in readers)


def test_other_files_have_a_lock_of_their_own(start, tmp_path):
    start("results", "alone")
    wait_for(tmp_path, 1)
    assert release(start("intervention", "alone")) == ""


def test_a_killed_process_leaves_no_lock_and_no_name(start, tmp_path):
    killed = start("results", "alone")
    wait_for(tmp_path, 1)
    killed.kill()
    killed.wait()
    assert release(start("results", "alone")) == ""
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
        "preflight",
        "own_files",
        "standard_errors",
        "month_evaluation",
    }
    free = helpers | {
        "check",
        "code",
        "compare",
        "entry_point",
        "intervention",
        "init",
        "serve",
        "ui",
        "fetch",
        "tune",
    }
    for path in stages.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        decorated = "@locking.writing" in text or "@locking.reading" in text
        assert decorated == (path.stem not in free), path.stem
    for name in ("fetch", "tune"):
        assert "with locking.held(" in (stages / f"{name}.py").read_text(encoding="utf-8")
