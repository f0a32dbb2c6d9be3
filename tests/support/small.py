"""Small records and params, seeded, that the rooms' tests share."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from konkyo import config, dates

PARAMS = Path(__file__).parents[2] / "params.yaml"

SIMULATED = config.Simulated(
    seed=1,
    stocks=60,
    noise=1.0,
    reversal=0.009,
    quality=0.013,
    value=0.008,
    interaction=0.010,
    regime=0.014,
)
"""A small simulated market with every effect."""


def make_records(
    first: str = "2000-01", count: int = 30, stocks: int = 24, seed: int = 7
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a stocks and a market table: listings, delistings and missing values included.

    More months leave the earlier ones as they are.
    """
    rng = np.random.default_rng(seed)
    asked, count = count, 36
    ends = dates.month_end(np.arange(count) + dates.ordinal(pd.Series([dates.parse(first)]))[0])
    codes = np.array([f"S{i:03d}" for i in range(stocks)])
    born = np.where(rng.random(stocks) < 0.7, 0, rng.integers(0, count // 2, stocks))
    gone = np.where(rng.random(stocks) < 0.7, count, rng.integers(count // 2, count, stocks))
    month, stock = (
        part.ravel() for part in np.meshgrid(range(count), range(stocks), indexing="ij")
    )
    alive = (month >= born[stock]) & (month < gone[stock])
    month, stock = month[alive], stock[alive]
    returns = rng.standard_t(5, len(month)) * 0.06
    frame = pd.DataFrame(
        {
            "month": ends[month],
            "stock": codes[stock],
            "sector": np.array(["Autos", "Banks", "Chips"])[stock % 3],
            "return": np.clip(returns, -0.9, None),
            "size": np.exp(rng.normal(10, 1, len(month))),
            "illiquidity": np.where(rng.random(len(month)) < 0.1, np.nan, rng.random(len(month))),
        }
    )
    market = pd.DataFrame(
        {"month": ends, "MKT": rng.normal(0.01, 0.04, count), "VIX": 15 + rng.random(count)}
    )
    last = ends[asked - 1]
    return tuple(t[t["month"] <= last].reset_index(drop=True) for t in (frame, market))


def small_params(resamples: int = 0) -> config.Params:
    """Return the project's own params.yaml, shrunk to the small records."""
    whole = config.load(PARAMS)
    return replace(
        whole,
        prepare=replace(
            whole.prepare,
            first_month="2000-07",
            universe_size=16,
            characteristics=(
                "return_1", "return_3", "beta_6", "volatility_6", "size", "illiquidity"
            ),
            market={"MKT": ("level", "difference"), "VIX": ("level", "change")},
        ),
        train=replace(
            whole.train, window_months=6, hidden_sizes=(8, 4), batch_size=16, epochs=3,
            max_networks_per_stack=4, workers=1, placebo_every=3,
            resamples=resamples, resample_epochs=2,
        ),
        backtest=replace(whole.backtest, n_quantiles=4),
        tune=replace(whole.tune, precision="32-true"),
    )  # fmt: skip
