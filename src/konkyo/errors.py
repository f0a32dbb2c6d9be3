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
        super().__init__(without_secrets(message))


def without_secrets(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a text without the credentials that may be in it.

    Parameters
    ----------
    text : str
        A message, an address, a traceback.
    environment : mapping of str to str
        Variables with a credential's name are struck out wherever their value occurs.

    Returns
    -------
    str
        The same text: addresses lose user and password, other credentials are ***.
    """
    text = _OPTION.sub(r"\1***", _LOGIN.sub("", text))
    secrets = {value.strip() for name, value in environment.items() if _SECRET.search(name)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            for form in (secret, quote(secret, safe=""), quote_plus(secret)):
                text = text.replace(form, "***")
    return text


class ParamsError(KonkyoError):
    """A key or a value of params.yaml is not allowed."""


class RecordsError(KonkyoError):
    """The records brought by a source break a rule of the schema.

    Attributes
    ----------
    violations : tuple of konkyo.sources.violations.Violation
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
