"""Large arrays where workers find them: a file that they map, or a copy in an object store.

Nothing large is ever sent with a job: a worker maps the run's own file where it sees the run's
folder; otherwise its machine downloads a copy once, from any file system of fsspec.

fsspec's own caches do not serve here, as of its release 2026.9: `simplecache` and `filecache`
download to the final name, so that `simplecache` takes the half file of a killed or a concurrent
download for the whole, `filecache` may overwrite a file that another process has mapped, and
neither checks the content. This module downloads beside the file, compares the digest, and renames.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
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
        """Return the run's own file, mapped."""
        # Copy on write, as the panel is opened: torch warns of a buffer that it cannot write.
        return read_array(self.path, mmap_mode="c")

    def fetched(self) -> np.ndarray:
        """Return this machine's copy, mapped; it is downloaded first where there is none.

        Raises
        ------
        BackendError
            The copy cannot be downloaded, or is not the array that the run published.
        """
        return read_array(_download(self.url, self.digest), mmap_mode="c")


def publish(array: np.ndarray, path: Path, url: str) -> CachedArray:
    """Write an array where workers find it.

    Parameters
    ----------
    array : numpy.ndarray
        One that is mapped from a file of its own stays where it is.
    path : Path
        The file that any other is written to.
    url : str
        The address of a folder that workers on other machines reach, as fsspec understands it
        (s3://bucket/folder, gs://..., file:///mnt/...); "" where they see the run's own folder.

    Returns
    -------
    CachedArray
        The copy is named after its digest: an array is uploaded once.

    Raises
    ------
    BackendError
        The place cannot be written.
    """
    file = _file_of(array)
    if file is None:
        write_array(array, path)
        file = path.absolute()
    if not url:
        return CachedArray(file)
    digest = sha256_of(file)
    target_url = f"{url.rstrip('/')}/{digest}.npy"
    with _naming_errors(url):
        from fsspec.core import url_to_fs
        from fsspec.implementations.local import LocalFileSystem

        files, target = url_to_fs(target_url)
        if not files.exists(target):
            # Under another name until it is complete: another run may look for it at this moment.
            scratch = f"{target}.{uuid4().hex}"
            if isinstance(files, LocalFileSystem):
                # Object stores have no folders, and would make a bucket of a misspelt name.
                files.makedirs(target.rpartition("/")[0], exist_ok=True)
            files.put_file(str(file), scratch)
            files.mv(scratch, target)
    return CachedArray(file, target_url, digest)


def _file_of(array: np.ndarray) -> Path | None:
    """Return the .npy file that holds exactly an array, None for any other array."""
    if not isinstance(array, np.memmap) or not array.filename:
        return None
    path = Path(array.filename)
    if path.suffix != ".npy" or not path.exists():
        return None
    stored = np.load(path, mmap_mode="r", allow_pickle=False)
    same = (stored.shape, stored.dtype, stored.offset) == (array.shape, array.dtype, array.offset)
    return path if same and array.flags.c_contiguous else None


def _download(url: str, digest: str) -> Path:
    """Return this machine's copy of a published file."""
    folder = cache_folder()
    path = folder / f"{digest}.npy"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # One process downloads while the others on this machine wait for it.
    with locked(folder / ".lock"):
        if path.exists():
            os.utime(path)
            return path
        _drop_unused(folder)
        with atomic_write(path) as scratch:
            with _naming_errors(url):
                from fsspec.core import url_to_fs

                files, source = url_to_fs(url)
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


@contextmanager
def _naming_errors(url: str) -> Iterator[None]:
    """Turn any error of a file system into one that names its address."""
    try:
        yield
    except Exception as error:
        # fsspec's file systems raise whatever their own clients raise.
        raise BackendError(
            f"{url} cannot be used ({type(error).__name__}: {redact(str(error))}): check "
            "train.panel_cache_url in params.yaml, the rights of this user there, and that "
            "fsspec's package for it is installed on every machine"
        ) from error
