"""Five stocks and four months whose answers are worked out by hand, and random panels."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

_ROWS = [
    # month, stock, score, ret; with two portfolios, long is the better half
    ("2020-01-31", "A", 1.0, -0.10),
    ("2020-01-31", "B", 2.0, 0.10),
    ("2020-01-31", "C", 3.0, 0.20),
    ("2020-01-31", "D", 4.0, 0.00),
    ("2020-02-29", "A", 4.0, 0.10),
    ("2020-02-29", "B", 1.0, np.nan),  # chosen short, then gone
    ("2020-02-29", "C", 3.0, -0.10),
    ("2020-02-29", "D", 2.0, 0.02),
    ("2020-03-31", "A", 1.0, 0.00),
    ("2020-03-31", "C", 2.0, 0.04),
    ("2020-03-31", "D", 3.0, 0.06),
    ("2020-03-31", "E", 4.0, 0.10),
    ("2020-04-30", "A", 1.0, np.nan),  # the last decision month
    ("2020-04-30", "C", 2.0, np.nan),
    ("2020-04-30", "D", 3.0, np.nan),
    ("2020-04-30", "E", 4.0, np.nan),
]


@pytest.fixture
def scores() -> pd.DataFrame:
    frame = pd.DataFrame(_ROWS, columns=["month", "stock", "score", "ret"])
    frame["month"] = pd.to_datetime(frame["month"])
    return frame.assign(model="network")


@pytest.fixture(scope="session")
def panel() -> Callable[..., pd.DataFrame]:
    """Return a maker of random scores with missing returns and, on demand, months left out."""

    def make(
        seed: int,
        stocks: int = 12,
        months: int = 6,
        without: tuple[int, ...] = (),
        missing: float = 0.1,
    ) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        ends = pd.date_range("2019-10-31", periods=months, freq="ME")
        rows = []
        for place, month in enumerate(ends):
            if place in without:
                continue
            for name in rng.permutation(stocks + 4)[:stocks]:
                gone = rng.random() < missing
                ret = np.nan if gone else max(rng.normal(0.01, 0.2), -1.0)
                rows.append((month, f"s{name:03d}", "network", rng.normal(), ret))
        return pd.DataFrame(rows, columns=["month", "stock", "model", "score", "ret"])

    return make
