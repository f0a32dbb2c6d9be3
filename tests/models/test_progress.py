"""The line that tells how far the training is."""

import time
from pathlib import Path

import pytest

from konkyo.models import progress


def test_a_stack_counts_as_far_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(progress, "_IN_FILE", 0.01)
    (tmp_path / "a.progress").write_text("0.5", encoding="ascii")
    (tmp_path / "b.progress").write_text("", encoding="ascii")  # being written
    said, end = "", time.monotonic() + 20
    with progress.progress_bar(tmp_path, {"a": 30, "b": 10, "c": 4}, current=3):
        while "15 done, 29 to come" not in said and time.monotonic() < end:
            time.sleep(0.01)
            said += capsys.readouterr().err
    assert "windows, 3 kept: 0 done, 44 to come" in said
    assert "windows, 3 kept: 15 done, 29 to come" in said
    assert "windows, 3 kept: 44 done, 0 to come" in capsys.readouterr().err


def test_into_a_file_it_is_told_seldom(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with progress.progress_bar(tmp_path, {"a": 30}, current=0):
        time.sleep(1.2)
        assert capsys.readouterr().err.count("done") <= 1
    assert "30 done, 0 to come" in capsys.readouterr().err


def test_a_failed_run_is_not_reported_as_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(KeyError), progress.progress_bar(tmp_path, {"a": 30}, current=0):
        raise KeyError
    assert "30 done" not in capsys.readouterr().err
