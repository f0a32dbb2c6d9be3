"""Files replaced whole or not at all, and their digests."""

import ast
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

_KEY = b"konkyo"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a scratch path beside `path` that takes its place when the block ends well.

    Parameters
    ----------
    path : Path
        The file to write; its folder is made if it is missing.

    Yields
    ------
    Path
        A file of the same folder and suffix, removed if the block raises, so that a reader sees
        the old file or the new one and never half of either.

    Raises
    ------
    OSError
        Naming `path`, also where a library failed to write without saying where.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(path.suffix, f".{path.stem}-", path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        mode = 0o666 & ~_umask()
        scratch.chmod(mode)
        scratch.replace(path)
    except OSError as error:
        # What fails in writing, not in opening, does not say where, or names the scratch file.
        if error.filename is None or name in (str(error.filename), str(error.filename2)):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
    except Exception as error:
        if "os error 28" in str(error) or os.strerror(errno.ENOSPC) in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    finally:
        scratch.unlink(missing_ok=True)


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
    with replacing(path) as scratch:
        parquet.write_table(table, scratch)


def read_key(path: Path) -> Any:
    """Return the key of a Parquet file, None where there is no readable file or no key."""
    try:
        return json.loads((parquet.read_schema(path).metadata or {})[_KEY])
    except (OSError, pa.ArrowInvalid, KeyError, json.JSONDecodeError):
        return None


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame without its index as CSV, dates as YYYY-MM-DD, replacing `path` whole."""
    with replacing(path) as scratch:
        frame.to_csv(scratch, index=False, date_format="%Y-%m-%d", lineterminator="\n")


def write_json(value: Any, path: Path) -> None:
    """Write a JSON value with sorted keys, replacing `path` whole."""
    with replacing(path) as scratch:
        scratch.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON value."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_array(array: np.ndarray, path: Path) -> None:
    """Write an array as .npy, which can be memory-mapped, replacing `path` whole."""
    with replacing(path) as scratch, scratch.open("wb") as file:
        # As np.save writes it, which on a full disk does not say why it failed.
        whole = np.ascontiguousarray(array)
        header = np.lib.format.header_data_from_array_1_0(whole)
        np.lib.format.write_array_header_1_0(file, header)
        file.write(whole.data)


def digest_of(*parts: bytes | str) -> str:
    """Return the hexadecimal BLAKE2b digest (32 characters) of the parts, in order."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()


def digest_of_code(*modules: ModuleType | str) -> str:
    """Return a digest of the modules' code, blind to comments and layout.

    A module given by its name is not imported.
    """
    sources = (_file_of(module).read_text(encoding="utf-8") for module in modules)
    return digest_of(*(ast.dump(ast.parse(source)) for source in sources))


def _file_of(module: ModuleType | str) -> Path:
    if isinstance(module, ModuleType):
        return Path(module.__file__ or "")
    found = find_spec(module)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"there is no module {module}")
    return Path(found.origin)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
