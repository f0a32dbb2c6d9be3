"""Daily prices of a few stocks, with what real ones have: holes, suspensions, days of no trade."""

import numpy as np
import pandas as pd


def random_rows(seed: int, stocks: int = 5, days: int = 420) -> pd.DataFrame:
    """Return a walk of prices with holes, a suspension, empty closes and days without trade."""
    rng = np.random.default_rng(seed)
    date = pd.date_range("2001-01-02", periods=days, freq="B")
    index = pd.MultiIndex.from_product([list("EDCBA")[:stocks], date], names=["stock", "date"])
    rows = index.to_frame(index=False)
    steps = rng.normal(0, 0.03, (stocks, days)) + rng.normal(0, 0.02, days)
    rows["close"] = np.round(50 * np.exp(steps.cumsum(1)).ravel(), 2)
    rows["volume"] = rng.integers(0, 4, len(rows)) * 1000.0
    rows.loc[rng.random(len(rows)) < 0.03, "close"] = np.nan
    rows = rows[rng.random(len(rows)) > 0.05]
    away = (rows["stock"] == "B") & rows["date"].between("2001-05-10", "2001-08-20")
    return rows[~away].sample(frac=1, random_state=seed).reset_index(drop=True)
