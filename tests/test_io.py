import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konkyo import io


def test_a_failed_write_leaves_the_old_file_and_no_scratch(tmp_path):
    path = tmp_path / "table.csv"
    io.write_csv(pd.DataFrame({"a": [1]}), path)
    with pytest.raises(RuntimeError), io.atomic_write(path) as scratch:
        scratch.write_text("half")
        raise RuntimeError
    assert path.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_written_files_are_as_readable_as_any_other(tmp_path):
    io.write_json({"a": 1}, tmp_path / "a.json")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert io.read_json(tmp_path / "a.json") == {"a": 1}


def test_arrays_and_digests(tmp_path):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    io.write_array(array, tmp_path / "x.npy")
    assert (np.load(tmp_path / "x.npy", mmap_mode="r") == array).all()
    (tmp_path / "abc").write_bytes(b"abc")
    assert io.sha256_of(tmp_path / "abc").startswith("ba7816bf8f01cfea")


WRITER = """
import sys, time
from pathlib import Path
from konkyo import files
with files.replacing(Path("a/table.csv")) as scratch, files.scratch_folder(Path("b")) as folder:
    scratch.write_text("half")
    (folder / "rows").write_text("half")
    print("writing", flush=True)
    time.sleep(100)
"""


def test_what_libraries_keep_temporarily_goes_with_the_process(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("JOBLIB_TEMP_FOLDER", raising=False)
    with io.own_temporary() as folder:
        (other,) = tmp_path.iterdir()
        assert folder == other == Path(tempfile.mkdtemp()).parent
        assert os.environ["JOBLIB_TEMP_FOLDER"] == str(folder)
    assert "JOBLIB_TEMP_FOLDER" not in os.environ
    assert tempfile.gettempdir() == str(tmp_path) and list(tmp_path.iterdir()) == []


def test_a_sweep_takes_what_dead_writers_left_and_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/table.csv").write_text("old")
    (tmp_path / "a/.hidden").write_text("the user's own")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert writer.stdout.readline() == "writing\n"
        there = sorted(tmp_path.rglob("*"))
        assert len(there) == 7
        io.sweep(tmp_path)
        assert sorted(tmp_path.rglob("*")) == there
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    io.sweep(tmp_path, deep=False)
    assert sorted(tmp_path.rglob("*")) == there
    io.sweep(tmp_path)
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")} == {
        "a", "a/.hidden", "a/table.csv", "b"
    }  # fmt: skip
    assert (tmp_path / "a/table.csv").read_text() == "old"


def test_a_writer_whose_file_was_swept_before_its_lock_takes_another(tmp_path, monkeypatch):
    lock, swept = io._lock, []

    def late(handle):
        if not swept:
            io.sweep(tmp_path)
            swept.append(handle)
        lock(handle)

    monkeypatch.setattr(io, "_lock", late)
    io.write_json(1, tmp_path / "a.json")
    assert swept and [path.name for path in tmp_path.iterdir()] == ["a.json"]
    swept.clear()
    with io.scratch_folder(tmp_path) as folder:
        assert swept and folder.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
