"""Errors of konkyo: every message names the value, the limit and the remedy."""

import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from typing import Any
from urllib.parse import quote, quote_plus

INTERRUPTED = 130
"""Exit code after an interrupt, 128 + SIGINT, the convention of shells and schedulers."""

_SECRET = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|ACCESS_KEY)$")
"""Endings of the names of environment variables that have a credential."""
_LOGIN = re.compile(r"(?<=://)(?!/|user:password@)\S*@")
"""User and password of an address. A password may have any character, @ and / included. Two
exceptions: after a third / follows the path of a file, and remedies show user:password@."""
_OPTION = re.compile(r"((?:password|passwd|pwd)=)[^\s&'\"]+", re.IGNORECASE)
_SHORTEST = 4
"""Least length of a credential: a shorter one would be struck out of ordinary words."""


class KonkyoError(Exception):
    """Base of all errors that a user can correct; credentials are removed from its text.

    Not a `ValueError`: libraries that catch these would lose the message.
    """

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))


def redact(text: str, *secrets: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a text without credentials.

    Parameters
    ----------
    text : str
        A message, an address, a traceback.
    secrets : str
        Credentials to remove, plain or percent-encoded.
    environment : mapping of str to str
        The values of variables whose names end as those of credentials are removed too.

    Returns
    -------
    str
        The text: addresses without user and password, other credentials as ***.
    """
    text = _OPTION.sub(r"\1***", _LOGIN.sub("", text))
    values = {value.strip() for name, value in environment.items() if _SECRET.search(name)}
    values = {value for value in values if len(value) >= _SHORTEST} | set(filter(None, secrets))
    # The longest first: one credential may be part of another.
    for secret in sorted(values, key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(form, "***")
    return text


def split_login(address: str) -> tuple[str, str]:
    """Return the login of an address, "user:password" or "", and the address without it.

    The login ends at the last @, as in `redact`: a password that is not percent-encoded may have
    one itself. An address without a host, such as file:///a@b, has no login.
    """
    scheme, separator, rest = address.partition("://")
    login, at, host = rest.rpartition("@")
    if not at or rest.startswith("/"):
        return "", address
    return login, f"{scheme}{separator}{host}"


class DependencyError(KonkyoError, ImportError):
    """A package of an extra, such as konkyo[pipeline], is not installed."""


@cache
def require_extra(extra: str) -> None:
    """Check that the packages of an extra are installed, those that konkyo's metadata list.

    Sources without an installation, such as those inside a served model, have no such list.

    Raises
    ------
    DependencyError
        Some are not: their names and the command.
    """
    try:
        lines = metadata.requires("konkyo") or []
    except metadata.PackageNotFoundError:
        return
    names = [re.split(r"[^\w.-]", line)[0] for line in lines if f'extra == "{extra}"' in line]
    absent = [name for name in names if not _is_installed(name)]
    if absent:
        raise DependencyError(
            f"{len(absent)} of {len(names)} packages of this part are not installed "
            f"({', '.join(absent)}): pip install 'konkyo[{extra}]'"
        )


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


class ParamsError(KonkyoError):
    """A key or a value of params.yaml is not allowed."""


class RecordsError(KonkyoError):
    """The records of a source violate a rule of the schema.

    Attributes
    ----------
    violations : tuple of konkyo.data.violations.Violation
        The violations of the message, one by one; empty if a file could not be read at all.
    """

    def __init__(self, message: str, violations: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)


class SourceError(KonkyoError):
    """A download failed: the source cannot be reached, or its file is not the expected one."""


class ArtifactError(KonkyoError):
    """An output of an earlier stage is missing, damaged, or of other params."""


class StorageError(KonkyoError):
    """An error of the machine: a full disk, a folder without permission, too little memory."""


class BackendError(KonkyoError):
    """The processes or machines of the training cannot be used."""


class TrackingError(KonkyoError):
    """The MLflow store, experiment, run or model version cannot be used."""


class TuningError(KonkyoError):
    """A search over hyperparameters cannot be started, resumed or applied."""
