"""Stage prepare: records to the feature panel."""

from pathlib import Path

import pandas as pd

from konkyo import params
from konkyo.io import read_parquet
from konkyo.panel import store
from konkyo.panel.build import build
from konkyo.stages import lock, stage

RECORDS, PANEL = Path("data/records"), Path("data/panel")


@stage
@lock.writing
def main() -> None:
    """Build the panel and write it."""
    stocks = read_parquet(RECORDS / "stocks.parquet")
    market = read_parquet(RECORDS / "market.parquet")
    panel, missing = build(stocks, market, params.load().prepare)
    print(write(panel, missing))


def write(panel: store.Panel, missing: pd.DataFrame) -> str:
    """Write the panel and its counts of missing values, and say what it holds."""
    store.write(panel, missing, PANEL)
    months = panel.index["month"]
    return (
        f"panel: {len(panel.index):,} rows, {months.min():%Y-%m} to {months.max():%Y-%m}, "
        f"{len(panel.names)} features, {int(missing['missing'].sum()):,} missing values centred"
    )
