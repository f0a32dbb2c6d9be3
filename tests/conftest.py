"""A small panel that the rooms' tests share."""

import signal

import pandas as pd
import pytest
from hypothesis import settings

from isolation import forget_mlflow
from konkyo import config
from konkyo.features.build import build
from konkyo.features.store import Panel
from small import make_records, small_params

# The same examples in every run, however slow the machine: a failure is one of a change. Examples
# at random are drawn by tests/long/fuzz.py.
settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.load_profile("suite")

# A shell without job control lets what it starts in the background ignore Ctrl-C, and so would all
# that tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

MARKERS = {"browser": "browser", "cluster": "cluster", "postgres": "server", "vendor": "server"}
"""The marker of each test that takes a fixture."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their fixtures."""
    for item in items:
        for fixture, marker in MARKERS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(marker)


@pytest.fixture(autouse=True)
def own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test log into the store of another."""
    forget_mlflow(monkeypatch)


@pytest.fixture(scope="session")
def records() -> tuple[pd.DataFrame, pd.DataFrame]:
    return make_records()


@pytest.fixture(scope="session")
def small() -> config.Params:
    return small_params()


@pytest.fixture(scope="session")
def panel(records: tuple[pd.DataFrame, pd.DataFrame], small: config.Params) -> Panel:
    return build(*records, small.prepare)[0]
