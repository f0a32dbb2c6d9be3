"""Four stocks, three months: small enough to work out by hand."""

from functools import partial

import pandas as pd
import pytest

from case_files import load_case

MONTHS = ["2001-01", "2001-02", "2001-03"]


@pytest.fixture
def stocks() -> pd.DataFrame:
    """Return clean stocks under this project's names, in the order of a file (not sorted)."""
    return pd.DataFrame(
        {
            "month": [month for month in MONTHS for _ in range(4)],
            "stock": ["D", "C", "B", "A"] * 3,
            "sector": ["Tech", "Tech", "Util", None] * 3,
            "return": [0.04, -0.02, 0.01, None, 0.1, 0.2, -0.5, 0.03, -1.0, 0.05, 0.06, 0.02],
            "size": [40.0, 30.0, 20.0, 10.0, 41.0, 31.0, 21.0, 11.0, 42.0, 32.0, None, 12.0],
            "illiquidity": [4.0, 3.0, None, 1.0] * 3,
        }
    )


@pytest.fixture
def market() -> pd.DataFrame:
    """Return clean market series that begin a month before the stocks."""
    return pd.DataFrame(
        {
            "month": ["2000-12", *MONTHS],
            "MKT": [0.01, 0.02, -0.01, 0.03],
            "RMW": [None, 0.001, 0.002, 0.003],
        }
    )


@pytest.fixture
def load(tmp_path):
    """Return what loads stocks of these files beside the market of the cases."""
    return partial(load_case, tmp_path / "raw")
