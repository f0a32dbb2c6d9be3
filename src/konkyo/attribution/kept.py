"""Which months' grounds are there already, and the digests that prove that they stayed."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from konkyo.attribution import grounds, lrp, rules
from konkyo.errors import ArtifactError
from konkyo.io import digest_of, digest_of_code, read_json
from konkyo.network import stack

Digests = dict[str, dict[str, str]]
"""Of each month, YYYY-MM: a digest of its file of weights and one of its file of grounds."""


@cache
def code_version() -> str:
    """Return a digest of the code that decides the grounds, blind to its comments."""
    return digest_of_code(grounds, lrp, rules, stack)


def keys(weights: Path, rows: Mapping[str, str], epsilon: float) -> dict[str, str]:
    """Return the key of each month's grounds: all that they depend on, and nothing else.

    Parameters
    ----------
    weights : Path
        Folder of the networks, one file a month. Their bytes count, not what they were made from:
        a network that is trained anew beside others may differ in its last digits.
    rows : mapping of str to str
        A digest of what each decision month scores.
    epsilon : float
        Of the relevance rule.

    Raises
    ------
    ArtifactError
        A month has no network.
    """
    return {
        month: digest_of(code_version(), repr(epsilon), bytes_of(weights, month), digest)
        for month, digest in rows.items()
    }


def bytes_of(weights: Path, month: str) -> bytes:
    """Return the bytes of a month's weights.

    Raises
    ------
    ArtifactError
        The file is missing.
    """
    path = weights / f"{month}.safetensors"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ArtifactError(f"{path} is missing: run `dvc repro train`") from None


def digests(weights: Path, folder: Path, months: Iterable[str]) -> Digests:
    """Return the digests of the months' files of weights and of grounds, those that are there."""
    found: Digests = {}
    for month in months:
        paths = {
            "grounds": folder / f"{month}.parquet",
            "weights": weights / f"{month}.safetensors",
        }
        found[month] = {
            name: digest_of(path.read_bytes()) for name, path in paths.items() if path.exists()
        }
    return found


def read_digests(path: Path) -> Digests:
    """Return the digests that the last run wrote, none where there was none."""
    return read_json(path) if path.exists() else {}


def changed(before: Digests, after: Digests) -> list[str]:
    """Return the months of `before` whose files are not the same in `after`, as month and kind.

    A file that `before` did not have is no change.
    """
    return [
        f"{month} ({kind})"
        for month, files in before.items()
        for kind, digest in files.items()
        if after.get(month, {}).get(kind) != digest
    ]
