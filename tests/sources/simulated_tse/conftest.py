"""Small simulated markets: 60 stocks, 60 months."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo.params import Simulated
from konkyo.sources.simulated_tse import Market, simulate

FIRST, LAST = "2005-01", "2009-12"

DEFAULT = Simulated(
    seed=1,
    stocks=60,
    noise=1.0,
    reversal=0.009,
    quality=0.013,
    value=0.008,
    interaction=0.010,
    regime=0.014,
)
OFF = replace(DEFAULT, reversal=0.0, quality=0.0, value=0.0, interaction=0.0, regime=0.0)


def wide(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one column as months by stocks."""
    return frame.set_index(["month", "stock"])[column].unstack("stock")  # noqa: PD010


def known(frame: pd.DataFrame) -> np.ndarray:
    """Return all values that are not missing, in one row."""
    values = frame.to_numpy()
    return values[np.isfinite(values)]


@pytest.fixture(scope="package")
def market() -> Market:
    """Return a market with every effect."""
    return simulate(DEFAULT, FIRST, LAST)
