"""Small simulated markets: 60 stocks, 60 months."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from konkyo.data.simulated import Market, simulate
from small import SIMULATED

FIRST, LAST = "2005-01", "2009-12"

OFF = replace(SIMULATED, reversal=0.0, quality=0.0, value=0.0, interaction=0.0, regime=0.0)


def wide(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one column as months by stocks."""
    return frame.set_index(["month", "stock"])[column].unstack("stock")  # noqa: PD010


def finite(frame: pd.DataFrame) -> np.ndarray:
    """Return all values that are not missing, in one row."""
    values = frame.to_numpy()
    return values[np.isfinite(values)]


@pytest.fixture(scope="package")
def market() -> Market:
    """Return a market with every effect."""
    return simulate(SIMULATED, FIRST, LAST)
