"""The errors that konkyo raises on bad input: each names the value, the limit and the remedy."""

from collections.abc import Sequence
from typing import Any

INTERRUPTED = 130
"""The exit code of what an interrupt has ended: 128 + SIGINT, as shells and schedulers know it."""


class KonkyoError(ValueError):
    """Base of every error that a user can mend."""


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


class TrackingError(KonkyoError):
    """The MLflow store, experiment or run that was asked for cannot be used."""


class TuningError(KonkyoError):
    """A search over hyperparameters cannot be begun, gone on with or used."""
