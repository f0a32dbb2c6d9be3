"""A small panel that the rooms' tests share."""

import signal

import pandas as pd
import pytest

from isolation import forget_mlflow
from konkyo import config
from konkyo.features.build import build
from konkyo.features.store import Panel
from small import make_records, small_params

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in the background with the interrupt ignored, and processes inherit
    # it: the tests that interrupt their own processes would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
