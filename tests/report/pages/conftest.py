"""Small evidence with hostile names, the report made of it, and a browser to open it in."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from browsing import browser  # noqa: F401  # a fixture
from konkyo.config import Report
from konkyo.report import tables as report_tables
from konkyo.report.pages.report import report
from konkyo.report.tables.explained_panel import ExplainedPanel
from konkyo.report.tables.labels import labels as input_labels

HOSTILE = "<script>window.hurt=1</script>\"'&"
SOURCE = {"source": "tables", "point_in_time": True, "survivorship_free": False}
JAPANESE = "極東物産"
NAMES = ["return_1", "size", "roe_forecast", "sector_banks", "sector_foods", "month_01", "month_02"]
NAMES += ["month_03", "topix_change", "usd_jpy"]
GROUPS = ["characteristic"] * 3 + ["sector"] * 2 + ["calendar"] * 3 + ["market"] * 2


def make(seed: int, stocks: int = 24, months: int = 3, scale: float = 0.1) -> ExplainedPanel:
    """Return random evidence: stocks come, go and change their sector; five portfolios."""
    rng = np.random.default_rng(seed)
    codes = np.array(sorted([HOSTILE, JAPANESE, *(f"S{i:02d}" for i in range(stocks - 2))]))
    frames = []
    for end in pd.date_range("2020-01-31", periods=months, freq="ME"):
        present = codes[(rng.random(stocks) < 0.8) | (codes == HOSTILE)]
        frames.append(pd.DataFrame({"month": end, "stock": present}))
    index = pd.concat(frames, ignore_index=True)
    count = len(index)
    index["sector"] = rng.choice(["banks", "foods", "mining"], count)
    index["size"] = 1.0
    values = rng.uniform(-1, 1, (count, len(NAMES)))
    values[:, 3] = index["sector"] == "banks"
    values[:, 4] = index["sector"] == "foods"
    for column, month in ((5, 1), (6, 2), (7, 3)):
        values[:, column] = index["month"].dt.month == month
    at = pd.factorize(index["month"])[0]
    values[:, 8], values[:, 9] = rng.normal(0, 0.05, months)[at], rng.normal(110, 5, months)[at]
    relevance = rng.normal(0, scale, values.shape).astype(np.float32)
    relevance[:, 3:8] *= values[:, 3:8] != 0
    absorbed = rng.normal(0, scale / 10, count).astype(np.float32)
    index["score"] = relevance.sum(1, dtype=float) + absorbed
    by_month = index.groupby("month")["score"]
    index["rank"] = by_month.rank(method="first", ascending=False).astype("int64")
    index["stocks"] = by_month.transform("size")
    index["quantile"] = 5 - (5 * (index["rank"] - 1) // index["stocks"])
    index["ret"] = 0.0
    catalogue = pd.DataFrame({"name": NAMES, "group": GROUPS})
    return ExplainedPanel(index, values.astype(np.float32), relevance, absorbed, catalogue)


@pytest.fixture(scope="session")
def made() -> Callable[..., ExplainedPanel]:
    return make


@pytest.fixture(scope="session")
def evidence() -> ExplainedPanel:
    return make(1)


@pytest.fixture(scope="session")
def labels(evidence: ExplainedPanel) -> pd.DataFrame:
    return input_labels(evidence.names, evidence.catalogue)


@pytest.fixture(scope="session")
def chosen() -> Report:
    return Report(
        month="newest",
        n_extremes=3,
        watchlist=(HOSTILE,),
        columns=(),
        values="standardised",
        factors=(),
        market=(),
        market_month="largest",
        stars="paper",
        language="en",
        dpi=100,
    )


@pytest.fixture(scope="session")
def page(
    evidence: ExplainedPanel,
    labels: pd.DataFrame,
    chosen: Report,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Write the report of the small evidence and return where it is."""
    return write_page(evidence, labels, chosen, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="session")
def with_errors(evidence: ExplainedPanel) -> ExplainedPanel:
    """Return the evidence with standard errors: of size reliable, of the others a fifth."""
    reliable = np.random.default_rng(3).random(evidence.relevance.shape) < 0.2
    reliable[:, NAMES.index("size")] = True
    return replace(
        evidence,
        error=np.abs(evidence.relevance[:, ::-1]).astype(np.float16),
        reliable=reliable,
    )


@pytest.fixture(scope="session")
def page_with_errors(
    with_errors: ExplainedPanel,
    labels: pd.DataFrame,
    chosen: Report,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Write the report of evidence with standard errors and return where it is."""
    months = pd.DataFrame({"month": with_errors.months()})
    months = months.assign(reliable_share=0.2, placebo_share=[np.nan, 0.01, np.nan])
    return write_page(
        with_errors, labels, chosen, tmp_path_factory.mktemp("errors"), reliability_months=months
    )


def write_page(
    evidence: ExplainedPanel,
    labels: pd.DataFrame,
    chosen: Report,
    folder: Path,
    **more: pd.DataFrame,
) -> Path:
    shape = report_tables.factor_shape(evidence, ["return_1", "size"])
    performance = pd.DataFrame(
        {
            "model": ["network", "network", "ridge"],
            "portfolio": ["long", "short", "long"],
            "annual_return": [0.08, -0.03, 0.18],
            "annual_return_arithmetic": [0.09, -0.02, 0.2],
            "annual_volatility": [0.1, 0.2, 0.3],
            "return_risk_ratio": [0.8, -0.15, np.nan],
            "sharpe_ratio": [0.9, -0.1, np.nan],
            "max_drawdown": [-0.1, -0.2, -0.3],
            "hit_rate": [0.5, 0.6, 0.7],
            "months": [100, 20, 3],
        }
    )
    tables = {"performance": performance, "factor_shape": shape, **more}
    path = folder / "report.html"
    text = report(
        evidence,
        tables,
        source=SOURCE,
        charts={"en": {}, "ja": {}},
        labels=labels,
        config=chosen,
        largest=4,
    )
    path.write_text(text, encoding="utf-8")
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a browser."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
