"""Files: atomic writes, tables, arrays and JSON, and digests."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet
from tqdm import tqdm

from konkyo import artifacts
from konkyo.resilience import temporary_file, write_errors

_KEY = b"konkyo"
_NAMES = ("name", "feature", "stock", "sector", "group", "series")
"""Columns of the tables that this project writes whose texts are the user's."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary file in the same folder that replaces `path` when the block ends.

    A reader sees the old file or the new one, never a part of either, even after a kill.

    Parameters
    ----------
    path : Path
        The file to write; its folder is created if it does not exist.

    Yields
    ------
    Path
        An empty file with the suffix of `path`, removed if the block raises.

    Raises
    ------
    OSError
        With the name of `path`, also if a library reports an error of writing without a name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_errors(path), temporary_file(beside=path) as temporary:
        yield temporary
        os.replace(temporary, path)


def cache_folder() -> Path:
    """Return the folder of downloads and copies that all projects of a user share."""
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "konkyo"


def write_parquet(frame: pd.DataFrame, path: Path, key: Any = None) -> None:
    """Write a frame without its index as Parquet, atomically.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    path : Path
        The file.
    key : JSON value, optional
        The cache key of the table, stored in the file's metadata for `read_key`.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if key is not None:
        metadata = {_KEY: json.dumps(key, sort_keys=True).encode()}
        table = table.replace_schema_metadata((table.schema.metadata or {}) | metadata)
    with atomic_write(path) as temporary:
        parquet.write_table(table, temporary)


def read_key(path: Path) -> Any:
    """Return the cache key of a Parquet file, None without a readable file or a key."""
    try:
        return json.loads((parquet.read_schema(path).metadata or {})[_KEY])
    except (OSError, pa.ArrowInvalid, KeyError, json.JSONDecodeError):
        return None


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame without its index as CSV, dates as YYYY-MM-DD, atomically."""
    with atomic_write(path) as temporary:
        frame.to_csv(temporary, index=False, date_format="%Y-%m-%d", lineterminator="\n")


def write_json(value: Any, path: Path) -> None:
    """Write a JSON value with sorted keys, atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def append_json(value: Any, path: Path) -> None:
    """Append a JSON value to a log as one line, in one write."""
    with path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(value) + "\n")


def read_json_lines(path: Path) -> list[Any]:
    """Return the values of a log, but for lines that were cut off; none without a file."""
    values = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        with suppress(json.JSONDecodeError):
            values.append(json.loads(line))
    return values


@contextmanager
def artifact_errors(path: Path) -> Iterator[None]:
    """Turn all errors of reading a file into errors that name it and the stage that writes it.

    Parameters
    ----------
    path : Path
        The file. The block should only read it: the types of errors are broad, since damaged files
        raise nearly any of them.

    Raises
    ------
    ArtifactError
        The file is missing, damaged or cannot be read.
    """
    try:
        yield
    except FileNotFoundError:
        raise artifacts.missing(path) from None
    except (OSError, ValueError, EOFError, KeyError, IndexError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise artifacts.damaged(path, reason) from None


def read_json(path: Path) -> Any:
    """Read a JSON value; the errors are those of `artifact_errors`."""
    with artifact_errors(path):
        return json.loads(path.read_text(encoding="utf-8"))


def read_parquet(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file, or some of its columns; the errors are those of `artifact_errors`."""
    with artifact_errors(path):
        return pd.read_parquet(path, columns=columns)


def read_parquets(paths: Iterable[Path]) -> pd.DataFrame:
    """Read Parquet files of the same columns as one table, in half the time of one by one."""
    paths = list(paths)
    try:
        tables = [
            parquet.ParquetFile(path).read() for path in tqdm(paths, paths[0].parent.name, delay=2)
        ]
        return pa.concat_tables(tables).to_pandas()
    except (OSError, ValueError, pa.ArrowException):
        # One by one, which names the file that is damaged, and joins other columns.
        return pd.concat(map(read_parquet, paths), ignore_index=True)


def read_csv(path: Path | Traversable, **options: Any) -> pd.DataFrame:
    """Read a CSV file as `write_csv` writes it; the errors are those of `artifact_errors`.

    Parameters
    ----------
    path : Path or Traversable
        The file, or one inside a package. Only an empty cell is a missing value, and columns of
        names are text: a feature or a stock may be called NA, null, inf, true or 007, which pandas
        reads as something else.
    **options
        Options of `pandas.read_csv`; `na_values=[]` if an empty cell is an empty text.
    """
    names = dict.fromkeys(_NAMES, "str")
    defaults: dict[str, Any] = {"keep_default_na": False, "na_values": [""], "dtype": names}
    with artifact_errors(Path(str(path))):
        return pd.read_csv(BytesIO(path.read_bytes()), **{**defaults, **options})


def read_array(path: Path, mmap_mode: Literal["r", "c"]) -> np.ndarray:
    """Map a .npy array into memory, never an object; the errors are those of `artifact_errors`."""
    with artifact_errors(path):
        try:
            return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
        except ValueError:
            # numpy's own message recommends to load a pickle "unsafely".
            raise ValueError("it is not a complete array of numbers") from None


def write_array(array: np.ndarray, path: Path) -> None:
    """Write an array as .npy, which can be memory-mapped, atomically."""
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        # Not np.save, whose error on a full disk does not say why it failed.
        contiguous = np.ascontiguousarray(array)
        header = np.lib.format.header_data_from_array_1_0(contiguous)
        np.lib.format.write_array_header_1_0(file, header)
        file.write(contiguous.data)


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
