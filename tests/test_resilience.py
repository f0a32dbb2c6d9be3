"""Locks, and temporary files of processes that live, that were killed, that race."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from konkyo import io, resilience
from konkyo.errors import StorageError
from konkyo.resilience import locked, remove_stale_temp, scoped_tempdir, temporary_folder

WRITER = """
import sys, time
from pathlib import Path
from konkyo.io import atomic_write
from konkyo.resilience import temporary_folder
with atomic_write(Path("a/table.csv")) as temporary, temporary_folder(Path("b")) as folder:
    temporary.write_text("half")
    (folder / "rows").write_text("half")
    print("writing", flush=True)
    time.sleep(1000)
"""


def test_temporary_files_of_libraries_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("JOBLIB_TEMP_FOLDER", raising=False)
    with scoped_tempdir() as folder:
        (other,) = tmp_path.iterdir()
        assert folder == other == Path(tempfile.mkdtemp()).parent
        assert os.environ["JOBLIB_TEMP_FOLDER"] == str(folder)
    assert "JOBLIB_TEMP_FOLDER" not in os.environ
    assert tempfile.gettempdir() == str(tmp_path) and list(tmp_path.iterdir()) == []


def test_what_dead_writers_left_goes_and_nothing_else(tmp_path):
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
        remove_stale_temp(tmp_path)
        assert sorted(tmp_path.rglob("*")) == there
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    remove_stale_temp(tmp_path, deep=False)
    assert sorted(tmp_path.rglob("*")) == there
    remove_stale_temp(tmp_path)
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")} == {
        "a", "a/.hidden", "a/table.csv", "b"
    }  # fmt: skip
    assert (tmp_path / "a/table.csv").read_text() == "old"


@pytest.mark.parametrize(
    ("module", "name"), [(resilience, "locked"), (fcntl, "flock")], ids=["opened", "locked"]
)
def test_what_goes_before_it_is_locked_is_made_anew(module, name, tmp_path, monkeypatch):
    plain, removals = getattr(module, name), []

    def late(*arguments, **named):
        if not removals:
            removals.append(sorted(tmp_path.glob(".konkyo-*")))
            remove_stale_temp(tmp_path)
        return plain(*arguments, **named)

    monkeypatch.setattr(module, name, late)
    io.write_json(1, tmp_path / "a.json")
    assert len(removals.pop()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    with temporary_folder(tmp_path) as folder:
        assert len(removals.pop()) == 1
        assert folder.is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


HOLDER = """
import sys, time
from pathlib import Path
from konkyo.resilience import locked
with locked(Path("lock"), shared=sys.argv[1] == "shared"):
    print("locked", flush=True)
    time.sleep(1000)
"""


def is_locked(path: Path) -> bool:
    """Return whether a living process holds a file's lock."""
    try:
        with locked(path, blocking=False, create=False):
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def test_a_lock_goes_with_its_process(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path) and not path.exists()
    for kind in ("alone", "shared"):
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, kind], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        try:
            assert holder.stdout.readline() == "locked\n"
            assert is_locked(path)
            with pytest.raises(BlockingIOError), locked(path, blocking=False):
                pass
            if kind == "shared":
                with locked(path, blocking=False, shared=True):
                    pass
        finally:
            holder.send_signal(signal.SIGKILL)
            holder.wait()
        assert not is_locked(path)
        with locked(path, blocking=False):
            pass


def test_files_are_written_on_a_disk_without_locks(tmp_path, monkeypatch):
    def refuse(handle: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with io.atomic_write(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
        # Nobody can tell whether its process lives.
        remove_stale_temp(tmp_path)
        assert temporary.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(StorageError, match="No locks available"), locked(tmp_path / "lock"):
        pass


def test_an_error_after_an_interrupt_is_recognised():
    def error_of(first: BaseException) -> Exception:
        try:
            try:
                raise first
            except BaseException as interrupt:
                raise ValueError("the driver's own error") from interrupt
        except ValueError as error:
            try:
                raise OSError("while that was handled")
            except OSError as last:
                assert last.__context__ is error
                return last

    assert resilience.after_interrupt(error_of(KeyboardInterrupt()))
    assert not resilience.after_interrupt(error_of(TypeError()))
    assert resilience.after_interrupt(KeyboardInterrupt())
