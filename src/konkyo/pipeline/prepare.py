"""Stage prepare: records to the feature panel."""

import pandas as pd

from konkyo import config
from konkyo.artifacts import HERE
from konkyo.features import store
from konkyo.features.build import build
from konkyo.io import read_parquet
from konkyo.pipeline import locking, stage


@stage
@locking.writing
def main() -> None:
    """Build the panel and write it."""
    stocks = read_parquet(HERE.stocks)
    market = read_parquet(HERE.market)
    panel, missing = build(stocks, market, config.load().prepare)
    print(write(panel, missing))


def write(panel: store.Panel, missing: pd.DataFrame) -> str:
    """Write the panel and its counts of missing values, and say what it holds."""
    store.write(panel, missing, HERE.panel)
    months = panel.index["month"]
    return (
        f"panel: {len(panel.index):,} rows, {months.min():%Y-%m} to {months.max():%Y-%m}, "
        f"{len(panel.names)} features, {int(missing['missing'].sum()):,} missing values centred"
    )
