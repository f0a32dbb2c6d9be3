"""Files replaced whole or not at all, and their digests."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from konkyo import artifacts

_KEY = b"konkyo"
_SCRATCH = ".konkyo-"
_JOBLIB = "JOBLIB_TEMP_FOLDER"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a scratch path beside `path` that takes its place when the block ends well.

    Parameters
    ----------
    path : Path
        The file to write; its folder is made if it is missing.

    Yields
    ------
    Path
        A file of the same folder and suffix, removed if the block raises, so that a reader sees
        the old file or the new one and never half of either. If the process is killed, the next
        `sweep` removes it.

    Raises
    ------
    OSError
        Naming `path`, also where a library failed to write without saying where.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, scratch = _scratch_file(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        yield scratch
        mode = 0o666 & ~_umask()
        scratch.chmod(mode)
        scratch.replace(path)
    except OSError as error:
        # What fails in writing, not in opening, does not say where, or names the scratch file.
        if error.filename is None or str(scratch) in (str(error.filename), str(error.filename2)):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
    except Exception as error:
        if "os error 28" in str(error) or os.strerror(errno.ENOSPC) in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        scratch.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield a new folder that is removed when the block ends, or by `sweep` after a kill.

    Parameters
    ----------
    parent : Path, optional
        Where it is made; the system's folder for temporary files if not given.
    """
    parent = parent or Path(tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
        with suppress(FileNotFoundError):
            handle = os.open(folder, os.O_RDONLY)
            _lock(handle)
            if folder.exists():
                break
            os.close(handle)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


@contextmanager
def own_temporary() -> Iterator[Path]:
    """Let what libraries keep in the system's folder for temporary files be swept after a kill.

    Yields
    ------
    Path
        A scratch folder, which `tempfile` takes for the system's as long as the block runs, and
        joblib for its own, which would be in shared memory, unless JOBLIB_TEMP_FOLDER names one.
    """
    with scratch_folder() as folder:
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        others = os.environ.setdefault(_JOBLIB, str(folder)) != str(folder)
        try:
            yield folder
        finally:
            tempfile.tempdir = before
            if not others:
                del os.environ[_JOBLIB]


def cache_folder() -> Path:
    """Return this user's folder of downloads and copies that outlive a project's outputs."""
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "konkyo"


def sweep(folder: Path, deep: bool = True) -> None:
    """Remove what killed processes left half-written in a folder.

    Each scratch file or folder is locked by its process as long as that lives, and the kernel
    takes the lock away however it dies: those of living processes stay.

    Parameters
    ----------
    folder : Path
        Where to look.
    deep : bool
        Whether to look in the folders below too.
    """
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if name.startswith(_SCRATCH):
                # Another user's, or swept by another process at this moment.
                with suppress(OSError):
                    _remove_if_dead(Path(root, name))
        folders[:] = [name for name in folders if deep and not name.startswith(_SCRATCH)]


def _scratch_file(path: Path) -> tuple[int, Path]:
    """Make a locked file beside `path`; return its open handle, which keeps the lock, and it."""
    while True:
        handle, name = tempfile.mkstemp(prefix=_SCRATCH, suffix=path.suffix, dir=path.parent)
        _lock(handle)
        # Between the two lines a sweep may have taken it for a dead process's.
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)


def _lock(handle: int) -> None:
    # A disk without locks: a sweep cannot lock there either, and removes nothing.
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)


def _remove_if_dead(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(handle)


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_parquet(frame: pd.DataFrame, path: Path, key: Any = None) -> None:
    """Write a frame without its index as Parquet, replacing `path` whole.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to write.
    path : Path
        Where to.
    key : JSON value, optional
        What the frame depends on, kept in the file's metadata for `read_key`.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if key is not None:
        described = {_KEY: json.dumps(key, sort_keys=True).encode()}
        table = table.replace_schema_metadata((table.schema.metadata or {}) | described)
    with atomic_write(path) as scratch:
        parquet.write_table(table, scratch)


def read_key(path: Path) -> Any:
    """Return the key of a Parquet file, None where there is no readable file or no key."""
    try:
        return json.loads((parquet.read_schema(path).metadata or {})[_KEY])
    except (OSError, pa.ArrowInvalid, KeyError, json.JSONDecodeError):
        return None


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame without its index as CSV, dates as YYYY-MM-DD, replacing `path` whole."""
    with atomic_write(path) as scratch:
        frame.to_csv(scratch, index=False, date_format="%Y-%m-%d", lineterminator="\n")


def write_json(value: Any, path: Path) -> None:
    """Write a JSON value with sorted keys, replacing `path` whole."""
    with atomic_write(path) as scratch:
        scratch.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


@contextmanager
def artifact_errors(path: Path) -> Iterator[None]:
    """Let whatever is wrong with a file that is read be an error that names it.

    Parameters
    ----------
    path : Path
        The file; nothing but its reading belongs into the block.

    Raises
    ------
    ArtifactError
        It is missing, damaged or not to be read; the error names what writes it.
    """
    try:
        yield
    except FileNotFoundError:
        raise artifacts.missing(path) from None
    except (OSError, ValueError, EOFError, KeyError, IndexError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise artifacts.damaged(path, reason) from None


def read_json(path: Path) -> Any:
    """Read a JSON value; the errors are those of `reading`."""
    with artifact_errors(path):
        return json.loads(path.read_text(encoding="utf-8"))


def read_parquet(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file, or some of its columns; the errors are those of `reading`."""
    with artifact_errors(path):
        return pd.read_parquet(path, columns=columns)


def read_csv(path: Path, **how: Any) -> pd.DataFrame:
    """Read a CSV file as `write_csv` writes it; the errors are those of `reading`.

    Parameters
    ----------
    path : Path
        The file. Only an empty cell is a missing value: a feature or a stock may be called NA,
        null or None, which pandas by itself takes for missing.
    **how
        Of `pandas.read_csv`; `na_values=[]` for a table in which an empty cell is an empty text.
    """
    with artifact_errors(path):
        return pd.read_csv(path, **{"keep_default_na": False, "na_values": [""], **how})


def read_array(path: Path, mmap_mode: Literal["r", "c"]) -> np.ndarray:
    """Map an array of `.npy` into memory, never an object; the errors are those of `reading`."""
    with artifact_errors(path):
        try:
            return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
        except ValueError:
            # numpy proposes to load a pickle "unsafely".
            raise ValueError("it is no whole array of numbers") from None


def write_array(array: np.ndarray, path: Path) -> None:
    """Write an array as .npy, which can be memory-mapped, replacing `path` whole."""
    with atomic_write(path) as scratch, scratch.open("wb") as file:
        # As np.save writes it, which on a full disk does not say why it failed.
        whole = np.ascontiguousarray(array)
        header = np.lib.format.header_data_from_array_1_0(whole)
        np.lib.format.write_array_header_1_0(file, header)
        file.write(whole.data)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
