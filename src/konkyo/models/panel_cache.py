"""Large arrays where workers find them: a file that they map, or an object store that has a copy.

Nothing large is ever sent with a job: a worker maps the run's own file where it sees the run's
folder, and else fetches a copy once a machine, from any place that fsspec knows.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from konkyo.errors import BackendError, redact
from konkyo.io import atomic_write, cache_folder, read_array, sha256_of, write_array
from konkyo.resilience import locked

_UNUSED_DAYS = 7


@dataclass(frozen=True)
class CachedArray:
    """An array that does not change while a run uses it.

    Attributes
    ----------
    path : Path
        The .npy file on the machine of the run.
    url : str
        Its copy, or "" where there is none.
    digest : str
        SHA-256 of the file's bytes; "" where there is no copy.
    """

    path: Path
    url: str = ""
    digest: str = ""

    def mapped(self) -> np.ndarray:
        """Map the run's own file."""
        # Copy on write, as the panel is opened: torch warns of a buffer that it cannot write.
        return read_array(self.path, mmap_mode="c")

    def fetched(self) -> np.ndarray:
        """Map this machine's copy, which is fetched if it is not there.

        Raises
        ------
        BackendError
            The copy cannot be had, or is not what the run put there.
        """
        return read_array(_fetch(self.url, self.digest), mmap_mode="c")


def publish(array: np.ndarray, own: Path, place: str) -> CachedArray:
    """Bring an array to where workers find it.

    Parameters
    ----------
    array : numpy.ndarray
        One that is mapped from a whole file stays where it is.
    own : Path
        The file that any other is written to.
    place : str
        The address of a folder that workers on other machines reach, as fsspec understands it
        (s3://bucket/folder, gs://..., file:///mnt/...); "" where they see the run's own folder.

    Returns
    -------
    Shared
        The copy is named after its digest: a run puts there only what is not there yet.

    Raises
    ------
    BackendError
        The place cannot be written.
    """
    path = _file_of(array)
    if path is None:
        write_array(array, own)
        path = own.absolute()
    if not place:
        return CachedArray(path)
    digest = sha256_of(path)
    url = f"{place.rstrip('/')}/{digest}.npy"
    with _reaching(place):
        from fsspec.implementations.local import LocalFileSystem

        files, target = _open(url)
        if not files.exists(target):
            # Under another name until it is whole: another run may look for it at this moment.
            scratch = f"{target}.{uuid4().hex}"
            if isinstance(files, LocalFileSystem):
                # Stores of objects have no folders, and would make a bucket of a misspelt name.
                files.makedirs(target.rpartition("/")[0], exist_ok=True)
            files.put_file(str(path), scratch)
            files.mv(scratch, target)
    return CachedArray(path, url, digest)


def _file_of(array: np.ndarray) -> Path | None:
    """Return the .npy file of which an array is the whole, None for any other array."""
    if not isinstance(array, np.memmap) or not array.filename:
        return None
    path = Path(array.filename)
    if path.suffix != ".npy" or not path.exists():
        return None
    whole = np.load(path, mmap_mode="r", allow_pickle=False)
    alike = (whole.shape, whole.dtype, whole.offset) == (array.shape, array.dtype, array.offset)
    return path if alike and array.flags.c_contiguous else None


def _fetch(url: str, digest: str) -> Path:
    folder = cache_folder()
    path = folder / f"{digest}.npy"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # One process fetches, those beside it on this machine wait for it.
    with locked(folder / ".lock"):
        if path.exists():
            os.utime(path)
            return path
        _drop_unused(folder)
        with atomic_write(path) as scratch:
            with _reaching(url):
                files, source = _open(url)
                files.get_file(source, str(scratch))
            if sha256_of(scratch) != digest:
                raise BackendError(
                    f"{url} is not what this run put there: remove it and run the same again"
                )
    return path


def _drop_unused(folder: Path) -> None:
    oldest = time.time() - _UNUSED_DAYS * 24 * 3600
    for path in folder.glob("*.npy"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _open(url: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path that it knows it by."""
    from fsspec.core import url_to_fs

    return url_to_fs(url)


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Let whatever is wrong with a place be an error that names it."""
    try:
        yield
    except Exception as error:
        # fsspec's file systems raise whatever their own clients raise.
        raise BackendError(
            f"{url} cannot be used ({type(error).__name__}: {redact(str(error))}): check "
            "train.panel_cache_url in params.yaml, the rights of this user there, and that "
            "fsspec's package for it is installed on every machine"
        ) from error
