"""SIGKILL at random moments, the short form: tests/long/kill.py has all commands."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).parent / "long/kill.py"


def test_a_run_after_a_kill_ends_as_one_without(tmp_path):
    asked = ["--times", "5", "--stages", "ingest", "train", "--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *asked], capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every next run ended as one without kills" in done.stdout
