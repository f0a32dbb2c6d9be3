"""The errors that users can mend: their place among Python's, and their way between processes."""

import pickle  # nosec B403 # what joblib sends between processes
from pathlib import Path

import pytest

from konkyo import artifacts, errors
from konkyo.data.vendors.http import Unavailable
from konkyo.data.violations import Violation

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]
KINDS = [kind for kind in KINDS if issubclass(kind, errors.KonkyoError)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_is_a_value_error(kind):
    """A library's `except ValueError` must not swallow what the user is to read."""
    assert not issubclass(kind, (ValueError, OSError, LookupError, TypeError, RuntimeError))


@pytest.mark.parametrize("kind", KINDS)
def test_errors_survive_pickling(kind):
    sent = pickle.loads(pickle.dumps(kind("lag = 3 is more than 2: lower it")))  # nosec B301
    assert type(sent) is kind
    assert str(sent) == "lag = 3 is more than 2: lower it"


def test_attributes_survive_pickling():
    violation = Violation("stocks", "ret", "largest_return", "9", (), 1, "correct it")
    error = errors.RecordsError("1 rule is broken", [violation])
    sent = pickle.loads(pickle.dumps(error))  # nosec B301
    assert (str(sent), sent.violations) == ("1 rule is broken", (violation,))
    away = pickle.loads(pickle.dumps(Unavailable("no answer", after=2.5)))  # nosec B301
    assert (str(away), away.after) == ("no answer", 2.5)
    missing = pickle.loads(pickle.dumps(artifacts.missing(Path("data/panel"))))  # nosec B301
    assert str(missing) == "data/panel is missing: run `dvc repro prepare`"
