"""The reading room's hand-made grounds, with names that a workbook or a page could misread."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konkyo.backtesting import assign_quantiles
from konkyo.report import tables
from konkyo.report.tables import ExplainedPanel

NAMES = ["return_1", "size", "sector_<b>", "sector_foods", "month_01", "topix_change"]
GROUPS = ["characteristic", "characteristic", "sector", "sector", "calendar", "market"]
STOCKS = ["=1+1", "0012", "<script>alert(1)</script>", "NA"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def hostile() -> ExplainedPanel:
    """One month of four stocks, by score: 0012, =1+1, NA, <script>."""
    values = np.array(
        [
            [0.2, 1.0, 1, 0, 1, 0.02],
            [1.0, -0.2, 0, 1, 1, 0.02],
            [-1.0, 0.2, 1, 0, 1, 0.02],
            [-0.2, -1.0, 0, 1, 1, 0.02],
        ]
    )
    relevance = np.array(
        [
            [0.1, 0.02, 0.03, 0.0, 0.0, 0.0],
            [0.3, 0.0, 0.0, 0.1, 0.01, -0.02],
            [-0.2, 0.01, -0.1, 0.0, 0.0, 0.0],
            [-0.05, 0.0, 0.0, 0.02, 0.0, 0.0],
        ]
    )
    absorbed = np.array([0.01, 0.0, -0.02, 0.0])
    keys = pd.DataFrame({"month": pd.Timestamp("2021-01-31"), "stock": STOCKS})
    keys["score"] = relevance.sum(1) + absorbed
    ranked = assign_quantiles(keys.assign(model="network", ret=np.nan), 2).set_index("stock")
    index = keys.assign(
        sector=["<b>", "foods", "<b>", None],
        size=[4.0, 3.0, 2.0, 1.0],
        rank=keys["score"].rank(ascending=False).astype("int64"),
        stocks=4,
        quantile=ranked.loc[STOCKS, "quantile"].to_numpy(),
        ret=np.nan,
    )[["month", "stock", "sector", "size", "score", "rank", "stocks", "quantile", "ret"]]
    catalogue = pd.DataFrame({"name": NAMES, "group": GROUPS, "transform": ""})
    return ExplainedPanel(
        index,
        values.astype(np.float32),
        relevance.astype(np.float32),
        absorbed.astype(np.float32),
        catalogue,
    )


@pytest.fixture(scope="session")
def labels(hostile: ExplainedPanel) -> pd.DataFrame:
    names = [*NAMES, "sector", "calendar", "absorbed"]
    return tables.labels(names, hostile.catalogue)
