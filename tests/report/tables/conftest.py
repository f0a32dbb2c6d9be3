"""Four stocks in three months by hand, and random grounds of any size."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting.portfolios import assign_quantiles
from konkyo.report.tables import ExplainedPanel

NAMES = ["return_1", "size", "sector_banks", "month_01", "topix_change"]
GROUPS = ["characteristic", "characteristic", "sector", "calendar", "market"]

# month, stock, sector, size | values | relevances | absorbed. A row's relevances and what is
# absorbed are its score. D leaves after February and E comes in March.
ROWS = [
    ("2020-01", "A", "banks", 8.0, [-1.0, 1.0, 1, 1, -0.10], [0.4, 0.1, 0.0, 0.0, 0.1], 0.0),
    ("2020-01", "B", "banks", 4.0, [-0.2, 0.2, 1, 1, -0.10], [0.1, 0.0, 0.1, 0.0, 0.0], 0.0),
    ("2020-01", "C", "foods", 2.0, [0.2, -0.2, 0, 1, -0.10], [-0.1, 0.0, 0.0, 0.0, -0.1], 0.1),
    ("2020-01", "D", "foods", 1.0, [1.0, -1.0, 0, 1, -0.10], [-0.3, -0.2, 0.0, 0.0, -0.1], 0.0),
    ("2020-02", "A", "banks", 8.0, [-0.2, 1.0, 1, 0, 0.02], [0.1, 0.1, 0.0, 0.0, 0.0], -0.1),
    ("2020-02", "B", "banks", 4.0, [0.2, 0.2, 1, 0, 0.02], [-0.3, 0.0, 0.1, 0.0, 0.0], 0.0),
    ("2020-02", "C", "foods", 2.0, [-1.0, -0.2, 0, 0, 0.02], [0.3, 0.0, 0.0, 0.0, 0.1], 0.0),
    ("2020-02", "D", "foods", 1.0, [1.0, -1.0, 0, 0, 0.02], [-0.4, -0.1, 0.0, 0.0, 0.1], 0.0),
    ("2020-03", "A", "banks", 8.0, [-1.0, 1.0, 1, 0, 0.00], [0.2, 0.2, 0.0, 0.0, 0.0], 0.0),
    ("2020-03", "B", "banks", 4.0, [0.2, 0.2, 1, 0, 0.00], [0.0, 0.0, 0.1, 0.0, 0.0], 0.0),
    ("2020-03", "C", "foods", 2.0, [1.0, -0.2, 0, 0, 0.00], [-0.2, 0.0, 0.0, 0.0, 0.0], 0.0),
    ("2020-03", "E", "foods", 1.0, [-0.2, -1.0, 0, 0, 0.00], [0.2, 0.05, 0.0, 0.0, 0.0], 0.0),
]


def assemble(
    keys: pd.DataFrame,
    values: np.ndarray,
    relevance: np.ndarray,
    absorbed: np.ndarray,
    catalogue: pd.DataFrame,
    portfolios: int,
) -> ExplainedPanel:
    """Return evidence of stocks with month, stock, sector, size and ret, ranked by their sums."""
    score = relevance.sum(1) + absorbed
    keys = keys.assign(score=score)
    ranked = assign_quantiles(
        keys[["month", "stock", "score", "ret"]].assign(model="network"), portfolios
    )
    index = keys[["month", "stock", "sector", "size"]].assign(
        score=score,
        rank=ranked["rank"],
        stocks=keys.groupby("month")["score"].transform("size"),
        quantile=ranked["quantile"],
        ret=keys["ret"],
    )
    return ExplainedPanel(
        index,
        values.astype(np.float32),
        relevance.astype(np.float32),
        absorbed.astype(np.float32),
        catalogue,
    )


@pytest.fixture(scope="session")
def tiny() -> ExplainedPanel:
    """Long are A and B, A and C, A and E; short the other two of each month."""
    months = pd.to_datetime([row[0] for row in ROWS]) + pd.offsets.MonthEnd(0)
    keys = pd.DataFrame(
        {
            "month": months,
            "stock": [row[1] for row in ROWS],
            "sector": [row[2] for row in ROWS],
            "size": [row[3] for row in ROWS],
            "ret": 0.0,
        }
    )
    return assemble(
        keys,
        np.array([row[4] for row in ROWS]),
        np.array([row[5] for row in ROWS]),
        np.array([row[6] for row in ROWS]),
        pd.DataFrame({"name": NAMES, "group": GROUPS}),
        2,
    )


@pytest.fixture(scope="session")
def made() -> Callable[..., ExplainedPanel]:
    """Return a maker of random evidence; stocks come and go, some months may be without any."""

    def make(
        seed: int,
        stocks: int = 30,
        months: int = 6,
        portfolios: int = 5,
        without: Sequence[int] = (),
    ) -> ExplainedPanel:
        rng = np.random.default_rng(seed)
        ends = pd.date_range("2019-09-30", periods=months, freq="ME")
        frames = []
        for at, end in enumerate(ends):
            if at in without:
                continue
            there = np.sort(rng.choice(stocks, rng.integers(stocks // 2, stocks), replace=False))
            frames.append(pd.DataFrame({"month": end, "stock": [f"S{code:03d}" for code in there]}))
        keys = pd.concat(frames, ignore_index=True)
        count = len(keys)
        keys["sector"] = rng.choice(["banks", "foods", "mining"], count)
        keys["size"] = rng.lognormal(0, 1, count)
        keys["ret"] = 0.0
        values = rng.uniform(-1, 1, (count, 5))
        values[:, 1] = np.round(values[:, 1], 1)
        values[:, 2] = keys["sector"] == "banks"
        values[:, 3] = keys["month"].dt.month == 1
        values[:, 4] = pd.factorize(keys["month"])[0] / 10
        relevance = values * rng.normal(0, 0.1, (count, 5))
        catalogue = pd.DataFrame({"name": NAMES, "group": GROUPS})
        return assemble(keys, values, relevance, rng.normal(0, 0.01, count), catalogue, portfolios)

    return make
