"""A small market of four years whose scores know a part of the returns, and its tables."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from konkyo import backtesting
from konkyo.backtesting.portfolio_tables import Inputs, portfolio_tables
from konkyo.config import Backtest
from konkyo.windows import earned_in

MONTHS = pd.date_range("2015-01-31", periods=48, freq="ME")
CONFIG = Backtest(5, 10.0, None)
CATALOGUE = pd.DataFrame(
    {
        "name": ["return_1", "size", "sector_x", "month_01", "MKT"],
        "group": ["characteristic", "characteristic", "sector", "calendar", "market"],
    }
)
LABELS = pd.DataFrame({"feature": [*CATALOGUE["name"], *CATALOGUE["group"].unique(), "absorbed"]})
LABELS = LABELS.drop_duplicates().assign(
    en=lambda rows: "the " + rows["feature"], ja=lambda rows: "の" + rows["feature"]
)


def inputs(seed: int = 1, stocks: int = 40) -> Inputs:
    """Return 40 stocks of two sectors; the last month has no return, the placebo every fourth."""
    rng = np.random.default_rng(seed)
    n = len(MONTHS) * stocks
    relevance = rng.normal(0, 0.1, (n, 5)).astype("float32")
    rows = pd.DataFrame(
        {
            "month": np.repeat(MONTHS, stocks),
            "stock": np.tile([f"s{i:02d}" for i in range(stocks)], len(MONTHS)),
            "model": "network",
            "score": relevance.sum(1, dtype="float64") + rng.normal(0, 0.01, n),
        }
    )
    effects = np.array([0.2, -0.1, 0.1, 0.0, 0.0])
    rows["ret"] = 0.005 + relevance @ effects + rng.normal(0, 0.08, n)
    records = rows.assign(month=earned_in(rows["month"], 0))[["month", "stock", "ret"]]
    first = rows.head(stocks)[["month", "stock"]].assign(ret=0.0)
    records = pd.concat([first, records]).rename(columns={"ret": "return"})
    records = records.assign(
        dollar_volume=rng.lognormal(3, 1, len(records)), daily_volatility=0.02, days=21.0
    )
    gone = (rng.random(n) < 0.02) | (rows["month"] == MONTHS[-1])
    rows["ret"] = rows["ret"].mask(gone)
    placebo = rows[rows["month"].isin(MONTHS[::4])].assign(model="placebo")
    placebo["score"] = rng.normal(size=len(placebo))
    ranked = backtesting.assign_quantiles(pd.concat([rows, placebo]), CONFIG.n_quantiles)
    known = rows[["month", "stock"]].assign(
        sector=np.tile(["x", "y"], n // 2), market_value=rng.lognormal(size=n)
    )
    for name in ("size", "beta", "momentum", "volatility"):
        known[name] = rng.uniform(-1, 1, n)
    market = pd.DataFrame({"month": MONTHS, "MKT": rng.normal(0.005, 0.04, len(MONTHS))})
    return Inputs(
        rows=ranked.merge(known, on=["month", "stock"]),
        relevance=relevance,
        catalogue=CATALOGUE,
        records=records,
        market=market,
        benchmark=pd.Series(rng.normal(0.005, 0.04, 47), MONTHS[:-1], name="benchmark"),
        skip_months=0,
    )


@cache
def tables(**changes: Any) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return the tables and figures with changes of the section backtest."""
    return portfolio_tables(inputs(), replace(CONFIG, **changes))
