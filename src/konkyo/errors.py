"""The errors that konkyo raises on bad input: each names the value, the limit and the remedy."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

INTERRUPTED = 130
"""The exit code of what an interrupt has ended: 128 + SIGINT, as shells and schedulers know it."""

_SECRET = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|ACCESS_KEY)$")
"""How the names of environment variables with a credential end."""
_LOGIN = re.compile(r"(?<=://)(?!/|user:password@)\S*@")
"""User and password of an address; a password may hold any character, an @ or a / among them. A
third / begins the path of a file; the other exception is what remedies tell to write."""
_OPTION = re.compile(r"((?:password|passwd|pwd)=)[^\s&'\"]+", re.IGNORECASE)
_SHORTEST = 4
"""Characters of a credential: anything shorter would be struck out of ordinary words."""


class KonkyoError(Exception):
    """Base of every error that a user can mend; no credential is in its text.

    No `ValueError`: what libraries and readers of files catch as one would lose the message.
    """

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))


def redact(text: str, *secrets: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a text without the credentials that may be in it.

    Parameters
    ----------
    text : str
        A message, an address, a traceback.
    secrets : str
        Credentials that are struck out wherever they occur, plain or as in a URL.
    environment : mapping of str to str
        The values of variables with a credential's name are struck out likewise.

    Returns
    -------
    str
        The same text: addresses lose user and password, other credentials are ***.
    """
    text = _OPTION.sub(r"\1***", _LOGIN.sub("", text))
    values = {value.strip() for name, value in environment.items() if _SECRET.search(name)}
    values = {value for value in values if len(value) >= _SHORTEST} | set(filter(None, secrets))
    # The longest first: one credential may be a part of another.
    for secret in sorted(values, key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(form, "***")
    return text


def split_login(address: str) -> tuple[str, str]:
    """Return the login of one address, "user:password" or "", and the address without it.

    The login ends at the last @, as `redact` takes it: a password that was not percent-encoded may
    hold one itself. An address whose path follows at once, as in file:///a@b, has no login.
    """
    scheme, mark, rest = address.partition("://")
    login, at, place = rest.rpartition("@")
    if not at or rest.startswith("/"):
        return "", address
    return login, f"{scheme}{mark}{place}"


class ParamsError(KonkyoError):
    """A key or a value of params.yaml is not allowed."""


class RecordsError(KonkyoError):
    """The records brought by a source break a rule of the schema.

    Attributes
    ----------
    violations : tuple of konkyo.data.violations.Violation
        What the text says, one by one; empty where a file could not be read at all.
    """

    def __init__(self, message: str, violations: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)


class SourceError(KonkyoError):
    """A source could not be brought: not reachable, or not the expected file."""


class ArtifactError(KonkyoError):
    """A file that an earlier stage writes is missing or does not fit."""


class StorageError(KonkyoError):
    """The machine refuses: a full disk, a folder that cannot be written, too little memory."""


class BackendError(KonkyoError):
    """The processes or machines that are to train cannot be used."""


class TrackingError(KonkyoError):
    """The MLflow store, experiment or run that was asked for cannot be used."""


class TuningError(KonkyoError):
    """A search over hyperparameters cannot be begun, gone on with or used."""
